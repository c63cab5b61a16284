import { CaelusError, type InstanceId, type Receipt, type Repository, type StateStore } from '@caelus/core';
import { createMemoryRepository, createMemoryStateStore } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { type Caelus, type CaelusOptions, createCaelus, systemClock, uuidSource } from '../src/index.ts';
import { createWorld, type World } from './world.ts';

const timings = { poll: 20, relist: 2 ** 30, sweep: 2 ** 30, retry: 1, retryLimit: 5, deletion: 5, grace: 1 };
const LONG = 2 ** 30;

function createRunningWorld(more: Partial<CaelusOptions> = {}): Promise<World> {
  return createWorld({ clock: systemClock, ids: uuidSource, ...more, timings: { ...timings, ...more.timings } });
}

/** Waits for a condition, and fails after twenty seconds without it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(20_000);
  while (!(await condition())) await systemClock.sleep(2, { signal });
}

const isIdle = async ({ repository }: World) => (await repository.workBacklog()).pending === 0;
const leased = async ({ repository }: World) => (await repository.listWork({ state: 'leased' })).items;
const projectorOnly = { observer: false, sweeper: false };

/** A store whose writes wait until they are let go, and that says how many are at it. */
function gated(store: StateStore) {
  const gates: (() => void)[] = [];
  const seen = { waiting: 0, most: 0, sizes: [] as number[], subjects: [] as string[][] };
  const wrapped: StateStore = {
    ...store,
    async write(changes, options) {
      // The first write of each writer makes the repository's own files, and is let through.
      if (changes.some(({ subject }) => subject === 'repository')) return store.write(changes, options);
      seen.waiting += 1;
      seen.most = Math.max(seen.most, seen.waiting);
      seen.sizes.push(changes.length);
      seen.subjects.push(changes.map(({ subject }) => subject));
      await new Promise<void>((resolve) => gates.push(resolve));
      seen.waiting -= 1;
      return store.write(changes, options);
    },
  };
  return { store: wrapped, seen, open: () => gates.splice(0).forEach((gate) => void gate()) };
}

async function commitsOf(world: World): Promise<readonly string[]> {
  const changes: string[] = [];
  for await (const { trailers } of world.store.log()) {
    changes.push(...trailers.filter(({ key }) => key === 'Caelus-Change').map(({ value }) => value));
  }
  return changes;
}

describe('the election', () => {
  it('lets one of many workers write, and another as soon as that one stops', async () => {
    await using world = await createRunningWorld({ timings: { poll: LONG } as never });
    const writers = new Map<string, number>();
    let now = 0;
    let most = 0;
    const worker = (name: string) => {
      const store: StateStore = {
        ...world.store,
        async write(changes, options) {
          now += 1;
          most = Math.max(most, now);
          writers.set(name, (writers.get(name) ?? 0) + 1);
          await systemClock.sleep(1);
          now -= 1;
          return world.store.write(changes, options);
        },
      };
      return createCaelus({ ...world.options, store }).start(projectorOnly);
    };
    const workers = ['a', 'b', 'c'].map((name) => ({ name, worker: worker(name) }));
    for (let round = 0; round < 3; round++) {
      await world.create();
      await until(() => isIdle(world));
      expect([...writers.keys()]).toHaveLength(round + 1);
      const lease = await world.repository.findLease('writer of https://git.example.com/gitops.git main');
      expect(lease?.owner).toContain('/');
      // With a poll of weeks, only the news that the lease is free can lead to the next one.
      const elected = workers.find(({ name }) => name === [...writers.keys()].at(-1));
      await elected?.worker.stop();
    }
    expect(most).toBe(1);
    expect(await world.repository.findLease('writer of https://git.example.com/gitops.git main')).toBeUndefined();
    await Promise.all(workers.map((each) => each.worker.stop()));
  });

  it('takes the place of a writer that died, once its lease has not changed for so long', async () => {
    await using world = await createRunningWorld({ timings: { writerLease: 60 } as never });
    const dead = { owner: 'gone/1', token: 'x', beat: 7, renewedAt: '2099-01-01T00:00:00.000Z' as never };
    const name = 'writer of https://git.example.com/gitops.git main';
    await world.repository.transaction((transaction) => transaction.replaceLease(name, undefined, dead));
    await using _ = world.caelus.start(projectorOnly);
    await world.create();
    await until(() => isIdle(world));
    expect((await world.repository.findLease(name))?.token).not.toBe('x');
  });

  it('does no harm where a writer is paused past its lease, and goes on as if nothing had been', async () => {
    await using world = await createRunningWorld({ timings: { lease: 40, writerLease: 40 } as never });
    const paused = gated(world.store);
    // Its renewals stop too, as those of a process that was stopped.
    let isPaused = false;
    const repository: Repository = {
      ...world.repository,
      renewWork: (...input) => (isPaused ? Promise.reject(new Error('paused')) : world.repository.renewWork(...input)),
      transaction: (body, options) =>
        isPaused ? Promise.reject(new Error('paused')) : world.repository.transaction(body, options),
    };
    const first = createCaelus({ ...world.options, repository, store: paused.store }).start(projectorOnly);
    const { id } = await world.create();
    await until(() => paused.seen.waiting === 1);
    isPaused = true;
    await using _ = createCaelus(world.options).start(projectorOnly);
    await until(() => isIdle(world));
    await world.caelus.instances.update(id, { values: { replicas: 2 } });
    await until(() => isIdle(world));
    const { commit } = await world.store.snapshot();
    const state = await world.repository.findGitState(id);
    isPaused = false;
    paused.open();
    await first.stop();
    expect((await world.store.snapshot()).commit).toBe(commit);
    expect(await world.repository.findGitState(id)).toEqual(state);
    expect(await commitsOf(world)).toHaveLength(2);
    expect((await world.events()).filter(({ type }) => type === 'instance-committed')).toHaveLength(2);
  });
});

