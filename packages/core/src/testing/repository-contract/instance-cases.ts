import assert from 'node:assert/strict';
import { isCaelusError } from '../../errors.ts';
import type { ProductId, TenantId, TierName } from '../../model/identifier.ts';
import type { Instance, InstanceObserved } from '../../model/instance.ts';
import type { DesiredUpdate, ObservedUpdate, Repository, RepositoryReader } from '../../ports/repository.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import {
  at,
  changeId,
  hostileTexts,
  hostileValues,
  hostname,
  instanceId,
  sampleEvent,
  sampleGitState,
  sampleInstance,
  sampleProduct,
  sampleTemplateVersion,
  sampleUpdate,
  seed,
  templateVersionId,
  write,
} from './sample-records.ts';

const insert = (repository: Repository, instance: Instance) =>
  write(repository, (transaction) => transaction.insertInstance(instance));
const update = (repository: Repository, number: number, expected: number, change: DesiredUpdate) =>
  write(repository, (transaction) => transaction.updateDesired(instanceId(number), expected, change));
const observe = (repository: Repository, number: number, observed: Partial<InstanceObserved>, second = 500) =>
  write(repository, (transaction) => transaction.updateObserved(instanceId(number), observed, at(second)));

const named: Partial<Instance> = { namespace: 'cloud', argoAppName: 'cloud', hostname: hostname('cloud') };

const observation: InstanceObserved = {
  status: 'Running',
  statusReason: 'Healthy',
  syncStatus: 'Synced',
  healthStatus: 'Healthy',
  lastSyncedAt: at(400),
  observedGeneration: 1,
  appliedTemplateVersionId: templateVersionId(1),
  lastError: 'earlier',
};

