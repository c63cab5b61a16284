import { CaelusError } from '@caelus/core';
import type { SqlRow, SqlSession } from '../sql-session.ts';
import type { HostValues } from './attach-options.ts';
import { fingerprintFunction } from './attached-plan.ts';
import { type HostKind, type HostMapping, type HostTable, quoted } from './host-mapping.ts';

/** The types of a host's columns, by table, as `format_type` names them. */
export type HostTypes = Readonly<Record<HostKind, ReadonlyMap<string, HostColumn>>>;

export interface HostColumn {
  readonly type: string;
  /** Whether the database gives a value where none is. */
  readonly hasDefault: boolean;
}

/** One row of a host's, all of it as text. */
export interface HostRow {
  readonly id: string;
  /** Instants in ISO 8601. */
  readonly values: HostValues;
  readonly fingerprint: string;
}

const TYPES = `SELECT c.relname::text AS table_name, a.attname::text AS column_name, format_type(a.atttypid, NULL) AS type,
  (a.atthasdef OR a.attidentity <> '')::text AS has_default
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ? AND c.relname IN (?, ?, ?) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`;

/**
 * Looks up the host's tables.
 * @param isComplete Whether the columns that Caelus adds have to be there too.
 * @throws {CaelusError} `SQL_HOST_MISMATCH`
 */
export async function hostTypes(session: SqlSession, mapping: HostMapping, isComplete: boolean): Promise<HostTypes> {
  const tables = Object.values(mapping.tables);
  const { rows } = await session.query(TYPES, [mapping.schema, ...tables.map(({ name }) => name)]);
  const columnsOf = ({ name }: HostTable) =>
    new Map(
      rows
        .filter((row) => row.table_name === name)
        .map((row) => [
          String(row.column_name),
          { type: String(row.type), hasDefault: String(row.has_default).startsWith('t') },
        ]),
    );
  const types = Object.fromEntries(tables.map((table) => [table.kind, columnsOf(table)])) as unknown as HostTypes;
  const missing = tables.flatMap((table) => {
    if (types[table.kind].size === 0) return [table.name];
    const needed = table.columns.filter((column) => isComplete || table.added[column] === undefined);
    return needed.filter((column) => !types[table.kind].has(column)).map((column) => `${table.name}.${column}`);
  });
  if (missing.length === 0) return types;
  throw new CaelusError({
    code: 'SQL_HOST_MISMATCH',
    message: `The host's schema ${mapping.schema} has no ${missing.join(', ')}. Correct the mapping in attach, or run the host's migrations.`,
    details: { schema: mapping.schema, missing },
  });
}

const INSTANT = /^timestamp with(?:out)? time zone$/;

/**
 * A host's key as a parameter of its own type, so that an index serves it. `undefined` where that type has no such value: after the
 * host has changed the type, say.
 */
export function keyParameter(types: HostTypes, { kind, id }: HostTable, key: string): string | undefined {
  const type = types[kind].get(id)?.type ?? 'text';
  if (/^(?:smallint|integer|bigint)$/.test(type)) {
    const limit = type === 'bigint' ? 2n ** 63n : type === 'integer' ? 2n ** 31n : 2n ** 15n;
    if (!/^-?\d{1,19}$/.test(key) || BigInt(key) >= limit || BigInt(key) < -limit) return undefined;
  }
  if (type === 'uuid' && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(key)) return undefined;
  return `CAST(? AS ${/^[a-z ]+$/.test(type) ? type : 'text'})`;
}

/** What a `SELECT` asks for to read host rows `d` of a table: text, whatever the parsers of the driver are. */
export function hostColumns(schema: string, mapping: HostMapping, table: HostTable, types: HostTypes): string {
  const columns = table.columns.map((column) => {
    const type = types[table.kind].get(column)?.type ?? '';
    if (!INSTANT.test(type)) return `d.${quoted(column)}::text AS ${quoted(column)}`;
    const instant = type.includes('without')
      ? `d.${quoted(column)} AT TIME ZONE '${mapping.timeZone}'`
      : `d.${quoted(column)}`;
    return `to_char((${instant}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ${quoted(column)}`;
  });
  return `${columns.join(', ')}, ${fingerprintOf(schema, table)} AS "caelus fingerprint"`;
}

/** The fingerprint of the host row `d`. */
export const fingerprintOf = (schema: string, table: HostTable): string =>
  `${fingerprintFunction(schema, table)}(row_to_json(d)::text)`;

export function toHostRow(table: HostTable, row: SqlRow): HostRow {
  const values = Object.fromEntries(
    table.columns.map((column) => [column, row[column] === null ? null : String(row[column])]),
  );
  return { id: String(row[table.id]), values, fingerprint: String(row['caelus fingerprint']) };
}

/** An instant as a parameter for a column of the host's. */
export function instantParameter(mapping: HostMapping, type: string | undefined): string {
  const instant = 'CAST(? AS timestamptz)';
  return type === 'timestamp without time zone' ? `(${instant} AT TIME ZONE '${mapping.timeZone}')` : instant;
}
