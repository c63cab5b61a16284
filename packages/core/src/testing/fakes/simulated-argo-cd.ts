import { parseAllDocuments } from 'yaml';
import type { CallOptions } from '../../call-options.ts';
import { canonicalJson, type JsonObject, type JsonValue } from '../../json-value.ts';
import { parseRepoPath, type RepoPath } from '../../layout/repo-path.ts';
import {
  type ApplicationControl,
  applicationDeleting,
  applicationUnknown,
  operationRunning,
} from '../../ports/application-control.ts';
import type { Snapshot, StateStore } from '../../ports/state-store.ts';
import type { StatusSource } from '../../ports/status-source.ts';
import type {
  Application,
  ApplicationResourceStatus,
  ApplicationSource,
  ApplicationStatus,
} from '../../status/application.ts';
import { createApplicationFeed } from './application-feed.ts';

/** What can be made to go wrong with one Application, until it is taken back. */
export type SimulatedFailure =
  /** The manifests cannot be made: `ComparisonError`. */
  | { readonly kind: 'comparison'; readonly message: string }
  /** The cluster refuses them: the sync fails. */
  | { readonly kind: 'sync'; readonly message: string }
  /** They run badly: `Degraded`. */
  | { readonly kind: 'degraded'; readonly message: string }
  /** A sync that does not end; a deletion waits for it. */
  | { readonly kind: 'endless-sync' }
  /** A finalizer of its first resource that nobody removes. Default `example.com/hold`. */
  | { readonly kind: 'stuck-deletion'; readonly finalizer?: string | undefined };

/**
 * Argo CD as far as Caelus can see it, without a cluster. It finds its Applications as the real one does: from the root
 * Application in Git, down to the directories that it watches. It reads the Git tree through the port, and each
 * {@link SimulatedArgoCd.reconcile} takes every Application one step further: compared (OutOfSync), syncing, synced
 * (Progressing), Healthy. An Application whose file is gone is deleted, in two steps, with what it made.
 *
 * It renders no chart and runs no pod; it checks that what an Application refers to is there.
 */
export interface SimulatedArgoCd extends StatusSource {
  /** A sync is always one of everything. */
  readonly control: ApplicationControl;
  /** Looks at Git, and takes every Application one step further. Returns whether anything moved. */
  reconcile(options?: CallOptions): Promise<boolean>;
  /** Reconciles until nothing moves. */
  settle(options?: CallOptions): Promise<void>;
  /** Makes an Application fail, or well again with `null`. */
  setFailure(name: string, failure: SimulatedFailure | null): void;
  /**
   * Somebody changes a resource in the cluster, the first of that kind: the Application is OutOfSync until it is synced again, by
   * itself only where it heals itself. Default: the first resource.
   */
  changeInCluster(name: string, kind?: string): void;
  /** The namespaces that exist because of what was synced. */
  readonly namespaces: ReadonlySet<string>;
}

export interface SimulatedArgoCdOptions {
  readonly store: Pick<StateStore, 'snapshot'>;
  /** Default: 2026-01-01T00:00:00Z, and a second later with every reconcile. */
  readonly now?: (() => Date) | undefined;
  /** Default `argo-cd/root.yaml`. */
  readonly rootPath?: string | undefined;
}

interface Live {
  readonly application: Application;
  /** Whether it holds Applications and projects, as the root does. */
  readonly isRoot: boolean;
  /** Files below its paths, when last synced. */
  readonly syncedFiles: string | null;
  /** Of which kind somebody changed a resource in the cluster since; `null` where nobody did. */
  readonly changedKind: string | null;
  /** Namespaces it made; `false` for those that outlive it. */
  readonly namespaces: ReadonlyMap<string, boolean>;
}

