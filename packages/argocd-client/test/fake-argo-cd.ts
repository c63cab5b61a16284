import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Application as PlayedApplication } from '@caelus/core';
import { playController } from '@caelus/core/testing';
import type { ArgoCdSchemas } from '../src/index.ts';
import { type ReceivedWebhook, readWebhook } from './fake-webhook.ts';

type Application = ArgoCdSchemas['Application'];

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/**
 * An HTTP server that behaves as Argo CD's API server does, as far as `argo-cd-behaviour.ts` says so, with hands for a test on
 * what can go wrong.
 */
export interface FakeArgoCd extends AsyncDisposable {
  readonly url: string;
  /** Accepted until changed. */
  token: string;
  readonly requests: readonly RecordedRequest[];
  readonly webhooks: readonly ReceivedWebhook[];
  /** Projects that the token has no right to. */
  readonly deniedProjects: Set<string>;
  /** Answers in place of the server; `false` leaves it to the server. */
  intercept: ((request: RecordedRequest, response: ServerResponse) => boolean | Promise<boolean>) | undefined;
  /** How many events wait for a slow reader; more are lost, silently. As in application.go: watchAPIBufferSize = 1000. */
  bufferSize: number;
  keepAliveMilliseconds: number;
  /** Creates or replaces one, with the next resource version. */
  put(application: PutApplication): void;
  remove(name: string): void;
  /** What the Application made, each with its live manifest; one without was deleted since, or is none of the caller's. */
  readonly tree: { readonly node: ArgoCdSchemas['ResourceNode']; readonly manifest?: object | 'denied' }[];
  /** Lets the application controller take one step; a sync that runs does not end by itself where it is `endless`. */
  play(name: string, endless?: boolean): void;
  get(name: string): Application | undefined;
  /** While `true`, streams send nothing, and their buffers fill. */
  setStalled(stalled: boolean): void;
  /** Ends every stream: politely, or in the middle of a frame. */
  cutStreams(how: 'end' | 'reset' | 'half-frame'): void;
  /** Sends raw bytes on every stream, in parts of `size`. */
  sendRaw(text: string, size?: number): void;
  /** Loses the next events on their way to every stream. */
  loseEvents(lose: boolean): void;
  readonly openStreams: number;
}

export interface PutApplication {
  readonly name: string;
  readonly project?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly revision?: string;
  readonly status?: Application['status'];
  readonly operation?: Application['operation'];
  readonly deletionTimestamp?: string;
}

interface Stream {
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly isEvents: boolean;
  readonly buffer: Event[];
  /** As the forwarder does: a frame equal to the one before it, of the same name, is left out. */
  readonly last: Map<string, string>;
}

interface Event {
  readonly type: string;
  readonly application: Application;
}

const PERMISSION_DENIED = { status: 403, code: 7, message: 'permission denied' };