describe('a batch that takes long', () => {
  it('keeps its leases, so that nobody does the same work', async () => {
    await using world = await createWorld({ timings: { ...timings, poll: LONG, lease: 3_000, writerLease: LONG } });
    const slow = gated(world.store);
    const { id } = await world.create();
    await using _slow = createCaelus({ ...world.options, store: slow.store }).start(projectorOnly);
    await until(() => slow.seen.waiting === 1);
    for (let second = 1; second <= 10; second++) {
      world.clock.advance(1_000);
      const end = new Date(world.clock.now().getTime() + 3_000).toISOString();
      await until(async () => (await leased(world))[0]?.leaseUntil === end);
      // Another one that is not bound by the election, as runOnce is not.
      expect((await world.caelus.runOnce()).written).toBe(0);
    }
    // What the sweeps have asked for meanwhile is looked at next.
    await until(() => {
      slow.open();
      return isIdle(world);
    });
    expect(await commitsOf(world)).toHaveLength(1);
    expect((await world.repository.findGitState(id))?.generation).toBe(1);
  });
});

describe('one tenant with five thousand changes', () => {
  it('does not keep another waiting: its one change is in the next batch', async () => {
    await using world = await createRunningWorld({ timings: { batch: 20 } as never });
    const { repository } = world;
    const one = await world.create({ tenant: 'one' });
    await world.caelus.runOnce();
    // What has no row belongs to no tenant, which is one like any other.
    await repository.transaction(async (transaction) => {
      for (let number = 0; number < 5000; number++) {
        await transaction.requestWork(uuidSource.uuid() as InstanceId, 'upgrade', one.createdAt);
      }
    });
    const store = gated(world.store);
    await using _ = createCaelus({ ...world.options, store: store.store }).start(projectorOnly);
    await until(() => store.seen.waiting === 1);
    await world.caelus.instances.update(one.id, { values: { replicas: 2 } });
    store.open();
    await until(() => store.seen.subjects.length === 2);
    expect(store.seen.subjects[0]).not.toContain(one.id);
    expect(store.seen.subjects[1]).toContain(one.id);
    store.open();
  });
});

