import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Change, type FakeObject, FakeObjects, matchesSelector, mergePatch } from './fake-objects.ts';

/** What an API server got. */
export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** A Kubernetes API server that speaks real HTTP, and misbehaves on request. */
export interface FakeApi extends AsyncDisposable {
  readonly url: string;
  readonly objects: FakeObjects;
  readonly requests: readonly SeenRequest[];
  /** Answers the next request that it wants in its own way: returns whether it did. */
  readonly interceptors: ((request: SeenRequest, response: ServerResponse) => boolean)[];
  /** How a watch from a forgotten moment is refused: by the status, or as an event of a watch that began. */
  expiredAs: 'status' | 'event';
  /** Plurals that are served; others have no CRD. */
  readonly served: Set<string>;
  /** `verb plural` that the caller may not do. */
  readonly forbidden: Set<string>;
  /** Tokens that are taken; any where it is empty. */
  readonly tokens: Set<string>;
  openWatches(): number;
  /** The server ends all watches, as it does when their time is over. */
  endWatches(): void;
  /** The connections of all watches break. */
  cutWatches(): void;
  /** Each watch is cut once it has sent so many bytes; `undefined`: none is. */
  cutAfterBytes: number | undefined;
  /** Tells all watches the newest version. */
  bookmark(): void;
}

interface OpenWatch {
  send(text: string): void;
  end(): void;
  cut(): void;
}

