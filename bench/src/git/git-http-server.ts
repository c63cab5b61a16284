// Serves bare repositories by `git http-backend` on the loopback interface, in a process of its own that stays small, and
// counts what pushes send.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerCalls } from '../process-calls.ts';
import { GIT_ENVIRONMENT } from './git-command.ts';

const END_OF_HEADERS = '\r\n\r\n';
/** Bytes of the bodies that each repository was sent by pushes. */
const received = new Map<string, number>();

async function handle(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/', headers } = request;
  const [path = '', query = ''] = url.split('?');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...GIT_ENVIRONMENT,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: method,
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      ...(headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: headers['content-length'] }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => {});
  const [, repository = '', service = ''] = /^\/(.+\.git)\/(.*)$/.exec(path) ?? [];
  if (service === 'git-receive-pack') {
    request.on('data', (chunk: Buffer) => {
      received.set(repository, (received.get(repository) ?? 0) + chunk.length);
    });
  }
  request.pipe(child.stdin);

  let head = Buffer.alloc(0);
  for await (const chunk of child.stdout) {
    if (response.headersSent) {
      if (!response.write(chunk)) await once(response, 'drain');
      continue;
    }
    head = Buffer.concat([head, chunk as Buffer]);
    const end = head.indexOf(END_OF_HEADERS);
    if (end === -1) continue;
    const lines = head.toString('latin1', 0, end).split('\r\n');
    const fields = new Map(lines.map((line) => line.split(/:\s*/, 2) as [string, string]));
    const status = Number.parseInt(fields.get('Status') ?? '200', 10);
    fields.delete('Status');
    response.writeHead(status, Object.fromEntries(fields));
    response.write(head.subarray(end + END_OF_HEADERS.length));
  }
  response.end();
}

const handlers = {
  /** Returns the URL below which the repositories in `root` are. */
  async listen(root: string): Promise<string> {
    const server = createServer((request, response) => {
      handle(root, request, response).catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  received: (repository: string): number => received.get(repository) ?? 0,
};

export type GitHttpServer = typeof handlers;

answerCalls(handlers);
