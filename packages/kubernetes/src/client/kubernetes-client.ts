import { setTimeout as delay } from 'node:timers/promises';
import type { CaelusError, CallOptions, JsonObject, JsonValue } from '@caelus/core';
import { integerIssues, refuseInput, unknownKeys } from '@caelus/core/adapter';
import { connectionIssues, type KubernetesConnection } from '../connection/kubernetes-connection.ts';
import { protocolInvalid, unavailable } from '../kubernetes-errors.ts';
import { type ApiStatus, parseApiStatus, statusError } from './api-status.ts';
import { type ApiRequest, type ApiResponse, createHttpTransport } from './http-transport.ts';
import { LineTooLongError, readLines } from './json-lines.ts';
import {
  collectionPath,
  describeObject,
  groupPath,
  type KubernetesObject,
  type ObjectName,
  objectPath,
  type ResourceType,
  resourceOf,
  resourceTypesOf,
} from './resource.ts';

export interface KubernetesClientOptions {
  /** Of each request, and of the start of a watch: 1 to 3,600,000 ms. Default 30,000. */
  readonly timeoutMilliseconds?: number | undefined;
}

export interface ListRequest {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  /** The most objects of a page. */
  readonly limit?: number | undefined;
  /** What the page before said comes next. */
  readonly continue?: string | undefined;
}

export interface ListPage {
  readonly items: readonly KubernetesObject[];
  /** The moment that all pages of one listing show. */
  readonly resourceVersion: string;
  readonly continue: string | undefined;
}

export interface WatchRequest {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  /** Changes after this moment. */
  readonly resourceVersion: string;
  /** After this the server ends the watch by itself. */
  readonly timeoutSeconds: number;
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: KubernetesObject }
  | { readonly type: 'ERROR'; readonly status: ApiStatus };

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  /** The server does all that it would do, but keeps nothing. */
  readonly isDryRun?: boolean | undefined;
  /** Takes fields over from other managers. */
  readonly force?: boolean | undefined;
}

/** An answer other than success, for callers that go on from it. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: ApiStatus; readonly retryAfter: number | undefined };

/**
 * The calls to a Kubernetes API server that Caelus makes. Methods that return an answer leave the server's refusal to
 * the caller; `failure` makes the error of it.
 */
export interface KubernetesClient extends AsyncDisposable {
  /** The server, for logs and errors. */
  readonly name: string;
  /** One object; `undefined` only where the server says that this very object does not exist. */
  get(resource: ResourceType, name: ObjectName, options?: CallOptions): Promise<KubernetesObject | undefined>;
  /** The types that the server serves in one version of a group, such as `apps/v1`; none where it does not know it. */
  discover(apiVersion: string, options?: CallOptions): Promise<readonly ResourceType[]>;
  /** One page of the newest state. */
  list(resource: ResourceType, request: ListRequest, options?: CallOptions): Promise<Answer<ListPage>>;
  /** Changes, until the server, the connection or the signal ends it. */
  watch(
    resource: ResourceType,
    request: WatchRequest,
    options?: CallOptions,
  ): Promise<Answer<AsyncIterable<WatchEvent>>>;
  /** Server-side apply of a manifest. */
  apply(manifest: JsonObject, options: ApplyOptions): Promise<Answer<KubernetesObject>>;
  /** RFC 7386. Give the `resourceVersion` that was read, so that it changes nothing newer. */
  mergePatch(
    resource: ResourceType,
    name: ObjectName,
    patch: JsonObject,
    options?: CallOptions,
  ): Promise<Answer<KubernetesObject>>;
  /** Makes an object that must not exist yet. */
  create(manifest: JsonObject, options: Omit<ApplyOptions, 'force'>): Promise<Answer<KubernetesObject>>;
  /** The error of an answer that a caller does not go on from. `request` completes "does not allow to …". */
  failure(request: string, status: ApiStatus): CaelusError;
}

/** One watch event, in bytes: the largest object that a server keeps is smaller. */
const EVENT_LIMIT = 16 * 1024 * 1024;
/** One answer, in bytes. */
const ANSWER_LIMIT = 128 * 1024 * 1024;
/** How often, and how long each time, a server that is asked too much (429) may let us wait. */
const WAITS = 3;
const MOST_WAIT_SECONDS = 10;

/**
 * Makes a client of one API server. Nothing is asked yet.
 * @throws {CaelusError} `INVALID_INPUT`
 */