/** What discovery says of the core group. */
const CORE_RESOURCES = [
  { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
  { name: 'secrets', kind: 'Secret', namespaced: true },
  { name: 'namespaces', kind: 'Namespace', namespaced: false },
  { name: 'namespaces/status', kind: 'Namespace', namespaced: false },
];

export const APPLICATIONS = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications';

export async function startFakeApi(tls?: ServerOptions): Promise<FakeApi> {
  const objects = new FakeObjects();
  const requests: SeenRequest[] = [];
  const watches = new Set<OpenWatch>();
  const listener: RequestListener = (request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.destroy(error as Error);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const api: FakeApi = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    objects,
    requests,
    interceptors: [],
    expiredAs: 'event',
    served: new Set([
      'applications',
      'appprojects',
      'configmaps',
      'secrets',
      'namespaces',
      'serviceaccounts',
      'roles',
      'rolebindings',
      'clusterrolebindings',
      'customresourcedefinitions',
      'limitranges',
      'validatingadmissionpolicies',
      'validatingadmissionpolicybindings',
    ]),
    forbidden: new Set(),
    tokens: new Set(),
    cutAfterBytes: undefined,
    openWatches: () => watches.size,
    endWatches() {
      for (const watch of watches) watch.end();
    },
    cutWatches() {
      for (const watch of watches) watch.cut();
    },
    bookmark() {
      // Only kind, apiVersion and the version are set in a bookmark's object. kubernetes.io: "Watch bookmarks".
      const object = { kind: 'Application', apiVersion: 'argoproj.io/v1alpha1' };
      const metadata = { resourceVersion: String(objects.version), creationTimestamp: null };
      for (const watch of watches) {
        watch.send(`${JSON.stringify({ type: 'BOOKMARK', object: { ...object, metadata } })}\n`);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const watch of watches) watch.cut();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const seen: SeenRequest = {
      method: request.method ?? '',
      url: new URL(request.url ?? '', api.url),
      authorization: request.headers.authorization,
      contentType: request.headers['content-type'],
      body: Buffer.concat(parts).toString('utf8'),
    };
    requests.push(seen);
    const index = api.interceptors.findIndex((intercept) => intercept(seen, response));
    if (index !== -1) return void api.interceptors.splice(index, 1);
    if (api.tokens.size > 0 && !api.tokens.has(seen.authorization?.replace('Bearer ', '') ?? '')) {
      fail(response, 401, 'Unauthorized');
      return;
    }
    route(seen, response);
  }

  function route(seen: SeenRequest, response: ServerResponse): ServerResponse {
    const { method, url } = seen;
    if (url.pathname === '/api/v1') return reply(response, 200, { kind: 'APIResourceList', resources: CORE_RESOURCES });
    const place = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?$/.exec(
      url.pathname,
    );
    const [, , namespace, plural = '', name] = place ?? [];
    // What is no API group or resource is answered by the mux, in plain text.
    if (place === null || !api.served.has(plural)) {
      return response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
    }
    const query = url.searchParams;
    const verb = verbOf(method, name, query);
    if (api.forbidden.has(`${verb} ${plural}`)) return fail(response, 403, 'Forbidden', { kind: plural, name });
    const path = decodeURIComponent(url.pathname);
    if (verb === 'watch') return watch(path, query, response);
    if (verb === 'list') return list(path, query, response);
    if (verb === 'get') {
      const found = objects.read(path);
      return found ? reply(response, 200, found) : fail(response, 404, 'NotFound', { kind: plural, name });
    }
    const target = verb === 'create' ? `${path}/${bodyOf(seen).metadata.name}` : path;
    const hasNamespace = namespace === undefined || objects.read(`/api/v1/namespaces/${namespace}`) !== undefined;
    if (objects.read(target) === undefined && !hasNamespace) {
      return fail(response, 404, 'NotFound', { kind: 'namespaces', name: namespace });
    }
    const isDryRun = query.get('dryRun') === 'All';
    const manager = query.get('fieldManager') ?? 'node';
    if (seen.contentType === 'application/apply-patch+yaml') {
      const result = objects.apply(target, bodyOf(seen), manager, query.get('force') === 'true', isDryRun);
      if (result.outcome !== 'conflict')
        return reply(response, result.outcome === 'created' ? 201 : 200, result.object);
      const causes = result.fields.map((owned) => ({
        reason: 'FieldManagerConflict',
        message: `conflict with "${owned.manager}" using v1`,
        field: owned.field,
      }));
      return fail(response, 409, 'Conflict', { causes });
    }
    if (verb === 'create') {
      if (objects.read(target) !== undefined) return fail(response, 409, 'AlreadyExists', { kind: plural, name });
      const result = objects.apply(target, bodyOf(seen), manager, false, isDryRun);
      return reply(response, 201, (result as { object: FakeObject }).object);
    }
    const live = objects.read(target);
    if (live === undefined) return fail(response, 404, 'NotFound', { kind: plural, name });
    const patched = mergePatch(live, bodyOf(seen)) as FakeObject;
    // A version in a patch is a condition. sig-api-machinery/api-conventions.md: "Concurrency Control and Consistency".
    const { resourceVersion, uid } = live.metadata;
    if (patched.metadata.resourceVersion !== resourceVersion || patched.metadata.uid !== uid) {
      return fail(response, 409, 'Conflict', { kind: plural, name });
    }
    return reply(response, 200, objects.write(target, patched) as FakeObject);
  }

  function list(path: string, query: URLSearchParams, response: ServerResponse): ServerResponse {
    const all = objects
      .below((key) => inCollection(key, path))
      .filter((each) => matchesSelector(each, query.get('labelSelector')));
    const limit = Number(query.get('limit') ?? 0) || all.length;
    const [from, version] = parseContinue(query.get('continue'));
    // "Expired" with 410 once the moment is compacted away. kubernetes.io: "Retrieving large results sets in chunks".
    if (version !== undefined && version < objects.compacted) return fail(response, 410, 'Expired');
    // All pages show the moment of the first.
    const shown = version === undefined ? all : pastOf(path, version, query.get('labelSelector'));
    const rest = shown.filter((each) => each.metadata.name > from);
    const items = rest.slice(0, limit);
    const at = version ?? objects.version;
    const next =
      rest.length > limit ? Buffer.from(`${items.at(-1)?.metadata.name} ${at}`).toString('base64') : undefined;
    return reply(response, 200, { kind: 'List', metadata: { resourceVersion: String(at), continue: next }, items });
  }

  function pastOf(path: string, version: number, selector: string | null): readonly FakeObject[] {
    const past = new Map(objects.below((key) => inCollection(key, path)).map((each) => [each.metadata.name, each]));
    for (const change of objects.history.toReversed()) {
      if (change.version <= version || !inCollection(change.path, path)) continue;
      const name = (change.before ?? change.after)?.metadata.name ?? '';
      if (change.before === undefined) past.delete(name);
      else past.set(name, change.before);
    }
    const sorted = [...past.values()].sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
    return sorted.filter((each) => matchesSelector(each, selector));
  }

  function watch(path: string, query: URLSearchParams, response: ServerResponse): ServerResponse {
    const version = Number(query.get('resourceVersion'));
    if (version < objects.compacted) {
      if (api.expiredAs === 'status') return fail(response, 410, 'Expired');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify({ type: 'ERROR', object: statusOf(410, 'Expired', {}) })}\n`);
      return response;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    let left = api.cutAfterBytes;
    const open: OpenWatch = {
      send(text) {
        const bytes = Buffer.from(text);
        if (left === undefined || bytes.length < left) {
          if (left !== undefined) left -= bytes.length;
          response.write(bytes);
          return;
        }
        // Once the part has left, or it would be lost in this process.
        response.write(bytes.subarray(0, left), () => open.cut());
        left = 0;
      },
      end() {
        close();
        response.end();
      },
      cut() {
        close();
        response.destroy();
      },
    };
    const tell = (change: Change) => {
      // What comes before the version that was asked for is not told, and nobody says that it is of the future.
      if (change.version <= version || !inCollection(change.path, path)) return;
      const event = eventOf(change, query.get('labelSelector'));
      if (event !== undefined) open.send(`${JSON.stringify(event)}\n`);
    };
    const close = () => {
      watches.delete(open);
      objects.listeners.delete(tell);
    };
    response.on('close', close);
    watches.add(open);
    objects.listeners.add(tell);
    for (const change of [...objects.history]) tell(change);
    const seconds = Number(query.get('timeoutSeconds') ?? 0);
    if (seconds > 0) setTimeout(() => open.end(), seconds * 1000).unref();
    return response;
  }

  return api;
}

/** To those who watch by label, an object that lost it is deleted, and one that got it is added. etcd3/watcher.go `transform`. */
function eventOf({ before, after, version }: Change, selector: string | null): object | undefined {
  const [was, is] = [matchesSelector(before, selector), matchesSelector(after, selector)];
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: after };
  if (!was || before === undefined) return undefined;
  // The last state that matched, with the version of the deletion.
  return { type: 'DELETED', object: { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } } };
}

function inCollection(key: string, collection: string): boolean {
  return key.startsWith(`${collection}/`) && !key.slice(collection.length + 1).includes('/');
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): string {
  if (method === 'GET') return name !== undefined ? 'get' : query.get('watch') === 'true' ? 'watch' : 'list';
  return method === 'POST' ? 'create' : 'patch';
}

function parseContinue(text: string | null): readonly [name: string, version: number | undefined] {
  if (text === null) return ['', undefined];
  const [name = '', version] = Buffer.from(text, 'base64').toString('utf8').split(' ');
  return [name, Number(version)];
}

function bodyOf({ body }: SeenRequest): FakeObject {
  return JSON.parse(body) as FakeObject;
}

function statusOf(code: number, reason: string, details: object): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: `message of ${reason}`,
    reason,
    details,
    code,
  };
}

export function reply(response: ServerResponse, code: number, value: object): ServerResponse {
  return response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export function fail(response: ServerResponse, code: number, reason: string, details: object = {}): ServerResponse {
  return reply(response, code, statusOf(code, reason, details));
}
