import { CaelusError, type CallOptions, type RepositoryNews } from '@caelus/core';
import { attachedPlan } from '../attached/attached-plan.ts';
import { hostMapping } from '../attached/host-mapping.ts';
import { hostTypes } from '../attached/host-row.ts';
import type { PostgresOptions } from '../create-sql-repository.ts';
import { postgresPlan } from '../migrations/postgres-plan.ts';
import type { OpenedDatabase } from '../opened-database.ts';
import type { SqlDatabase } from '../sql-session.ts';
import { joinedExecutor } from './joined-executor.ts';
import { createPostgresDatabase } from './postgres-database.ts';
import { DEFAULT_SCHEMA } from './schema-name.ts';

const OLDEST_VERSION = 14;
/** Of a transaction that PostgreSQL asks to run again. */
const ATTEMPTS = 10;

/**
 * Where a dump was restored into another cluster, the numbers of its transactions start anew, below those of the events that are
 * or were there. Then the offset is raised, so that new events come after them.
 */
const RAISE_OFFSET = `UPDATE meta SET value = (newest.position - pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1)::text
FROM (SELECT left(greatest(max(cursor), (SELECT value FROM meta WHERE key = 'event_horizon')), 18)::bigint AS position FROM event) AS newest
WHERE key = 'event_offset' AND newest.position >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + value::bigint`;

export async function openPostgres({
  executor,
  schema = DEFAULT_SCHEMA,
  attach,
  signal,
}: PostgresOptions): Promise<OpenedDatabase> {
  const name = `postgres:${schema}`;
  const database = createPostgresDatabase({ name, executor, schema, attempts: ATTEMPTS });
  await assertSupported(database, name, { signal });
  const mapping = attach && hostMapping(attach);
  if (mapping !== undefined) await hostTypes(database, mapping, false);
  const capabilities = executor.capabilities ?? { multiProcess: true, durable: true };
  const listen = executor.listen?.bind(executor);
  return {
    name,
    database,
    plan: mapping === undefined ? postgresPlan(schema) : attachedPlan(schema, mapping),
    capabilities: mapping === undefined || mapping.inserts ? capabilities : { ...capabilities, ownsRows: false },
    mapping,
    settle: async () => void (await database.query(RAISE_OFFSET)),
    join: (host) => {
      if (host.dialect !== 'postgres') throw unsupported(name, host.dialect, 'Use an executor of PostgreSQL.');
      return createPostgresDatabase({ name, executor: joinedExecutor(host, name), schema, attempts: 1 });
    },
    listen:
      listen &&
      ((callback) =>
        listen(`${schema}_news`, (payload) => {
          for (const news of newsIn(payload)) callback(news);
        })),
  };
}

const ALL_NEWS: readonly RepositoryNews[] = ['work', 'lease', 'event'];

/** Where the connection was lost, anything may have happened. */
function newsIn(payload: string): readonly RepositoryNews[] {
  return payload === '' ? ALL_NEWS : ALL_NEWS.filter((news) => news === payload);
}

async function assertSupported(database: SqlDatabase, name: string, options: CallOptions): Promise<void> {
  const sql = `SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding`;
  const [row] = (await database.query(sql, [], options)).rows;
  const version = Math.floor(Number(row?.version) / 10_000);
  if (!(version >= OLDEST_VERSION)) throw unsupported(name, `PostgreSQL ${version}`, 'Use PostgreSQL 14 or newer.');
  if (row?.encoding !== 'UTF8') {
    throw unsupported(name, `encoding ${row?.encoding}`, 'Use a database with the encoding UTF8.');
  }
}

function unsupported(what: string, found: string, advice: string): CaelusError {
  return new CaelusError({
    code: 'SQL_DATABASE_UNSUPPORTED',
    message: `${what} cannot hold the rows of Caelus: ${found}. ${advice}`,
    details: { what, found },
  });
}
