import { type ChangeNotification, type CommitId, isCaelusError, type RepoPath } from '@caelus/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ArgoCdWebhookNotifierOptions,
  createArgoCdClient,
  createArgoCdWebhookNotifier,
  type WebhookProvider,
} from '../src/index.ts';
import { touchedRoots } from '../src/webhook/touched-roots.ts';
import { divideFiles, renderPush, toWebUrl } from '../src/webhook/webhook-payload.ts';
import { createFakeArgoCd, type FakeArgoCd } from './fake-argo-cd.ts';

const secret = 'a-secret-of-the-webhook';
const repository = { url: 'git@git.example.com:platform/gitops.git' };
const impatient = { now: () => new Date(), sleep: async () => {} };
const edit = (path: string, removed = false) => ({ path: path as RepoPath, bytes: removed ? null : new Uint8Array(1) });
const notification = (applications: readonly string[] = ['one']): ChangeNotification => ({
  commit: 'a'.repeat(40) as CommitId,
  edits: applications.flatMap((name) => [
    edit(`instances/${name}/values.yaml`),
    edit(`argo-cd/applications/${name}.yaml`, true),
  ]),
  applications,
});

const notifierOf = (fake: FakeArgoCd, options: Partial<ArgoCdWebhookNotifierOptions> = {}) =>
  createArgoCdWebhookNotifier({ baseUrl: fake.url, repository, secret, clock: impatient, ...options });

const fallbackOf = (fake: FakeArgoCd) => ({
  client: createArgoCdClient({ baseUrl: fake.url, token: fake.token, retries: 0 }),
  projects: ['caelus-beta', 'caelus-stable'],
});

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (isCaelusError(error) ? error.code : error),
  );

describe('the webhook notifier', () => {
  it.each(['github', 'gitlab', 'gitea', 'bitbucket-server'] satisfies WebhookProvider[])(
    'speaks the format of %s, signed',
    async (provider) => {
      await using fake = await createFakeArgoCd({ webhookSecret: secret });
      const branch = 'release/v1';
      await notifierOf(fake, { provider, repository: { ...repository, branch } }).notify(notification());
      const [received] = fake.webhooks;
      expect(received).toMatchObject({ revision: branch, commit: 'a'.repeat(40) });
      expect(new Set(received?.webURLs)).toEqual(new Set(['https://git.example.com/platform/gitops']));
      const paths = ['instances/one/values.yaml', 'argo-cd/applications/one.yaml'];
      expect(received?.paths).toEqual(provider === 'bitbucket-server' ? [] : paths);
      // Argo CD would otherwise try to move the caches of every other Application, one by one.
      expect(fake.requests[0]?.body).not.toMatch(/before|fromHash/);
    },
  );

  it.each(['github', 'gitlab', 'gitea', 'bitbucket-server'] satisfies WebhookProvider[])(
    'with another secret for %s is refused, and says so without it',
    async (provider) => {
      await using fake = await createFakeArgoCd({ webhookSecret: 'another-secret' });
      const error = await notifierOf(fake, { provider })
        .notify(notification())
        .catch((caught: unknown) => caught);
      expect(isCaelusError(error, 'ARGOCD_WEBHOOK_REFUSED') && error.details.status).toBe(400);
      expect(String(error)).not.toContain(secret);
      expect(fake.requests).toHaveLength(1);
    },
  );

  it('tells nothing where nothing changed, because that would refresh everything', async () => {
    await using fake = await createFakeArgoCd();
    await notifierOf(fake).notify({ ...notification(), edits: [] });
    expect(fake.requests).toEqual([]);
  });

  it('divides what is too much for one call, and names each file once', async () => {
    await using fake = await createFakeArgoCd({ webhookSecret: secret });
    const names = Array.from({ length: 200 }, (_, index) => `instance-${index}`);
    await notifierOf(fake, { maxPayloadBytes: 4096 }).notify(notification(names));
    expect(fake.webhooks.length).toBeGreaterThan(3);
    for (const { bytes, paths } of fake.webhooks) {
      expect(bytes).toBeLessThanOrEqual(4096);
      expect(paths.length).toBeGreaterThan(0);
    }
    const told = fake.webhooks.flatMap(({ paths }) => paths);
    expect(told.toSorted()).toEqual(
      notification(names)
        .edits.map(({ path }) => path)
        .toSorted(),
    );
  });

  it.each([429, 500, 503])('tries again after %s, which a full queue is', async (status) => {
    await using fake = await createFakeArgoCd({ webhookSecret: secret });
    fake.intercept = (_request, response) => {
      if (fake.requests.length > 2) return false;
      response.writeHead(status).end();
      return true;
    };
    await notifierOf(fake).notify(notification());
    expect([fake.requests.length, fake.webhooks.length]).toEqual([3, 1]);
  });

  it('gives up after its retries, and is unavailable', async () => {
    await using fake = await createFakeArgoCd();
    fake.intercept = (_request, response) => {
      response.destroy();
      return true;
    };
    expect(await codeOf(notifierOf(fake, { retries: 1 }).notify(notification()))).toBe('UNAVAILABLE');
    expect(fake.requests).toHaveLength(2);
    fake.intercept = () => true;
    expect(await codeOf(notifierOf(fake, { retries: 0, timeoutMilliseconds: 20 }).notify(notification()))).toBe(
      'UNAVAILABLE',
    );
  });

  it('follows no redirect', async () => {
    await using fake = await createFakeArgoCd();
    await using other = await createFakeArgoCd();
    fake.intercept = (_request, response) => {
      response.writeHead(307, { location: `${other.url}/api/webhook` }).end();
      return true;
    };
    expect(await codeOf(notifierOf(fake).notify(notification()))).toBe('ARGOCD_WEBHOOK_REFUSED');
    expect(other.requests).toEqual([]);
  });

  it.each([
    ['fails', () => Promise.reject(new Error(secret))],
    ['is nothing', async () => ''],
    ['cannot stand in a header', async () => 'a-secret-\u{1F600}-and-more'],
  ])('says nothing of a secret that %s', async (_, get) => {
    await using fake = await createFakeArgoCd();
    for (const provider of ['gitlab', 'github'] as const) {
      const error = await notifierOf(fake, { provider, secret: get })
        .notify(notification())
        .catch((caught: unknown) => caught);
      expect(isCaelusError(error, 'UNAVAILABLE')).toBe(true);
      expect(`${error} ${(error as Error).stack} ${(error as Error).cause}`).not.toContain('a-secret');
    }
    expect(fake.requests).toEqual([]);
  });

  it('sends no signature where there is no secret', async () => {
    await using fake = await createFakeArgoCd();
    for (const provider of ['github', 'gitlab', 'gitea', 'bitbucket-server'] as const) {
      await notifierOf(fake, { provider, secret: undefined }).notify(notification());
    }
    expect(fake.webhooks).toHaveLength(4);
    for (const { headers } of fake.requests) expect(Object.keys(headers).join()).not.toMatch(/signature|token/);
  });
});