/** Makes a simulated Argo CD over a state store. */
export function createSimulatedArgoCd(options: SimulatedArgoCdOptions): SimulatedArgoCd {
  const { store, rootPath = 'argo-cd/root.yaml' } = options;
  let ticks = 0;
  const now = () => (options.now?.() ?? new Date(Date.UTC(2026, 0, 1) + ticks * 1000)).toISOString();
  const feed = createApplicationFeed('simulated Argo CD');
  const live = new Map<string, Live>();
  const failures = new Map<string, SimulatedFailure>();
  const projects = new Set<string>();
  const namespaces = new Set<string>();
  const refreshing = new Set<string>();

  function put(name: string, next: Live): void {
    live.set(name, next);
    if (!next.isRoot) feed.put(next.application);
  }

  function setStatus(name: string, current: Live, status: ApplicationStatus, more: Partial<Live> = {}): true {
    put(name, {
      ...current,
      ...more,
      application: { ...current.application, status: { ...status, reconciledAt: now() } },
    });
    return true;
  }

  /** The Applications and projects that Git asks for, found from the root downwards. */
  async function readDesired(snapshot: Snapshot): Promise<Map<string, Application>> {
    const desired = new Map<string, Application>();
    projects.clear();
    const visit = async (objects: readonly JsonObject[]): Promise<void> => {
      for (const object of objects) {
        const manifest = object as unknown as Application & { readonly kind: string };
        if (manifest.kind === 'AppProject') projects.add(manifest.metadata.name);
        if (manifest.kind !== 'Application' || desired.has(manifest.metadata.name)) continue;
        desired.set(manifest.metadata.name, manifest);
        if (holdsApplications(manifest)) {
          for (const { path } of sourcesOf(manifest)) {
            if (path !== undefined) await visit(await readManifests(snapshot, parseRepoPath(path), false));
          }
        }
      }
    };
    const root = await snapshot.readFile(parseRepoPath(rootPath));
    if (root !== undefined) await visit(parseObjects(root));
    return desired;
  }

  async function compare(name: string, current: Live, snapshot: Snapshot): Promise<boolean> {
    const { application } = current;
    const failure = failures.get(name);
    const before = application.status ?? {};
    const revision = snapshot.commit ?? '';
    const sources = sourcesOf(application);
    const revisions = sources.map(({ chart, targetRevision }) =>
      chart === undefined ? revision : (targetRevision ?? ''),
    );
    const comparedTo = application.spec.sources ? { sources } : { source: sources[0] as ApplicationSource };
    const report = (conditions: ApplicationStatus['conditions'], sync: ApplicationStatus['sync']): boolean => {
      const next = { ...before, conditions, sync };
      return canonical(next) === canonical(before) ? false : setStatus(name, current, next);
    };
    const condition = (type: string, message: string) => {
      const known = before.conditions?.find((found) => found.type === type && found.message === message);
      return [known ?? { type, message, lastTransitionTime: now() }];
    };
    if (!current.isRoot && !projects.has(application.spec.project ?? '')) {
      const message = `Application referencing project ${application.spec.project} which does not exist`;
      return report(condition('InvalidSpecError', message), { ...before.sync, status: 'Unknown' });
    }
    const files = await filesOf(application, snapshot);
    const problem = failure?.kind === 'comparison' ? failure.message : typeof files === 'string' ? files : undefined;
    if (problem !== undefined || typeof files === 'string') {
      return report(condition('ComparisonError', problem ?? ''), { status: 'Unknown', comparedTo });
    }
    const content = canonical({ spec: application.spec, files: files.content });
    if (content !== current.syncedFiles || current.changedKind !== null) {
      return sync(name, current, { revisions, comparedTo, content, files });
    }
    const operation = before.operationState;
    if (application.operation !== undefined && operation === undefined) {
      const operationState = { phase: 'Running', startedAt: now(), syncResult: { revisions } };
      return setStatus(name, current, { ...before, operationState });
    }
    if (operation?.phase === 'Running' && failure?.kind !== 'endless-sync') {
      // Git went back to what is synced while a sync of something else ran; that one still has to end.
      return endOperation(name, current, before, { phase: 'Succeeded', message: 'successfully synced' });
    }
    const resources = resourcesOf(files, () => false);
    return before.sync?.status === 'Synced' &&
      before.sync.revisions?.join() === revisions.join() &&
      !before.conditions?.length
      ? advanceHealth(name, current)
      : setStatus(name, current, {
          ...before,
          conditions: [],
          sync: { status: 'Synced', revisions, comparedTo },
          resources,
        });
  }

  function endOperation(
    name: string,
    current: Live,
    status: ApplicationStatus,
    end: { readonly phase: string; readonly message: string },
    more: Partial<Live> = {},
  ): true {
    const { operation: _, ...application } = current.application;
    const operationState = { ...status.operationState, ...end, finishedAt: now() };
    return setStatus(name, { ...current, application }, { ...status, operationState }, more);
  }

  /** From a difference to Synced: found, then running, then done. */
  function sync(
    name: string,
    current: Live,
    found: {
      readonly revisions: readonly string[];
      readonly comparedTo: NonNullable<ApplicationStatus['sync']>['comparedTo'];
      readonly content: string;
      readonly files: FoundFiles;
    },
  ): boolean {
    const failure = failures.get(name);
    const before = current.application.status ?? {};
    const { revisions, comparedTo, content, files } = found;
    const outOfSync = { status: 'OutOfSync', revisions, comparedTo };
    const health = before.health ?? { status: 'Missing', lastTransitionTime: now() };
    const isDrift = content === current.syncedFiles;
    const changed = files.resources.find(({ kind }) => kind === current.changedKind) ?? files.resources[0];
    const resources = resourcesOf(files, (resource) => !isDrift || resource === changed);
    const isNew = before.sync?.status !== 'OutOfSync' || before.sync.revisions?.join() !== revisions.join();
    if (isNew) return setStatus(name, current, { ...before, conditions: [], sync: outOfSync, health, resources });
    const operation = before.operationState;
    const concernsThis = operation?.syncResult?.revisions?.join() === revisions.join();
    if (!concernsThis || operation?.phase !== 'Running') {
      const { automated } = current.application.spec.syncPolicy ?? {};
      const isFailed = concernsThis && operation?.phase === 'Failed' && failure?.kind === 'sync';
      const starts = automated && !isFailed && (!isDrift || automated.selfHeal === true);
      if (current.application.operation === undefined && !starts) return false;
      const operationState = { phase: 'Running', startedAt: now(), syncResult: { revisions } };
      return setStatus(name, current, { ...before, sync: outOfSync, health, operationState, resources });
    }
    if (failure?.kind === 'endless-sync') return false;
    if (failure?.kind === 'sync') {
      return endOperation(name, current, before, { phase: 'Failed', message: failure.message });
    }
    for (const [namespace] of files.namespaces) namespaces.add(namespace);
    const status = {
      conditions: [],
      sync: { status: 'Synced', revisions, comparedTo },
      health: current.isRoot ? { status: 'Healthy' } : { status: 'Progressing', lastTransitionTime: now() },
      operationState: operation,
      history: [...(before.history ?? []).slice(-9), { deployedAt: now(), revisions }],
      resources: resourcesOf(files, () => false),
    };
    const end = { phase: 'Succeeded', message: 'successfully synced' };
    const synced = { syncedFiles: content, changedKind: null, namespaces: files.namespaces };
    return endOperation(name, current, status, end, synced);
  }

  function advanceHealth(name: string, current: Live): boolean {
    const status = current.application.status ?? {};
    const failure = failures.get(name);
    const wanted =
      failure?.kind === 'degraded' ? { status: 'Degraded', message: failure.message } : { status: 'Healthy' };
    if (status.health?.status === wanted.status) return false;
    return setStatus(name, current, { ...status, health: { ...wanted, lastTransitionTime: now() } });
  }

  /** An Application that Git no longer asks for: marked first, and gone once nothing holds it. */
  async function remove(name: string, current: Live, snapshot: Snapshot): Promise<boolean> {
    const { application } = current;
    const failure = failures.get(name);
    if (application.metadata.deletionTimestamp === undefined) {
      put(name, {
        ...current,
        application: { ...application, metadata: { ...application.metadata, deletionTimestamp: now() } },
      });
      return true;
    }
    if (isRunning(application) || failure?.kind === 'stuck-deletion') return false;
    // The real one renders deletion hooks from Git, so the directory has to outlive the Application.
    const files = await filesOf(application, snapshot);
    if (typeof files === 'string') {
      if (application.status?.conditions?.some(({ type }) => type === 'DeletionError')) return false;
      const conditions = [{ type: 'DeletionError', message: files, lastTransitionTime: now() }];
      return setStatus(name, current, { ...application.status, conditions });
    }
    for (const [namespace, removable] of current.namespaces) if (removable) namespaces.delete(namespace);
    live.delete(name);
    feed.remove(name);
    return true;
  }

  let last: Promise<unknown> = Promise.resolve();

  /** One at a time: a host may call it from a timer. */
  function reconcile(callOptions?: CallOptions): Promise<boolean> {
    const next = last.then(() => reconcileOnce(callOptions));
    last = next.catch(() => {});
    return next;
  }

  async function reconcileOnce({ signal }: CallOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    ticks += 1;
    const snapshot = await store.snapshot({ signal });
    const desired = await readDesired(snapshot);
    let moved = false;
    for (const [name, application] of desired) {
      const known = live.get(name);
      const fresh: Live = {
        application,
        isRoot: holdsApplications(application),
        syncedFiles: null,
        changedKind: null,
        namespaces: new Map(),
      };
      const current = known ? { ...known, application: withSpecOf(known.application, application) } : fresh;
      if (current.application !== known?.application) {
        put(name, current);
        moved = true;
      }
      if (refreshing.delete(name)) moved = setStatus(name, current, current.application.status ?? {});
      if (current.application.metadata.deletionTimestamp !== undefined)
        moved = (await remove(name, current, snapshot)) || moved;
      else if (known !== undefined) moved = (await compare(name, live.get(name) ?? current, snapshot)) || moved;
    }
    for (const [name, current] of [...live]) {
      if (!desired.has(name)) moved = (await remove(name, current, snapshot)) || moved;
    }
    return moved;
  }

  return {
    ...feed.source,
    namespaces,
    reconcile,
    async settle(callOptions) {
      while (await reconcile(callOptions));
    },
    setFailure(name, failure) {
      if (failure === null) failures.delete(name);
      else failures.set(name, failure);
    },
    changeInCluster(name, kind = '') {
      const current = live.get(name);
      if (current) put(name, { ...current, changedKind: kind });
    },
    async findLiveResources(name, { signal } = {}) {
      signal?.throwIfAborted();
      const { metadata, status } = live.get(name)?.application ?? {};
      const failure = failures.get(name);
      return (status?.resources ?? []).map(
        ({ group = '', kind = '', namespace = null, name: resource = '' }, index) => {
          const isHeld = index === 0 && failure?.kind === 'stuck-deletion';
          const held = isHeld && {
            deletionTimestamp: metadata?.deletionTimestamp,
            finalizers: [failure.finalizer ?? 'example.com/hold'],
          };
          return { group, kind, namespace, name: resource, object: { metadata: { ...held } } };
        },
      );
    },
    control: {
      async refresh(name, { signal } = {}) {
        signal?.throwIfAborted();
        if (!live.has(name)) throw applicationUnknown(name);
        refreshing.add(name);
      },
      async sync(name, { signal, prune = false } = {}) {
        signal?.throwIfAborted();
        const current = live.get(name);
        if (current === undefined) throw applicationUnknown(name);
        const { application } = current;
        const { operationState: _, ...status } = application.status ?? {};
        if (application.metadata.deletionTimestamp !== undefined) throw applicationDeleting(name);
        if (application.operation !== undefined || isRunning(application)) throw operationRunning(name);
        put(name, { ...current, application: { ...application, operation: { sync: { prune } }, status } });
      },
      async terminateOperation(name, { signal } = {}) {
        signal?.throwIfAborted();
        const current = live.get(name);
        if (current === undefined || !isRunning(current.application)) return;
        const { status = {} } = current.application;
        endOperation(name, current, status, { phase: 'Failed', message: 'Operation terminated' });
      },
    },
  };
}

