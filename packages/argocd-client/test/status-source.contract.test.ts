import { statusSourceContract } from '@caelus/core/testing';
import { describe, it } from 'vitest';
import { createArgoCdClient, createArgoCdStatusSource } from '../src/index.ts';
import { createFakeArgoCd } from './fake-argo-cd.ts';

statusSourceContract(
  { describe, it },
  {
    name: "Argo CD's REST API",
    async create() {
      const fake = await createFakeArgoCd();
      const client = createArgoCdClient({ baseUrl: fake.url, token: fake.token });
      const source = createArgoCdStatusSource({ client, projects: ['caelus-beta', 'caelus-stable'] });
      return {
        source,
        put: async (name, revision) => fake.put({ name, revision }),
        remove: async (name) => fake.remove(name),
        async [Symbol.asyncDispose]() {
          await source[Symbol.asyncDispose]();
          await fake[Symbol.asyncDispose]();
        },
      };
    },
  },
);