describe('work that fails', () => {
  const broken = new CaelusError({ code: 'INVALID_INPUT', message: 'It cannot be written.', details: { issues: [] } });

  /** A store that refuses one instance. */
  function refusing(store: StateStore, id: () => InstanceId | undefined, error: unknown): StateStore {
    return {
      ...store,
      async write(changes, options) {
        const bad = changes.filter(({ subject }) => subject === id());
        const receipts = await store.write(
          changes.filter((change) => !bad.includes(change)),
          options,
        );
        const rest = [...receipts];
        return changes.map((change): Receipt => {
          if (bad.includes(change)) return { subject: change.subject, outcome: 'failed', error };
          return rest.shift() as Receipt;
        });
      },
    };
  }

  async function withBadOne(
    error: unknown,
    attempts: number,
    body: (world: World, caelus: Caelus, bad: InstanceId) => Promise<void>,
  ) {
    await using world = await createRunningWorld({ timings: { attempts } as never });
    let bad: InstanceId | undefined;
    const caelus = createCaelus({ ...world.options, store: refusing(world.store, () => bad, error) });
    bad = (await world.create()).id;
    const good = await world.create();
    await using _ = caelus.start(projectorOnly);
    await until(async () => (await world.repository.findGitState(good.id)) !== undefined);
    await body(world, caelus, bad);
  }

  it('becomes a dead letter after so many attempts, is seen, and begins anew when it is asked for', async () => {
    await withBadOne(broken, 3, async (world, caelus, bad) => {
      await until(async () => (await caelus.work.backlog()).dead === 1);
      const { items } = await caelus.work.list({ state: 'dead' });
      expect(items).toMatchObject([
        { instanceId: bad, state: 'dead', attempts: 3, lastError: 'It cannot be written.' },
      ]);
      expect(await caelus.work.get(bad)).toEqual(items[0]);
      expect(await caelus.instances.get(bad)).toMatchObject({
        status: 'Failed',
        statusReason: 'ProjectionFailed',
        lastError: 'It cannot be written.',
      });
      const deaths = async () => (await world.events()).filter(({ type }) => type === 'work-dead');
      expect(await deaths()).toMatchObject([{ instanceId: bad, data: { attempts: 3, code: 'INVALID_INPUT' } }]);

      // The sweep finds that it is missing in Git, and leaves it.
      await caelus.runOnce();
      expect((await caelus.work.get(bad)).attempts).toBe(3);

      expect(await caelus.work.retry(bad, { actor: { name: 'Ada' } })).toMatchObject({ state: 'pending', attempts: 0 });
      await until(async () => (await deaths()).length === 2);
      const retries = (await world.events()).filter(({ type }) => type === 'work-retried');
      expect(retries).toMatchObject([
        { instanceId: bad, actor: { name: 'Ada' }, data: { state: 'dead', attempts: 3 } },
      ]);

      await caelus.instances.update(bad, { values: { replicas: 2 } });
      await until(async () => (await deaths()).length === 3);
      await expect(caelus.work.retry('7c9e6679-7425-40de-944b-e07fc1f90ae7')).rejects.toMatchObject({
        code: 'INSTANCE_UNKNOWN',
      });
    });
  });

  it('is never given up where what it needs is away', async () => {
    const away = new CaelusError({ code: 'UNAVAILABLE', message: 'Away.', details: { what: 'x' }, retryable: true });
    await withBadOne(away, 2, async (world, caelus, bad) => {
      const waits = new Set<string>();
      await until(async () => waits.add((await caelus.work.get(bad)).availableAt).size > 5);
      expect(await caelus.work.get(bad)).toMatchObject({ attempts: 0, deadAt: null });
      expect((await caelus.instances.get(bad)).status).toBe('Pending');
      expect(world.repository).toBeDefined();
    });
  });
});