function isRunning({ status }: Application): boolean {
  return status?.operationState?.phase === 'Running';
}

function canonical(value: unknown): string {
  return canonicalJson(JSON.parse(JSON.stringify(value)) as JsonValue);
}

/** Keeps what the cluster added, and takes over what Git says. */
function withSpecOf(known: Application, wanted: Application): Application {
  const { labels, annotations, finalizers } = wanted.metadata;
  const metadata = { ...known.metadata, labels, annotations, finalizers };
  const next = { ...known, metadata, spec: wanted.spec };
  return canonical(next) === canonical(known) ? known : next;
}

function sourcesOf({ spec }: Application): readonly ApplicationSource[] {
  return spec.sources ?? (spec.source ? [spec.source] : []);
}

/** An app of apps deploys into the namespace that Argo CD itself runs in. */
function holdsApplications(application: Application): boolean {
  const { destination } = application.spec as { destination?: { namespace?: string } };
  return destination?.namespace !== undefined && destination.namespace === application.metadata.namespace;
}

interface FoundFiles {
  readonly content: JsonValue;
  readonly namespaces: ReadonlyMap<string, boolean>;
  readonly resources: readonly ApplicationResourceStatus[];
}

function resourcesOf(
  { resources }: FoundFiles,
  differs: (resource: ApplicationResourceStatus) => boolean,
): readonly ApplicationResourceStatus[] {
  return resources.map((resource) => ({ ...resource, status: differs(resource) ? 'OutOfSync' : 'Synced' }));
}