describe('its fallback', () => {
  it('refreshes the roots, and then each touched Application in its project', async () => {
    await using fake = await createFakeArgoCd({ webhookSecret: 'another-secret' });
    const warnings: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (message: string) => void warnings.push(message) };
    fake.put({ name: 'caelus-root', project: 'caelus-root', labels: {} });
    fake.put({ name: 'one', project: 'caelus-stable' });
    fake.put({ name: 'two', project: 'caelus-beta' });
    await notifierOf(fake, { fallback: fallbackOf(fake), logger }).notify(
      notification(['one', 'two', 'not-there-yet']),
    );
    const refreshed = fake.requests.flatMap(({ path, query }) =>
      query.get('refresh') === 'normal' ? [`${query.get('projects')}${path.slice(path.lastIndexOf('/'))}`] : [],
    );
    expect(refreshed[0]).toBe('caelus-root/caelus-root');
    expect(refreshed).toEqual(expect.arrayContaining(['caelus-stable/one', 'caelus-beta/two']));
    expect(warnings).toHaveLength(1);
  });

  it('fails where the account may not do it', async () => {
    await using fake = await createFakeArgoCd({ webhookSecret: 'another-secret' });
    fake.deniedProjects.add('caelus-stable');
    fake.put({ name: 'one' });
    const { notify } = notifierOf(fake, { fallback: fallbackOf(fake) });
    expect(await codeOf(notify(notification()))).toBe('ARGOCD_ACCESS_DENIED');
  });

  it('is not begun where the caller stopped', async () => {
    await using fake = await createFakeArgoCd();
    const stop = new AbortController();
    const reason = new Error('enough');
    fake.intercept = () => {
      stop.abort(reason);
      return true;
    };
    const { notify } = notifierOf(fake, { fallback: fallbackOf(fake) });
    expect(await codeOf(notify(notification(), { signal: stop.signal }))).toBe(reason);
    expect(fake.requests).toHaveLength(1);
  });

  it('finds the roots by the files', () => {
    const paths = [
      'argo-cd/applications/one.yaml',
      'clusters/a/argo-cd/applications/1f/two.yaml',
      'argo-cd/applications/1f/three.yaml',
      'argo-cd/projects/caelus-stable.yaml',
      'instances/one/values.yaml',
      'argo-cd/applications/.gitkeep',
    ];
    expect(touchedRoots(paths.map((path) => edit(path)))).toEqual(['caelus-root', 'caelus-root-1f']);
  });
});

