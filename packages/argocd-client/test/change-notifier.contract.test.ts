import { changeNotifierContract } from '@caelus/core/testing';
import { describe, it } from 'vitest';
import { type ArgoCdWebhookNotifierOptions, createArgoCdWebhookNotifier } from '../src/index.ts';
import { createFakeArgoCd } from './fake-argo-cd.ts';

// That of Bitbucket Server names no files, so it cannot keep this contract, and says so.
for (const provider of ['github', 'gitlab', 'gitea'] satisfies ArgoCdWebhookNotifierOptions['provider'][]) {
  changeNotifierContract(
    { describe, it },
    {
      name: `Argo CD's webhook, in the format of ${provider}`,
      async create() {
        const secret = 'a-secret-of-the-webhook';
        const fake = await createFakeArgoCd({ webhookSecret: secret });
        const repository = { url: 'https://git.example.com/platform/gitops.git' };
        return {
          notifier: createArgoCdWebhookNotifier({ baseUrl: fake.url, repository, provider, secret }),
          received: async () => fake.webhooks,
          [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
        };
      },
    },
  );
}
