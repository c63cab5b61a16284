import { CaelusError } from '@caelus/core';
import type { AttachOptions } from '../attached/attach-options.ts';
import { attachedPlan } from '../attached/attached-plan.ts';
import { hostMapping } from '../attached/host-mapping.ts';
import { createPostgresTranslator } from '../postgres/postgres-statement.ts';
import { DEFAULT_SCHEMA, parseSchema } from '../postgres/schema-name.ts';
import type { SqlDialect } from '../sql-executor.ts';
import { type AlembicIds, alembicRevision, parseAlembicIds } from './alembic-revision.ts';
import type { MigrationPlan } from './migration.ts';
import { type MigrationStep, stepsDown, stepsUp } from './migration-steps.ts';
import { postgresPlan } from './postgres-plan.ts';
import { sqlitePlan } from './sqlite-plan.ts';

/** Which migrations are printed. */
interface PrintedRange {
  /** The version below the oldest one: what the database has before it goes up, and after it went down. Default 0: none. */
  readonly after?: number | undefined;
  /** The newest version. Default: the newest of all. The functions and triggers are printed with the newest of all alone. */
  readonly until?: number | undefined;
  /** PostgreSQL's schema. Default `caelus`. */
  readonly schema?: string | undefined;
  /** A host's own tables in PostgreSQL, as `createSqlRepository` is given them. Default: none. */
  readonly attach?: AttachOptions | undefined;
}

/** A script for `psql`, `sqlite3` or the like. */
export interface PrintSqlOptions extends PrintedRange {
  /** Default `sql`. */
  readonly format?: 'sql' | undefined;
  /** `down` drops the tables with all that is in them. Default `up`. */
  readonly direction?: 'up' | 'down' | undefined;
}

/** A revision file for Alembic, with both directions in it. PostgreSQL only. */
export interface PrintAlembicOptions extends PrintedRange {
  readonly format: 'alembic';
  /** The id of the revision: 1 to 32 letters, digits and underscores. */
  readonly revision: string;
  /** The revision before it; `null` where it is the first. */
  readonly downRevision: string | null;
}

export type PrintMigrationsOptions = PrintSqlOptions | PrintAlembicOptions;

const NOW = { sqlite: `strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`, postgres: 'now()' } as const;

/**
 * Prints what `createSqlRepository` would run to make the schema, for those who apply migrations by hand or by a tool of their
 * own. It records what it applied, so that `createSqlRepository` finds nothing to do, and all of it is one transaction.
 *
 * @throws {CaelusError} `INVALID_INPUT`
 *
 * @example
 * ```ts
 * writeFileSync('caelus.sql', printMigrations('postgres'));
 * writeFileSync('versions/caelus_1.py', printMigrations('postgres', { format: 'alembic', revision: 'caelus_1', downRevision: head }));
 * ```
 */
export function printMigrations(dialect: SqlDialect, options: PrintMigrationsOptions = {}): string {
  const schema = parseSchema(options.schema ?? DEFAULT_SCHEMA);
  const { attach } = options;
  if (attach !== undefined && dialect === 'sqlite')
    throw invalid('/attach', 'Only tables in PostgreSQL can be attached to.');
  const ofPostgres = attach === undefined ? postgresPlan(schema) : attachedPlan(schema, hostMapping(attach));
  const plan = dialect === 'sqlite' ? sqlitePlan : ofPostgres;
  const translate = dialect === 'sqlite' ? (sql: string) => sql : createPostgresTranslator(schema);
  return printPlan(dialect, plan, translate, options);
}

/** Prints any plan. */
export function printPlan(
  dialect: SqlDialect,
  plan: MigrationPlan,
  translate: (sql: string) => string,
  options: PrintMigrationsOptions,
): string {
  const steps = stepsOf(plan, NOW[dialect], options);
  const translated = (all: readonly MigrationStep[]) =>
    all.map(({ title, statements }) => ({ title, statements: statements.map(translate) }));
  if (options.format === 'alembic') {
    if (dialect !== 'postgres') throw invalid('/format', 'Use sql: an SQLite file is not under Alembic.');
    const ids: AlembicIds = parseAlembicIds(options);
    return alembicRevision(ids, { begin: plan.begin, up: translated(steps.up), down: translated(steps.down) });
  }
  const begin = dialect === 'sqlite' ? 'BEGIN IMMEDIATE' : 'BEGIN';
  const { title, statements } = { title: 'only one at a time', statements: plan.begin };
  const body = translated(steps[options.direction ?? 'up']);
  const locks = statements.length === 0 ? [] : [{ title, statements }];
  const script = [...locks, ...body].flatMap((step) => [
    `-- ${step.title}`,
    ...step.statements.map((statement) => `${statement};`),
  ]);
  return [`${begin};`, ...script, 'COMMIT;', ''].join('\n');
}

function stepsOf(plan: MigrationPlan, now: string, options: PrintMigrationsOptions) {
  const newest = plan.migrations.length;
  const { after = 0, until = newest } = options;
  if (!Number.isInteger(after) || after < 0) throw invalid('/after', 'Use a version, or 0.');
  if (!Number.isInteger(until) || until < after || until > newest) {
    throw invalid('/until', `Use a version from ${after} to ${newest}.`);
  }
  const migrations = plan.migrations.filter(({ version }) => version > after && version <= until);
  const range = { migrations, repeatables: until === newest ? plan.repeatables : [] };
  return { up: stepsUp(plan, range, now), down: stepsDown(plan, range) };
}

function invalid(path: string, message: string): CaelusError {
  return new CaelusError({
    code: 'INVALID_INPUT',
    message: `The migrations cannot be printed. ${path}: ${message}`,
    details: { issues: [{ path, message }] },
  });
}
