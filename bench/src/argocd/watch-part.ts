import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createArgoCdStatusSource } from '@caelus/argocd-client';
import {
  type Application,
  createLayout,
  type Instance,
  type InstanceStatus,
  instanceFiles,
  type JsonObject,
  parseTier,
  type StatusSource,
} from '@caelus/core';
import { type Caelus, createCaelus } from '@caelus/engine';
import { createGitStore, type GitStore } from '@caelus/git-store';
import { createSqlRepository } from '@caelus/sql-repo';
import { parse } from 'yaml';
import { type BenchResult, percentile } from '../bench-result.ts';
import { type ArgoCdPlace, PROJECT, publishProduct } from './argocd-place.ts';

const INSTANCES = 200;
const ROUNDS = 5;
/** How many Applications are changed at a time. */
const WRITERS = 4;
const DEADLINE_MILLISECONDS = 120_000;

/** How long after a status changes in the cluster its row has it, by Argo CD's API and by Kubernetes'. */
export async function benchWatches(place: ArgoCdPlace, short: boolean): Promise<readonly BenchResult[]> {
  const [count, rounds] = short ? [5, 2] : [INSTANCES, ROUNDS];
  await using fleet = await createFleet(place, count);
  await using rest = createArgoCdStatusSource({ client: place.argoCd, projects: [PROJECT] });
  const byKubernetes = await fleet.measure(place.status, rounds);
  const byRest = await fleet.measure(rest, rounds);
  return [50, 95].map((percent) => {
    const [ours, theirs] = [percentile(byKubernetes, percent), percentile(byRest, percent)];
    return {
      name: 'argocd-watch',
      work: `from a status in the cluster to its row, by the Kubernetes API, p${percent}`,
      against: "by Argo CD's REST API",
      unit: 'ms',
      median: ours,
      againstMedian: theirs,
      ratio: theirs / ours,
      target: null,
      runs: byKubernetes.length,
      parameters: { applications: count, writers: WRITERS },
    };
  });
}

/** Rows of instances, and their Applications in the cluster, which Argo CD leaves alone. */
interface Fleet extends AsyncDisposable {
  /** Changes the status of every Application so often, and tells how long each change took to its row. */
  measure(status: StatusSource, rounds: number): Promise<readonly number[]>;
}

async function createFleet(place: ArgoCdPlace, count: number): Promise<Fleet> {
  // Argo CD reads another repository: what lies in this one is nobody's but the rows'.
  const store = await createGitStore({ directory: join(place.folder, 'watch.git') });
  const repository = await createSqlRepository({ file: join(place.folder, 'watch.sqlite') });
  const gitOps = { repoURL: 'https://git.example.com/watch.git' };
  const open = (status: StatusSource) =>
    createCaelus({ repository, store, status, gitOps, tiers: [parseTier({ name: 'stable' })] });
  const caelus = open(place.status);
  const product = await publishProduct(caelus, { ...place.chart, repoURL: 'https://charts.example.com' });
  const instances: Instance[] = [];
  for (let index = 0; index < count; index += 1) {
    instances.push(await caelus.instances.create({ ...product, tenant: 'bench' }));
  }
  while ((await caelus.work.backlog()).pending > 0) await caelus.runOnce();
  const applications = await Promise.all(instances.map((instance) => applicationOf(store, instance)));

  async function apply(application: Application, health: string): Promise<void> {
    const status = { ...application.status, health: { status: health } };
    const manifest = { ...application, status } as unknown as JsonObject;
    const answer = await place.kubernetes.apply(manifest, { fieldManager: 'bench', force: true });
    if (!answer.ok) throw place.kubernetes.failure('change an Application', answer.status);
  }

  return {
    async measure(status, rounds) {
      const observing = open(status);
      await using _worker = observing.start({ projector: false, sweeper: false });
      await atOnce(applications, (application) => apply(application, 'Healthy'));
      await until(async () => (await countOf(observing, 'Running')) === count);

      const lags: number[] = [];
      const changedAt = new Map<string, number>();
      const stop = new AbortController();
      const after = await repository.eventHead();
      const reading = (async () => {
        const query = { after, types: ['instance-status-changed'] as const, signal: stop.signal };
        for await (const { instanceId } of observing.events(query)) {
          const at = changedAt.get(instanceId ?? '');
          changedAt.delete(instanceId ?? '');
          if (at !== undefined) lags.push(performance.now() - at);
        }
      })().catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
      for (let round = 1; round <= rounds; round += 1) {
        const [health, wanted] =
          round % 2 === 0 ? (['Healthy', 'Running'] as const) : (['Progressing', 'Pending'] as const);
        await atOnce(applications, (application) => {
          changedAt.set(application.metadata.labels?.['caelus.dev/instance'] ?? '', performance.now());
          return apply(application, health);
        });
        await until(async () => changedAt.size === 0);
        if ((await countOf(observing, wanted)) !== count) throw new Error(`Not every row is ${wanted}.`);
      }
      stop.abort(new Error('over'));
      await reading;
      return lags;
    },
    async [Symbol.asyncDispose]() {
      for (const { name } of applications.map(({ metadata }) => metadata)) {
        await place.argoCd.applications.delete({ name, project: PROJECT }, { cascade: false });
      }
      await Promise.all([store, repository].map((adapter) => adapter[Symbol.asyncDispose]()));
    },
  };
}

async function countOf(caelus: Caelus, status: InstanceStatus): Promise<number> {
  return (await caelus.instances.list({ status: [status] }, { limit: 500 })).items.length;
}

async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  const writer = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MILLISECONDS;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error('The rows have not come to what the cluster says.');
    await wait(10);
  }
}

/** The Application that lies in Git, as Argo CD would have it once its instance runs. */
async function applicationOf(store: GitStore, { id }: Instance): Promise<Application> {
  const snapshot = await store.snapshot();
  const bytes = await snapshot.readFile(instanceFiles(createLayout('flat'), id).application);
  const { metadata, spec, ...type } = parse(new TextDecoder().decode(bytes)) as Application;
  const { finalizers: _, ...rest } = metadata;
  const annotations = { ...metadata.annotations, 'argocd.argoproj.io/skip-reconcile': 'true' };
  const revisions = [snapshot.commit ?? '', spec.sources?.[1]?.targetRevision ?? ''];
  const comparedTo = { sources: spec.sources, destination: (spec as { readonly destination?: object }).destination };
  return {
    ...type,
    metadata: { ...rest, annotations },
    spec,
    status: { sync: { status: 'Synced', revisions, comparedTo } },
  };
}
