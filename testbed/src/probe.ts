import { readFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import { type Bed, paths } from './bed.ts';
import type { Probe } from './component.ts';

const PATIENCE_MILLISECONDS = 5000;

/**
 * Asks a component once whether it is ready.
 *
 * @throws Error that says what it answered, or why it did not.
 */
export async function ask(bed: Bed, probe: Probe): Promise<void> {
  if (probe.kind === 'redis') return askRedis(bed, probe.port);
  const { certificate, key } = paths(bed);
  const options = { host: '127.0.0.1', port: probe.port, path: probe.path, timeout: PATIENCE_MILLISECONDS };
  await new Promise<void>((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${probe.path} answered ${response.statusCode}`));
    };
    const tls = () => ({
      ca: readFileSync(certificate('ca')),
      ...(probe.kind === 'https' &&
        probe.user !== undefined && {
          cert: readFileSync(certificate(probe.user)),
          key: readFileSync(key(probe.user)),
        }),
    });
    // No agent: one that keeps connections would keep this process.
    const request =
      probe.kind === 'http'
        ? httpGet({ ...options, agent: false }, answered)
        : httpsGet({ ...options, ...tls(), agent: false }, answered);
    request.once('timeout', () => request.destroy(new Error(`${probe.path} did not answer`)));
    request.once('error', reject);
  });
}

async function askRedis(bed: Bed, port: number): Promise<void> {
  const password = readFileSync(paths(bed).redisPassword, 'utf8');
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PATIENCE_MILLISECONDS });
    let answer = '';
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\nQUIT\r\n`));
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.once('timeout', () => socket.destroy(new Error('Redis did not answer')));
    socket.once('error', reject);
    socket.once('close', () => (answer.includes('+PONG') ? resolve() : reject(new Error('Redis did not answer PONG'))));
  });
}