export function createKubernetesClient(
  connection: KubernetesConnection,
  options: KubernetesClientOptions = {},
): KubernetesClient {
  refuseInput('The connection to Kubernetes', connectionIssues(connection));
  refuseInput('The options of the Kubernetes client', [
    ...unknownKeys('', options, ['timeoutMilliseconds']),
    ...integerIssues('/timeoutMilliseconds', options.timeoutMilliseconds, 1, 3_600_000),
  ]);
  const { timeoutMilliseconds = 30_000 } = options;
  const name = connection.server.replace(/\/+$/, '');
  const transport = createHttpTransport(connection);

  /** A request that was one too many has done nothing, so it is sent again when the server says. */
  async function sendPatiently(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse> {
    for (let waits = 0; ; waits += 1) {
      const response = await transport.send(request, signal);
      const seconds = response.retryAfter ?? Number.NaN;
      if (response.status !== 429 || waits === WAITS || !(seconds <= MOST_WAIT_SECONDS)) return response;
      response.cancel();
      await delay(seconds * 1000, undefined, { signal });
    }
  }

  /** Runs `body` with a signal that the caller or the time may abort, and says which of them it was. */
  async function inTime<T>({ signal }: CallOptions, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(timeoutMilliseconds);
    try {
      return await body(signal === undefined ? timeout : AbortSignal.any([signal, timeout]));
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.aborted) throw unavailable(name, `no answer within ${timeoutMilliseconds} ms.`, error);
      throw error;
    }
  }

  async function answer(request: ApiRequest, options: CallOptions): Promise<Answer<JsonValue>> {
    return inTime(options, async (signal) => {
      const response = await sendPatiently(request, signal);
      const value = await readJson(name, response);
      if (response.status >= 200 && response.status < 300 && value !== undefined) return { ok: true, value };
      if (response.status < 300) throw protocolInvalid(name, 'the answer is not JSON.');
      return { ok: false, status: parseApiStatus(response.status, value), retryAfter: response.retryAfter };
    });
  }

  async function answerObject(request: ApiRequest, options: CallOptions): Promise<Answer<KubernetesObject>> {
    const found = await answer(request, options);
    return found.ok ? { ok: true, value: objectOf(name, found.value) } : found;
  }

  const failure = (request: string, status: ApiStatus) => statusError(name, request, status);

  return {
    name,
    failure,

    async get(resource, object, callOptions = {}) {
      const found = await answerObject({ method: 'GET', path: objectPath(resource, object) }, callOptions);
      if (found.ok) return found.value;
      const { status } = found;
      if (status.code === 404 && status.reason === 'NotFound' && status.name === object.name) return undefined;
      throw failure(`get ${describeObject(resource, object)}`, status);
    },

    async discover(apiVersion, callOptions = {}) {
      const found = await answer({ method: 'GET', path: groupPath(apiVersion) }, callOptions);
      if (found.ok) return resourceTypesOf(apiVersion, found.value);
      if (found.status.code === 404) return [];
      throw failure(`discover ${apiVersion}`, found.status);
    },

    async list(resource, request, callOptions = {}) {
      const { namespace, labelSelector, limit } = request;
      // No resource version: the newest state, not what a cache may have from before.
      const query = queryOf({ labelSelector, limit, continue: request.continue });
      const found = await answer({ method: 'GET', path: collectionPath(resource, namespace) + query }, callOptions);
      return found.ok ? { ok: true, value: pageOf(name, resource, found.value) } : found;
    },

    async watch(resource, request, { signal } = {}) {
      const { namespace, labelSelector, resourceVersion, timeoutSeconds } = request;
      const query = queryOf({ watch: true, allowWatchBookmarks: true, labelSelector, resourceVersion, timeoutSeconds });
      const path = collectionPath(resource, namespace) + query;
      // The time to the first byte is limited as that of any answer; from then on, what the server promised to end by itself.
      const overdue = new AbortController();
      const whole = AbortSignal.any([overdue.signal, ...(signal === undefined ? [] : [signal])]);
      const response = await inTime({ signal }, async (timed) => {
        const stop = () => overdue.abort(timed.reason);
        timed.addEventListener('abort', stop, { once: true });
        try {
          return await transport.send({ method: 'GET', path }, whole);
        } finally {
          timed.removeEventListener('abort', stop);
        }
      });
      if (response.status !== 200) {
        const value = await inTime({ signal }, () => readJson(name, response));
        return { ok: false, status: parseApiStatus(response.status, value), retryAfter: response.retryAfter };
      }
      const timer = setTimeout(
        () => overdue.abort(new Error('overdue')),
        timeoutSeconds * 1000 + timeoutMilliseconds,
      ).unref();
      return { ok: true, value: eventsOf(name, response, timer, signal) };
    },

    async apply(manifest, { fieldManager, isDryRun, force, signal }) {
      const query = queryOf({ ...writing(fieldManager, isDryRun), force: force || undefined });
      return answerObject(
        {
          method: 'PATCH',
          path: objectPath(resourceOf(manifest), nameOf(manifest)) + query,
          contentType: 'application/apply-patch+yaml',
          // JSON is YAML.
          body: JSON.stringify(manifest),
        },
        { signal },
      );
    },

    async mergePatch(resource, object, patch, callOptions = {}) {
      const contentType = 'application/merge-patch+json';
      const path = objectPath(resource, object);
      return answerObject({ method: 'PATCH', path, contentType, body: JSON.stringify(patch) }, callOptions);
    },

    async create(manifest, { fieldManager, isDryRun, signal }) {
      const resource = resourceOf(manifest);
      const { namespace } = nameOf(manifest);
      const query = queryOf(writing(fieldManager, isDryRun));
      return answerObject(
        {
          method: 'POST',
          path: collectionPath(resource, namespace) + query,
          contentType: 'application/json',
          body: JSON.stringify(manifest),
        },
        { signal },
      );
    },

    async [Symbol.asyncDispose]() {
      transport.close();
    },
  };
}

