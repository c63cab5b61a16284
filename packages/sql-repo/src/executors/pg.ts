import { setTimeout as sleep } from 'node:timers/promises';
import { sqlStateOf } from '../postgres/postgres-errors.ts';
import { inSavepoint, turnsOf } from '../postgres/savepoint.ts';
import type { SqlConnection, SqlExecutor, SqlQueryResult } from '../sql-executor.ts';

/** What is used of a client of `pg`. */
export interface PgClientLike {
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly rows: Record<string, unknown>[]; readonly rowCount: number | null }>;
  // biome-ignore lint/suspicious/noExplicitAny: what a listener is given depends on the event.
  on(event: string, listener: (...args: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  removeListener(event: string, listener: (...args: any[]) => void): unknown;
  /** Since pg 8.17: `I` outside of a transaction, `T` inside, `E` inside one that failed. */
  getTransactionStatus?(): string | null;
}

/** What is used of a pool of `pg`. */
export interface PgPoolLike {
  query: PgClientLike['query'];
  connect(): Promise<PgClientLike & { release(error?: Error | boolean): void }>;
}

const LONGEST_PAUSE_MILLISECONDS = 10_000;

/** Runs statements on a pool of `pg`. The pool stays the host's: it is not ended with the repository. */
export function fromPgPool(pool: PgPoolLike): SqlExecutor {
  return {
    dialect: 'postgres',
    query: connectionOf(pool).query,
    async transaction(body) {
      const client = await pool.connect();
      let broken: Error | undefined;
      const onError = (error?: Error) => {
        // Without a listener the loss of a connection that is lent would end the process.
        broken ??= error ?? new Error('The connection has ended.');
      };
      client.on('error', onError);
      try {
        return await beginAndCommit(connectionOf(client), body, onError);
      } finally {
        client.removeListener('error', onError);
        client.release(broken);
      }
    },
    async listen(channel, callback) {
      const stopped = new AbortController();
      const first = await listenOnce(pool, channel, callback);
      const done = keepListening(pool, channel, callback, first, stopped.signal);
      return async () => {
        stopped.abort();
        await done;
      };
    },
  };
}

/**
 * Runs statements on one client of `pg`: inside the host's open transaction, where there is one, and else in transactions of its
 * own. While one of them runs, leave the client alone.
 */
export function fromPgClient(client: PgClientLike): SqlExecutor {
  const connection = connectionOf(client);
  const exclusive = turnsOf(client);
  return {
    dialect: 'postgres',
    query: connection.query,
    transaction: (body) =>
      exclusive(async () => {
        const status = client.getTransactionStatus?.();
        if (status === 'I') return beginAndCommit(connection, body);
        try {
          return await inSavepoint(connection, 'caelus', body);
        } catch (error) {
          if (sqlStateOf(error) !== '25P01') throw error;
        }
        return beginAndCommit(connection, body);
      }),
    async listen(channel, callback) {
      const stop = await listenOn(client, channel, callback);
      return async () => {
        stop();
        await client.query(`UNLISTEN "${channel}"`);
      };
    },
  };
}

function connectionOf(client: Pick<PgClientLike, 'query'>): SqlConnection {
  return {
    async query(sql, parameters): Promise<SqlQueryResult> {
      const { rows, rowCount } = await client.query(sql, [...parameters]);
      return { rows, affected: rowCount ?? 0 };
    },
  };
}

async function beginAndCommit<T>(
  connection: SqlConnection,
  body: (connection: SqlConnection) => Promise<T>,
  onBroken: (error: Error) => void = () => {},
): Promise<T> {
  try {
    await connection.query('BEGIN', []);
    const result = await body(connection);
    await connection.query('COMMIT', []);
    return result;
  } catch (error) {
    // A connection that cannot even be rolled back must not go back to the pool.
    await connection.query('ROLLBACK', []).catch(onBroken);
    throw error;
  }
}

async function listenOn(
  client: PgClientLike,
  channel: string,
  callback: (payload: string) => void,
): Promise<() => void> {
  const onNotification = (message: { readonly channel: string; readonly payload?: string | undefined }) => {
    if (message.channel === channel) callback(message.payload ?? '');
  };
  client.on('notification', onNotification);
  await client.query(`LISTEN "${channel}"`);
  return () => void client.removeListener('notification', onNotification);
}

interface Listening {
  /** Resolves when the connection is lost. */
  readonly lost: Promise<void>;
  /** Gives the connection up. */
  end(): void;
}

async function listenOnce(pool: PgPoolLike, channel: string, callback: (payload: string) => void): Promise<Listening> {
  const client = await pool.connect();
  let onLoss = () => {};
  const lost = new Promise<void>((resolve) => {
    onLoss = resolve;
  });
  client.on('error', onLoss);
  client.on('end', onLoss);
  // Not back to the pool: whoever gets it next would be sent our notifications.
  const end = () => client.release(true);
  try {
    await listenOn(client, channel, callback);
  } catch (error) {
    end();
    throw error;
  }
  return { lost, end };
}

/** Connects again when the connection is lost, until it is stopped. */
async function keepListening(
  pool: PgPoolLike,
  channel: string,
  callback: (payload: string) => void,
  first: Listening,
  signal: AbortSignal,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  let current: Listening | undefined = first;
  for (let pause = 50; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MILLISECONDS)) {
    if (current !== undefined) {
      await Promise.race([current.lost, stopped]);
      current.end();
      pause = 50;
    }
    if (signal.aborted) return;
    await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
    current = signal.aborted ? undefined : await listenOnce(pool, channel, callback).catch(() => undefined);
    if (current !== undefined) callback('');
  }
  current?.end();
}
