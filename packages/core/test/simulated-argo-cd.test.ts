import { describe, expect, it } from 'vitest';
import { repoPath } from '../src/layout/repo-path.ts';
import { applicationControlContract } from '../src/testing/application-control-contract.ts';
import { createMemoryStateStore } from '../src/testing/fakes/memory-state-store.ts';
import { createSimulatedArgoCd } from '../src/testing/fakes/simulated-argo-cd.ts';

const encoder = new TextEncoder();

const ROOT = `kind: Application
metadata: {name: root, namespace: argocd}
spec:
  destination: {namespace: argocd}
  sources: [{repoURL: g, path: projects}, {repoURL: g, path: apps}]
`;
const PROJECT = 'kind: AppProject\nmetadata: {name: stable}\n';
const APPLICATION = `kind: Application
metadata: {name: one, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec:
  project: stable
  destination: {namespace: ns-one}
  syncPolicy: {automated: {selfHeal: true}}
  sources: [{repoURL: g, path: one/manifests, ref: values}, {repoURL: c, chart: wiki, targetRevision: 1.0.0, helm: {valueFiles: [$values/one/values.yaml]}}]
`;
const NAMESPACE = 'kind: Namespace\nmetadata: {name: ns-one}\n';

type Files = Readonly<Record<string, string | null>>;
const whole: Files = {
  'argo-cd/root.yaml': ROOT,
  'projects/stable.yaml': PROJECT,
  'apps/one.yaml': APPLICATION,
  'one/manifests/namespace.yaml': NAMESPACE,
  'one/values.yaml': 'a: 1\n',
};

async function createCluster(files: Files) {
  const store = createMemoryStateStore();
  const argoCd = createSimulatedArgoCd({ store });
  const commit = async (changed: Files) => {
    const edits = Object.entries(changed).map(([path, text]) => ({
      path: repoPath(...path.split('/')),
      bytes: text === null ? null : encoder.encode(text),
    }));
    await store.write([
      { subject: 'test', propose: async () => ({ edits, summary: 'change', trailers: [], actor: null }) },
    ]);
  };
  await commit(files);
  const state = async () => {
    const { status, metadata } = (await argoCd.get('one')) ?? {};
    if (metadata === undefined) return 'absent';
    const condition = status?.conditions?.[0];
    if (condition) return `${condition.type}: ${condition.message}`;
    const deleting = metadata.deletionTimestamp ? 'deleting ' : '';
    return `${deleting}${status?.sync?.status ?? 'new'} ${status?.health?.status ?? '-'} ${status?.operationState?.phase ?? '-'}`;
  };
  return { store, argoCd, commit, state };
}

applicationControlContract(
  { describe, it },
  {
    name: 'simulated Argo CD',
    async create() {
      const { argoCd, commit } = await createCluster({ ...whole, 'apps/one.yaml': null, 'apps/.gitkeep': '' });
      return {
        source: argoCd,
        async put(name, state) {
          const manual = APPLICATION.replace('  syncPolicy: {automated: {selfHeal: true}}\n', '');
          if (state === 'syncing') argoCd.setFailure(name, { kind: 'endless-sync' });
          await commit({ 'apps/one.yaml': state === 'out-of-sync' ? manual : APPLICATION });
          await argoCd.settle();
          if (state !== 'deleting') return;
          argoCd.setFailure(name, { kind: 'stuck-deletion' });
          await commit({ 'apps/one.yaml': null });
          await argoCd.settle();
        },
        turn: async () => void (await argoCd.reconcile()),
        [Symbol.asyncDispose]: () => argoCd[Symbol.asyncDispose](),
      };
    },
  },
);

