import type { RepositoryCapabilities, RepositoryNews } from '@caelus/core';
import type { HostMapping } from './attached/host-mapping.ts';
import type { MigrationPlan } from './migrations/migration.ts';
import type { SqlExecutor } from './sql-executor.ts';
import type { SqlDatabase } from './sql-session.ts';

/** An open database, and what the repository has to know of it. */
export interface OpenedDatabase {
  /** Names it in errors. */
  readonly name: string;
  readonly database: SqlDatabase;
  readonly plan: MigrationPlan;
  readonly capabilities: RepositoryCapabilities;
  /** How a host's tables are Caelus's, in attached mode. */
  readonly mapping?: HostMapping | undefined;
  /** Runs once the database has its tables. */
  settle(): Promise<void>;
  /** The same database, seen inside a host's open transaction. */
  join(executor: SqlExecutor): SqlDatabase;
  /** Calls back when something was committed that others may wait for. Left out where the database cannot tell. */
  readonly listen: ((callback: (news: RepositoryNews) => void) => Promise<() => Promise<void>>) | undefined;
}
