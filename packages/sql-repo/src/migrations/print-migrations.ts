import { createPostgresTranslator } from '../postgres/postgres-statement.ts';
import { DEFAULT_SCHEMA, parseSchema } from '../postgres/schema-name.ts';
import type { SqlDialect } from '../sql-executor.ts';
import { type MigrationPlan, migrationChecksum } from './migration.ts';
import { LOCK_TIMEOUT, lockOfMigrations, postgresPlan } from './postgres-plan.ts';
import { sqlitePlan } from './sqlite-migrations.ts';

export interface PrintMigrationsOptions {
  /** The newest version that the database has. Default 0: none. */
  readonly after?: number | undefined;
  /** PostgreSQL's schema. Default `caelus`. */
  readonly schema?: string | undefined;
}

/**
 * Prints the schema as one SQL script, for those who apply migrations by hand or by a tool of their own. The script
 * records what it applied, so that `createSqlRepository` finds nothing to do.
 * @throws {CaelusError} `INVALID_INPUT`
 */
export function printMigrations(dialect: SqlDialect, options: PrintMigrationsOptions = {}): string {
  const { after = 0 } = options;
  if (dialect === 'sqlite') {
    const script = scriptOf(sqlitePlan, after, `strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`);
    return ['BEGIN IMMEDIATE;', ...script, 'COMMIT;', ''].join('\n');
  }
  const schema = parseSchema(options.schema ?? DEFAULT_SCHEMA);
  const translate = createPostgresTranslator(schema);
  const begin = [
    LOCK_TIMEOUT,
    lockOfMigrations(schema),
    ...(after === 0 ? [`CREATE SCHEMA IF NOT EXISTS "${schema}"`] : []),
  ];
  const script = scriptOf(postgresPlan(schema), after, 'now()').map(translate);
  return ['BEGIN;', ...begin.map((statement) => `${statement};`), ...script, 'COMMIT;', ''].join('\n');
}

function scriptOf({ migrations, table }: MigrationPlan, after: number, now: string): readonly string[] {
  const statements = migrations
    .filter(({ version }) => version > after)
    .flatMap((migration) => [
      `-- ${migration.version}: ${migration.name}`,
      ...migration.statements.map((statement) => `${statement};`),
      `INSERT INTO migration (version, name, checksum, applied_at) VALUES (${migration.version}, '${migration.name}', '${migrationChecksum(migration)}', ${now});`,
    ]);
  return [`${table};`, ...statements];
}