export const instanceCases: readonly ContractCase[] = [
  {
    name: 'many are read at once: those that there are, once each, up to five hundred',
    async run({ repository }) {
      const gone = sampleInstance(3, { status: 'Deleted' });
      const instances = [sampleInstance(1), sampleInstance(2), gone];
      await seed(repository, ...instances);
      await write(repository, async (transaction) => {
        for (const number of [1, 3]) await transaction.putGitState(sampleGitState(number));
      });
      const asked = [2, 9, 1, 3, 1].map(instanceId);
      const byId = <T>(records: readonly T[], key: (record: T) => string) =>
        records.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
      const read = async (reader: RepositoryReader) => {
        assert.deepEqual(
          byId(await reader.findInstances(asked), ({ id }) => id),
          instances,
        );
        const states = byId(await reader.findGitStates(asked), (state) => state.instanceId);
        assert.deepEqual(
          states,
          [1, 3].map((number) => sampleGitState(number)),
        );
        const names = ['app-2', 'app-3', 'app-9', 'app-1', 'app-1'];
        const named = byId(await reader.findInstancesByArgoAppNames(names), ({ id }) => id);
        assert.deepEqual(named, instances.slice(0, 2));
        assert.deepEqual(await reader.findInstances([]), []);
      };
      await read(repository);
      await repository.transaction(read);
      const many = Array.from({ length: 501 }, (_, number) => instanceId(number));
      assert.equal((await repository.findInstances(many.slice(0, 500))).length, 3);
      assert.equal((await repository.findInstancesByArgoAppNames(many.slice(0, 500))).length, 0);
      for (const call of [
        () => repository.findInstances(many),
        () => repository.findGitStates(many),
        () => repository.findInstancesByArgoAppNames(many),
      ]) {
        await assertRefused(call(), 'INVALID_INPUT');
      }
    },
  },
  {
    name: 'an instance is read back as it was written, by id and by the Application’s name',
    async run({ repository }) {
      await seed(repository);
      const full = sampleInstance(1, {
        ...named,
        ...observation,
        tenant: 'globex' as TenantId,
        tier: 'gold' as TierName,
        destination: { name: 'eu-1' },
        releaseName: 'cloud-suite',
        userValues: hostileValues(),
        platformValues: hostileValues(),
        labels: { plan: 'Gold_2.x', empty: '' },
        deletionPolicy: 'retain',
        generation: 7,
        changedBy: { name: 'Zoë \'"; --', email: 'zoe@example.com' },
        observedGeneration: 6,
        status: 'Deleting',
        deletedAt: at(9),
      });
      for (const instance of [full, sampleInstance(2)]) {
        await insert(repository, instance);
        assert.deepEqual(await repository.findInstance(instance.id), instance);
        assert.deepEqual(await repository.findInstanceByArgoAppName(instance.argoAppName), instance);
      }
      assert.equal(await repository.findInstance(instanceId(3)), undefined);
      assert.equal(await repository.findInstanceByArgoAppName('app-3'), undefined);
    },
  },
  {
    name: 'an instance’s id is unique, even when everything else is the same',
    async run({ repository }) {
      await seed(repository, sampleInstance(1, named));
      await assertRefused(insert(repository, sampleInstance(1)), 'INSTANCE_EXISTS', { instanceId: instanceId(1) });
      await assertRefused(insert(repository, sampleInstance(1, named)), 'INSTANCE_EXISTS');
      await observe(repository, 1, { status: 'Deleted' });
      await assertRefused(insert(repository, sampleInstance(1, named)), 'INSTANCE_EXISTS');
    },
  },
  {
    name: 'an instance needs its product and its template version',
    async run({ repository }) {
      await seed(repository);
      const product = 'nothing' as ProductId;
      await assertRefused(insert(repository, sampleInstance(1, { productId: product })), 'PRODUCT_UNKNOWN', {
        product,
      });
      await assertRefused(
        insert(repository, sampleInstance(1, { desiredTemplateVersionId: templateVersionId(2) })),
        'TEMPLATE_VERSION_UNKNOWN',
        { templateVersionId: templateVersionId(2) },
      );
      assert.deepEqual((await repository.listInstances()).items, []);
    },
  },
  {
    name: 'an instance that is not valid is refused before it is written',
    async run({ repository }) {
      await seed(repository);
      await assertRefused(insert(repository, sampleInstance(1, { namespace: '../etc' })), 'NAME_INVALID');
      await assertRefused(insert(repository, sampleInstance(1, { generation: 0 })), 'INVALID_INPUT');
      await insert(repository, sampleInstance(1));
      const spoiled = sampleUpdate(2, { labels: { 'Not A Label': 'x' } });
      await assertRefused(update(repository, 1, 1, spoiled), 'LABEL_INVALID');
      await assertRefused(observe(repository, 1, { observedGeneration: -1 }), 'INVALID_INPUT');
      assert.deepEqual(await repository.findInstance(instanceId(1)), sampleInstance(1));
    },
  },
  {
    name: 'two instances cannot have one Application name, one namespace of a cluster, or one hostname',
    async run({ repository }) {
      await seed(repository, sampleInstance(1, named));
      const taken = (other: Partial<Instance>) => insert(repository, sampleInstance(2, other));
      await assertRefused(taken({ argoAppName: 'cloud' }), 'INSTANCE_NAME_TAKEN', { name: 'cloud' });
      await assertRefused(taken({ namespace: 'cloud' }), 'INSTANCE_NAME_TAKEN', { name: 'cloud' });
      const host = hostname('cloud');
      await assertRefused(taken({ hostname: host }), 'HOSTNAME_TAKEN', { hostname: host });
      await assertRefused(taken({ argoAppName: 'cloud', destination: { name: 'eu-1' } }), 'INSTANCE_NAME_TAKEN', {
        name: 'cloud',
      });
      await taken({ namespace: 'cloud', destination: { name: 'eu-1' } });
      await insert(repository, sampleInstance(3));
      await insert(repository, sampleInstance(4));
      assert.equal((await repository.listInstances()).items.length, 4);
    },
  },
  {
    name: 'names and hostnames are free again once their instance is deleted, and not before',
    async run({ repository }) {
      await seed(repository, sampleInstance(1, named));
      const successor = sampleInstance(2, named);
      for (const status of ['Pending', 'Running', 'Failed', 'Deleting'] as const) {
        await observe(repository, 1, { status });
        await assertRefused(insert(repository, successor), 'INSTANCE_NAME_TAKEN');
        assert.equal((await repository.findInstanceByArgoAppName('cloud'))?.id, instanceId(1));
      }
      await assertRefused(insert(repository, sampleInstance(3, { hostname: hostname('cloud') })), 'HOSTNAME_TAKEN');
      await observe(repository, 1, { status: 'Deleted' });
      assert.equal(await repository.findInstanceByArgoAppName('cloud'), undefined);
      await insert(repository, successor);
      assert.deepEqual(await repository.findInstanceByArgoAppName('cloud'), successor);
      await assertRefused(insert(repository, sampleInstance(3, named)), 'INSTANCE_NAME_TAKEN');
      assert.equal((await repository.findInstance(instanceId(1)))?.argoAppName, 'cloud');
    },
  },
  {
    name: 'updateDesired raises the generation past one that Git has, and not backwards',
    async run({ repository }) {
      await seed(repository, sampleInstance(1, { generation: 4 }));
      for (const generation of [3, 4]) {
        await assertRefused(update(repository, 1, 4, sampleUpdate(12, { generation })), 'INVALID_INPUT');
      }
      await update(repository, 1, 4, sampleUpdate(12, { generation: 9 }));
      assert.equal((await repository.findInstance(instanceId(1)))?.generation, 9);
      await update(repository, 1, 9, sampleUpdate(13));
      assert.equal((await repository.findInstance(instanceId(1)))?.generation, 10);
    },
  },
  {
    name: 'updateDesired changes what is given, raises the generation by one, and leaves the rest',
    async run({ repository }) {
      const before = sampleInstance(1, { ...named, ...observation });
      await seed(repository, before, sampleInstance(2));
      await write(repository, (transaction) => transaction.insertTemplateVersion(sampleTemplateVersion(2)));
      const changedBy = { name: 'Zoë' };
      await update(repository, 1, 1, sampleUpdate(11, { changedBy }));
      const expected = {
        ...before,
        generation: 2,
        changeId: changeId(11),
        changedBy,
        updatedAt: at(11),
        status: 'Pending' as const,
        statusReason: 'Updated',
      };
      assert.deepEqual(await repository.findInstance(before.id), expected);
      const all: DesiredUpdate = {
        ...sampleUpdate(12, { status: 'Deleting', statusReason: 'Asked', deletedAt: at(12) }),
        tier: 'gold' as TierName,
        desiredTemplateVersionId: templateVersionId(2),
        userValues: hostileValues(),
        platformValues: { platform: [null] },
        hostname: null,
        labels: { plan: 'gold' },
        deletionPolicy: 'retain',
      };
      await update(repository, 1, 2, all);
      assert.deepEqual(await repository.findInstance(before.id), { ...expected, ...all, generation: 3 });
      assert.deepEqual(await repository.findInstance(instanceId(2)), sampleInstance(2));
      await update(repository, 2, 1, sampleUpdate(13, { hostname: hostname('cloud') }));
    },
  },
  {
    name: 'updateDesired refuses an unknown instance, a stale generation, a taken hostname, an unknown template version',
    async run({ repository }) {
      const before = sampleInstance(1, { generation: 5 });
      await seed(repository, before, sampleInstance(2, named));
      await assertRefused(update(repository, 3, 1, sampleUpdate(3)), 'INSTANCE_UNKNOWN', { instanceId: instanceId(3) });
      for (const expected of [4, 6, 0]) {
        await assertRefused(update(repository, 1, expected, sampleUpdate(3)), 'GENERATION_STALE', {
          instanceId: instanceId(1),
          expected,
          actual: 5,
        });
      }
      const taken = sampleUpdate(3, { hostname: hostname('cloud') });
      await assertRefused(update(repository, 1, 5, taken), 'HOSTNAME_TAKEN', { hostname: hostname('cloud') });
      const unknown = sampleUpdate(3, { desiredTemplateVersionId: templateVersionId(9) });
      await assertRefused(update(repository, 1, 5, unknown), 'TEMPLATE_VERSION_UNKNOWN');
      assert.deepEqual(await repository.findInstance(instanceId(1)), before);
      assert.equal(await repository.hasChange(instanceId(1), changeId(3)), false);
      await update(repository, 2, 1, taken);
    },
  },
  {
    name: 'of those who update one generation at once, one wins',
    async run({ repository }) {
      await seed(repository, sampleInstance(1));
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, writer) => update(repository, 1, 1, sampleUpdate(writer + 20))),
      );
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      assert.equal(lost.length, 9);
      for (const { reason } of lost) assert.ok(isCaelusError(reason, 'GENERATION_STALE'));
      const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
      const found = await repository.findInstance(instanceId(1));
      assert.equal(found?.generation, 2);
      assert.equal(found.changeId, changeId(winner + 20));
    },
  },
  {
    name: 'updateObserved writes what is given and leaves the rest',
    async run({ repository }) {
      const before = sampleInstance(1, { ...named, userValues: { a: 1 }, generation: 3 });
      await seed(repository, before, sampleInstance(2));
      await observe(repository, 1, {}, 510);
      assert.deepEqual(await repository.findInstance(before.id), { ...before, updatedAt: at(510) });
      await observe(repository, 1, observation, 520);
      const seen = { ...before, ...observation, updatedAt: at(520) };
      assert.deepEqual(await repository.findInstance(before.id), seen);
      await observe(repository, 1, { syncStatus: null, lastError: null, appliedTemplateVersionId: null }, 530);
      const cleared = {
        ...seen,
        syncStatus: null,
        lastError: null,
        appliedTemplateVersionId: null,
        updatedAt: at(530),
      };
      assert.deepEqual(await repository.findInstance(before.id), cleared);
      assert.deepEqual(await repository.findInstance(instanceId(2)), sampleInstance(2));
      await assertRefused(observe(repository, 3, {}), 'INSTANCE_UNKNOWN', { instanceId: instanceId(3) });
      await assertRefused(
        observe(repository, 1, { appliedTemplateVersionId: templateVersionId(9) }),
        'TEMPLATE_VERSION_UNKNOWN',
      );
    },
  },
  {
    name: 'updateObservedMany writes each whose row is as it was read, and says which',
    async run({ repository }) {
      const instances = Array.from({ length: 12 }, (_, number) => sampleInstance(number + 1));
      await seed(repository, ...instances);
      await update(repository, 2, 1, sampleUpdate(50));
      await observe(repository, 3, { lastError: 'newer' }, 505);
      await observe(repository, 4, { status: 'Deleted' }, 506);
      const updates = instances.map((current, index) => ({
        current,
        // Not in the order of the ids, and not the same fields of each.
        observed: index % 2 === 0 ? observation : { healthStatus: 'Degraded' as const, lastError: `\u0000 ${index}` },
      }));
      const absent = { current: sampleInstance(99), observed: observation };
      const written = await write(repository, (transaction) =>
        transaction.updateObservedMany([...updates, absent].toReversed(), at(510)),
      );
      const expected = [1, 5, 6, 7, 8, 9, 10, 11, 12].map(instanceId);
      assert.deepEqual([...written].sort(), [...expected].sort());
      for (const { current, observed } of updates.filter((each) => written.includes(each.current.id))) {
        assert.deepEqual(await repository.findInstance(current.id), { ...current, ...observed, updatedAt: at(510) });
      }
      assert.equal((await repository.findInstance(instanceId(2)))?.lastError, instances[1]?.lastError);
      assert.equal((await repository.findInstance(instanceId(3)))?.lastError, 'newer');
      assert.equal((await repository.findInstance(instanceId(4)))?.status, 'Deleted');
      assert.deepEqual(await write(repository, (transaction) => transaction.updateObservedMany([], at(520))), []);
    },
  },
  {
    name: 'updateObservedMany holds to the rules of updateObserved, and writes all or none',
    async run({ repository }) {
      const [first, second] = [sampleInstance(1), sampleInstance(2)];
      const gone = sampleInstance(3, { status: 'Deleted' });
      await seed(repository, first, second, gone);
      const many = (...updates: readonly ObservedUpdate[]) =>
        write(repository, (transaction) => transaction.updateObservedMany(updates, at(510)));
      const good = { current: first, observed: observation };
      await assertRefused(many(good, { current: gone, observed: { status: 'Running' } }), 'INSTANCE_DELETED');
      await assertRefused(many(good, { current: first, observed: {} }), 'INVALID_INPUT');
      const unknown = { appliedTemplateVersionId: templateVersionId(9) };
      await assertRefused(many(good, { current: second, observed: unknown }), 'TEMPLATE_VERSION_UNKNOWN');
      await assertRefused(many(good, { current: second, observed: { status: 'Odd' as never } }), 'INVALID_INPUT');
      assert.deepEqual(await repository.findInstances([first.id, second.id, gone.id]), [first, second, gone]);
      const foreign = { generation: 90, userValues: { b: 2 }, namespace: 'other' } as Partial<Instance>;
      assert.deepEqual(await many({ current: first, observed: { ...foreign, ...observation } }), [first.id]);
      assert.deepEqual(await repository.findInstance(first.id), { ...first, ...observation, updatedAt: at(510) });
    },
  },
  {
    name: 'updateObservedMany and appendEvents take more than one statement can',
    async run({ repository }) {
      const count = 501;
      const instances = Array.from({ length: count }, (_, number) => sampleInstance(number + 1));
      await seed(repository, ...instances);
      const written = await write(repository, async (transaction) => {
        await transaction.appendEvents(instances.map((_, number) => sampleEvent(number)));
        return transaction.updateObservedMany(
          instances.map((current) => ({ current, observed: observation })),
          at(510),
        );
      });
      assert.equal(new Set(written).size, count);
      const last = await repository.findInstance(instanceId(count));
      assert.deepEqual(last, { ...sampleInstance(count), ...observation, updatedAt: at(510) });
      const page = await repository.listEvents({ limit: 500 });
      const rest = await repository.listEvents({ limit: 500, after: page.at(-1)?.cursor });
      const numbers = [...page, ...rest].map(({ data }) => data.number);
      assert.deepEqual(
        numbers,
        instances.map((_, number) => number),
      );
    },
  },
  {
    name: 'of two who saw the same rows at once, each row is written by one',
    async run({ repository }) {
      const instances = Array.from({ length: 20 }, (_, number) => sampleInstance(number + 1));
      await seed(repository, ...instances);
      const by = (lastError: string, order: readonly Instance[], second: number) =>
        write(repository, (transaction) =>
          transaction.updateObservedMany(
            order.map((current) => ({ current, observed: { lastError } })),
            at(second),
          ),
        );
      const [one, other] = await Promise.all([by('one', instances, 510), by('other', instances.toReversed(), 511)]);
      assert.equal(new Set([...one, ...other]).size, instances.length);
      assert.equal(one.length + other.length, instances.length);
      const winner = one.length > 0 ? 'one' : 'other';
      for (const { id } of instances) assert.equal((await repository.findInstance(id))?.lastError, winner);
    },
  },
  {
    name: 'neither side of an instance can write the other’s fields',
    async run({ repository }) {
      const before = sampleInstance(1, { ...observation, userValues: { a: 1 }, labels: { plan: 'gold' } });
      await seed(repository, before);
      const foreign = { generation: 90, changeId: changeId(90), userValues: { b: 2 }, namespace: 'other' };
      await observe(repository, 1, { ...foreign, ...observation });
      assert.deepEqual(await repository.findInstance(before.id), { ...before, updatedAt: at(500) });
      const observed = { lastError: 'smuggled', observedGeneration: 55, gitPath: 'elsewhere', namespace: 'other' };
      await update(repository, 1, 1, { ...observed, ...sampleUpdate(2, { userValues: { c: 3 } }) });
      const found = await repository.findInstance(before.id);
      assert.equal(found?.lastError, observation.lastError);
      assert.equal(found.observedGeneration, observation.observedGeneration);
      assert.equal(found.gitPath, before.gitPath);
      assert.equal(found.namespace, before.namespace);
      assert.equal(found.generation, 2);
      assert.deepEqual(found.userValues, { c: 3 });
    },
  },
  {
    name: 'updateObserved and updateDesired at once do not overwrite each other',
    async run({ repository }) {
      await seed(repository, sampleInstance(1));
      for (let round = 1; round <= 8; round++) {
        await Promise.all([
          observe(repository, 1, { observedGeneration: round, lastError: `error ${round}`, healthStatus: 'Degraded' }),
          update(repository, 1, round, sampleUpdate(round, { userValues: { round }, labels: { round: `${round}` } })),
        ]);
        const found = await repository.findInstance(instanceId(1));
        assert.deepEqual(
          [found?.observedGeneration, found?.lastError, found?.healthStatus, found?.generation, found?.userValues],
          [round, `error ${round}`, 'Degraded', round + 1, { round }],
        );
        assert.deepEqual(found?.labels, { round: `${round}` });
      }
    },
  },
  {
    name: 'an instance that is deleted stays deleted',
    async run({ repository }) {
      await seed(repository, sampleInstance(1, named));
      await observe(repository, 1, { status: 'Deleted', statusReason: 'Gone' }, 500);
      const gone = await repository.findInstance(instanceId(1));
      const details = { instanceId: instanceId(1), status: 'Deleted' };
      await assertRefused(update(repository, 1, 1, sampleUpdate(2)), 'INSTANCE_DELETED', details);
      await assertRefused(observe(repository, 1, { status: 'Running' }), 'INSTANCE_DELETED', details);
      assert.deepEqual(await repository.findInstance(instanceId(1)), gone);
      await observe(repository, 1, { lastError: 'late news' });
      assert.equal((await repository.findInstance(instanceId(1)))?.lastError, 'late news');
      await update(repository, 1, 1, sampleUpdate(3, { status: 'Deleted', generation: 5 }));
      const raised = await repository.findInstance(instanceId(1));
      assert.deepEqual([raised?.status, raised?.generation, raised?.changeId], ['Deleted', 5, changeId(3)]);
      await insert(repository, sampleInstance(2));
      await assertRefused(update(repository, 2, 1, sampleUpdate(4, { status: 'Deleted' })), 'INVALID_INPUT');
    },
  },
  {
    name: 'texts and values of instances survive whatever they hold',
    async run({ repository }) {
      await seed(repository, sampleInstance(1));
      await write(repository, (transaction) => transaction.insertProduct(sampleProduct(2)));
      for (const [index, text] of hostileTexts.entries()) {
        await observe(repository, 1, { statusReason: text, lastError: text });
        await update(
          repository,
          1,
          index + 1,
          sampleUpdate(index, { statusReason: text, userValues: { text, [text]: 1 } }),
        );
        const found = await repository.findInstance(instanceId(1));
        assert.equal(found?.lastError, text);
        assert.equal(found.statusReason, text);
        assert.deepEqual(found.userValues, { text, [text]: 1 });
        assert.equal(await repository.findInstanceByArgoAppName(text), undefined);
        assert.equal(await repository.findInstanceByArgoAppName(`app-1${text || ' '}`), undefined);
      }
      assert.equal((await repository.listProducts()).items.length, 2);
    },
  },
];
