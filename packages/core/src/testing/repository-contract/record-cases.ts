import assert from 'node:assert/strict';
import { driftKinds } from '../../model/git-state.ts';
import type { CommitId } from '../../model/identifier.ts';
import type { IdempotencyRecord, Repository } from '../../ports/repository.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import { at, changeId, hostileTexts, hostileValues, instanceId, sampleGitState, write } from './sample-records.ts';

const putDrift = (repository: Repository, number: number, kind: (typeof driftKinds)[number] | null, second: number) =>
  write(repository, (transaction) => transaction.putDrift(instanceId(number), kind, at(second)));
const putRecord = (repository: Repository, record: IdempotencyRecord) =>
  write(repository, (transaction) => transaction.putIdempotencyRecord(record));
const findRecord = (repository: Repository, scope: string, key: string) =>
  write(repository, (transaction) => transaction.findIdempotencyRecord(scope, key));

const sampleRecord = (other: Partial<IdempotencyRecord> = {}): IdempotencyRecord => ({
  scope: 'instances.create',
  key: 'key-1',
  requestHash: 'sha256:1',
  response: { id: instanceId(1) },
  expiresAt: at(100),
  ...other,
});

/** Git states, drift and idempotency records. */
export const recordCases: readonly ContractCase[] = [
  {
    name: 'a Git state is read back as it was put, and the last one stands',
    async run({ repository }) {
      assert.equal(await repository.findGitState(instanceId(1)), undefined);
      const phases = ['present', 'application-removed', 'removed'] as const;
      for (const [generation, phase] of phases.entries()) {
        const state = sampleGitState(1, {
          generation,
          phase,
          changeId: changeId(generation),
          writtenAt: at(generation),
        });
        await write(repository, (transaction) => transaction.putGitState(state));
        assert.deepEqual(await repository.findGitState(instanceId(1)), state);
      }
      assert.equal(await repository.findGitState(instanceId(2)), undefined);
      const phase = 'lost' as 'present';
      await assertRefused(
        write(repository, (transaction) => transaction.putGitState(sampleGitState(1, { phase }))),
        'INVALID_INPUT',
      );
    },
  },
  {
    name: 'the state of the branch is read back as it was put, and the last one stands',
    async run({ repository }) {
      assert.equal(await repository.findBranchState(), undefined);
      for (const [index, recheck] of [true, false].entries()) {
        const state = { commit: String(index).repeat(40) as CommitId, recheck };
        await write(repository, async (transaction) => {
          await transaction.putBranchState(state);
          assert.deepEqual(await transaction.findBranchState(), state);
        });
        assert.deepEqual(await repository.findBranchState(), state);
      }
      const commit = 'main' as CommitId;
      await assertRefused(
        write(repository, (transaction) => transaction.putBranchState({ commit, recheck: false })),
        'ID_INVALID',
      );
    },
  },
  {
    name: 'drift keeps the instant at which its kind was first flagged, until it is cleared',
    async run({ repository }) {
      const found = () => repository.findDrift(instanceId(1));
      assert.equal(await found(), undefined);
      await putDrift(repository, 1, null, 1);
      await putDrift(repository, 1, 'manual-edit', 10);
      await putDrift(repository, 1, 'manual-edit', 20);
      assert.deepEqual(await found(), { instanceId: instanceId(1), kind: 'manual-edit', detectedAt: at(10) });
      await putDrift(repository, 1, 'missing', 30);
      assert.deepEqual(await found(), { instanceId: instanceId(1), kind: 'missing', detectedAt: at(30) });
      await putDrift(repository, 1, null, 40);
      assert.equal(await found(), undefined);
      assert.deepEqual((await repository.listDrift()).items, []);
      await putDrift(repository, 1, 'missing', 50);
      assert.equal((await found())?.detectedAt, at(50));
    },
  },
  {
    name: 'every kind of drift can be flagged, and no other',
    async run({ repository }) {
      for (const [number, kind] of driftKinds.entries()) await putDrift(repository, number, kind, number);
      assert.deepEqual(
        (await repository.listDrift()).items.map(({ kind }) => kind),
        driftKinds,
      );
      await assertRefused(putDrift(repository, 1, 'bored' as 'missing', 1), 'INVALID_INPUT');
    },
  },
  {
    name: 'an idempotency record is found by scope and key, and the last one put stands',
    async run({ repository }) {
      const record = sampleRecord({ response: hostileValues() });
      assert.equal(await findRecord(repository, record.scope, record.key), undefined);
      await putRecord(repository, record);
      assert.deepEqual(await findRecord(repository, record.scope, record.key), record);
      const later = sampleRecord({ requestHash: 'sha256:2', response: null, expiresAt: at(200) });
      await putRecord(repository, later);
      assert.deepEqual(await findRecord(repository, record.scope, record.key), later);
      assert.equal(await findRecord(repository, record.scope, 'key-2'), undefined);
      assert.equal(await findRecord(repository, 'instances.delete', record.key), undefined);
    },
  },
  {
    name: 'idempotency keys that look alike are kept apart',
    async run({ repository }) {
      const pairs = [
        ...hostileTexts.flatMap((text) => [
          [text, 'key'],
          ['scope', text],
        ]),
        ['a', 'bc'],
        ['ab', 'c'],
        ['before', 'key'],
        ['\\u0000', 'key'],
        ['KEY', 'key'],
        ['Key', 'key'],
      ];
      for (const [index, [scope = '', key = '']] of pairs.entries()) {
        await putRecord(repository, sampleRecord({ scope, key, response: index, requestHash: scope }));
      }
      for (const [index, [scope = '', key = '']] of pairs.entries()) {
        const found = await findRecord(repository, scope, key);
        assert.equal(found?.response, index, JSON.stringify([scope, key]));
        assert.deepEqual([found.scope, found.key, found.requestHash], [scope, key, scope]);
      }
    },
  },
  {
    name: 'purging forgets the idempotency records that expired before the instant, and counts them',
    async run({ repository }) {
      for (let second = 1; second <= 5; second++) {
        await putRecord(repository, sampleRecord({ key: `key-${second}`, expiresAt: at(second) }));
      }
      const purge = (second: number) =>
        write(repository, (transaction) => transaction.purgeIdempotencyRecords(at(second)));
      assert.equal(await purge(1), 0);
      assert.equal(await purge(3), 2);
      assert.equal(await purge(3), 0);
      assert.equal(await findRecord(repository, 'instances.create', 'key-2'), undefined);
      assert.equal((await findRecord(repository, 'instances.create', 'key-3'))?.expiresAt, at(3));
      assert.equal(await purge(1000), 3);
    },
  },
];
