import {
  type CaelusEvent,
  type ChangeNotifier,
  type Operation,
  parseInstanceId,
  parseTimestamp,
  renderPlan,
  type StateStore,
} from '@caelus/core';
import { createMemoryRepository, createRecordingNotifier } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { createCaelus, systemClock, uuidSource } from '../src/index.ts';
import { createWorld, type World } from './world.ts';

/** The world with the machine's clock and short waits, for what runs by itself. */
function createRunningWorld(more: object = {}): Promise<World> {
  const timings = { poll: 20, relist: 50, sweep: 50, retry: 5, retryLimit: 20, deletion: 5, grace: 1 };
  return createWorld({ clock: systemClock, timings, ...more });
}

/** Argo CD goes on while `body` runs. */
async function withArgoCd<T>(world: World, body: () => Promise<T>): Promise<T> {
  let done = false;
  const argoCd = (async () => {
    while (!done) {
      await world.argoCd.reconcile();
      await systemClock.sleep(2);
    }
  })();
  try {
    return await body();
  } finally {
    done = true;
    await argoCd;
  }
}

async function collect(
  events: AsyncIterable<CaelusEvent>,
  enough: (event: CaelusEvent) => boolean,
): Promise<CaelusEvent[]> {
  const collected: CaelusEvent[] = [];
  for await (const event of events) {
    collected.push(event);
    if (enough(event)) break;
  }
  return collected;
}

const deadline = () => AbortSignal.timeout(20_000);

