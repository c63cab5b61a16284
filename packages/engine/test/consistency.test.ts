import { parseMarker, parseRepoPath, parseStoreId, REPOSITORY_FILES, type StateStore } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import {
  createConsistencyWorld,
  createMemoryRepository,
  dyingStore,
  findingsOf,
  pausedClock,
  refusal,
  settleAll,
  wrongWith,
} from './consistency-world.ts';

// The table of failures, row by row: what happened, how it is seen, what becomes of it.

describe('a worker that dies', () => {
  it.each(['before', 'after'] as const)('%s its push leaves work that the next one finishes', async (when) => {
    await using world = await createConsistencyWorld();
    await settleAll(world);
    const { id } = await world.create();
    const dying = world.over(world.repository, { store: dyingStore(world.store, when) });
    await expect(dying.runOnce()).rejects.toThrow();
    const written = world.tip();
    expect(await wrongWith(world.caelus)).toEqual([[when === 'before' ? 'git-behind' : 'unrecorded', ['reconcile']]]);
    world.clock.advance(100_000);
    await settleAll(world);
    expect(await wrongWith(world.caelus)).toEqual([]);
    if (when === 'after') expect(world.tip(), 'what was written is not written again').toBe(written);
    expect(await world.repository.findGitState(id)).toMatchObject({ generation: 1, phase: 'present' });
  });

  it('while others go on, and comes back late, is fenced by the compare-and-swap', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // What the late worker decided is about a tip that is gone by the time it writes.
    const late = world.over(world.repository, {
      clock: pausedClock(world.clock),
      store: {
        ...world.store,
        write: (changes, options) =>
          world.store.write(
            changes.map((change) => ({
              ...change,
              propose: async (snapshot) => {
                const proposal = await change.propose(snapshot);
                await held;
                return proposal;
              },
            })),
            options,
          ),
      },
    });
    await world.caelus.instances.update(id, { values: { replicas: 2 } });
    const running = late.runOnce();
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    world.clock.advance(100_000);
    await world.caelus.instances.update(id, { values: { replicas: 3 } });
    expect(await world.caelus.runOnce()).toMatchObject({ written: 1 });
    release();
    await running;
    await settleAll(world);
    expect(await wrongWith(world.caelus)).toEqual([]);
    expect(await world.readText(world.places(id).values)).toContain('replicas: 3');
  });
});

