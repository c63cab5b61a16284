import type { SqlDialect } from '../sql-executor.ts';
import { MIGRATION_TABLE, type Migration, migrationChecksum } from './migration.ts';
import { sqliteMigrations } from './sqlite-migrations.ts';

const migrationsOf: Readonly<Record<SqlDialect, readonly Migration[]>> = { sqlite: sqliteMigrations };

export interface PrintMigrationsOptions {
  /** The newest version that the database has. Default 0: none. */
  readonly after?: number | undefined;
}

/**
 * Prints the schema as one SQL script, for those who apply migrations by hand or by a tool of their own. The script
 * records what it applied, so that `createSqlRepository` finds nothing to do.
 */
export function printMigrations(dialect: SqlDialect, { after = 0 }: PrintMigrationsOptions = {}): string {
  const statements = migrationsOf[dialect]
    .filter(({ version }) => version > after)
    .flatMap((migration) => [
      `-- ${migration.version}: ${migration.name}`,
      ...migration.statements.map((statement) => `${statement};`),
      `INSERT INTO migration (version, name, checksum, applied_at) VALUES (${migration.version}, '${migration.name}', '${migrationChecksum(migration)}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));`,
    ]);
  return ['BEGIN IMMEDIATE;', `${MIGRATION_TABLE};`, ...statements, 'COMMIT;', ''].join('\n');
}
