import { applicationControlContract } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { createArgoCdClient, createArgoCdStatusSource } from '../src/index.ts';
import { createFakeArgoCd, type FakeArgoCd, type PutApplication } from './fake-argo-cd.ts';

const STATES: Readonly<Record<string, Omit<PutApplication, 'name'>>> = {
  synced: { status: { sync: { status: 'Synced' } } },
  'out-of-sync': { status: { sync: { status: 'OutOfSync' } } },
  syncing: { operation: { sync: {} }, status: { operationState: { phase: 'Running', startedAt: '2026-01-01' } } },
  deleting: { deletionTimestamp: '2026-01-01T00:00:00Z' },
};

applicationControlContract(
  { describe, it },
  {
    name: "Argo CD's REST API",
    async create() {
      const fake = await createFakeArgoCd();
      const client = createArgoCdClient({ baseUrl: fake.url, token: fake.token });
      const source = createArgoCdStatusSource({ client, projects: ['caelus-beta', 'caelus-stable'] });
      let endless = false;
      return {
        source,
        async put(name, state) {
          endless = state === 'syncing';
          fake.put({ name, ...STATES[state] });
        },
        turn: async () => fake.play('one', endless),
        async [Symbol.asyncDispose]() {
          await source[Symbol.asyncDispose]();
          await fake[Symbol.asyncDispose]();
        },
      };
    },
  },
);

describe('starting a sync', () => {
  async function syncOn(fake: FakeArgoCd, options = {}) {
    const client = createArgoCdClient({ baseUrl: fake.url, token: fake.token });
    await createArgoCdStatusSource({ client, projects: ['caelus-stable'] }).control.sync('one', options);
  }

  it('sends what it is limited to', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    await syncOn(fake, { prune: true, resources: [{ kind: 'ConfigMap', namespace: 'wiki', name: 'data' }] });
    const sent = fake.requests.find(({ path }) => path.endsWith('/sync'));
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      name: 'one',
      project: 'caelus-stable',
      prune: true,
      resources: [{ group: '', kind: 'ConfigMap', namespace: 'wiki', name: 'data' }],
    });
  });

  it.each([
    { status: 403, code: 7, message: 'cannot sync: blocked by sync window', expected: 'SYNC_WINDOW_CLOSED' },
    { status: 403, code: 7, message: 'permission denied', expected: 'ARGOCD_ACCESS_DENIED' },
    { status: 400, code: 9, message: 'another reason', expected: 'ARGOCD_REQUEST_REFUSED' },
    // It was deleted since it was looked up.
    { status: 404, code: 5, message: 'not found', expected: 'APPLICATION_UNKNOWN' },
  ])('is refused as $expected where Argo CD says "$message"', async ({ status, code, message, expected }) => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    fake.intercept = ({ method }, response) => {
      if (method === 'GET') return false;
      response.writeHead(status).end(JSON.stringify({ code, message }));
      return true;
    };
    await expect(syncOn(fake)).rejects.toMatchObject({ code: expected });
  });
});