describe('an edit by hand', () => {
  const edited = 'image:\n  tag: "1.0"\nreplicas: 4\ntitle: By hand\n';

  it('is reported, and written again or taken over by a command', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    for (const remedy of ['database-wins', 'git-wins'] as const) {
      await world.editByHand(world.places(id).values, edited);
      const before = world.tip();
      await settleAll(world);
      expect(world.tip(), 'nothing is written').toBe(before);
      expect(await wrongWith(world.caelus)).toEqual([['manual-edit', ['database-wins', 'git-wins']]]);
      const [finding] = await findingsOf(world.caelus);
      await world.caelus.resolve(finding as never, remedy, { actor: { name: 'Ada' } });
      await settleAll(world);
      expect(await wrongWith(world.caelus)).toEqual([]);
      expect(await world.repository.findDrift(id)).toBeUndefined();
    }
    const { userValues, changedBy, status } = await world.caelus.instances.get(id);
    expect({ userValues, changedBy, status }).toEqual({
      userValues: { replicas: 4, title: 'By hand' },
      changedBy: { name: 'Ada' },
      status: 'Running',
    });
  });

  it('becomes the row’s desired state by itself under accept, in the name of who made it', async () => {
    await using world = await createConsistencyWorld({ driftPolicy: { manualEdit: 'accept' } });
    const { id } = await world.create({ values: { replicas: 1 } });
    await settleAll(world);
    await world.editByHand(world.places(id).values, `# by hand\n${edited}`);
    await settleAll(world);
    expect(await world.caelus.instances.get(id)).toMatchObject({
      userValues: { replicas: 4, title: 'By hand' },
      generation: 2,
      changedBy: { name: 'Somebody' },
      status: 'Running',
    });
    expect(await world.readText(world.places(id).values), 'in the form that Caelus writes').toBe(edited);
    expect(await wrongWith(world.caelus)).toEqual([]);
    const events = (await world.events()).filter(({ type }) => type === 'instance-adopted');
    expect(events).toMatchObject([{ instanceId: id, generation: 2, actor: { name: 'Somebody' } }]);
  });

  it('of the marker’s facts is accepted too', async () => {
    await using world = await createConsistencyWorld({ driftPolicy: { manualEdit: 'accept' } });
    const { id } = await world.create();
    await settleAll(world);
    const { marker } = world.places(id);
    const text = (await world.readText(marker)) as string;
    await world.editByHand(marker, text.replace('labels: {}', 'labels:\n  team: red'));
    await settleAll(world);
    expect(await world.caelus.instances.get(id)).toMatchObject({ labels: { team: 'red' }, generation: 2 });
    expect(await wrongWith(world.caelus)).toEqual([]);
  });

  it.each<[string, (text: string) => string, 'values' | 'application' | 'marker']>([
    ['a locked value', (text) => text.replace('tag: "1.0"', 'tag: evil'), 'values'],
    ['what the schema refuses', (text) => `${text}replicas: 99\n`, 'values'],
    ['a secret', (text) => `${text}adminPassword: hunter2\n`, 'values'],
    ['a default that is taken away', (text) => text.replace('title: Wiki\n', ''), 'values'],
    ['text that is no YAML', () => '{', 'values'],
    ['the Application', (text) => text.replace('prune: true', 'prune: false'), 'application'],
    ['the tenant in the marker', (text) => text.replace('tenant: acme', 'tenant: evil'), 'marker'],
  ])('of %s is reported even under accept', async (_, edit, file) => {
    await using world = await createConsistencyWorld({ driftPolicy: { manualEdit: 'accept' } });
    const { id } = await world.create();
    await settleAll(world);
    const path = world.places(id)[file];
    const text = (await world.readText(path)) as string;
    expect(edit(text)).not.toBe(text);
    await world.editByHand(path, edit(text));
    const tip = world.tip();
    await settleAll(world);
    expect(world.tip()).toBe(tip);
    expect(await wrongWith(world.caelus)).toEqual([['manual-edit', ['database-wins']]]);
    expect((await world.caelus.instances.get(id)).generation).toBe(1);
    await world.caelus.resolve(id, 'database-wins');
    await settleAll(world);
    expect(await wrongWith(world.caelus)).toEqual([]);
  });

  it('that came after the choice is not overwritten by it', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    await world.editByHand(world.places(id).values, edited);
    await settleAll(world);
    await world.caelus.resolve(id, 'database-wins');
    await world.editByHand(world.places(id).values, `${edited}# once more\n`);
    const tip = world.tip();
    await settleAll(world);
    expect(world.tip()).toBe(tip);
    expect(await wrongWith(world.caelus)).toMatchObject([['manual-edit', {}]]);
  });
});

describe('a directory that was removed by hand', () => {
  it.each([
    ['database-wins', 'Running'],
    ['git-wins', 'Deleted'],
  ] as const)('is reported where the policy says so, and %s makes it %s', async (remedy, status) => {
    await using world = await createConsistencyWorld({ driftPolicy: { missing: 'report' } });
    const { id } = await world.create();
    await settleAll(world);
    const files = [...world.files().keys()].filter((path) => path.includes(id));
    for (const path of files) await world.editByHand(parseRepoPath(path), null);
    await settleAll(world);
    expect(await wrongWith(world.caelus)).toEqual([['missing', ['database-wins', 'git-wins']]]);
    await world.caelus.resolve(id, remedy);
    await settleAll(world);
    expect(await world.caelus.instances.get(id)).toMatchObject({ status });
    expect(await wrongWith(world.caelus)).toEqual([]);
  });

  it('is restored by default', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    const before = world.files();
    const files = [...before.keys()].filter((path) => path.includes(id));
    for (const path of files) await world.editByHand(parseRepoPath(path), null);
    await settleAll(world);
    expect(world.files()).toEqual(before);
  });
});

