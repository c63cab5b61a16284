import http from 'node:http';
import https from 'node:https';
import type { KubernetesConnection } from '../connection/kubernetes-connection.ts';
import { authFailed, protocolInvalid, unavailable } from '../kubernetes-errors.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'DELETE';
  /** Below the server's URL, with its query. */
  readonly path: string;
  readonly contentType?: string | undefined;
  readonly body?: string | undefined;
}

export interface ApiResponse {
  readonly status: number;
  /** Seconds that the server asks to wait, where it does. */
  readonly retryAfter: number | undefined;
  /** To be read to its end, or cancelled. */
  readonly body: AsyncIterable<Buffer>;
  cancel(): void;
}

/** Requests to one API server. Credentials stay in here, and redirects are never followed. */
export interface HttpTransport {
  /** @throws {CaelusError} `UNAVAILABLE`, `KUBERNETES_AUTH_FAILED`, `KUBERNETES_PROTOCOL_INVALID` */
  send(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse>;
  close(): void;
}

/** How long the operating system waits before it asks an idle peer whether it is still there. */
const PROBE_MILLISECONDS = 30_000;

export function createHttpTransport(connection: KubernetesConnection): HttpTransport {
  const { server, certificateAuthority, serverName, credentials } = connection;
  const base = new URL(server);
  const prefix = base.pathname.replace(/\/+$/, '');
  const isSecure = base.protocol === 'https:';
  const client = credentials !== undefined && 'clientKey' in credentials ? credentials : undefined;
  const agent = isSecure
    ? new https.Agent({
        keepAlive: true,
        minVersion: 'TLSv1.2',
        ...(certificateAuthority !== undefined && { ca: certificateAuthority }),
        ...(serverName !== undefined && { servername: serverName }),
        ...(client !== undefined && { cert: client.clientCertificate(), key: client.clientKey() }),
      })
    : new http.Agent({ keepAlive: true });

  async function bearer(signal: AbortSignal): Promise<string | undefined> {
    if (credentials === undefined || !('token' in credentials)) return undefined;
    let token: unknown;
    try {
      token = await credentials.token();
    } catch {
      signal.throwIfAborted();
      // Without its cause, which may quote what it read.
      throw authFailed(server, 'the token cannot be read.');
    }
    const trimmed = typeof token === 'string' ? token.trim() : '';
    // Else Node.js would throw an error that quotes the header.
    if (!/^[\x21-\x7e]+$/.test(trimmed)) throw authFailed(server, 'the token is empty, or no token.');
    return `Bearer ${trimmed}`;
  }

  function once(request: ApiRequest, authorization: string | undefined, signal: AbortSignal): Promise<ApiResponse> {
    return new Promise((resolve, reject) => {
      const outgoing = (isSecure ? https : http).request({
        agent,
        signal,
        method: request.method,
        host: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port === '' ? undefined : base.port,
        path: prefix + request.path,
        headers: {
          accept: 'application/json',
          'user-agent': 'caelus',
          ...(authorization !== undefined && { authorization }),
          ...(request.body !== undefined && {
            'content-type': request.contentType,
            'content-length': Buffer.byteLength(request.body),
          }),
        },
      });
      outgoing.on('socket', (socket) => socket.setKeepAlive(true, PROBE_MILLISECONDS));
      outgoing.on('error', (error) => reject(Object.assign(error, { isStale: outgoing.reusedSocket })));
      outgoing.on('response', (incoming) => resolve(responseOf(incoming, server, signal)));
      outgoing.end(request.body);
    });
  }

  /** A kept connection that the server had closed already has carried nothing; and all that is sent here may be repeated. */
  async function again(request: ApiRequest, authorization: string | undefined, signal: AbortSignal) {
    try {
      return await once(request, authorization, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Error && 'isStale' in error && error.isStale)) throw connectionError(server, error);
    }
    try {
      return await once(request, authorization, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw connectionError(server, error);
    }
  }

  async function send(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse> {
    signal.throwIfAborted();
    const authorization = await bearer(signal);
    signal.throwIfAborted();
    let response = await again(request, authorization, signal);
    if (response.status === 401 && authorization !== undefined) {
      // The token may have been replaced between reading and sending it.
      response.cancel();
      response = await again(request, await bearer(signal), signal);
    }
    if (response.status === 401) {
      response.cancel();
      throw authFailed(server, 'it did not take the credentials (401).');
    }
    if (response.status >= 300 && response.status < 400) {
      response.cancel();
      throw protocolInvalid(server, 'it redirects, and credentials must not go elsewhere.');
    }
    return response;
  }

  return { send, close: () => agent.destroy() };
}

function responseOf(incoming: http.IncomingMessage, server: string, signal: AbortSignal): ApiResponse {
  const seconds = Number(incoming.headers['retry-after'] ?? Number.NaN);
  async function* body(): AsyncGenerator<Buffer> {
    try {
      for await (const part of incoming) yield part as Buffer;
    } catch (error) {
      signal.throwIfAborted();
      throw unavailable(server, 'the connection broke.', error);
    }
  }
  return {
    status: incoming.statusCode ?? 0,
    retryAfter: seconds >= 0 ? seconds : undefined,
    body: body(),
    cancel: () => void incoming.destroy(),
  };
}

const CERTIFICATE =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

function connectionError(server: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!CERTIFICATE.test(code)) return unavailable(server, 'the connection failed.', error);
  return protocolInvalid(server, `its certificate, or ours, is refused (${code}).`, error);
}
