// A worker with many instances: what it takes to look at all of them, and to write one.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Application, Instance, StatusSource } from '@caelus/core';
import { type Caelus, createCaelus } from '@caelus/engine';
import { createGitStore } from '@caelus/git-store';
import { timed } from '../bench-result.ts';
import { answerCalls } from '../process-calls.ts';
import { createFirst, instanceLike, type OpenRows, openRows, settings } from './open-rows.ts';

export interface FleetSettings {
  readonly database: string;
  /** The cache of the remote. */
  readonly directory: string;
  readonly remote: string;
  readonly instances: number;
}

interface Fleet extends OpenRows {
  readonly caelus: Caelus;
  readonly names: readonly string[];
  readonly ids: readonly string[];
  readonly close: () => Promise<void>;
}

/** Every Application says the same, and another thing after each {@link said}. */
let said = 0;
let tip = '';
const applicationOf = (name: string): Application => ({
  metadata: { name },
  spec: {},
  status: {
    sync: { status: 'OutOfSync', revisions: [tip, '1.0.0'] },
    health: { status: 'Progressing' },
    conditions: [{ type: 'ComparisonError', message: `said ${said}`, lastTransitionTime: '2026-01-01T00:00:00Z' }],
  },
});

let fleet: Fleet | undefined;
const opened = () => {
  if (fleet === undefined) throw new Error('no fleet is open');
  return fleet;
};

/** Each command asks for something else: one that changes nothing would write nothing. */
let changes = 0;

/** Called with the names of Applications whose files were pushed. */
let pushed = (_names: readonly string[]): void => {};
/** Called with the milliseconds of an operation of the engine. */
let ended = (_name: string, _milliseconds: number): void => {};

function collect(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** Milliseconds of the first operation of that name that a worker with these loops ends. */
async function operation(name: string, loops: { projector?: boolean; observer?: boolean; sweeper?: boolean }) {
  const done = new Promise<number>((resolve) => {
    ended = (found, milliseconds) => found === name && resolve(milliseconds);
  });
  await using _worker = opened().caelus.start({ projector: false, observer: false, sweeper: false, ...loops });
  return await done;
}

const handlers = {
  async open({ database, directory, remote, instances }: FleetSettings): Promise<void> {
    const rows = await openRows(database, 8);
    const store = await createGitStore({ directory, remote: { url: remote } });
    const names: string[] = [];
    const known = new Set<string>();
    const status: StatusSource = {
      name: 'bench',
      get: async (name) => (known.has(name) ? applicationOf(name) : undefined),
      async *list() {
        for (const name of known) yield applicationOf(name);
      },
      async *watch({ signal } = {}) {
        yield { type: 'synced' };
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
      async [Symbol.asyncDispose]() {},
    };
    const caelus = createCaelus({
      ...settings,
      repository: rows.repository,
      store,
      status,
      timings: { relist: 1, batch: 1000, sweep: 86_400_000 },
      notifier: { notify: async ({ applications }) => pushed(applications) },
      telemetry: { onOperationEnd: ({ name }, { milliseconds }) => ended(name, milliseconds) },
    });
    const first = await createFirst(rows.repository, { store, status });
    const all = [first, ...Array.from({ length: instances - 1 }, (_, index) => instanceLike(first, index + 1))];
    await insert(rows, all.slice(1));
    names.push(...all.map(({ argoAppName }) => argoAppName));
    fleet = {
      ...rows,
      caelus,
      names,
      ids: all.map(({ id }) => id),
      async close() {
        await store[Symbol.asyncDispose]();
        await rows.repository[Symbol.asyncDispose]();
        await rows.pool.end();
      },
    };
    await caelus.runOnce();
    for (const name of names) known.add(name);
    const backlog = await rows.repository.workBacklog();
    if (backlog.pending > 0) throw new Error(`${backlog.pending} instances could not be written`);
    tip = (await store.snapshot()).commit ?? '';
  },
  /** Milliseconds of a comparison of all rows with Git. */
  async sweep(): Promise<number> {
    return operation('rows-sweep', { sweeper: true });
  },
  /** Bytes of memory that a comparison keeps beside what was there. What is collected for the answer takes time, so that is not measured. */
  async sweepBytes(): Promise<number> {
    const before = collect();
    let most = before;
    const watching = setInterval(() => {
      most = Math.max(most, collect());
    }, 500);
    await operation('rows-sweep', { sweeper: true }).finally(() => clearInterval(watching));
    return most - before;
  },
  /** Milliseconds of a pass over all Applications, each of which says something new. */
  async status(): Promise<number> {
    said += 1;
    return operation('status-observe', { observer: true });
  },
  /** Milliseconds of each, from the command to the notification that comes once its commit is pushed. */
  async push(rounds: number): Promise<readonly number[]> {
    const { caelus, ids, names } = opened();
    const times: number[] = [];
    await using _worker = caelus.start({ observer: false, sweeper: false });
    for (let round = 0; round < rounds; round += 1) {
      const index = (round * 7919) % ids.length;
      times.push(
        await timed(async () => {
          const arrived = new Promise<void>((resolve) => {
            pushed = (applications) => applications.includes(names[index] ?? '') && resolve();
          });
          await caelus.instances.update(ids[index] ?? '', { values: { title: `change ${++changes}` } });
          await arrived;
        }),
      );
    }
    return times;
  },
  async close(): Promise<void> {
    await fleet?.close();
  },
};

async function insert({ repository }: OpenRows, instances: readonly Instance[]): Promise<void> {
  for (let index = 0; index < instances.length; index += 500) {
    await repository.transaction(async (transaction) => {
      for (const instance of instances.slice(index, index + 500)) {
        await transaction.insertInstance(instance);
        await transaction.requestWork(instance.id, 'bench', instance.createdAt);
      }
    });
  }
}

export type FleetProcess = typeof handlers;

answerCalls(handlers);