describe('a database that was restored from an older backup', () => {
  it('writes nothing over a change that it does not know, until somebody chooses', async () => {
    await using world = await createConsistencyWorld();
    const [behind, other] = [await world.create(), await world.create({ tenant: 'globex' })];
    await settleAll(world);
    const backup = world.backUp();
    await world.caelus.instances.upgrade(behind.id, { templateVersionId: world.v2.id, values: { replicas: 3 } });
    await settleAll(world);
    const restored = world.over(backup);
    const tip = world.tip();
    await settleAll(world, restored);
    expect(world.tip(), 'zero commits').toBe(tip);
    expect(await wrongWith(restored)).toEqual([['database-behind', ['database-wins', 'git-wins']]]);
    await restored.instances.update(other.id, { values: { replicas: 2 } });
    await settleAll(world, restored);
    expect(await world.readText(world.places(other.id).values), 'the others go on').toContain('replicas: 2');
    expect(await world.readText(world.places(behind.id).values)).toContain('replicas: 3');
  });

  it.each([
    ['database-wins', { replicas: 1 }, 'v1'],
    ['git-wins', { replicas: 3 }, 'v2'],
  ] as const)('%s in one change, and the next sweep writes nothing', async (remedy, values, version) => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create({ values: { replicas: 1 } });
    await settleAll(world);
    const backup = world.backUp();
    await world.caelus.instances.update(id, { values: { replicas: 2 } });
    await world.caelus.instances.upgrade(id, { templateVersionId: world.v2.id, values: { replicas: 3 } });
    await settleAll(world);
    const restored = world.over(backup);
    const [finding] = await findingsOf(restored);
    await restored.resolve(finding as never, remedy, { actor: { name: 'Ada' } });
    await settleAll(world, restored);
    const tip = world.tip();
    await settleAll(world, restored);
    expect(world.tip()).toBe(tip);
    expect(await wrongWith(restored)).toEqual([]);
    expect(await restored.instances.get(id)).toMatchObject({
      generation: 4,
      userValues: values,
      desiredTemplateVersionId: world[version].id,
      status: 'Running',
    });
    const events = await backup.listEvents({ instanceId: id, limit: 500 });
    expect(events.filter(({ type }) => type === 'change-acknowledged')).toMatchObject([{ generation: 3 }]);
    expect(events.filter(({ actor }) => actor?.name === 'Ada').length).toBeGreaterThan(0);
  });

  it('takes over a template version that it lacks from the catalogue in Git', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    const backup = world.backUp();
    const v3 = await world.caelus.templateVersions.publish({
      productId: world.product.id,
      version: '3.0',
      chart: { ...world.v2.chart, version: '3.0.0' } as never,
      defaultValues: { title: 'Three' },
    });
    await world.caelus.instances.upgrade(id, { templateVersionId: v3.id });
    await settleAll(world);
    const restored = world.over(backup);
    expect(await wrongWith(restored)).toEqual([
      ['catalogue-orphan', ['git-wins']],
      ['database-behind', ['database-wins', 'git-wins']],
    ]);
    await restored.resolve(id, 'git-wins');
    await settleAll(world, restored);
    expect(await wrongWith(restored)).toEqual([]);
    expect(await restored.templateVersions.get(v3.id)).toEqual(v3);
  });

  it('does not revive what was deleted since, unless somebody says so', async () => {
    await using world = await createConsistencyWorld();
    const [first, second] = [await world.create(), await world.create()];
    await settleAll(world);
    const backup = world.backUp();
    await world.caelus.instances.delete(first.id);
    await world.caelus.instances.delete(second.id);
    await settleAll(world);
    const restored = world.over(backup);
    const tip = world.tip();
    await settleAll(world, restored);
    expect(world.tip()).toBe(tip);
    expect(await wrongWith(restored)).toEqual([
      ['deleted-in-git', ['database-wins', 'git-wins']],
      ['deleted-in-git', ['database-wins', 'git-wins']],
    ]);
    await restored.resolve(first.id, 'database-wins');
    await restored.resolve(second.id, 'git-wins');
    await settleAll(world, restored);
    expect(await wrongWith(restored)).toEqual([]);
    expect((await restored.instances.get(first.id)).status).toBe('Running');
    expect((await restored.instances.get(second.id)).status).toBe('Deleted');
  });

  it('leaves alone what was created since, and takes it over or deletes it by a command', async () => {
    await using world = await createConsistencyWorld();
    await settleAll(world);
    const backup = world.backUp();
    const [kept, dropped, gone] = [await world.create(), await world.create(), await world.create()];
    await settleAll(world);
    await world.caelus.instances.delete(gone.id);
    await settleAll(world);
    const restored = world.over(backup);
    const tip = world.tip();
    await settleAll(world, restored);
    expect(world.tip()).toBe(tip);
    expect(await wrongWith(restored)).toEqual([
      ['orphan', ['git-wins', 'delete']],
      ['orphan', ['git-wins', 'delete']],
      ['tombstone-orphan', ['git-wins']],
    ]);
    await restored.resolve(kept.id, 'git-wins');
    await restored.resolve(gone.id, 'git-wins');
    await settleAll(world, restored);
    expect(world.tip(), 'to take over writes nothing').toBe(tip);
    await restored.resolve(dropped.id, 'delete', { actor: { name: 'Ada' } });
    await settleAll(world, restored);
    expect(await wrongWith(restored)).toEqual([]);
    expect((await restored.instances.get(kept.id)).status).toBe('Running');
    expect((await restored.instances.get(dropped.id)).status).toBe('Deleted');
    expect((await restored.instances.get(gone.id)).status).toBe('Deleted');
    expect([...world.files().keys()].filter((path) => path.startsWith(`instances/${dropped.id}`))).toEqual([]);
  });

  it('is told that a template version was deprecated since', async () => {
    await using world = await createConsistencyWorld();
    await settleAll(world);
    const backup = world.backUp();
    await world.caelus.templateVersions.deprecate(world.v1.id);
    await settleAll(world);
    for (const remedy of ['git-wins', 'database-wins'] as const) {
      const repository = backup.copy();
      const restored = world.over(repository);
      await settleAll(world, restored);
      const [finding] = await findingsOf(restored);
      expect(finding).toMatchObject({ kind: 'catalogue-behind', subject: { id: world.v1.id } });
      await restored.resolve(finding as never, remedy);
      expect(await wrongWith(restored)).toEqual([]);
      const { deprecatedAt } = await restored.templateVersions.get(world.v1.id);
      expect(deprecatedAt === null).toBe(remedy === 'database-wins');
    }
  });
});

