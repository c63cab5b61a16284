import { describe, expect, it } from 'vitest';
import { createMemoryRepository } from '../src/testing/fakes/memory-repository.ts';
import { sampleProduct } from '../src/testing/repository-contract/sample-records.ts';
import { type RepositoryContractOptions, repositoryContract } from '../src/testing/repository-contract.ts';

const options: RepositoryContractOptions = {
  name: 'memory',
  capabilities: { multiProcess: false, durable: false },
  create: async () => ({ repository: createMemoryRepository() }),
};

repositoryContract({ describe, it }, options);

describe('createMemoryRepository', () => {
  it('copies what is committed, and the copies go their own ways', async () => {
    const original = createMemoryRepository();
    const insert = (repository: typeof original, number: number) =>
      repository.transaction((transaction) => transaction.insertProduct(sampleProduct(number)));
    await insert(original, 1);
    const backup = original.copy();
    await insert(original, 2);
    await insert(backup, 3);
    const slugs = async (repository: typeof original) =>
      (await repository.listProducts()).items.map(({ slug }) => slug).sort();
    expect(await slugs(original)).toEqual(['slug-1', 'slug-2']);
    expect(await slugs(backup)).toEqual(['slug-1', 'slug-3']);
    expect(backup.storeId).toBe(original.storeId);
  });
});

describe('repositoryContract', () => {
  const name = 'a product’s slug and id are unique';

  /** Registers the cases with a runner that only collects them. */
  function collect(changes: Partial<RepositoryContractOptions>): Map<string, () => Promise<void>> {
    const found = new Map<string, () => Promise<void>>();
    const runner = {
      describe: (_: string, body: () => void) => body(),
      it: (title: string, body: () => Promise<void>) => void found.set(title, body),
    };
    repositoryContract(runner, { ...options, ...changes });
    return found;
  }

  it('refuses a gap that names no case', () => {
    expect(() => collect({ knownGaps: { nonsense: 'because' } })).toThrow('knownGaps names a case that does not exist');
  });

  it('fails a gap that is closed', async () => {
    const [[title, run] = ['', async () => {}]] = [...collect({ knownGaps: { [name]: 'because' } })].filter(([found]) =>
      found.startsWith(name),
    );
    expect(title).toBe(`${name} (known gap: because)`);
    await expect(run()).rejects.toThrow('The gap is closed');
  });

  it('fails an adapter that announces what it does not have', async () => {
    const run = collect({ capabilities: { multiProcess: true, durable: true } }).get(name);
    await expect(run?.()).rejects.toThrow();
  });

  it('leaves out what needs a capability that the adapter does not have', () => {
    const all = collect({ capabilities: { multiProcess: true, durable: true } });
    expect(all.size - collect({}).size).toBe(4);
  });
});
