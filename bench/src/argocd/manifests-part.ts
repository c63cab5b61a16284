import { setTimeout as wait } from 'node:timers/promises';
import { type Application, type Change, type CommitId, parseRepoPath, type RepoTree } from '@caelus/core';
import { componentLog } from '@caelus-testbed/testbed';
import { type BenchResult, median } from '../bench-result.ts';
import { type ArgoCdPlace, fillUp, PROJECT, untilRunning } from './argocd-place.ts';

const APPLICATIONS = parseRepoPath('argo-cd/applications');
const ANNOTATION = 'argocd.argoproj.io/manifest-generate-paths';
const ROOT = { name: 'caelus-root', project: 'caelus-root' };
/** How many Applications are refreshed at a time. */
const PARALLEL = 8;

/** What the repository server did. */
interface Work {
  /** Sources whose manifests it generated. */
  readonly manifests: number;
  /** Of these, charts that it had Helm render; the others are directories of plain manifests. */
  readonly charts: number;
}

/**
 * What the repository server generates for a commit that changes the values of one instance, at once and until Argo CD has compared
 * every Application with it; beside the same repository whose Applications do not say which paths they are made of.
 */
export async function benchManifests(
  place: ArgoCdPlace,
  sizes: readonly number[],
  short: boolean,
): Promise<readonly BenchResult[]> {
  const results: BenchResult[] = [];
  for (const size of sizes) {
    place.progress(`  argocd-manifests, ${size} instances`);
    const atOnce: Work[] = [];
    const ours: Work[] = [];
    let present = (await applicationsOf(place)).length;
    {
      const caelus = place.createCaelus(place.notifier);
      await using _worker = caelus.start();
      const [instance] = await fillUp(caelus, place.product, Math.max(1, size - present));
      if (instance === undefined) throw new Error('There is no instance to change.');
      present = (await compareAll(place)).length;
      for (let round = 0; round < (short ? 1 : 3); round += 1) {
        const since = await startCount(place);
        const values = { title: `Round ${round} of ${size}`, replicas: 0 };
        await untilRunning(caelus, await caelus.instances.update(instance.id, { values }));
        atOnce.push(await since());
        await compareAll(place);
        ours.push(await since());
      }
    }
    const theirs = await withoutPaths(place, async () => {
      const rounds: Work[] = [];
      for (let round = 0; round < (short || size > 500 ? 1 : 3); round += 1) {
        const since = await startCount(place);
        await changeByHand(place, `by hand ${round} of ${size}`);
        rounds.push(await since());
      }
      return rounds;
    });
    const row = (work: string, our: readonly Work[], what: keyof Work, most: number | null): BenchResult => {
      const [mine, other] = [our, theirs].map((rounds) => median(rounds.map((round) => round[what]))) as [
        number,
        number,
      ];
      return {
        name: 'argocd-manifests',
        work: `for a commit that changes one instance, ${work}`,
        against: 'Applications without manifest-generate-paths',
        unit: 'manifests',
        median: mine,
        againstMedian: other,
        ratio: other / mine,
        target: most === null ? null : { text: `at most ${most}`, reached: mine <= most },
        runs: our.length,
        parameters: { present, againstRuns: theirs.length },
      };
    };
    results.push(
      row('generated at once', atOnce, 'manifests', 2),
      row('charts rendered until all were compared with it', ours, 'charts', 1),
      row('generated until all were compared with it', ours, 'manifests', null),
    );
  }
  return results;
}

/** The repository server writes a line for each source that it has generated, and for each program that it runs. */
async function startCount({ testbed }: ArgoCdPlace): Promise<() => Promise<Work>> {
  const count = async (): Promise<Work> => {
    const log = await componentLog('repo-server', Number.MAX_SAFE_INTEGER, testbed.name);
    const lines = (text: string) => log.split(text).length - 1;
    return { manifests: lines('msg="setting manifests cache'), charts: lines('msg="helm template ') };
  };
  const before = await count();
  return async () => {
    const after = await count();
    return { manifests: after.manifests - before.manifests, charts: after.charts - before.charts };
  };
}