describe('a branch that was forced back', () => {
  it('is written again as the rows want it, and one event says so', async () => {
    await using world = await createConsistencyWorld();
    const [changed, gone] = [await world.create(), await world.create()];
    await settleAll(world);
    const early = world.tip();
    const later = await world.create({ tenant: 'globex' });
    await world.caelus.instances.update(changed.id, { values: { replicas: 3 } });
    await world.caelus.instances.delete(gone.id);
    await settleAll(world);
    const before = world.files();
    world.rewind(early);
    const findings = await wrongWith(world.caelus);
    expect(findings[0]).toEqual(['git-rewound', ['reconcile']]);
    expect(findings.slice(1).map(([kind]) => kind)).toEqual(['git-behind', 'git-behind', 'git-behind']);
    await settleAll(world);
    expect(world.files()).toEqual(before);
    expect(await wrongWith(world.caelus)).toEqual([]);
    const rewound = (await world.events()).filter(({ type }) => type === 'git-rewound');
    expect(rewound).toHaveLength(1);
    for (const { id } of [changed, later]) {
      expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running' });
    }
    expect(await world.caelus.instances.get(gone.id)).toMatchObject({ status: 'Deleted' });
  });

  it('gets back the tombstones that it lost, also where a command comes before the sweep', async () => {
    await using world = await createConsistencyWorld();
    const [first, second] = [await world.create(), await world.create()];
    await settleAll(world);
    await world.caelus.instances.delete(first.id);
    await settleAll(world);
    const { tombstone } = world.places(first.id);
    expect(await world.readText(tombstone)).toBeDefined();
    await world.editByHand(tombstone, null);
    const without = world.tip();
    // The tombstone comes back, and is lost again with the commits after `without`.
    await world.caelus.instances.update(second.id, { values: { replicas: 2 } });
    await settleAll(world);
    const [finding] = (await findingsOf(world.caelus)).filter(({ kind }) => kind === 'git-behind');
    await world.caelus.resolve(finding as never, 'reconcile');
    await settleAll(world);
    expect(await world.readText(tombstone)).toBeDefined();
    world.rewind(without);
    await world.caelus.instances.update(second.id, { values: { replicas: 3 } });
    await settleAll(world);
    expect(await world.readText(tombstone)).toBeDefined();
    expect((await world.events()).filter(({ type }) => type === 'git-rewound')).toHaveLength(1);
  });

  it('is not told of where people merge, and may squash, what was written', async () => {
    const world = await createConsistencyWorld();
    await using _ = world;
    const store = { ...world.store, capabilities: { ...world.store.capabilities, descends: false } };
    const caelus = world.over(world.repository, { store });
    await settleAll(world, caelus);
    const early = world.tip();
    const { id } = await world.create();
    await settleAll(world, caelus);
    world.rewind(early);
    expect((await wrongWith(caelus)).map(([kind]) => kind)).not.toContain('git-rewound');
    await settleAll(world, caelus);
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running' });
    expect((await world.events()).filter(({ type }) => type === 'git-rewound')).toEqual([]);
  });
});

