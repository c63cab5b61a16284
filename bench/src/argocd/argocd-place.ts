import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ArgoCdClient, createArgoCdClient, createArgoCdWebhookNotifier } from '@caelus/argocd-client';
import { createNodeFetch } from '@caelus/argocd-client/node';
import {
  type ChangeNotifier,
  createLayout,
  createRenderContext,
  type HelmChartSource,
  type Instance,
  parseTier,
  type StatusSource,
  silentLogger,
  uuidNaming,
} from '@caelus/core';
import { type Caelus, createCaelus } from '@caelus/engine';
import { createGitStore, type GitStore } from '@caelus/git-store';
import {
  bootstrap,
  createKubernetesClient,
  createKubernetesStatusSource,
  type KubernetesClient,
  kubeconfigConnection,
  planBootstrap,
} from '@caelus/kubernetes';
import { createSqlRepository } from '@caelus/sql-repo';
import { createRepository, publishChart, startTestbed, stopTestbed, type Testbed } from '@caelus-testbed/testbed';

const CHART_FOLDER = fileURLToPath(new URL('../../../charts/guestbook/1.0.0/', import.meta.url));
const TIERS = [parseTier({ name: 'stable' })];
/** The AppProject of the only tier. */
export const PROJECT = 'caelus-stable';

/** A testbed of its own that was bootstrapped for Caelus, and Caelus over it. No loop runs yet. */
export interface ArgoCdPlace extends AsyncDisposable {
  readonly testbed: Testbed;
  readonly argoCd: ArgoCdClient;
  readonly kubernetes: KubernetesClient;
  readonly status: StatusSource;
  readonly store: GitStore;
  readonly notifier: ChangeNotifier;
  /** For what a part keeps beside. */
  readonly folder: string;
  readonly progress: (line: string) => void;
  /** In the Helm repository of the testbed. */
  readonly chart: HelmChartSource;
  /** One product, of that chart. */
  readonly product: PublishedProduct;
  /** One over the shared rows and store; without a notifier, Argo CD finds out by polling. */
  createCaelus(notifier: ChangeNotifier | undefined): Caelus;
}

export interface ArgoCdPlaceOptions {
  /** How often Argo CD asks Git by itself, in seconds. */
  readonly polling: number;
  /** How long it waits between two waves of a sync, in seconds. Default: as long as it does by itself. */
  readonly syncWaveDelay?: number;
  readonly progress: (line: string) => void;
}

export async function createArgoCdPlace(options: ArgoCdPlaceOptions): Promise<ArgoCdPlace> {
  const cleanups: (() => unknown)[] = [];
  const dispose = async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  };
  try {
    const place = await open(options, cleanups);
    return { ...place, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function open(
  { progress, ...settings }: ArgoCdPlaceOptions,
  cleanups: (() => unknown)[],
): Promise<Omit<ArgoCdPlace, keyof AsyncDisposable>> {
  const name = `bench-${process.pid}`;
  const keep = <Adapter extends AsyncDisposable>(adapter: Adapter) => {
    cleanups.push(() => adapter[Symbol.asyncDispose]());
    return adapter;
  };
  cleanups.push(() => stopTestbed(name, { purge: true }));
  const testbed = await startTestbed({ name, ...settings, progress });
  const folder = await mkdtemp(join(tmpdir(), 'caelus-bench-argocd-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const { url } = await createRepository('gitops', name);
  const { repoURL } = await publishChart(CHART_FOLDER, name);
  const { username, password } = testbed.argocd;
  const fetch = createNodeFetch({ ca: await readFile(testbed.caFile, 'utf8') });
  cleanups.push(() => fetch[Symbol.dispose]());
  const argoCd = createArgoCdClient({ baseUrl: testbed.argocd.url, login: { username, password }, fetch });
  const kubernetes = keep(createKubernetesClient(await kubeconfigConnection({ path: testbed.kubeconfig })));
  const repository = keep(await createSqlRepository({ file: join(folder, 'caelus.sqlite') }));
  const { username: user, password: token } = testbed.git;
  const remote = { url, credentials: () => ({ username: user, password: token }) };
  const store = keep(await createGitStore({ directory: join(folder, 'gitops.git'), remote }));
  const gitOps = { repoURL: url };
  const secret = randomBytes(24).toString('base64url');
  const { storeId } = repository;
  const plan = planBootstrap({
    context: createRenderContext({ storeId, layout: createLayout('flat'), naming: uuidNaming, gitOps }),
    tiers: TIERS,
    repository: { username: user, token },
    webhook: { secret },
  });
  await bootstrap(kubernetes, plan);
  const status = createKubernetesStatusSource({ client: kubernetes });
  const warn = (message: string, fields?: object) => progress(`  ${message} ${JSON.stringify(fields ?? {})}`);
  const logger = { ...silentLogger, warn, error: warn };
  const caelusWith = (notifier: ChangeNotifier | undefined) =>
    createCaelus({ repository, store, status, gitOps, tiers: TIERS, notifier, logger });
  const chart: HelmChartSource = { type: 'helm', repoURL, chart: 'guestbook', version: '1.0.0' };
  return {
    testbed,
    argoCd,
    kubernetes,
    status,
    store,
    notifier: createArgoCdWebhookNotifier({ baseUrl: testbed.argocd.url, repository: { url }, secret, fetch }),
    folder,
    progress,
    chart,
    createCaelus: caelusWith,
    product: await publishProduct(caelusWith(undefined), chart),
  };
}

/** What instances are made of. */
export interface PublishedProduct {
  readonly productId: string;
  readonly templateVersionId: string;
}

export async function publishProduct(caelus: Caelus, chart: HelmChartSource): Promise<PublishedProduct> {
  const { id: productId } = await caelus.products.create({ slug: chart.chart, name: chart.chart });
  const published = await caelus.templateVersions.publish({ productId, version: chart.version, chart });
  return { productId, templateVersionId: published.id };
}

/** Creates instances without pods, and waits until all of them run. */
export async function fillUp(caelus: Caelus, product: PublishedProduct, count: number): Promise<readonly Instance[]> {
  const instances: Instance[] = [];
  for (let index = 0; index < count; index += 1) {
    instances.push(await caelus.instances.create({ ...product, tenant: 'bench', values: { replicas: 0 } }));
  }
  await Promise.all(instances.map((instance) => untilRunning(caelus, instance)));
  return instances;
}

const SETTLE_MILLISECONDS = 1_800_000;

/** @throws Error when it does not come to run */
export async function untilRunning(caelus: Caelus, { id, generation }: Instance): Promise<void> {
  const { outcome, message } = await caelus.settled(id, {
    generation,
    signal: AbortSignal.timeout(SETTLE_MILLISECONDS),
  });
  if (outcome !== 'running') throw new Error(`The instance ${id} is ${outcome}: ${message}`);
}
