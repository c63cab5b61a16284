import { describe, it } from 'vitest';
import { createArgoCdClient } from '../src/index.ts';
import { argoCdBehaviour } from './argo-cd-behaviour.ts';
import { createFakeArgoCd } from './fake-argo-cd.ts';

argoCdBehaviour({ describe, it }, 'the one that stands in', async () => {
  const fake = await createFakeArgoCd();
  const labels = { behaviour: 'yes' };
  return {
    client: createArgoCdClient({ baseUrl: fake.url, token: fake.token }),
    raw: (path, init) => fetch(`${fake.url}${path}`, init),
    token: fake.token,
    put: async (name, project, label) => fake.put({ name, project, labels: { ...labels, ...(label && { label }) } }),
    remove: async (name) => fake.remove(name),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
});