describe('what is not ours', () => {
  it('is shown, ignored, and has no remedy', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    const text = (await world.readText(world.places(id).marker)) as string;
    const foreign = text.replace(/storeId: .*/, 'storeId: 99999999-2222-4333-8444-555555555555');
    expect(parseMarker(new TextEncoder().encode(foreign)).storeId).not.toBe(world.repository.storeId);
    await world.editByHand(
      parseRepoPath('instances/foreign/instance.yaml'),
      foreign.replace(/\nid: .*/, '\nid: foreign'),
    );
    await world.editByHand(parseRepoPath('instances/stray/readme.txt'), 'hello');
    await world.editByHand(parseRepoPath('instances/spoiled/instance.yaml'), 'hello: ]');
    const tip = world.tip();
    await settleAll(world);
    expect(world.tip()).toBe(tip);
    expect(await wrongWith(world.caelus)).toEqual([
      ['foreign', []],
      ['marker-invalid', []],
      ['foreign', []],
    ]);
    expect(await refusal(world.caelus.resolve('foreign', 'database-wins'))).toBe('REMEDY_UNAVAILABLE');
  });

  it('stops everything where it is the whole repository', async () => {
    await using world = await createConsistencyWorld();
    await settleAll(world);
    const other = world.over(createMemoryRepository({ storeId: parseStoreId('99999999-2222-4333-8444-555555555555') }));
    expect(await refusal(findingsOf(other))).toBe('STORE_FOREIGN');
    expect(await refusal(other.rebuildGit())).toBe('STORE_FOREIGN');
    expect(await refusal(other.rebuildFromGit())).toBe('STORE_FOREIGN');
  });
});

describe('a marker that cannot be read', () => {
  it('is overwritten only by a command, and only as it was seen', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    const before = world.files();
    await world.editByHand(world.places(id).marker, 'spoiled: ]');
    const [finding] = await findingsOf(world.caelus);
    expect(finding).toMatchObject({ kind: 'marker-invalid', remedies: [{ name: 'database-wins' }] });
    await world.editByHand(world.places(id).marker, 'spoiled: more ]');
    expect(await refusal(world.caelus.resolve(finding as never, 'database-wins'))).toBe('FINDING_STALE');
    await world.caelus.resolve(id, 'database-wins');
    await settleAll(world);
    expect(await wrongWith(world.caelus)).toEqual([]);
    expect([...world.files().keys()]).toEqual([...before.keys()]);
  });
});

