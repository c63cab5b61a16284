import { readFile } from 'node:fs/promises';
import {
  type ArgoCdClient,
  createArgoCdClient,
  createArgoCdStatusSource,
  createArgoCdWebhookNotifier,
} from '@caelus/argocd-client';
import { createNodeFetch } from '@caelus/argocd-client/node';
import type { Repository, StateStore, StatusSource, Tier } from '@caelus/core';
import { type Caelus, type CaelusOptions, createCaelus } from '@caelus/engine';
import { createGitStore } from '@caelus/git-store';
import { createKubernetesClient, createKubernetesStatusSource, kubeconfigConnection } from '@caelus/kubernetes';
import { createSqlRepository } from '@caelus/sql-repo';
import type { Testbed } from '@caelus-testbed/testbed';

/** How Caelus hears of what Argo CD does. */
export type StatusKind = 'the Kubernetes API' | 'Argo CD’s API';

/** One for all hosts, so that what bootstrap has made for one belongs to the next, too. */
export const STORE_ID = '5ee0c7a3-3d2c-4f0a-9f0e-6a8f5a6b7c8d';
export const WEBHOOK_SECRET = 'the-secret-of-the-webhook';

/** What a host has from its operator. It is JSON, so that a process of its own can be a host. */
export interface HostSettings {
  readonly testbed: Pick<Testbed, 'kubeconfig' | 'caFile' | 'git' | 'argocd'>;
  /** The rows, in an SQLite file. */
  readonly database: string;
  /** The host's own cache of the GitOps repository. */
  readonly directory: string;
  /** The GitOps repository. */
  readonly url: string;
  /** Of the service account that bootstrap has made. */
  readonly token: string;
  readonly status: StatusKind;
  readonly tiers: readonly Tier[];
}

/** Caelus with all of its real adapters. */
export interface LiveHost extends AsyncDisposable {
  readonly caelus: Caelus;
  readonly repository: Repository;
  readonly store: StateStore;
  readonly status: StatusSource;
  /** As Argo CD's administrator. */
  readonly argoCd: ArgoCdClient;
}

type HostOptions = Pick<CaelusOptions, 'driftPolicy' | 'logger' | 'naming' | 'timings'>;

export async function openHost(settings: HostSettings, options: HostOptions = {}): Promise<LiveHost> {
  const { testbed, database, directory, url, token, tiers } = settings;
  const opened: AsyncDisposable[] = [];
  const keep = <T extends AsyncDisposable>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  const repository = keep(await createSqlRepository({ file: database, storeId: STORE_ID }));
  const { username, password } = testbed.git;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const remote = { url, credentials: () => ({ headers: { authorization } }) };
  const store = keep(await createGitStore({ directory, remote }));
  const fetch = createNodeFetch({ ca: await readFile(testbed.caFile, 'utf8') });
  keep({ [Symbol.asyncDispose]: async () => fetch[Symbol.dispose]() });
  const { url: baseUrl, username: user, password: secret } = testbed.argocd;
  const argoCd = createArgoCdClient({ baseUrl, login: { username: user, password: secret }, fetch });
  const projects = tiers.map(({ name }) => `caelus-${name}`);
  const connection = await kubeconfigConnection({ path: testbed.kubeconfig });
  const cluster = keep(createKubernetesClient({ ...connection, credentials: { token: () => token } }));
  const status = keep(
    settings.status === 'Argo CD’s API'
      ? createArgoCdStatusSource({ client: argoCd, projects })
      : createKubernetesStatusSource({ client: cluster }),
  );
  const notifier = createArgoCdWebhookNotifier({ baseUrl, repository: { url }, secret: WEBHOOK_SECRET, fetch });
  const caelus = createCaelus({
    ...{ repository, store, status, notifier, tiers, ...options },
    gitOps: { repoURL: url },
  });
  return { caelus, repository, store, status, argoCd, [Symbol.asyncDispose]: () => closeAll(opened) };
}

export async function closeAll(opened: readonly AsyncDisposable[]): Promise<void> {
  for (const resource of opened.toReversed()) await resource[Symbol.asyncDispose]();
}
