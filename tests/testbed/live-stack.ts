import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type ChartSource,
  createLayout,
  createRenderContext,
  type Instance,
  type NamingStrategy,
  type NewTemplateVersion,
  type Product,
  parseTier,
  type TemplateVersion,
  type Tier,
  uuidNaming,
} from '@caelus/core';
import type { Caelus, CaelusOptions, Settlement, Worker } from '@caelus/engine';
import { bootstrap, createKubernetesClient, kubeconfigConnection, planBootstrap } from '@caelus/kubernetes';
import {
  bedOf,
  createRepository,
  kubectl,
  publishChart,
  pushChart,
  startTestbed,
  type Testbed,
  until,
} from '@caelus-testbed/testbed';
import { inject } from 'vitest';
import { clearCluster } from './clear-cluster.ts';
import {
  closeAll,
  type HostSettings,
  type LiveHost,
  openHost,
  STORE_ID,
  type StatusKind,
  WEBHOOK_SECRET,
} from './live-host.ts';
import type { StoryChart } from './story-chart.ts';

/** Where a chart lies. */
export type ChartPlace = ChartSource['type'];

export interface LiveStackOptions extends Pick<CaelusOptions, 'driftPolicy' | 'logger' | 'naming' | 'timings'> {
  /** Default: the Kubernetes API, with the rights that bootstrap gives. */
  readonly status?: StatusKind;
  /** Default: `stable`, with the defaults of a tier. */
  readonly tiers?: readonly Tier[];
  /** Whether a worker runs from the beginning. Default `true`. */
  readonly worker?: boolean;
}

/** An object of the cluster, as far as a story looks at it. */
export interface ClusterObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
  // biome-ignore lint/suspicious/noExplicitAny: a story knows the kind that it asks for
  readonly [field: string]: any;
}

/** A host with all of its real parts: Caelus over SQLite and Git over HTTP, a cluster with Argo CD, chart repositories. */
export interface LiveStack extends LiveHost {
  readonly testbed: Testbed;
  /** What its host was opened with. */
  readonly settings: HostSettings;
  /** The loops, where `worker` was not `false`. */
  readonly worker: Worker | undefined;
  /** As the cluster's administrator; returns what kubectl printed. */
  kubectl(args: readonly string[], input?: object): Promise<string>;
  /** An object of the cluster, `undefined` where there is none; `kind` as kubectl takes it. */
  find(kind: string, name: string, namespace?: string): Promise<ClusterObject | undefined>;
  list(kind: string, namespace?: string): Promise<readonly ClusterObject[]>;
  /** Asks until the answer is neither false nor undefined, for at most 90 s. */
  until<T>(what: string, question: () => Promise<T | false | undefined>): Promise<T>;
  /** Puts a chart where hosts have charts; its name is then one that no other stack has. */
  publishChart(place: ChartPlace, chart: StoryChart): Promise<ChartSource>;
  /** Publishes a chart and a template version of it, by default a Helm chart and the version of the chart. */
  publish(
    product: Product,
    chart: StoryChart,
    options?: { readonly place?: ChartPlace } & Partial<NewTemplateVersion>,
  ): Promise<TemplateVersion>;
  /** `caelus.settled`, for at most 90 s. */
  settled(instance: Pick<Instance, 'id' | 'generation'>): Promise<Settlement>;
}

const SECONDS = 90;

/**
 * A new host with a new repository and a new database, on the testbed that the files of this folder share. Whatever a stack before
 * has left in the cluster is removed first, so only one can be open at a time.
 */
