import { CaelusError, type IdSource, type Timestamp } from '@caelus/core';
import type { SqlSession } from '../sql-session.ts';
import type { HostKind, HostMapping } from './host-mapping.ts';
import { type HostRow, type HostTypes, hostColumns, hostTypes, keyParameter, toHostRow } from './host-row.ts';

/** The host's tables, for one repository. */
export interface HostBinding {
  readonly schema: string;
  readonly mapping: HostMapping;
  readonly ids: IdSource;
  now(): Timestamp;
  /** The types of the host's columns, looked up now and then: its migrations may change them. */
  types(session: SqlSession): Promise<HostTypes>;
  /** Has the types looked up anew: a statement that was made for them failed. */
  forgetTypes(): void;
}

const TYPES_MILLISECONDS = 60_000;

export function createHostBinding(parts: Pick<HostBinding, 'schema' | 'mapping' | 'ids' | 'now'>): HostBinding {
  let known: { readonly types: HostTypes; readonly until: number } | undefined;
  return {
    ...parts,
    async types(session) {
      const now = performance.now();
      if (known !== undefined && now < known.until) return known.types;
      const types = await hostTypes(session, parts.mapping, true);
      known = { types, until: now + TYPES_MILLISECONDS };
      return types;
    },
    forgetTypes() {
      known = undefined;
    },
  };
}

/** Reads a host's row by its key, without a lock: nobody who writes it waits for us. */
export async function readHostRow(
  { schema, mapping, types: typesOf }: HostBinding,
  session: SqlSession,
  kind: HostKind,
  hostId: string,
): Promise<HostRow | undefined> {
  const types = await typesOf(session);
  const table = mapping.tables[kind];
  const key = keyParameter(types, table, hostId);
  if (key === undefined) return undefined;
  const columns = hostColumns(schema, mapping, table, types);
  const sql = `SELECT ${columns} FROM ${table.sql} AS d WHERE d."${table.id}" = ${key}`;
  const [row] = (await session.query(sql, [hostId])).rows;
  return row && toHostRow(table, row);
}

/** A field of the host's that a command would have to write, and cannot. */
export function fieldReadOnly(field: string): CaelusError {
  return new CaelusError({
    code: 'SQL_HOST_FIELD_READ_ONLY',
    message: `The field ${field} is read from the host's row by a function, so Caelus cannot write it. Change the host's row, or map the field to a column.`,
    details: { field },
  });
}

/** A row that only the host inserts. */
export function rowMissing(table: string, id: string): CaelusError {
  return new CaelusError({
    code: 'SQL_HOST_ROW_MISSING',
    message: `The host's table ${table} has no row ${id}, and Caelus inserts none. Insert it there: Caelus takes it up. Or allow it by attach.insert.`,
    details: { table, id },
  });
}

/** The host's own constraints refuse what Caelus writes. */
export function rowRefused(table: string, id: string, cause: unknown): CaelusError {
  return new CaelusError({
    code: 'SQL_HOST_ROW_REFUSED',
    message: `A constraint or a trigger of the host's table ${table} refuses the row ${id}. Look at the host's constraints: every column that is not mapped needs a default, and names have to be free.`,
    details: { table, id },
    cause,
  });
}
