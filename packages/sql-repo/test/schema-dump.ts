import { postgresProgram } from './postgres-server.ts';

/** What `pg_dump` makes of the schema: all of it, or one of the schemas. */
export async function dumpSchema(url: string, schema?: string): Promise<string> {
  const only = schema === undefined ? [] : ['--schema', schema];
  const dump = await postgresProgram('pg_dump', ['--schema-only', '--no-owner', ...only, url]);
  // Newer versions put a random word there.
  return dump.replace(/^\\(?:un)?restrict .*\n/gm, '');
}

type Query = (sql: string) => Promise<{ readonly rows: readonly unknown[] }>;

/** The same from the catalogue, where no `pg_dump` can connect. */
export async function readCatalogue(query: Query, schema: string): Promise<readonly string[]> {
  const inSchema = `(SELECT oid FROM pg_namespace WHERE nspname = '${schema}')`;
  const parts = [
    `SELECT 'schema ' || nspname AS line FROM pg_namespace WHERE nspname = '${schema}'`,
    `SELECT format('%s.%s %s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.attidentity, a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid)) AS line
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.attnum > 0
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relnamespace = ${inSchema}`,
    `SELECT pg_get_indexdef(oid) AS line FROM pg_class WHERE relnamespace = ${inSchema} AND relkind = 'i'`,
    `SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) AS line FROM pg_constraint
     WHERE connamespace = ${inSchema}`,
    `SELECT pg_get_triggerdef(t.oid) AS line FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = ${inSchema} AND NOT t.tgisinternal`,
    `SELECT pg_get_functiondef(oid) AS line FROM pg_proc WHERE pronamespace = ${inSchema}`,
  ];
  const { rows } = await query(`${parts.join('\nUNION ALL\n')}\nORDER BY line`);
  return rows.map((row) => String((row as { readonly line: unknown }).line));
}
