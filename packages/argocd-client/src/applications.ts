import type { CallOptions } from '@caelus/core';
import { createLinkedAbort } from '@caelus/core/adapter';
import { type Api, type ArgoCdSchemas, callOf, contentOf, present } from './api.ts';
import { readFrames, type StreamPatience } from './stream-frames.ts';
import { EVENT_STREAM } from './transport.ts';

/** Which Application. The project is needed: without it, Argo CD says that access is denied to one that does not exist. */
export interface ApplicationAddress {
  readonly name: string;
  readonly project: string;
  /** Default: the namespace of Argo CD. */
  readonly namespace?: string | undefined;
}

/** Which Applications. Default: all that the caller may see. */
export interface ApplicationFilter {
  readonly projects?: readonly string[] | undefined;
  /** A label selector of Kubernetes. */
  readonly selector?: string | undefined;
  /** URL of a source. */
  readonly repo?: string | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Every Application that matches, and the resource version that the list is as new as. */
export interface ApplicationListing {
  readonly items: readonly ArgoCdSchemas['Application'][];
  readonly resourceVersion: string | undefined;
}

/** A resource of an Application. */
export interface ResourceFilter {
  readonly group?: string | undefined;
  readonly version?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

export interface SyncRequest {
  /** Of an Application with one source. Default: what its `targetRevision` resolves to. */
  readonly revision?: string | undefined;
  /** Of one with several sources, each for the source at the same place in `sourcePositions`, which count from 1. */
  readonly revisions?: readonly string[] | undefined;
  readonly sourcePositions?: readonly number[] | undefined;
  readonly dryRun?: boolean | undefined;
  readonly prune?: boolean | undefined;
  /** Only these. Default: everything. */
  readonly resources?: readonly ArgoCdSchemas['SyncResource'][] | undefined;
  /** Such as `ServerSideApply=true`; replace those of the Application. */
  readonly syncOptions?: readonly string[] | undefined;
  readonly strategy?: ArgoCdSchemas['SyncStrategy'] | undefined;
  readonly retryStrategy?: ArgoCdSchemas['RetryStrategy'] | undefined;
  readonly infos?: readonly ArgoCdSchemas['Info'][] | undefined;
}

export interface LogRequest {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly resourceName?: string | undefined;
  readonly podName?: string | undefined;
  readonly container?: string | undefined;
  /** Default `false`: the log as it is now. */
  readonly follow?: boolean | undefined;
  /** Of the container before this one. */
  readonly previous?: boolean | undefined;
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  /** Only lines that contain it. */
  readonly filter?: string | undefined;
}

type Answer<Path extends keyof Answers> = Answers[Path];

/** What some calls return that has no name of its own. */
interface Answers {
  readonly manifests: { readonly manifests: readonly string[]; readonly revision: string | undefined };
  readonly syncWindows: {
    readonly canSync: boolean;
    readonly active: readonly ArgoCdSchemas['AppliedSyncWindow'][];
    readonly assigned: readonly ArgoCdSchemas['AppliedSyncWindow'][];
  };
}

/** Applications, by Argo CD's REST API. Every call may throw what the client's calls may. */
export interface ArgoCdApplications {
  /** Every one that matches, by name. Argo CD has no pages, and answers from a cache that may be a moment old. */
  list(filter?: ApplicationFilter, options?: CallOptions): Promise<ApplicationListing>;
  /** One as it is now. @throws {CaelusError} `ARGOCD_NOT_FOUND` */
  get(address: ApplicationAddress, options?: CallOptions): Promise<ArgoCdSchemas['Application']>;
  /** Has it compared with its sources anew, and waits until that has begun; `hard` without caches. */
  refresh(
    address: ApplicationAddress,
    kind?: 'normal' | 'hard',
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['Application']>;
  /**
   * The stream of changes as Argo CD gives it: what exists first, as `ADDED`, then changes. It ends when the connection does,
   * misses what happens around its start, and loses events when it is read too slowly; `createArgoCdStatusSource` heals all that.
   */
  watch(filter?: ApplicationFilter, options?: CallOptions): AsyncIterable<ArgoCdSchemas['ApplicationWatchEvent']>;
  /** Makes one. The same again returns it; another spec, or other labels or annotations, are a conflict, unless `upsert`. @throws {CaelusError} `ARGOCD_CONFLICT` */
  create(
    application: ArgoCdSchemas['Application'],
    request?: { readonly upsert?: boolean | undefined; readonly validate?: boolean | undefined },
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['Application']>;
  /** Replaces spec, labels, annotations and finalizers. */
  update(
    application: ArgoCdSchemas['Application'],
    request: { readonly project: string; readonly validate?: boolean | undefined },
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['Application']>;
  updateSpec(
    address: ApplicationAddress,
    spec: ArgoCdSchemas['ApplicationSpec'],
    request?: { readonly validate?: boolean | undefined },
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['ApplicationSpec']>;
  /** Applies a JSON merge patch (an object) or a JSON patch (a list). Argo CD checks the whole spec then, its repositories too. */
  patch(
    address: ApplicationAddress,
    patch: object | readonly object[],
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['Application']>;
  /**
   * Begins its deletion. With `cascade` (the default) its resources go too, and `propagationPolicy` says how (default
   * `foreground`); without, they stay and belong to nobody.
   */
  delete(
    address: ApplicationAddress,
    request?: {
      readonly cascade?: boolean | undefined;
      readonly propagationPolicy?: 'foreground' | 'background' | undefined;
    },
    options?: CallOptions,
  ): Promise<void>;
  /** Starts a sync. @throws {CaelusError} `ARGOCD_OPERATION_RUNNING`, `ARGOCD_REQUEST_REFUSED` */
  sync(
    address: ApplicationAddress,
    request?: SyncRequest,
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['Application']>;
  /** Ends the operation that runs. @throws {CaelusError} `ARGOCD_REQUEST_REFUSED` where none does */
  terminateOperation(address: ApplicationAddress, options?: CallOptions): Promise<void>;
  /** Syncs to an entry of the history. Refused where syncs are automatic. */
  rollback(
    address: ApplicationAddress,
    request: { readonly id: number; readonly dryRun?: boolean | undefined; readonly prune?: boolean | undefined },
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['Application']>;
  /** Its resources and what they made, each with its health. */
  resourceTree(
    address: ApplicationAddress,
    filter?: ResourceFilter,
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['ApplicationTree']>;
  /** One of its resources, or of what they made, as it lives now: a manifest as JSON text, without what a Secret holds. @throws {CaelusError} `ARGOCD_NOT_FOUND`, `ARGOCD_REQUEST_REFUSED` where it is none of them */
  resource(address: ApplicationAddress, resource: ResourceFilter, options?: CallOptions): Promise<string>;
  watchResourceTree(
    address: ApplicationAddress,
    options?: CallOptions,
  ): AsyncIterable<ArgoCdSchemas['ApplicationTree']>;
  /** Each resource as it lives and as it should be. */
  managedResources(
    address: ApplicationAddress,
    filter?: ResourceFilter,
    options?: CallOptions,
  ): Promise<readonly ArgoCdSchemas['ManagedResource'][]>;
  /** What its sources render to, as JSON texts. */
  manifests(
    address: ApplicationAddress,
    request?: Pick<SyncRequest, 'revision' | 'revisions' | 'sourcePositions'>,
    options?: CallOptions,
  ): Promise<Answer<'manifests'>>;
  /** Kubernetes' events of the Application, or of one of its resources. */
  events(
    address: ApplicationAddress,
    resource?: { readonly namespace: string; readonly name: string; readonly uid: string },
    options?: CallOptions,
  ): Promise<readonly ArgoCdSchemas['Event'][]>;
  /** Lines of its pods. Ends with the log, or with `follow` when the caller stops. */
  logs(
    address: ApplicationAddress,
    request?: LogRequest,
    options?: CallOptions,
  ): AsyncIterable<ArgoCdSchemas['LogEntry']>;
  syncWindows(address: ApplicationAddress, options?: CallOptions): Promise<Answer<'syncWindows'>>;
}

export function createApplications(api: Api, patience: StreamPatience): ArgoCdApplications {
  const inQuery = ({ project, namespace }: ApplicationAddress) => present({ project, appNamespace: namespace });
  const inBody = ({ name, project, namespace }: ApplicationAddress) => ({
    name,
    ...present({ project, appNamespace: namespace }),
  });
  const filterQuery = ({ projects, selector, repo, name, namespace }: ApplicationFilter) =>
    present({ projects, selector, repo, name, appNamespace: namespace });
  const PATH = '/api/v1/applications/{name}';
  const events = { headers: { accept: EVENT_STREAM }, parseAs: 'stream' } as const;

  /** Opens a stream, and closes its connection when the caller stops or it is taken for dead. */
  async function* follow<Result>(
    open: (signal: AbortSignal) => Promise<{ readonly data?: unknown; readonly response: Response }>,
    options: CallOptions,
  ): AsyncGenerator<Result> {
    using closing = createLinkedAbort(options.signal);
    try {
      yield* readFrames<Result>(api.server, await open(closing.signal), patience, options);
    } finally {
      closing.abort();
    }
  }

  function get(
    { name, project, namespace }: ApplicationAddress,
    refresh: 'normal' | 'hard' | undefined,
    options: CallOptions,
  ) {
    const query = present({ projects: [project], appNamespace: namespace, refresh });
    return contentOf(api, api.GET(PATH, { params: { path: { name }, query }, ...callOf(api, options) }));
  }

  return {
    async list(filter = {}, options = {}) {
      const call = api.GET('/api/v1/applications', { params: { query: filterQuery(filter) }, ...callOf(api, options) });
      const { items, metadata } = await contentOf(api, call);
      return { items: items ?? [], resourceVersion: metadata?.resourceVersion };
    },

    get: (address, options = {}) => get(address, undefined, options),
    refresh: (address, kind = 'normal', options = {}) => get(address, kind, options),

    watch: (filter = {}, options = {}) =>
      follow(
        (signal) =>
          api.GET('/api/v1/stream/applications', {
            params: { query: filterQuery(filter) },
            ...events,
            ...callOf(api, { signal }),
          }),
        options,
      ),

    create: (application, request = {}, options = {}) =>
      contentOf(
        api,
        api.POST('/api/v1/applications', {
          params: { query: present(request) },
          body: application,
          ...callOf(api, options),
        }),
      ),

    update: (application, request, options = {}) =>
      contentOf(
        api,
        api.PUT(PATH, {
          params: { path: { name: application.metadata.name }, query: present(request) },
          body: application,
          ...callOf(api, options),
        }),
      ),

    updateSpec: (address, spec, request = {}, options = {}) =>
      contentOf(
        api,
        api.PUT(`${PATH}/spec`, {
          params: { path: address, query: { ...inQuery(address), ...present(request) } },
          body: spec,
          ...callOf(api, options),
        }),
      ),

    patch(address, patch, options = {}) {
      const patchType = Array.isArray(patch) ? 'json' : 'merge';
      const body = { ...inBody(address), patch: JSON.stringify(patch), patchType } as const;
      return contentOf(api, api.PATCH(PATH, { params: { path: address }, body, ...callOf(api, options) }));
    },

    async delete(address, request = {}, options = {}) {
      const query = { ...inQuery(address), ...present(request) };
      await api.DELETE(PATH, { params: { path: address, query }, ...callOf(api, options) });
    },

    sync(address, { syncOptions, ...request } = {}, options = {}) {
      const items = syncOptions === undefined ? {} : { syncOptions: { items: [...syncOptions] } };
      const body = { ...inBody(address), ...present(request), ...items };
      return contentOf(api, api.POST(`${PATH}/sync`, { params: { path: address }, body, ...callOf(api, options) }));
    },

    async terminateOperation(address, options = {}) {
      const params = { path: address, query: inQuery(address) };
      await api.DELETE(`${PATH}/operation`, { params, ...callOf(api, options) });
    },

    rollback(address, { id, ...request }, options = {}) {
      const body = { ...inBody(address), id, ...present(request) };
      return contentOf(api, api.POST(`${PATH}/rollback`, { params: { path: address }, body, ...callOf(api, options) }));
    },

    resourceTree: (address, filter = {}, options = {}) =>
      contentOf(
        api,
        api.GET(`${PATH}/resource-tree`, {
          params: { path: address, query: { ...inQuery(address), ...present(filter) } },
          ...callOf(api, options),
        }),
      ),

    async resource(address, { name, ...resource }, options = {}) {
      const query = { ...inQuery(address), ...present({ ...resource, resourceName: name }) };
      const call = api.GET(`${PATH}/resource`, { params: { path: address, query }, ...callOf(api, options) });
      return (await contentOf(api, call)).manifest ?? '';
    },

    watchResourceTree: (address, options = {}) =>
      follow((signal) => {
        const params = { path: address, query: inQuery(address) };
        return api.GET('/api/v1/stream/applications/{name}/resource-tree', {
          params,
          ...events,
          ...callOf(api, { signal }),
        });
      }, options),

    async managedResources(address, filter = {}, options = {}) {
      const query = { ...inQuery(address), ...present(filter) };
      const call = api.GET(`${PATH}/managed-resources`, { params: { path: address, query }, ...callOf(api, options) });
      return (await contentOf(api, call)).items ?? [];
    },

    async manifests(address, request = {}, options = {}) {
      const query = { ...inQuery(address), ...present(request) };
      const call = api.GET(`${PATH}/manifests`, { params: { path: address, query }, ...callOf(api, options) });
      const { manifests, revision } = await contentOf(api, call);
      return { manifests: manifests ?? [], revision };
    },

    async events(address, resource, options = {}) {
      const { namespace, name, uid } = resource ?? {};
      const about = present({ resourceNamespace: namespace, resourceName: name, resourceUID: uid });
      const params = { path: address, query: { ...inQuery(address), ...about } };
      const call = api.GET(`${PATH}/events`, { params, ...callOf(api, options) });
      return (await contentOf(api, call)).items ?? [];
    },

    async *logs(address, request = {}, options = {}) {
      const params = { path: address, query: { ...inQuery(address), ...present(request) } };
      const open = (signal: AbortSignal) => api.GET(`${PATH}/logs`, { params, ...events, ...callOf(api, { signal }) });
      for await (const entry of follow<ArgoCdSchemas['LogEntry']>(open, options)) {
        if (entry.last) return;
        yield entry;
      }
    },

    async syncWindows(address, options = {}) {
      const params = { path: address, query: inQuery(address) };
      const call = api.GET(`${PATH}/syncwindows`, { params, ...callOf(api, options) });
      const { canSync = false, activeWindows, assignedWindows } = await contentOf(api, call);
      return { canSync, active: activeWindows ?? [], assigned: assignedWindows ?? [] };
    },
  };
}