describe('a worker', () => {
  it('carries an instance through its life without being asked', async () => {
    await using world = await createRunningWorld();
    const { caelus } = world;
    await withArgoCd(world, async () => {
      await using _ = caelus.start();
      const { id, generation } = await world.create();
      expect(await caelus.settled(id, { generation, signal: deadline() })).toMatchObject({ outcome: 'running' });
      const updated = await caelus.instances.update(id, { values: { replicas: 2 } });
      const settlement = await caelus.settled(id, { generation: updated.generation, signal: deadline() });
      expect(settlement).toMatchObject({ outcome: 'running', instance: { observedGeneration: 2 } });
      await caelus.instances.delete(id);
      expect(await caelus.settled(id, { signal: deadline() })).toMatchObject({ outcome: 'deleted' });
    });
  });

  it('shares the work with others, and no instance is written twice', async () => {
    await using world = await createRunningWorld();
    await withArgoCd(world, async () => {
      await using _one = world.caelus.start();
      await using _two = createCaelus(world.options).start();
      const created = await Promise.all(Array.from({ length: 20 }, () => world.create()));
      await Promise.all(created.map(({ id }) => world.caelus.settled(id, { signal: deadline() })));
    });
    const changes: string[] = [];
    for await (const { trailers } of world.store.log()) {
      changes.push(...trailers.filter(({ key }) => key === 'Caelus-Change').map(({ value }) => value));
    }
    expect(changes).toHaveLength(20);
    expect(new Set(changes).size).toBe(20);
  });

  it('stops when it is told, in the middle of its wait', async () => {
    await using world = await createRunningWorld({ timings: { poll: 2 ** 30 } });
    const stop = new AbortController();
    const worker = world.caelus.start({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await worker.stop();
    const { id } = await world.create();
    expect(await world.repository.findGitState(id)).toBeUndefined();
  });

  it('outlives a store that fails, and goes on where it was', async () => {
    let failures = 3;
    await using world = await createRunningWorld();
    const flaky: StateStore = {
      ...world.store,
      write: (changes, options) =>
        failures-- > 0 ? Promise.reject(new Error('the remote is away')) : world.store.write(changes, options),
    };
    const messages: string[] = [];
    const say = (message: string) => void messages.push(message);
    const logger = { debug: say, info: say, warn: say, error: say };
    const caelus = createCaelus({ ...world.options, store: flaky, logger });
    await withArgoCd(world, async () => {
      await using _ = caelus.start();
      const { id } = await world.create();
      expect(await caelus.settled(id, { signal: deadline() })).toMatchObject({ outcome: 'running' });
    });
    expect(messages.length).toBeGreaterThan(0);
  });

  it('finds by its sweep what nobody asked for', async () => {
    await using world = await createRunningWorld({ driftPolicy: { manualEdit: 'repair' } });
    await withArgoCd(world, async () => {
      await using _ = world.caelus.start();
      const { id } = await world.create();
      await world.caelus.settled(id, { signal: deadline() });
      await world.editByHand(world.places(id).values, 'title: hacked\n');
      const signal = deadline();
      while ((await world.readText(world.places(id).values)) === 'title: hacked\n')
        await systemClock.sleep(5, { signal });
    });
  });

  it('asks the rows of a host first, and does in the same pass what they ask for', async () => {
    const rows = createMemoryRepository();
    let asked = 0;
    const refresh = async () => {
      asked += 1;
      const id = parseInstanceId('of-the-host');
      await rows.transaction((transaction) =>
        transaction.requestWork(id, 'host', parseTimestamp('2020-01-01T00:00:00.000Z')),
      );
      return { checked: 1, requested: 1 };
    };
    await using world = await createWorld({ repository: { ...rows, refresh } });
    await world.caelus.runOnce();
    expect(asked).toBe(1);
    expect(await rows.workBacklog()).toMatchObject({ pending: 0 });
  });
});

describe('settled', () => {
  it('stops with the reason of its signal', async () => {
    await using world = await createRunningWorld();
    const { id } = await world.create();
    const stop = new AbortController();
    const waiting = world.caelus.settled(id, { signal: stop.signal });
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('reports every state on the way, once', async () => {
    await using world = await createRunningWorld();
    const reasons: string[] = [];
    await withArgoCd(world, async () => {
      await using _ = world.caelus.start();
      const { id } = await world.create();
      const onProgress = ({ statusReason }: { statusReason: string }) => void reasons.push(statusReason);
      await world.caelus.settled(id, { signal: deadline(), onProgress });
    });
    expect(reasons[0]).toMatch(/Accepted|Awaiting/);
    expect(reasons.at(-1)).toBe('Running');
  });

  it('waits for a generation that another process has yet to write', async () => {
    await using world = await createRunningWorld();
    await withArgoCd(world, async () => {
      await using _ = world.caelus.start();
      const { id } = await world.create();
      await world.caelus.settled(id, { signal: deadline() });
      const waiting = world.caelus.settled(id, { generation: 2, signal: deadline() });
      await createCaelus(world.options).instances.update(id, { values: { replicas: 2 } });
      expect((await waiting).instance.observedGeneration).toBe(2);
    });
  });
});

describe('events', () => {
  it('tell the whole life, and resume after any of them', async () => {
    await using world = await createWorld();
    const ada = { name: 'Ada' };
    const input = { productId: world.product.id, templateVersionId: world.v1.id, tenant: 'acme' };
    const { id } = await world.caelus.instances.create(input, { actor: ada });
    await world.converge();
    await world.caelus.instances.upgrade(id, { templateVersionId: world.v2.id }, { actor: ada });
    await world.converge();
    await world.caelus.instances.delete(id, { actor: ada });
    await world.converge();
    const all = await collect(world.caelus.events({ instanceId: id }), ({ type }) => type === 'instance-deleted');
    const commands = all.filter(({ type }) => !type.endsWith('status-changed'));
    expect(commands.map(({ type, generation, actor }) => [type, generation, actor?.name])).toEqual([
      ['instance-created', 1, 'Ada'],
      ['instance-committed', 1, 'Ada'],
      ['instance-upgraded', 2, 'Ada'],
      ['instance-committed', 2, 'Ada'],
      ['instance-delete-requested', 3, 'Ada'],
      ['instance-committed', 3, 'Ada'],
      ['instance-committed', 3, 'Ada'],
      ['instance-deleted', 3, 'Ada'],
    ]);
    for (const [index, { cursor }] of all.slice(0, -1).entries()) {
      const rest = await collect(
        world.caelus.events({ instanceId: id, after: cursor }),
        ({ type }) => type === 'instance-deleted',
      );
      expect(rest).toEqual(all.slice(index + 1));
    }
  });

  it('come as they happen, and the stream ends with its signal', async () => {
    await using world = await createRunningWorld();
    const stop = new AbortController();
    const stream = collect(
      world.caelus.events({ types: ['instance-created'], signal: stop.signal }),
      ({ data }) => data.tenant === 'last',
    );
    await world.create();
    await world.create({ tenant: 'last' });
    expect(await stream).toHaveLength(2);
    stop.abort(new Error('enough'));
    await expect(collect(world.caelus.events({ signal: stop.signal }), () => false)).rejects.toThrow('enough');
  });

  it('carry no values', async () => {
    await using world = await createWorld();
    await world.create({ values: { title: 'correct-horse' } });
    await world.converge();
    expect(JSON.stringify(await world.events())).not.toContain('correct-horse');
  });
});

describe('plans', () => {
  it('show what would be written, and write nothing', async () => {
    await using world = await createWorld();
    const input = { productId: world.product.id, templateVersionId: world.v1.id, tenant: 'acme' };
    const creation = await world.caelus.instances.planCreate(input);
    expect(creation.files.every(({ action }) => action === 'add')).toBe(true);
    expect((await world.caelus.instances.list()).items).toEqual([]);

    const { id } = await world.create();
    await world.converge();
    const update = await world.caelus.instances.planUpdate(id, { values: { replicas: 3 } });
    expect(update.files.map(({ path, action }) => [path, action])).toEqual([
      [world.places(id).marker, 'modify'],
      [world.places(id).values, 'modify'],
    ]);
    expect(renderPlan(update)).toContain('+replicas: 3');
    const upgrade = await world.caelus.instances.planUpgrade(id, { templateVersionId: world.v2.id });
    expect(upgrade.files.map(({ path }) => path)).toContain(world.places(id).application);
    expect((await world.caelus.instances.planUpdate(id, {})).files).toEqual([]);
    const deletion = await world.caelus.instances.planDelete(id);
    expect(deletion.files.filter(({ action }) => action === 'add').map(({ path }) => path)).toEqual([
      world.places(id).tombstone,
    ]);
    expect(await world.caelus.instances.get(id)).toMatchObject({ generation: 1, status: 'Running' });
  });

  it('refuse what the command would refuse', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await expect(world.caelus.instances.planUpdate(id, { values: { replicas: 99 } })).rejects.toMatchObject({
      code: 'VALUES_INVALID',
    });
    await world.caelus.instances.delete(id);
    await expect(world.caelus.instances.planUpdate(id, {})).rejects.toMatchObject({ code: 'INSTANCE_DELETED' });
  });
});

describe('values', () => {
  it('are explained leaf by leaf', async () => {
    await using world = await createWorld();
    const { id } = await world.create({ tier: 'beta', values: { title: 'Mine' } });
    const leaves = await world.caelus.instances.explainValues(id);
    expect(leaves.map(({ pointer, value, layer }) => [pointer, value, layer])).toEqual([
      ['/image/tag', '1.0', 'template'],
      ['/replicas', 1, 'platform'],
      ['/title', 'Mine', 'user'],
    ]);
  });
});

describe('a restored database', () => {
  it('writes nothing over what the lost one wrote, and revives nothing that was deleted since', async () => {
    const original = createMemoryRepository();
    await using world = await createWorld({ repository: original, ids: uuidSource });
    const [changed, deleted] = [await world.create(), await world.create()];
    await world.converge();
    const backup = original.copy();
    await world.caelus.instances.update(changed.id, { values: { replicas: 4 } });
    await world.caelus.instances.delete(deleted.id);
    const orphan = await world.create();
    await world.converge();
    const tip = (await world.store.snapshot()).commit;

    const restored = createCaelus({ ...world.options, repository: backup });
    await restored.runOnce();
    await restored.instances.update(changed.id, { values: { replicas: 5 } });
    await restored.runOnce();
    expect((await world.store.snapshot()).commit).toBe(tip);
    expect((await backup.findDrift(changed.id))?.kind).toBe('database-behind');
    expect((await backup.findDrift(deleted.id))?.kind).toBe('deleted-in-git');
    expect((await backup.findDrift(orphan.id))?.kind).toBe('orphan');
    expect(await restored.settled(changed.id)).toMatchObject({ outcome: 'blocked', reason: 'database-behind' });

    const input = { productId: world.product.id, templateVersionId: world.v1.id, tenant: 'acme' };
    const fresh = await restored.instances.create(input);
    expect(await restored.runOnce()).toMatchObject({ written: 1 });
    expect(await world.readText(world.places(fresh.id).marker)).toBeDefined();
  });
});

describe('those who are told', () => {
  it('are told of each operation, and cannot break it', async () => {
    const ended: string[] = [];
    const telemetry = {
      onOperationStart: () => {
        throw new Error('a broken hook');
      },
      onOperationEnd: ({ name }: Operation) => void ended.push(name),
    };
    await using world = await createWorld({ telemetry });
    await world.create();
    await world.converge();
    expect(new Set(ended)).toEqual(
      new Set([
        'product-create',
        'template-version-publish',
        'instance-create',
        'status-observe',
        'rows-sweep',
        'batch-project',
      ]),
    );
  });

  it('may fail to be notified without harm', async () => {
    const broken: ChangeNotifier = createRecordingNotifier(() => new Error('nobody listens'));
    await using world = await createWorld();
    const caelus = createCaelus({ ...world.options, notifier: broken });
    await world.create();
    expect(await caelus.runOnce()).toMatchObject({ written: 1, failed: 0 });
  });

  it('see progress', async () => {
    await using world = await createWorld();
    await world.create();
    const reports: number[] = [];
    await world.caelus.runOnce({ onProgress: ({ written }) => void reports.push(written) });
    expect(reports.at(-1)).toBe(1);
  });
});

describe('a hint that an Application changed', () => {
  it('has it looked at anew, and nothing else', async () => {
    await using world = await createWorld();
    const { caelus, argoCd } = world;
    const { id, argoAppName } = await world.create();
    const other = await world.create();
    await caelus.runOnce();
    await argoCd.settle();
    expect(await caelus.observe(argoAppName)).toBe(true);
    expect((await caelus.instances.get(id)).status).toBe('Running');
    expect((await caelus.instances.get(other.id)).status).toBe('Pending');
    expect(await caelus.observe(argoAppName)).toBe(false);
  });

  it('is not followed to Argo CD where no instance has that Application', async () => {
    const asked: string[] = [];
    await using world = await createWorld();
    const status = {
      ...world.argoCd,
      get: async (name: string) => {
        asked.push(name);
        return undefined;
      },
    };
    const caelus = createCaelus({ ...world.options, status });
    expect(await caelus.observe('somebody-else')).toBe(false);
    expect(asked).toEqual([]);
    const reason = new Error('enough');
    const { argoAppName } = await world.create();
    await expect(caelus.observe(argoAppName, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('a chart in the GitOps repository', () => {
  it('is published once, and never changes', async () => {
    await using world = await createWorld();
    const files = new Map([['Chart.yaml', new TextEncoder().encode('name: wiki\n')]]);
    const source = await world.caelus.charts.publish({ name: 'wiki', version: '1.0.0', files });
    expect(source).toEqual({ type: 'git', path: 'charts/wiki/1.0.0' });
    const { commit } = await world.store.snapshot();
    await world.caelus.charts.publish({ name: 'wiki', version: '1.0.0', files });
    expect((await world.store.snapshot()).commit).toBe(commit);
    const other = new Map([['Chart.yaml', new TextEncoder().encode('name: evil\n')]]);
    const again = world.caelus.charts.publish({ name: 'wiki', version: '1.0.0', files: other });
    await expect(again).rejects.toMatchObject({ code: 'CHART_VERSION_IMMUTABLE' });
    const version = await world.caelus.templateVersions.publish({
      productId: world.product.id,
      version: '6.0',
      chart: source,
    });
    const { id } = await world.create({ templateVersionId: version.id });
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running' });
  });

  it.each([
    ['PATH_INVALID', '1.0.0', '../../etc/passwd'],
    ['PATH_INVALID', '1.0.0', '.git/config'],
    ['CHART_VERSION_FLOATING', 'latest', 'a.yaml'],
  ])('is refused with %s: %s %s', async (code, version, path) => {
    await using world = await createWorld();
    const files = new Map([
      ['Chart.yaml', new Uint8Array(1)],
      [path, new Uint8Array(1)],
    ]);
    await expect(world.caelus.charts.publish({ name: 'wiki', version, files })).rejects.toMatchObject({ code });
  });

  it.each([
    [1000, 5 * 1024 * 1024, true],
    [1001, 1001, false],
    [2, 5 * 1024 * 1024 + 1, false],
  ])('of %i files and %i bytes: %s', async (count, bytes, accepted) => {
    await using world = await createWorld();
    const rest = new Uint8Array(bytes - count + 1);
    const files = new Map(Array.from({ length: count }, (_, index) => [`f${index}`, new Uint8Array(1)]));
    files.delete('f0');
    files.set('Chart.yaml', rest);
    const published = world.caelus.charts.publish({ name: 'wiki', version: '1.0.0', files });
    if (accepted) await expect(published).resolves.toMatchObject({ type: 'git' });
    else await expect(published).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('layouts, naming and versions', () => {
  it('serve a sharded repository', async () => {
    await using world = await createWorld({ layout: 'sharded' });
    const { id, gitPath } = await world.create();
    await world.converge();
    expect(gitPath).toBe(`instances/${id.slice(-2)}/${id}`);
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running' });
    const flat = createCaelus({ ...world.options, layout: 'flat' });
    await expect(flat.runOnce()).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
  });

  it('serve concurrent updates of one instance: none is lost', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    const labels = (index: number) => ({ labels: { [`l${index}`]: 'x' } });
    await Promise.all(Array.from({ length: 8 }, (_, index) => world.caelus.instances.update(id, labels(index))));
    expect(await world.caelus.instances.get(id)).toMatchObject({ generation: 9 });
  });
});

describe('an Application that somebody deletes in the cluster', () => {
  it('does not delete the instance', async () => {
    await using world = await createWorld();
    const { id, argoAppName } = await world.create();
    await world.converge();
    const real = await world.argoCd.get(argoAppName);
    if (real === undefined) throw new Error('There is no Application.');
    const deletionTimestamp = world.clock.now().toISOString();
    const dying = { ...real, metadata: { ...real.metadata, deletionTimestamp } };
    const status = {
      ...world.argoCd,
      get: async () => dying,
      async *list() {
        yield dying;
      },
    };
    await createCaelus({ ...world.options, status }).runOnce();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Pending', statusReason: 'Deleting' });
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running', generation: 1 });
    expect(await world.readText(world.places(id).tombstone)).toBeUndefined();
  });
});
