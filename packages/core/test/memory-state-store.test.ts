import { type RepoPath, repoPath, type StateStore } from '@caelus/core';
import { createMemoryBranch, createMemoryStateStore, stateStoreContract } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';

stateStoreContract(
  { describe, it },
  {
    name: 'memory',
    capabilities: { remote: false, durable: false },
    async create() {
      const shared = createMemoryBranch();
      return {
        open: async () => createMemoryStateStore({ shared }),
        inspect: async () => (shared.tip === null ? undefined : shared.commits.get(shared.tip)?.tree) ?? new Map(),
        async [Symbol.asyncDispose]() {},
      };
    },
  },
);

describe('the memory state store', () => {
  const path: RepoPath = repoPath('a');
  const write = (store: StateStore, text: string) =>
    store.write([
      {
        subject: 'x',
        propose: async () => ({
          edits: [{ path, bytes: new TextEncoder().encode(text) }],
          summary: 'change',
          trailers: [],
          actor: null,
        }),
      },
    ]);

  it('gives equal histories equal commit ids', async () => {
    const ids = await Promise.all(
      [createMemoryStateStore(), createMemoryStateStore()].map(async (store) => [
        await write(store, '1'),
        await write(store, '2'),
      ]),
    );
    expect(ids[0]).toEqual(ids[1]);
  });

  it('gives up once the branch has moved more often than it retries', async () => {
    const shared = createMemoryBranch();
    const other = createMemoryStateStore({ shared });
    const store = createMemoryStateStore({ shared, retries: 2 });
    let asked = 0;
    const moving = store.write([
      {
        subject: 'x',
        propose: async () => {
          asked += 1;
          await write(other, String(asked));
          return null;
        },
      },
    ]);
    await expect(moving).rejects.toMatchObject({ code: 'STORE_CONFLICT', retryable: true, details: { attempts: 3 } });
    expect(asked).toBe(3);
  });
});
