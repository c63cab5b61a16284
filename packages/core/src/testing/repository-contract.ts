import assert from 'node:assert/strict';
import { parseStoreId } from '../model/identifier.ts';
import type { Repository, RepositoryCapabilities } from '../ports/repository.ts';
import type { ContractRunner } from './contract-runner.ts';
import { catalogueCases } from './repository-contract/catalogue-cases.ts';
import type { ContractCase, RepositoryUnderTest } from './repository-contract/contract-case.ts';
import { eventCases } from './repository-contract/event-cases.ts';
import { instanceCases } from './repository-contract/instance-cases.ts';
import { leaseCases } from './repository-contract/lease-cases.ts';
import { listingCases } from './repository-contract/listing-cases.ts';
import { pruningCases } from './repository-contract/pruning-cases.ts';
import { recordCases } from './repository-contract/record-cases.ts';
import { transactionCases } from './repository-contract/transaction-cases.ts';
import { workCases } from './repository-contract/work-cases.ts';

export interface RepositoryContractOptions {
  /** Names the adapter in the tests' titles. */
  readonly name: string;
  /** What the adapter says of itself: the kit checks that it says so, and tests exactly this. */
  readonly capabilities: RepositoryCapabilities;
  /** Makes a repository for one test. */
  create(): Promise<RepositoryUnderTest>;
  /**
   * Cases that the adapter is known to fail, by name, with the reason. Such a case has to fail: once it passes, the entry
   * is out of date. A name that no case has is an error.
   */
  readonly knownGaps?: Readonly<Record<string, string>> | undefined;
}

const cases: readonly ContractCase[] = [
  {
    name: 'the repository has a store id, a name and the capabilities that were announced',
    async run({ repository }) {
      assert.equal(parseStoreId(repository.storeId), repository.storeId);
      assert.notEqual(repository.name, '');
    },
  },
  ...transactionCases,
  ...catalogueCases,
  ...instanceCases,
  ...listingCases,
  ...eventCases,
  ...pruningCases,
  ...workCases,
  ...leaseCases,
  ...recordCases,
];

/**
 * The tests that every adapter of the {@link Repository} port passes, each on a repository of its own.
 *
 * @example
 * ```ts
 * repositoryContract({ describe, it }, { name: 'mine', capabilities, create: async () => ({ repository: await open() }) });
 * ```
 */
export function repositoryContract(runner: ContractRunner, options: RepositoryContractOptions): void {
  const { name, capabilities, knownGaps = {} } = options;
  const possible = cases.filter(({ needs }) => needs === undefined || capabilities[needs]);
  for (const gap of Object.keys(knownGaps)) {
    if (!possible.some((one) => one.name === gap))
      throw new Error(`knownGaps names a case that does not exist: ${gap}`);
  }
  runner.describe(`Repository contract: ${name}`, () => {
    for (const one of possible) {
      const gap = knownGaps[one.name];
      const run = () => runCase(one, options);
      if (gap === undefined) runner.it(one.name, run);
      else
        runner.it(`${one.name} (known gap: ${gap})`, () => assert.rejects(run, 'The gap is closed: remove its entry.'));
    }
  });
}

async function runCase(one: ContractCase, { create, capabilities }: RepositoryContractOptions): Promise<void> {
  const { repository, reopen, remove } = await create();
  const opened: Repository[] = [repository];
  try {
    assert.deepEqual(repository.capabilities, capabilities);
    await one.run({
      repository,
      async reopen() {
        assert.ok(reopen, 'create() gives no reopen, which these capabilities need');
        const another = await reopen();
        opened.push(another);
        return another;
      },
    });
  } finally {
    for (const each of opened) await each[Symbol.asyncDispose]();
    await remove?.();
  }
}