/** The name of a manifest. */
export function nameOf(manifest: JsonObject): ObjectName {
  const { name, namespace } = manifest.metadata as JsonObject;
  return { name: String(name), namespace: typeof namespace === 'string' ? namespace : undefined };
}

async function* eventsOf(
  server: string,
  response: ApiResponse,
  timer: NodeJS.Timeout,
  signal: AbortSignal | undefined,
): AsyncGenerator<WatchEvent> {
  try {
    for await (const line of readLines(response.body, EVENT_LIMIT)) yield eventOf(server, line);
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof LineTooLongError ? protocolInvalid(server, 'an event is too long.') : error;
  } finally {
    clearTimeout(timer);
    response.cancel();
  }
}

function eventOf(server: string, line: string): WatchEvent {
  const { type, object } = (parseJson(line) ?? {}) as { type?: unknown; object?: JsonValue };
  if (type === 'ERROR') return { type, status: parseApiStatus(500, object) };
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object: objectOf(server, object) };
  // A bookmark's object has nothing but its version.
  if (type === 'BOOKMARK') return { type, object: object as unknown as KubernetesObject };
  throw protocolInvalid(server, 'an event of a watch is not one.');
}

async function readJson(server: string, response: ApiResponse): Promise<JsonValue | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response.body) {
    length += part.length;
    if (length > ANSWER_LIMIT) {
      response.cancel();
      throw protocolInvalid(server, `an answer is longer than ${ANSWER_LIMIT} bytes.`);
    }
    parts.push(part);
  }
  return parseJson(Buffer.concat(parts).toString('utf8'));
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function objectOf(server: string, value: unknown): KubernetesObject {
  const object = value as Partial<KubernetesObject> | null | undefined;
  if (typeof object?.metadata?.name === 'string') return object as KubernetesObject;
  throw protocolInvalid(server, 'an object has no name.');
}

function pageOf(server: string, { apiVersion, kind }: ResourceType, value: JsonValue): ListPage {
  const list = value as { items?: JsonValue; metadata?: { resourceVersion?: unknown; continue?: unknown } };
  const { resourceVersion, continue: next } = list?.metadata ?? {};
  const items = list?.items ?? [];
  if (!Array.isArray(items) || typeof resourceVersion !== 'string') throw protocolInvalid(server, 'a list is not one.');
  return {
    // In a list, objects of built-in kinds do not say what they are.
    items: items.map((item) => ({ ...objectOf(server, item), apiVersion, kind })),
    resourceVersion,
    continue: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

/** Unknown fields are refused: an older definition would drop them without a word. */
function writing(fieldManager: string, isDryRun: boolean | undefined) {
  return { fieldManager, fieldValidation: 'Strict', dryRun: isDryRun ? 'All' : undefined };
}

function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, `${value}`]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