describe('the catalogue in Git', () => {
  it('is written by the sweep, and again after a deprecation', async () => {
    await using world = await createConsistencyWorld();
    await settleAll(world);
    const names = () => [...world.files().keys()].filter((path) => path.startsWith('.caelus/catalogue'));
    expect(names()).toHaveLength(3);
    await world.caelus.templateVersions.deprecate(world.v2.id);
    expect(await wrongWith(world.caelus)).toEqual([['git-behind', ['reconcile']]]);
    const [finding] = await findingsOf(world.caelus);
    await world.caelus.resolve(finding as never, 'reconcile');
    expect(await wrongWith(world.caelus)).toEqual([]);
  });

  it('comes with the commit of the instance that needs it', async () => {
    await using world = await createConsistencyWorld();
    const store: StateStore = {
      ...world.store,
      write: async (changes, options) =>
        changes[0]?.subject === 'catalogue' ? [] : world.store.write(changes, options),
    };
    await world.create();
    await settleAll(world, world.over(world.repository, { store }));
    const names = [...world.files().keys()].filter((path) => path.startsWith('.caelus/catalogue'));
    expect(names).toEqual([
      `${REPOSITORY_FILES.products}/${world.product.id}.yaml`,
      `${REPOSITORY_FILES.templateVersions}/${world.v1.id}.yaml`,
    ]);
  });

  it('is not believed where it was edited, and not overwritten before somebody says so', async () => {
    await using world = await createConsistencyWorld();
    await settleAll(world);
    const before = world.files();
    const path = parseRepoPath(`${REPOSITORY_FILES.templateVersions}/${world.v1.id}.yaml`);
    const text = (await world.readText(path)) as string;
    await world.editByHand(path, text.replace('title: Wiki', 'title: Evil'));
    const tip = world.tip();
    await settleAll(world);
    expect(world.tip()).toBe(tip);
    const [finding] = await findingsOf(world.caelus);
    expect(finding).toMatchObject({ kind: 'catalogue-edited', remedies: [{ name: 'database-wins' }] });
    await world.editByHand(path, text.replace('title: Wiki', 'title: More evil'));
    expect(await refusal(world.caelus.resolve(finding as never, 'database-wins'))).toBe('FINDING_STALE');
    const [again] = await findingsOf(world.caelus);
    await world.caelus.resolve(again as never, 'database-wins');
    expect(world.files()).toEqual(before);
  });

  it('is repaired where the policy says so', async () => {
    await using world = await createConsistencyWorld({ driftPolicy: { manualEdit: 'repair' } });
    await settleAll(world);
    const before = world.files();
    const path = parseRepoPath(`${REPOSITORY_FILES.products}/${world.product.id}.yaml`);
    await world.editByHand(path, 'name: Evil\n');
    await settleAll(world);
    expect(world.files()).toEqual(before);
  });
});

describe('resolve', () => {
  it('refuses a finding that is no longer so', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    await world.editByHand(world.places(id).values, 'title: By hand\n');
    const [finding] = await findingsOf(world.caelus);
    await world.caelus.instances.update(id, { values: { replicas: 2 } });
    expect(await refusal(world.caelus.resolve(finding as never, 'database-wins'))).toBe('FINDING_STALE');
    expect(await refusal(world.caelus.resolve('no-such-instance', 'database-wins'))).toBe('FINDING_STALE');
  });

  it('answers a repeated call as the first, and refuses the key for another', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    await world.editByHand(world.places(id).values, 'title: By hand\n');
    const [finding] = await findingsOf(world.caelus);
    const call = (remedy: 'database-wins' | 'git-wins') =>
      world.caelus.resolve(JSON.parse(JSON.stringify(finding)), remedy, { idempotencyKey: 'once' });
    const [first, atOnce] = await Promise.all([call('database-wins'), call('database-wins')]);
    expect(atOnce).toEqual(first);
    await settleAll(world);
    expect(await call('database-wins')).toEqual(first);
    expect((await world.caelus.instances.get(id)).generation).toBe(2);
    expect(await refusal(call('git-wins'))).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('takes nothing over that a command would refuse', async () => {
    await using world = await createConsistencyWorld();
    const { id } = await world.create();
    await settleAll(world);
    await world.editByHand(world.places(id).values, 'image:\n  tag: evil\ntitle: Wiki\n');
    expect(await refusal(world.caelus.resolve(id, 'git-wins'))).toBe('REMEDY_UNAVAILABLE');
  });
});