async function applicationsOf({ status }: ArgoCdPlace): Promise<readonly Application[]> {
  const applications: Application[] = [];
  for await (const application of status.list()) applications.push(application);
  return applications;
}

/** Has Argo CD compare every Application with the tip, as its polling would sooner or later. Returns how they are then. */
async function compareAll(place: ArgoCdPlace): Promise<readonly Application[]> {
  const { argoCd } = place;
  const asked = Date.now();
  // Argo CD tells whole seconds.
  const isOld = ({ status }: Application) => Date.parse(status?.reconciledAt ?? '1970-01-01') < asked;
  for (;;) {
    const applications = await applicationsOf(place);
    const old = applications.filter(isOld);
    if (old.length === 0) return applications;
    const rest = old.values();
    const refresh = async () => {
      for (const { metadata } of rest) await argoCd.applications.refresh({ name: metadata.name, project: PROJECT });
    };
    await Promise.all([argoCd.applications.refresh(ROOT), ...Array.from({ length: PARALLEL }, refresh)]);
    await wait(1_000);
  }
}

/** Takes from every Application what says which paths it is made of, for as long as `work` lasts. */
async function withoutPaths<T>(place: ArgoCdPlace, work: () => Promise<T>): Promise<T> {
  const before = await (await place.store.snapshot()).readTree(APPLICATIONS);
  const annotate = (value: string | null | undefined) =>
    place.argoCd.applications.patch(ROOT, { metadata: { annotations: { [ANNOTATION]: value } } });
  const paths = (await place.argoCd.applications.get(ROOT)).metadata.annotations?.[ANNOTATION];
  await annotate(null);
  const plain = [...before].flatMap(([path, bytes]) => {
    const text = new TextDecoder().decode(bytes);
    const line = new RegExp(`^ *${ANNOTATION.replaceAll('.', '\\.')}: .*\n`, 'm');
    return line.test(text) ? [[path, new TextEncoder().encode(text.replace(line, ''))] as const] : [];
  });
  await writeApplications(place, new Map(plain), false);
  try {
    return await work();
  } finally {
    await annotate(paths);
    await writeApplications(place, before, true);
  }
}

/** Writes files of Applications, and waits until every one of them is like it, and synced. */
async function writeApplications(place: ArgoCdPlace, files: RepoTree, hasPaths: boolean): Promise<void> {
  const edits = [...files].map(([path, bytes]) => ({ path, bytes }));
  const commit = await write(place, edits);
  for (;;) {
    const applications = await compareAll(place);
    const isDone = ({ metadata, status }: Application) =>
      (metadata.annotations?.[ANNOTATION] !== undefined) === hasPaths &&
      status?.sync?.status === 'Synced' &&
      (hasPaths || status.sync.revisions?.[0] === commit);
    if (applications.every(isDone)) return;
  }
}

/** Changes the file of one instance's values with Caelus being away, and waits until Argo CD has compared all with it. */
async function changeByHand(place: ArgoCdPlace, title: string): Promise<void> {
  const [application] = await applicationsOf(place);
  const id = application?.metadata.labels?.['caelus.dev/instance'];
  const path = parseRepoPath(`instances/${id}/values.yaml`);
  const values = new TextDecoder().decode(await (await place.store.snapshot()).readFile(path));
  const commit = await write(place, [{ path, bytes: new TextEncoder().encode(`${values}# ${title}\n`) }]);
  const applications = await compareAll(place);
  const behind = applications.filter(({ status }) => status?.sync?.revisions?.[0] !== commit);
  if (behind.length > 0) throw new Error(`${behind.length} Applications were not compared with ${commit}.`);
}

async function write({ store, notifier }: ArgoCdPlace, edits: Change): Promise<CommitId> {
  const proposal = { edits, summary: 'edit by hand', trailers: [], actor: null };
  const [receipt] = await store.write([{ subject: 'by hand', propose: async () => proposal }]);
  if (receipt?.outcome !== 'written') throw new Error(`Nothing was written: ${receipt?.outcome}`);
  await notifier.notify({ commit: receipt.commit, edits: receipt.edits, applications: [] });
  return receipt.commit;
}