export async function createFakeArgoCd(options: { readonly webhookSecret?: string } = {}): Promise<FakeArgoCd> {
  const applications = new Map<string, Application>();
  const requests: RecordedRequest[] = [];
  const webhooks: ReceivedWebhook[] = [];
  const streams = new Set<Stream>();
  let version = 100;
  let stalled = false;
  let losing = false;

  const byName = () => [...applications.values()].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));

  function broadcast(event: Event): void {
    if (losing) return;
    for (const stream of streams) {
      if (stream.buffer.length < fake.bufferSize) stream.buffer.push(event);
      flush(stream);
    }
  }

  function flush(stream: Stream): void {
    if (stalled) return;
    for (const { type, application } of stream.buffer.splice(0)) {
      if (isPermitted(stream.query, application)) sendFrame(stream, type, application);
    }
  }

  function sendFrame(stream: Stream, type: string, application: Application): void {
    const text = JSON.stringify({ result: { type, application } });
    if (stream.last.get(application.metadata.name) === text) return;
    stream.last.set(application.metadata.name, text);
    writeHead(stream);
    stream.response.write(stream.isEvents ? `data: ${text} \n\n` : `${text}\n`);
  }

  /** There are no headers before the first frame: grpc-gateway waits for the first message. */
  function writeHead({ response, isEvents }: Stream): void {
    if (response.headersSent) return;
    response.writeHead(200, { 'content-type': isEvents ? 'text/event-stream' : 'application/json' });
    if (!isEvents) return;
    const timer = setInterval(() => {
      if (!stalled) response.write(':\n');
    }, fake.keepAliveMilliseconds);
    response.on('close', () => clearInterval(timer));
  }

  function isPermitted(query: URLSearchParams, { metadata, spec }: Application): boolean {
    const project = spec.project || 'default';
    const projects = query.getAll('projects');
    const name = query.get('name');
    const selector = (query.get('selector') ?? '').split(',').filter((term) => term !== '');
    return (
      (projects.length === 0 || projects.includes(project)) &&
      (name === null || name === metadata.name) &&
      selector.every((term) => {
        const [key = '', value] = term.split('=');
        const label = metadata.labels?.[key];
        return value === undefined ? label !== undefined : label === value;
      }) &&
      !fake.deniedProjects.has(project)
    );
  }

  /** getAppEnforceRBAC of application.go. */
  function enforce(name: string, project: string | null): Application | typeof PERMISSION_DENIED | Problem {
    const notFound = { status: 404, code: 5, message: `applications.argoproj.io "${name}" not found` };
    if (project !== null && fake.deniedProjects.has(project)) return PERMISSION_DENIED;
    const found = applications.get(name);
    if (found === undefined) return project === null ? PERMISSION_DENIED : notFound;
    const effective = found.spec.project || 'default';
    if (fake.deniedProjects.has(effective)) return project === null ? PERMISSION_DENIED : notFound;
    return project !== null && project !== effective ? notFound : found;
  }

  function store(application: Application): Application {
    const { name } = application.metadata;
    const known = applications.get(name);
    version += 1;
    const metadata = {
      ...application.metadata,
      namespace: 'argocd',
      uid: known?.metadata.uid ?? `uid-${version}`,
      resourceVersion: String(version),
    };
    const stored = { ...application, metadata };
    applications.set(name, stored);
    broadcast({ type: known === undefined ? 'ADDED' : 'MODIFIED', application: stored });
    return stored;
  }

  function remove(name: string): void {
    const known = applications.get(name);
    if (known === undefined) return;
    applications.delete(name);
    version += 1;
    const metadata = { ...known.metadata, resourceVersion: String(version) };
    broadcast({ type: 'DELETED', application: { ...known, metadata } });
  }

  function play(name: string, endless = false): void {
    const found = applications.get(name);
    if (found === undefined) return;
    const at = new Date(Date.UTC(2026, 0, 1) + version * 1000).toISOString();
    const played = playController(found as PlayedApplication, at, endless) as Application;
    if (played !== found) store(played);
  }

  function answer(request: RecordedRequest, response: ServerResponse): unknown {
    const { method, path, query, body } = request;
    const send = (value: unknown) => sendJson(request, response, 200, value);
    const problem = ({ status, code, message }: Problem) =>
      sendJson(request, response, status, { error: message, code, message });
    const [, name = '', rest] = /^\/api\/v1\/applications\/([^/]+)(?:\/(.*))?$/.exec(path) ?? [];

    if (path === '/api/version') return send({ Version: 'v3.5.1+fake' });
    if (path === '/api/webhook') {
      const received = readWebhook(request, options.webhookSecret);
      if (typeof received === 'object') webhooks.push(received);
      return response.writeHead(typeof received === 'object' ? 200 : received).end();
    }
    // enforceContentTypes of server.go: the whole header, on everything but GET.
    if (method !== 'GET' && request.headers['content-type']?.toLowerCase() !== 'application/json') {
      return response.writeHead(415, { 'content-type': 'text/plain' }).end('Invalid content type\n');
    }
    if (path === '/api/v1/session' && method === 'POST') {
      const { username, password } = JSON.parse(body) as Record<string, string>;
      if (username === 'admin' && password === 'right') return send({ token: fake.token });
      return problem({ status: 401, code: 16, message: 'Invalid username or password' });
    }
    if (request.headers.authorization !== `Bearer ${fake.token}`) {
      return problem({ status: 401, code: 16, message: 'invalid session: token is not valid' });
    }
    if (path === '/api/v1/stream/applications') {
      const isEvents = request.headers.accept === 'text/event-stream';
      const stream: Stream = { response, query, isEvents, buffer: [], last: new Map() };
      // The snapshot comes before the subscription: application.go, Watch.
      for (const application of byName()) {
        if (isPermitted(query, application)) sendFrame(stream, 'ADDED', application);
      }
      streams.add(stream);
      response.on('close', () => streams.delete(stream));
      return;
    }
    if (path === '/api/v1/applications' && method === 'GET') {
      const items = byName().filter((application) => isPermitted(query, application));
      return send({ items, metadata: { resourceVersion: String(version) } });
    }
    if (path === '/api/v1/applications' && method === 'POST') {
      const wanted = JSON.parse(body) as Application;
      const known = applications.get(wanted.metadata.name);
      if (known === undefined) return send(store(wanted));
      const compared = ({ spec, metadata: { labels = {}, annotations = {} } }: Application) =>
        JSON.stringify([spec, labels, annotations]);
      if (compared(known) === compared(wanted)) return send(known);
      if (query.get('upsert') === 'true') return send(store({ ...known, spec: wanted.spec }));
      const message = 'existing application spec is different, use upsert flag to force update';
      return problem({ status: 400, code: 3, message });
    }
    const sent = method === 'POST' || method === 'PATCH' ? (JSON.parse(body) as Record<string, string>) : {};
    const found = enforce(name, query.get('projects') ?? query.get('project') ?? sent.project ?? null);
    if ('code' in found) return problem(found);
    if (rest === 'operation' && method === 'DELETE') {
      if (found.status?.operationState?.phase !== 'Running') {
        const message = 'Unable to terminate operation. No operation is in progress';
        return problem({ status: 400, code: 3, message });
      }
      const operationState = { ...found.status.operationState, phase: 'Terminating' };
      store({ ...found, status: { ...found.status, operationState } });
      return send({});
    }
    if (rest === 'sync') {
      if (found.metadata.deletionTimestamp !== undefined) {
        return problem({ status: 400, code: 9, message: 'application is deleting' });
      }
      if (found.operation !== undefined) {
        return problem({ status: 400, code: 9, message: 'another operation is already in progress' });
      }
      const { operationState: _, ...status } = found.status ?? {};
      return send(store({ ...found, operation: { sync: {} }, status }));
    }
    if (rest === undefined && method === 'DELETE') {
      if (!['foreground', 'background', null].includes(query.get('propagationPolicy'))) {
        return problem({ status: 400, code: 3, message: 'invalid propagation policy' });
      }
      remove(name);
      return send({});
    }
    if (rest === 'resource-tree') return send({ nodes: fake.tree.map(({ node }) => node) });
    if (rest === 'resource') {
      const { manifest } = fake.tree.find(({ node }) => node.name === query.get('resourceName')) ?? {};
      if (manifest === 'denied') return problem(PERMISSION_DENIED);
      if (manifest === undefined) return problem({ status: 404, code: 5, message: 'not found' });
      return send({ manifest: JSON.stringify(manifest) });
    }
    const refresh = query.get('refresh');
    if (rest === undefined && method === 'GET' && refresh !== null) {
      // It answers only when the controller has taken it up.
      store({ ...found, metadata: { ...found.metadata, annotations: { 'argocd.argoproj.io/refresh': refresh } } });
      play(name);
      return send(applications.get(name));
    }
    if (rest === undefined && method === 'GET') return send(found);
    return problem({ status: 501, code: 12, message: 'Method not allowed' });
  }

  const server = createServer((incoming, response) => {
    void (async () => {
      const url = new URL(incoming.url ?? '/', 'http://localhost');
      const parts: Buffer[] = [];
      for await (const part of incoming) parts.push(part as Buffer);
      const request: RecordedRequest = {
        method: incoming.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: Buffer.concat(parts).toString(),
      };
      requests.push(request);
      if (!(await fake.intercept?.(request, response))) answer(request, response);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const fake: FakeArgoCd = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'secret-token-1',
    requests,
    webhooks,
    deniedProjects: new Set(),
    tree: [],
    intercept: undefined,
    bufferSize: 1000,
    keepAliveMilliseconds: 15_000,
    put({ name, project = 'caelus-stable', labels, revision, status, operation, deletionTimestamp }) {
      const sync = revision === undefined ? {} : { sync: { status: 'Synced', revision } };
      const managed = { 'app.kubernetes.io/managed-by': 'caelus', 'caelus.dev/instance': name };
      store({
        metadata: { name, labels: labels ?? managed, ...(deletionTimestamp && { deletionTimestamp }) },
        spec: { project },
        status: { ...sync, ...status },
        ...(operation && { operation }),
      });
    },
    remove,
    play,
    get: (name) => applications.get(name),
    setStalled(value) {
      stalled = value;
      for (const stream of streams) flush(stream);
    },
    cutStreams(how) {
      for (const { response } of streams) {
        if (how === 'reset') response.destroy();
        else response.end(how === 'half-frame' ? 'data: {"result":{"type":"MODI' : undefined);
      }
      streams.clear();
    },
    sendRaw(text, size = Number.POSITIVE_INFINITY) {
      const bytes = Buffer.from(text);
      for (const stream of streams) {
        writeHead(stream);
        for (let start = 0; start < bytes.length; start += size) {
          stream.response.write(bytes.subarray(start, start + Math.min(size, bytes.length)));
        }
      }
    },
    loseEvents(lose) {
      losing = lose;
    },
    get openStreams() {
      return streams.size;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

interface Problem {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

function sendJson({ headers }: RecordedRequest, response: ServerResponse, status: number, value: unknown): void {
  const bytes = Buffer.from(JSON.stringify(value));
  const isPacked = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
  response.writeHead(status, { 'content-type': 'application/json', ...(isPacked && { 'content-encoding': 'gzip' }) });
  response.end(isPacked ? gzipSync(bytes) : bytes);
}
