import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpGitServer } from '../http-git-server.ts';

/** What can go wrong with one request, in the order in which it happens to it. */
export const FAULTS = [
  'dropped before its body',
  'dropped in its body',
  'dropped before Git',
  'slow, and handled by Git once the client is gone',
  'unauthorized',
  'too many requests, without a time to wait',
  'too many requests, for no time',
  'too many requests, for longer than anybody waits',
  '500 before Git',
  '503 before Git',
  '502 after Git',
  '504 after Git',
  'dropped after Git',
  'an answer cut in its headers',
  'an answer cut in its body',
  'an answer that ends too soon, and says it is whole',
  'garbage in place of the answer',
  'garbage at the end of the answer',
] as const;

export type Fault = (typeof FAULTS)[number];

/** Puts a fault on each request that `next` names one for. */
export function injectFaults(server: HttpGitServer, next: (request: IncomingMessage) => Fault | undefined): void {
  const faults = new WeakMap<IncomingMessage, Fault | undefined>();
  server.arriving = async (request) => {
    const fault = next(request);
    faults.set(request, fault);
    if (fault === 'dropped in its body' && request.method === 'POST') await once(request, 'data');
    return fault !== 'dropped before its body' && fault !== 'dropped in its body';
  };
  server.intercept = async (request, response) => {
    const fault = faults.get(request);
    if (fault === 'slow, and handled by Git once the client is gone') {
      await new Promise((resolve) => response.once('close', resolve));
    }
    return fault !== undefined && interrupted(fault, response);
  };
  server.answering = (request, answer) => {
    const fault = faults.get(request);
    return fault === undefined || answeredWell(fault, request, answer);
  };
}

/** Whether the request ends here, and Git does not see it. */
function interrupted(fault: Fault, response: ServerResponse): boolean {
  const status: Partial<Record<Fault, number>> = {
    unauthorized: 401,
    'too many requests, without a time to wait': 429,
    'too many requests, for no time': 429,
    'too many requests, for longer than anybody waits': 429,
    '500 before Git': 500,
    '503 before Git': 503,
  };
  const code = status[fault];
  if (code !== undefined) {
    if (fault === 'too many requests, for no time') response.setHeader('retry-after', '0');
    if (fault === 'too many requests, for longer than anybody waits') response.setHeader('retry-after', '11');
    response.writeHead(code).end('go away');
    return true;
  }
  if (fault !== 'dropped before Git') return false;
  response.destroy();
  return true;
}

/** Sends something in place of Git's answer, and returns `false`; or returns `true`, for Git's answer to be sent. */
function answeredWell(fault: Fault, request: IncomingMessage, answer: Buffer): boolean {
  const { socket } = request;
  const split = answer.indexOf('\r\n\r\n') + 4;
  const type = /^content-type: .*$/im.exec(answer.toString('latin1', 0, split))?.[0] ?? '';
  const body = answer.subarray(split);
  const say = (head: string, content: Buffer = Buffer.alloc(0)) => {
    socket.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), content]));
    socket.end();
    return false;
  };
  const whole = (content: Buffer) =>
    say(`HTTP/1.1 200 OK\r\n${type}\r\nconnection: close\r\ncontent-length: ${content.length}`, content);
  switch (fault) {
    case '502 after Git':
      return say('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0');
    case '504 after Git':
      return say('HTTP/1.1 504 Gateway Timeout\r\nconnection: close\r\ncontent-length: 0');
    case 'dropped after Git':
      return false;
    case 'an answer cut in its headers':
      return say(`HTTP/1.1 200 OK\r\n${type.slice(0, 12)}`.trimEnd());
    case 'an answer cut in its body':
      return say(`HTTP/1.1 200 OK\r\n${type}\r\ncontent-length: ${body.length}`, body.subarray(0, body.length >> 1));
    case 'an answer that ends too soon, and says it is whole':
      return whole(body.subarray(0, body.length >> 1));
    case 'garbage in place of the answer':
      return whole(Buffer.from('<html>an error</html>'));
    case 'garbage at the end of the answer':
      return whole(Buffer.concat([body.subarray(0, -8), Buffer.from('zzzzzzzz')]));
    default:
      return true;
  }
}