describe('the files of a push', () => {
  it('are divided into parts that fit, each with one at least, all in all what changed', () => {
    const file = fc.tuple(fc.string({ unit: 'binary', minLength: 1, size: 'max', maxLength: 60 }), fc.boolean());
    const push = { webUrl: 'https://git.example.com/a', branch: 'main', defaultBranch: 'main', commit: 'a'.repeat(40) };
    const overhead = renderPush('github', push, { modified: [], removed: [] }).length;
    fc.assert(
      fc.property(
        fc.array(file, { size: 'max', maxLength: 80 }),
        fc.integer({ min: overhead + 400, max: 3000 }),
        (files, most) => {
          const edits = files.map(([path, removed]) => edit(path, removed));
          const parts = divideFiles(edits, overhead, most);
          for (const part of parts) {
            expect(part.modified.length + part.removed.length).toBeGreaterThan(0);
            expect(new TextEncoder().encode(renderPush('github', push, part)).length).toBeLessThanOrEqual(most);
          }
          expect(parts.flatMap(({ modified }) => modified)).toEqual(
            files.flatMap(([path, gone]) => (gone ? [] : [path])),
          );
          expect(parts.flatMap(({ removed }) => removed)).toEqual(
            files.flatMap(([path, gone]) => (gone ? [path] : [])),
          );
        },
      ),
    );
  });
});

describe('the page of a repository', () => {
  /** GetWebURLRegex of webhook.go. */
  const matches = (webUrl: string, repoURL: string) => {
    const { hostname, pathname } = new URL(webUrl);
    const quote = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    const path = quote(pathname.replace(/^\//, ''));
    const user = '[\\w.-]+';
    return new RegExp(
      `^((https?|ssh)://)?(${user}@)?((alt)?ssh\\.)?${quote(hostname)}(:\\d+)?[:/]${path}(\\.git)?$`,
      'i',
    ).test(repoURL);
  };

  it.each([
    ['https://git.example.com/platform/gitops.git', 'https://git.example.com/platform/gitops'],
    ['https://git.example.com/platform/gitops', 'https://git.example.com/platform/gitops'],
    ['https://git.example.com:8443/gitops.git', 'https://git.example.com:8443/gitops'],
    ['http://127.0.0.1:3000/gitops.git', 'http://127.0.0.1:3000/gitops'],
    ['ssh://git@git.example.com/platform/gitops.git', 'https://git.example.com/platform/gitops'],
    ['ssh://git@git.example.com:2222/platform/gitops.git', 'https://git.example.com:2222/platform/gitops'],
    ['git@git.example.com:platform/gitops.git', 'https://git.example.com/platform/gitops'],
    ['git.example.com:platform/gitops', 'https://git.example.com/platform/gitops'],
  ])('of %s is %s, which Argo CD finds its Applications by', (repoURL, webUrl) => {
    expect(toWebUrl(repoURL)).toBe(webUrl);
    expect(matches(webUrl, repoURL)).toBe(true);
  });
});

describe('the options of the notifier', () => {
  const valid = { baseUrl: 'https://argocd.example.com', repository };
  const client = createArgoCdClient({ baseUrl: 'https://argocd.example.com' });
  const names = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);
  it.each([
    [{ baseUrl: 'argocd' }, '/baseUrl'],
    [{ baseUrl: 'https://user:password@argocd.example.com' }, '/baseUrl'],
    [{ repository: undefined }, '/repository'],
    [{ repository: { ...repository, branch: '' } }, '/repository/branch'],
    [{ repository: { ...repository, trunk: 'a' } }, '/repository/trunk'],
    [{ provider: 'svn' }, '/provider'],
    [{ secret: '' }, '/secret'],
    [{ fallback: { client: {}, projects: ['p'] } }, '/fallback/client'],
    [{ fallback: { client, projects: [] } }, '/fallback/projects'],
    [{ fallback: { client, projects: names(51) } }, '/fallback/projects'],
    [{ maxPayloadBytes: 4095 }, '/maxPayloadBytes'],
    [{ maxPayloadBytes: 52_428_801 }, '/maxPayloadBytes'],
    [{ timeoutMilliseconds: 0 }, '/timeoutMilliseconds'],
    [{ retries: 21 }, '/retries'],
    [{ secrets: 'a' }, '/secrets'],
  ])('%j are refused at %s', (options, path) => {
    const make = () => createArgoCdWebhookNotifier({ ...valid, ...options } as ArgoCdWebhookNotifierOptions);
    expect(make).toThrow(expect.objectContaining({ details: { issues: [expect.objectContaining({ path })] } }));
  });

  it('are accepted at their edges', () => {
    for (const options of [
      { maxPayloadBytes: 4096, timeoutMilliseconds: 1, retries: 0, fallback: { client, projects: names(1) } },
      {
        maxPayloadBytes: 52_428_800,
        timeoutMilliseconds: 3_600_000,
        retries: 20,
        fallback: { client, projects: names(50) },
      },
    ]) {
      expect(typeof createArgoCdWebhookNotifier({ ...valid, ...options }).notify).toBe('function');
    }
  });

  it('with credentials in the repository are refused', () => {
    const url = 'https://user:password@git.example.com/gitops.git';
    expect(() => createArgoCdWebhookNotifier({ ...valid, repository: { url } })).toThrow(
      expect.objectContaining({ code: 'REPOSITORY_URL_CREDENTIALS' }),
    );
  });
});