describe('the simulated Argo CD', () => {
  it('takes an Application from nothing to Healthy, one step a reconcile', async () => {
    const { argoCd, state } = await createCluster(whole);
    const states: string[] = [];
    for (let step = 0; step < 6; step++) {
      await argoCd.reconcile();
      states.push(await state());
    }
    expect(states).toEqual([
      'new - -',
      'OutOfSync Missing -',
      'OutOfSync Missing Running',
      'Synced Progressing Succeeded',
      'Synced Healthy Succeeded',
      'Synced Healthy Succeeded',
    ]);
    expect(argoCd.namespaces).toEqual(new Set(['ns-one']));
    expect(await argoCd.reconcile()).toBe(false);
  });

  it('finds nothing that the root does not lead to', async () => {
    const { argoCd, state } = await createCluster({ ...whole, 'argo-cd/root.yaml': null });
    await argoCd.settle();
    expect(await state()).toBe('absent');
  });

  it.each<[Files, string]>([
    [{ 'projects/stable.yaml': null }, 'InvalidSpecError: Application referencing project stable which does not exist'],
    [{ 'one/manifests/namespace.yaml': null }, 'ComparisonError: one/manifests: app path does not exist'],
    [{ 'one/values.yaml': null }, 'ComparisonError: open one/values.yaml: no such file or directory'],
  ])('says what is missing: %o', async (missing, expected) => {
    const { argoCd, commit, state } = await createCluster({
      ...whole,
      ...missing,
      'projects/other.yaml': PROJECT.replace('stable', 'other'),
    });
    await argoCd.settle();
    expect(await state()).toBe(expected);
    await commit(whole);
    await argoCd.settle();
    expect(await state()).toBe('Synced Healthy Succeeded');
  });

  it('notices a change of values, and not a change of somebody else', async () => {
    const { argoCd, commit, state, store } = await createCluster(whole);
    await argoCd.settle();
    await commit({ 'two/values.yaml': 'b: 1\n' });
    await argoCd.reconcile();
    expect(await state()).toBe('Synced Healthy Succeeded');
    expect((await argoCd.get('one'))?.status?.sync?.revisions?.[0]).toBe((await store.snapshot()).commit);
    await commit({ 'one/values.yaml': 'a: 2\n' });
    await argoCd.reconcile();
    expect(await state()).toBe('OutOfSync Healthy Succeeded');
  });

  it('deletes with what it made, and is stuck where the directory went too early', async () => {
    const { argoCd, commit, state } = await createCluster(whole);
    await argoCd.settle();
    await commit({ 'apps/one.yaml': null, 'apps/.gitkeep': '', 'one/manifests/namespace.yaml': null });
    await argoCd.settle();
    expect(await state()).toBe('DeletionError: one/manifests: app path does not exist');
    expect(argoCd.namespaces.size).toBe(1);
    await commit({ 'one/manifests/namespace.yaml': NAMESPACE });
    await argoCd.settle();
    expect(await state()).toBe('absent');
    expect(argoCd.namespaces.size).toBe(0);
  });

  it('keeps a namespace that is marked to be kept', async () => {
    const kept = NAMESPACE.replace(
      'ns-one}',
      "ns-one, annotations: {argocd.argoproj.io/sync-options: 'Delete=false,Prune=false'}}",
    );
    const { argoCd, commit, state } = await createCluster({ ...whole, 'one/manifests/namespace.yaml': kept });
    await argoCd.settle();
    await commit({ 'apps/one.yaml': null, 'apps/.gitkeep': '' });
    await argoCd.settle();
    expect(await state()).toBe('absent');
    expect(argoCd.namespaces).toEqual(new Set(['ns-one']));
  });

  it('lets a change in the cluster stay where it does not heal itself, until somebody syncs', async () => {
    const still = APPLICATION.replace('{selfHeal: true}', '{prune: true}');
    const { argoCd, state } = await createCluster({ ...whole, 'apps/one.yaml': still });
    await argoCd.settle();
    argoCd.changeInCluster('one', 'Namespace');
    await argoCd.settle();
    expect(await state()).toBe('OutOfSync Healthy Succeeded');
    const resource = { version: 'v1', kind: 'Namespace', name: 'ns-one', status: 'OutOfSync' };
    expect((await argoCd.get('one'))?.status?.resources).toEqual([resource]);
    await argoCd.control.sync('one');
    await argoCd.settle();
    expect(await state()).toBe('Synced Healthy Succeeded');
    expect((await argoCd.get('one'))?.operation).toBeUndefined();
  });

  it('may be reconciled from a timer that does not wait', async () => {
    const { argoCd, state } = await createCluster(whole);
    await Promise.all(Array.from({ length: 10 }, () => argoCd.reconcile()));
    expect(await state()).toBe('Synced Healthy Succeeded');
  });
});