export async function openLiveStack(options: LiveStackOptions = {}): Promise<LiveStack> {
  const testbed = await startTestbed({
    name: inject('testbed'),
    progress: (text) => process.stderr.write(`${text}\n`),
  });
  const bed = await bedOf(testbed.name);
  const run: LiveStack['kubectl'] = (args, input) => kubectl(bed, args, input && JSON.stringify(input));
  await clearCluster(run);
  const opened: AsyncDisposable[] = [];
  try {
    return await openOn(testbed, run, options, opened);
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

/** `opened` is what has to be closed again. */
async function openOn(
  testbed: Testbed,
  run: Kubectl,
  options: LiveStackOptions,
  opened: AsyncDisposable[],
): Promise<LiveStack> {
  const { status = 'the Kubernetes API', tiers = [parseTier({ name: 'stable' })], worker = true } = options;
  const { naming = uuidNaming, driftPolicy, logger, timings } = options;
  const keep = <T extends AsyncDisposable>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  const unique = randomUUID().slice(0, 8);
  const { url } = await createRepository(`gitops-${unique}`, testbed.name);
  const folder = await mkdtemp(join(tmpdir(), 'caelus-live-'));
  keep({ [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) });
  await prepareCluster(testbed, run, { url, tiers, naming });
  const settings: HostSettings = {
    ...{ testbed, url, status, tiers },
    database: join(folder, 'caelus.db'),
    directory: join(folder, 'gitops.git'),
    token: await run(['create', 'token', 'caelus', '--namespace=caelus', '--duration=2h']),
  };
  const host = keep(await openHost(settings, { naming, driftPolicy, logger, timings }));
  const { caelus } = host;
  const stack = {
    ...host,
    ...{ testbed, settings, kubectl: run },
    worker: worker ? keep(caelus.start()) : undefined,
    ...readingOf(run),
    until: <T>(what: string, question: () => Promise<T | false | undefined>) =>
      until(question, { seconds: SECONDS, what }),
    ...publishingOf(caelus, { testbed, folder, unique }),
    settled: ({ id, generation }: Pick<Instance, 'id' | 'generation'>) =>
      caelus.settled(id, { generation, signal: AbortSignal.timeout(SECONDS * 1000) }),
  };
  return { ...stack, [Symbol.asyncDispose]: () => closeAll(opened) };
}

type Kubectl = LiveStack['kubectl'];

/** What an administrator does once: bootstrap, and the settings of Argo CD that Caelus says it needs. */
async function prepareCluster(
  { kubeconfig, git, registry }: Testbed,
  run: Kubectl,
  { url, tiers, naming }: { readonly url: string; readonly tiers: readonly Tier[]; readonly naming: NamingStrategy },
): Promise<void> {
  const repositories = [
    { name: 'registry', stringData: { type: 'helm', url: `${registry.host}/charts`, enableOCI: 'true' } },
  ];
  const secrets = repositories.map(({ name, stringData }) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': 'repository' } },
    stringData: { name, ...stringData },
  }));
  // For the kustomize overlay.
  const settings = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd' },
    data: { 'kustomize.buildOptions': '--enable-helm' },
  };
  const list = { apiVersion: 'v1', kind: 'List', items: [...secrets, settings] };
  await run(['apply', '--server-side', '--field-manager=administrator', '-f', '-'], list);
  const context = createRenderContext({
    storeId: STORE_ID as never,
    layout: createLayout('flat'),
    naming,
    gitOps: { repoURL: url },
  });
  const repository = { username: git.username, token: git.password };
  await using client = createKubernetesClient(await kubeconfigConnection({ path: kubeconfig }));
  await bootstrap(client, planBootstrap({ context, tiers, repository, webhook: { secret: WEBHOOK_SECRET } }));
}

function readingOf(run: Kubectl): Pick<LiveStack, 'find' | 'list'> {
  const inNamespace = (namespace: string | undefined) => (namespace === undefined ? [] : [`--namespace=${namespace}`]);
  return {
    async find(kind, name, namespace) {
      const text = await run(['get', kind, name, ...inNamespace(namespace), '--ignore-not-found', '--output=json']);
      return text === '' ? undefined : (JSON.parse(text) as ClusterObject);
    },
    async list(kind, namespace) {
      const text = await run(['get', kind, ...inNamespace(namespace), '--output=json']);
      return (JSON.parse(text) as { items: ClusterObject[] }).items;
    },
  };
}

interface Workshop {
  readonly testbed: Testbed;
  readonly folder: string;
  readonly unique: string;
}

function publishingOf(
  caelus: Caelus,
  { testbed, folder, unique }: Workshop,
): Pick<LiveStack, 'publishChart' | 'publish'> {
  const publish: LiveStack['publishChart'] = async (place, { name: given, version, files }) => {
    const name = `${given}-${unique}`;
    const all = { 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${version}\n`, ...files };
    if (place === 'git') {
      const bytes = Object.entries(all).map(([path, text]) => [path, new TextEncoder().encode(text)] as const);
      return caelus.charts.publish({ name, version, files: new Map(bytes) });
    }
    const chart = join(folder, 'charts', place, name, version);
    for (const [path, text] of Object.entries(all)) {
      await mkdir(dirname(join(chart, path)), { recursive: true });
      await writeFile(join(chart, path), text);
    }
    const { repoURL } = await (place === 'helm' ? publishChart : pushChart)(chart, testbed.name);
    return { type: place, repoURL, chart: name, version };
  };
  return {
    publishChart: publish,
    async publish({ id }, chart, { place = 'helm', ...options } = {}) {
      const source = options.chart ?? (await publish(place, chart));
      return caelus.templateVersions.publish({ productId: id, version: chart.version, chart: source, ...options });
    },
  };
}