describe('a worker that is stopped', () => {
  it('finishes the batch that has begun, and leaves no lease', async () => {
    await using world = await createRunningWorld();
    const slow = gated(world.store);
    const worker = createCaelus({ ...world.options, store: slow.store }).start(projectorOnly);
    const { id } = await world.create();
    await until(() => slow.seen.waiting === 1);
    await world.create();
    const stopped = worker.stop();
    slow.open();
    await stopped;
    await worker.stop();
    expect(await world.repository.findGitState(id)).toBeDefined();
    expect(slow.seen.sizes).toEqual([1]);
    expect(await leased(world)).toEqual([]);
    expect(await world.repository.findLease('writer of https://git.example.com/gitops.git main')).toBeUndefined();
  });

  it.each([
    ['its deadline has passed', (worker: { stop(options: object): Promise<void> }) => worker.stop({ deadline: 20 })],
    [
      'the host aborts',
      (worker: { stop(): Promise<void> }, stop: AbortController) => {
        stop.abort(new Error('enough'));
        return worker.stop();
      },
    ],
  ] as const)('gives back what a store does not finish, once %s', async (_, end) => {
    await using world = await createRunningWorld();
    const hanging = gated(world.store);
    const abort = new AbortController();
    const worker = createCaelus({ ...world.options, store: hanging.store }).start({
      ...projectorOnly,
      signal: abort.signal,
    });
    const { id } = await world.create();
    await until(() => hanging.seen.waiting === 1);
    await end(worker, abort);
    expect(await leased(world)).toEqual([]);
    expect(await world.repository.findWork(id)).toMatchObject({ state: 'pending', attempts: 0 });
    // What the store did after all is found there by the next one, and written once.
    hanging.open();
    await using _next = createCaelus(world.options).start(projectorOnly);
    await until(() => isIdle(world));
    expect(await commitsOf(world)).toHaveLength(1);
  });

  it('resolves though the database does not answer, and says so', async () => {
    await using world = await createRunningWorld();
    let isAway = false;
    const never = new Promise<never>(() => {});
    const repository: Repository = {
      ...world.repository,
      transaction: (body, options) => (isAway ? never : world.repository.transaction(body, options)),
    };
    const messages: string[] = [];
    const say = (message: string) => void messages.push(message);
    const logger = { debug: say, info: say, warn: say, error: say };
    const slow = gated(world.store);
    const worker = createCaelus({ ...world.options, repository, store: slow.store, logger }).start(projectorOnly);
    await world.create();
    await until(() => slow.seen.waiting === 1);
    isAway = true;
    await worker.stop({ deadline: 10 });
    expect(messages.some((message) => message.includes('has not stopped in time'))).toBe(true);
  });
});

describe('news', () => {
  it('wake the writer and the streams of other processes, so that no poll is waited for', async () => {
    const slow = { poll: LONG } as never;
    await using world = await createRunningWorld({ timings: slow });
    const other = createCaelus(world.options);
    await using _ = other.start(projectorOnly);
    await until(
      async () => (await world.repository.findLease('writer of https://git.example.com/gitops.git main')) !== undefined,
    );
    const seen: string[] = [];
    const stop = new AbortController();
    const stream = (async () => {
      for await (const { type } of other.events({ types: ['instance-committed'], signal: stop.signal }))
        seen.push(type);
    })().catch(() => {});
    for (let count = 1; count <= 3; count++) {
      await world.create();
      await until(() => seen.length === count);
    }
    stop.abort(new Error('enough'));
    await stream;
  });

  it('that cannot be heard, or are not to be, are made up for by polling', async () => {
    for (const broken of [{ onNews: () => Promise.reject(new Error('a pooler is between')) }, { onNews: undefined }]) {
      const memory = createMemoryRepository();
      await using world = await createRunningWorld({ repository: { ...memory, ...broken } as Repository });
      await using _ = createCaelus(world.options).start(projectorOnly);
      await world.create();
      await until(() => isIdle(world));
    }
    let listeners = 0;
    const memory = createMemoryRepository();
    const counting: Repository = {
      ...memory,
      async onNews(callback) {
        listeners += 1;
        return (await memory.onNews?.(callback)) ?? (async () => {});
      },
    };
    await using world = await createRunningWorld({ repository: counting, listen: false });
    await using _ = createCaelus(world.options).start(projectorOnly);
    await world.create();
    await until(() => isIdle(world));
    expect(listeners).toBe(0);
  });
});

describe('batches', () => {
  it('grow while there is more to do, and are halved when the store fails', async () => {
    const store = createMemoryStateStore();
    const sizes: number[] = [];
    let failures = 2;
    const flaky: StateStore = {
      ...store,
      write(changes, options) {
        if (changes.some(({ subject }) => subject === 'repository')) return store.write(changes, options);
        sizes.push(changes.length);
        return failures-- > 0 ? Promise.reject(new Error('the remote is away')) : store.write(changes, options);
      },
    };
    await using world = await createRunningWorld({ store: flaky });
    await Promise.all(Array.from({ length: 100 }, () => world.create()));
    await using _ = world.caelus.start(projectorOnly);
    await until(() => isIdle(world));
    expect(sizes).toEqual([20, 10, 5, 10, 20, 40, 25]);
  });
});