/** What an Application is made of, or the message of what is missing. */
async function filesOf(application: Application, snapshot: Snapshot): Promise<FoundFiles | string> {
  const content: Record<string, JsonValue> = {};
  const namespaces = new Map<string, boolean>();
  const resources: ApplicationResourceStatus[] = [];
  const gitOps = sourcesOf(application)[0]?.repoURL;
  for (const source of sourcesOf(application) as readonly (ApplicationSource & {
    helm?: { valueFiles?: string[] };
  })[]) {
    if (source.path !== undefined && source.repoURL === gitOps) {
      const path = parseRepoPath(source.path);
      const tree = await snapshot.readTree(path);
      if (tree.size === 0) return `${path}: app path does not exist`;
      for (const [file, bytes] of tree) content[file] = new TextDecoder().decode(bytes);
      for (const object of await readManifests(snapshot, path, true)) {
        const { metadata } = object as unknown as Application;
        resources.push(resourceOf(object, application));
        if (object.kind !== 'Namespace') continue;
        const kept = metadata.annotations?.['argocd.argoproj.io/sync-options']?.includes('Delete=false') ?? false;
        namespaces.set(metadata.name, !kept);
      }
    }
    for (const valueFile of source.helm?.valueFiles ?? []) {
      const path = parseRepoPath(valueFile.replace(/^\$[A-Za-z0-9_-]+\//, ''));
      const bytes = await snapshot.readFile(path);
      if (bytes === undefined) return `open ${path}: no such file or directory`;
      content[path] = new TextDecoder().decode(bytes);
    }
  }
  return { content, namespaces, resources };
}

function resourceOf(object: JsonObject, application: Application): ApplicationResourceStatus {
  const { metadata } = object as unknown as Application;
  const [version, group] = String(object.apiVersion ?? 'v1')
    .split('/')
    .reverse();
  const { destination } = application.spec as { readonly destination?: { readonly namespace?: string } };
  const namespace = object.kind === 'Namespace' ? undefined : (metadata.namespace ?? destination?.namespace);
  return {
    ...(group && { group }),
    version,
    kind: String(object.kind),
    ...(namespace && { namespace }),
    name: metadata.name,
  };
}

async function readManifests(snapshot: Snapshot, directory: RepoPath, deep: boolean): Promise<readonly JsonObject[]> {
  const tree = await snapshot.readTree(directory);
  const isManifest = (path: RepoPath) =>
    path.endsWith('.yaml') && (deep || !path.slice(directory.length + 1).includes('/'));
  return [...tree].filter(([path]) => isManifest(path)).flatMap(([, bytes]) => parseObjects(bytes));
}

function parseObjects(bytes: Uint8Array): readonly JsonObject[] {
  const documents = parseAllDocuments(new TextDecoder().decode(bytes), { logLevel: 'silent' });
  return documents.flatMap((document) => {
    // Templates of a chart are no YAML; the real one hands them to Helm.
    const object: unknown = document.errors.length > 0 ? null : document.toJS({ maxAliasCount: 0 });
    return typeof object === 'object' && object !== null && 'kind' in object ? [object as JsonObject] : [];
  });
}
