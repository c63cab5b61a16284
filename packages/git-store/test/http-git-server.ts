import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpGitServer extends AsyncDisposable {
  readonly url: string;
  /** Of each request, in order. */
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly authorization: string | undefined;
  }[];
  /** Called when a request begins, before its body is read; `false` drops the connection. */
  arriving: (request: IncomingMessage) => boolean | Promise<boolean>;
  /** Looks at each request before Git does; returns whether it has answered. May also break the connection. */
  intercept: (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean | Promise<boolean>;
  /** Called with what Git answers, before it is sent; `false` drops the connection in place of the answer. */
  answering: (request: IncomingMessage, answer: Buffer) => boolean | Promise<boolean>;
  /** Ends when no request is being handled, also none whose client has gone. */
  settled(): Promise<void>;
}

/** Serves the bare repositories below `root` by `git http-backend`, on the loopback interface. */
export async function startHttpGitServer(root: string): Promise<HttpGitServer> {
  const requests: { method: string; path: string; authorization: string | undefined }[] = [];
  const running = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const handled = handle(request, response)
      .catch(() => void response.destroy())
      .finally(() => running.delete(handled));
    running.add(handled);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    requests.push({ method, path: url, authorization: headers.authorization });
    if (!(await harness.arriving(request))) {
      response.destroy();
      return;
    }
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    if (await harness.intercept(request, response, Buffer.concat(body))) return;
    const [path = '', query = ''] = url.split('?');
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        REMOTE_USER: 'tester',
        REMOTE_ADDR: '127.0.0.1',
        PATH_INFO: path,
        QUERY_STRING: query,
        REQUEST_METHOD: method,
        CONTENT_TYPE: headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
        HTTP_GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
        CONTENT_LENGTH: String(Buffer.concat(body).length),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => {});
    child.stdin.end(Buffer.concat(body));
    const output: Buffer[] = [];
    for await (const chunk of child.stdout) output.push(chunk as Buffer);
    const answer = Buffer.concat(output);
    if (!(await harness.answering(request, answer))) {
      response.destroy();
      return;
    }
    const split = answer.indexOf('\r\n\r\n');
    const lines = answer.subarray(0, split).toString('latin1').split('\r\n');
    let status = 200;
    for (const line of lines) {
      const [name = '', value = ''] = line.split(/:\s*/, 2);
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else if (name !== '') response.setHeader(name, value);
    }
    response.writeHead(status).end(answer.subarray(split + 4));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const harness: HttpGitServer = {
    url: `http://127.0.0.1:${port}`,
    requests,
    arriving: () => true,
    intercept: () => false,
    answering: () => true,
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return harness;
}
