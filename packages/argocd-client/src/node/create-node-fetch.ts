import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** Whom to trust, and what to show. Everything in PEM. */
export interface NodeFetchOptions {
  /** Certificates of the authorities to trust, instead of those that Node.js knows. */
  readonly ca?: string | readonly string[] | undefined;
  /** A client certificate, with its `key`. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the server's certificate is for, where the URL has another. */
  readonly servername?: string | undefined;
}

/** A fetch with connections of its own; disposing of it closes those that are idle. */
export type NodeFetch = typeof globalThis.fetch & Disposable;

/**
 * Makes a fetch for a server with a private CA, or one that asks for a client certificate, on `node:https`. It takes text or
 * bytes as a body, and follows no redirects: it returns them.
 */
export function createNodeFetch(options: NodeFetchOptions = {}): NodeFetch {
  const { ca, cert, key, servername } = options;
  const secure = new HttpsAgent({
    keepAlive: true,
    ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
  });
  const plain = new HttpAgent({ keepAlive: true });

  async function nodeFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const asked = new Request(input, init);
    const { signal, method } = asked;
    signal.throwIfAborted();
    const body = asked.body === null ? undefined : new Uint8Array(await asked.arrayBuffer());
    const url = new URL(asked.url);
    const isSecure = url.protocol === 'https:';
    const headers = Object.fromEntries(asked.headers);
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const send = isSecure ? requestHttps : requestHttp;
      const request = send(url, { method, headers, signal, agent: isSecure ? secure : plain }, resolve);
      request.on('error', reject);
      request.end(body);
    }).catch((error: unknown) => {
      // Node rejects with an AbortError of its own.
      throw signal.aborted ? signal.reason : error;
    });
    return toResponse(message);
  }

  return Object.assign(nodeFetch, {
    [Symbol.dispose]() {
      secure.destroy();
      plain.destroy();
    },
  });
}

function toResponse(message: IncomingMessage): Response {
  const { statusCode: status = 0, statusMessage: statusText = '' } = message;
  const headers = new Headers();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] ?? '', message.rawHeaders[index + 1] ?? '');
  }
  const hasBody = ![101, 204, 205, 304].includes(status);
  if (!hasBody) message.resume();
  const body = hasBody ? (Readable.toWeb(message) as ReadableStream<Uint8Array>) : null;
  return new Response(body as ConstructorParameters<typeof Response>[0], { status, statusText, headers });
}
