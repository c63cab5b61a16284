import { CaelusError, type CallOptions, type Page, type PageRequest, parsePageLimit } from '@caelus/core';
import { columnsOf, type RecordTable, readRecord } from './record-table.ts';
import type { SqlValue } from './sql-executor.ts';
import type { SqlRow, SqlSession } from './sql-session.ts';

/** `column` is one of `values`; the one value `null` asks for no value. */
export interface Condition {
  readonly column: string;
  readonly values: readonly SqlValue[];
}

/**
 * A listing that is read in the order of its key from one index, so that a page costs what it holds and not what the
 * table holds.
 */
export interface OrderedListing<T extends object = object> {
  readonly table: RecordTable<T>;
  /** The columns that order the rows, together unique. */
  readonly key: readonly string[];
  readonly direction: 'ASC' | 'DESC';
  /** The index to read. It holds the columns of the key, and before them the column of `leading`. */
  readonly index: string | null;
  /**
   * The condition that the index serves. For several values the index is read once for each, and what it gives is merged
   * by the key, because one read for all of them would have to be sorted.
   */
  readonly leading: Condition | null;
  /** Conditions that each row is asked. */
  readonly filters: readonly Condition[];
  /** A condition in SQL that each row is asked, without parameters. */
  readonly condition?: string | null;
}

/** The rows of a listing that follow `after`, in its order. */
export async function queryOrdered<T extends object>(
  session: SqlSession,
  listing: OrderedListing<T>,
  after: readonly SqlValue[] | undefined,
  limit: number,
  options?: CallOptions,
): Promise<readonly SqlRow[]> {
  const { table, key, direction, leading, filters, condition = null } = listing;
  if (filters.some(({ values }) => values.length === 0)) return [];
  const arms =
    leading === null ? [null] : [...new Set(leading.values)].map((value) => ({ ...leading, values: [value] }));
  if (arms.length === 0) return [];

  const follows = direction === 'ASC' ? '>' : '<';
  const parameters: SqlValue[] = [];
  const selects = arms.map((arm) => {
    const conditions = [...(arm === null ? [] : [arm]), ...filters];
    const terms = conditions.map(({ column, values }) => {
      if (values.length === 1 && values[0] === null) return `${column} IS NULL`;
      parameters.push(...values);
      return values.length === 1 ? `${column} = ?` : `${column} IN (${marks(values)})`;
    });
    if (after !== undefined) {
      parameters.push(...after);
      terms.push(`(${key.join(', ')}) ${follows} (${marks(after)})`);
    }
    if (condition !== null) terms.push(condition);
    const where = terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`;
    const select = `SELECT * FROM ${table.name} ${indexHint(session, listing.index)} ${where}`;
    if (session.dialect === 'sqlite' || arms.length === 1) return select;
    // PostgreSQL would read and sort all that each arm has: a page needs no more of any of them than it holds itself.
    parameters.push(limit);
    return `(${select} ORDER BY ${key.map((column) => `${column} ${direction}`).join(', ')} LIMIT ?)`;
  });
  const order = key.map((column) => `page.${column} ${direction}`).join(', ');
  const columns = columnsOf(session, table);
  const sql = `SELECT ${columns} FROM (${selects.join(' UNION ALL ')}) AS page ORDER BY ${order} LIMIT ?`;
  return (await session.query(sql, [...parameters, limit], options)).rows;
}

const marks = (values: readonly unknown[]) => values.map(() => '?').join(', ');

/** SQLite has no statistics of an embedded database to choose by, and without the hint sorts where it need not. */
function indexHint({ dialect }: SqlSession, index: string | null): string {
  return dialect === 'sqlite' && index !== null ? `INDEXED BY ${index}` : '';
}

export interface RecordListing<T extends object> extends OrderedListing<T> {
  /** Tells this listing's cursors from others'. */
  readonly name: string;
  /** The key of a record, as text. */
  readonly keyOf: (record: T) => readonly string[];
}

/**
 * One page of a listing.
 * @throws {CaelusError} `CURSOR_INVALID`, `INVALID_INPUT`, `STORE_CORRUPT`
 */
export async function listPage<T extends object>(
  session: SqlSession,
  listing: RecordListing<T>,
  page: PageRequest = {},
  options?: CallOptions,
): Promise<Page<T>> {
  const limit = parsePageLimit(page.limit);
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, listing.name, listing.key.length);
  const rows = await queryOrdered(session, listing, after, limit + 1, options);
  const items = rows.slice(0, limit).map((row) => readRecord(listing.table, row));
  const last = items.at(-1);
  const isLast = rows.length <= limit || last === undefined;
  return { items, nextCursor: isLast ? null : encodeCursor(listing.name, listing.keyOf(last)) };
}

function encodeCursor(listing: string, key: readonly string[]): string {
  return Buffer.from(JSON.stringify([listing, ...key])).toString('base64url');
}

function decodeCursor(cursor: string, listing: string, length: number): readonly string[] {
  try {
    const [name, ...key] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (name === listing && key.length === length && key.every((part) => typeof part === 'string')) return key;
  } catch {
    // Neither base64url of JSON nor a list: refused below.
  }
  throw invalidCursor(cursor);
}

export function invalidCursor(cursor: string): CaelusError {
  return new CaelusError({
    code: 'CURSOR_INVALID',
    message: 'The cursor is not one that this listing gave. Start again without a cursor.',
    details: { cursor: cursor.slice(0, 100) },
  });
}
