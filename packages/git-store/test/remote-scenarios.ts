import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { type CaelusError, isCaelusError, type LogFields, type StateStore } from '@caelus/core';
import { createGitStore, type GitCredentials, type GitRemoteSettings, type GitTransport } from '@caelus/git-store';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { type HttpGitServer, startHttpGitServer } from './http-git-server.ts';
import { collect, put, readText, write } from './store-writing.ts';

const CANARY = 'canary-7f3a91';
const BASIC = Buffer.from(`x-access-token:${CANARY}`).toString('base64');

interface Scene {
  readonly root: string;
  /** The repository that the server serves. */
  readonly directory: string;
  readonly server: HttpGitServer;
  readonly url: string;
  /** Everything that was logged or thrown; looked through for the credential at the end. */
  readonly said: unknown[];
  open(settings?: Partial<GitRemoteSettings>, clone?: string): Promise<StateStore>;
  failure(promise: Promise<unknown>): Promise<CaelusError>;
}

async function allFiles(directory: string): Promise<{ path: string; bytes: Buffer }[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return { path, bytes: await readFile(path) };
      }),
  );
}

const isPush = (request: IncomingMessage) => request.method === 'POST' && request.url?.endsWith('/git-receive-pack');
const count = (directory: string) =>
  git(directory, ['rev-list', '--count', 'main']).then((text) => Number(text.trim()));

/** What the stores promise of a remote, whoever talks to it. Defines the tests. */
export function remoteScenarios(transport?: GitTransport): void {
  const isNative = transport !== undefined;

  /** A remote, and a test that fails where the credential shows up in an error, in the log, or in any file. */
  async function scene(): Promise<Scene> {
    const root = await temporaryDirectory();
    const directory = join(root.path, 'served/remote.git');
    await mkdir(join(root.path, 'served'));
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', directory]);
    const server = await startHttpGitServer(join(root.path, 'served'));
    const url = `${server.url}/remote.git`;
    const said: unknown[] = [];
    const log = (message: string, fields?: LogFields) => void said.push({ message, fields });
    onTestFinished(async () => {
      const shown = said.map((each) => `${inspect(each, { depth: 10, showHidden: true })} ${String(each)}`).join('\n');
      const files = await allFiles(root.path);
      await server[Symbol.asyncDispose]();
      await root[Symbol.asyncDispose]();
      for (const secret of [CANARY, BASIC]) {
        expect(shown).not.toContain(secret);
        expect(files.filter(({ bytes }) => bytes.includes(secret)).map(({ path }) => path)).toEqual([]);
      }
    });
    return {
      root: root.path,
      directory,
      server,
      url,
      said,
      open: (settings, clone = 'clone.git') =>
        createGitStore({
          directory: join(root.path, clone),
          transport,
          logger: { debug: log, info: log, warn: log, error: log },
          retries: 4,
          lockWaitMilliseconds: 50,
          remote: { url, credentials: () => ({ token: CANARY }), ...settings },
        }),
      async failure(promise) {
        const error = await promise.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        said.push(error);
        if (!isCaelusError(error)) throw new Error('expected a CaelusError', { cause: error });
        said.push(JSON.stringify(error), error.stack);
        return error;
      },
    };
  }

  describe('credentials', () => {
    it.each([
      ['a token', { token: CANARY }, `Basic ${BASIC}`],
      ['a password', { username: 'ann', password: CANARY }, `Basic ${Buffer.from(`ann:${CANARY}`).toString('base64')}`],
      ['headers', { headers: { authorization: `Bearer ${CANARY}` } }, `Bearer ${CANARY}`],
    ] satisfies [string, GitCredentials, string][])('are sent in a header: %s', async (_, credentials, expected) => {
      const { open, server } = await scene();
      await using store = await open({ credentials: () => credentials });
      await write(store, { a: '1' });
      expect(new Set(server.requests.map(({ authorization }) => authorization))).toEqual(new Set([expected]));
      expect(server.requests.map(({ path }) => path).join()).not.toContain(CANARY);
    });

    it('are asked for once, and once more when they have expired', async () => {
      const { open, server, directory } = await scene();
      let valid = 'first';
      let asked = 0;
      server.intercept = (request, response) => {
        if (request.headers.authorization === `Bearer ${valid}`) return false;
        response.writeHead(401).end(`you sent ${request.headers.authorization}`);
        return true;
      };
      await using store = await open({
        credentials: async () => {
          asked += 1;
          return { headers: { authorization: `Bearer ${asked === 1 ? 'first' : 'second'}` } };
        },
      });
      await write(store, { a: '1' });
      await write(store, { a: '2' });
      expect(asked).toBe(1);
      valid = 'second';
      await write(store, { a: '3' });
      expect(asked).toBe(2);
      expect(await count(directory)).toBe(3);
    });

    it('that are wrong are asked for twice, then reported', async () => {
      const { open, server, failure, url } = await scene();
      server.intercept = (request, response) => {
        response.writeHead(401, { 'x-echo': String(request.headers.authorization) });
        response.end(`bad credentials: ${request.headers.authorization}`);
        return true;
      };
      let asked = 0;
      const credentials = () => {
        asked += 1;
        return { token: CANARY };
      };
      await using store = await open({ credentials });
      for (const call of [() => store.snapshot(), () => write(store, { a: '1' })]) {
        asked = 0;
        expect(await failure(call())).toMatchObject({
          code: 'GIT_AUTH_FAILED',
          details: { remote: url },
          retryable: false,
        });
        expect(asked).toBe(2);
      }
      await using anonymous = await open({ credentials: undefined }, 'other.git');
      expect(await failure(anonymous.snapshot())).toMatchObject({ code: 'GIT_AUTH_FAILED' });
    });

    it('do not show where the callback fails, or gives what no header can carry', async () => {
      const { open, failure } = await scene();
      for (const credentials of [
        () => Promise.reject(new Error(`cannot read ${CANARY}`)),
        () => ({ headers: { authorization: `Bearer ${CANARY}\nx: y` } }),
      ]) {
        await using store = await open({ credentials });
        expect(await failure(store.snapshot())).toMatchObject({ code: 'GIT_AUTH_FAILED' });
      }
    });

    it('are not sent where a redirect leads to another server', async () => {
      const { open, server, failure, root } = await scene();
      await using other = await startHttpGitServer(join(root, 'served'));
      for (const push of [false, true]) {
        server.intercept = (request, response) => {
          if (Boolean(isPush(request)) !== push) return false;
          response.writeHead(307, { location: `${other.url}${request.url}` }).end();
          return true;
        };
        await using store = await open();
        expect(await failure(write(store, { a: '1' }))).toMatchObject({ code: 'GIT_PROTOCOL_INVALID' });
      }
      expect(other.requests).toEqual([]);
    });

    it('go along with a redirect on the same server, or with none at all', async () => {
      const { open, server, failure, directory, url } = await scene();
      server.intercept = (request, response) => {
        if (!request.url?.startsWith('/old')) return false;
        response.writeHead(301, { location: request.url.replace('/old', '/remote') }).end();
        return true;
      };
      await using store = await open({ url: url.replace('/remote', '/old') });
      if (isNative) {
        expect(await failure(write(store, { a: '1' }))).toMatchObject({ code: 'GIT_PROTOCOL_INVALID' });
        return;
      }
      // What the first request was redirected to serves the push too.
      await write(store, { a: '1' });
      expect(await count(directory)).toBe(1);
    });
  });

  describe('a remote that says no', () => {
    it.each([
      [403, 'GIT_ACCESS_DENIED', false],
      [404, 'GIT_REMOTE_NOT_FOUND', false],
      [429, 'UNAVAILABLE', true],
      [500, 'UNAVAILABLE', true],
      [503, 'UNAVAILABLE', true],
    ])('with %i is reported as %s, for reads and for writes', async (status, code, retryable) => {
      const { open, server, failure, directory } = await scene();
      await using store = await open();
      await write(store, { a: '1' });
      for (const push of [false, true]) {
        server.intercept = (request, response) => {
          if (push && !isPush(request)) return false;
          response.writeHead(status).end(`${CANARY} is not welcome`);
          return true;
        };
        const error = await failure(push ? write(store, { a: '2' }) : store.snapshot());
        expect(error).toMatchObject({ code, retryable });
      }
      server.intercept = () => false;
      await write(store, { a: '3' });
      expect(await count(directory)).toBe(2);
    });

    it('because the push is too large is reported as that', async () => {
      const { open, server, failure, directory } = await scene();
      await using store = await open();
      await write(store, { a: '1' });
      server.intercept = (request, response) => {
        if (isPush(request)) response.writeHead(413).end();
        return Boolean(isPush(request));
      };
      const error = await failure(write(store, { a: '2' }));
      expect(error).toMatchObject({ code: 'GIT_PUSH_REFUSED', retryable: false });
      expect(error.message).toContain('fewer changes at once');
      expect(await count(directory)).toBe(1);
    });

    it('by a hook is reported with its reason, which is cleaned', async () => {
      const { open, failure, directory, url, said } = await scene();
      const hook = join(directory, 'hooks/pre-receive');
      await mkdir(join(directory, 'hooks'), { recursive: true });
      await writeFile(
        hook,
        `#!/bin/sh\nprintf 'branch is\\033[31m frozen, ${CANARY}, https://u:p@x\\n' >&2\nexit 1\n`,
        {
          mode: 0o755,
        },
      );
      await using store = await open();
      const error = await failure(write(store, { a: '1' }));
      expect(error).toMatchObject({ code: 'GIT_PUSH_REFUSED', retryable: false });
      expect(error.details).toEqual({
        remote: url,
        reason: 'pre-receive hook declined; branch is [31m frozen, ***, https://***@x',
      });
      expect(inspect(said)).toContain('frozen');
      expect((await store.snapshot()).commit).toBeNull();
      // The hook's text is in its own file; it is not the store that wrote it there.
      await writeFile(hook, '#!/bin/sh\n');
      expect((await write(store, { a: '1' })).outcome).toBe('written');
    });

    it('because it is not a Git server is reported', async () => {
      const { open, server, failure } = await scene();
      await using store = await open();
      for (const [type, body] of [
        ['text/html', '<html>sign in</html>'],
        ['application/x-git-upload-pack-advertisement', 'zzzz'],
        ['application/x-git-upload-pack-advertisement', '001e# service=git-upload-pack\n0000'.slice(0, 20)],
      ] as const) {
        server.intercept = (_, response) => {
          response.writeHead(200, { 'content-type': type }).end(body);
          return true;
        };
        // Git says of an answer that is cut off what it says of a connection that breaks.
        const isCutOff = isNative && body.startsWith('001e');
        const code = isCutOff ? 'UNAVAILABLE' : 'GIT_PROTOCOL_INVALID';
        expect(await failure(store.snapshot())).toMatchObject({ code });
      }
    });

    it('by not being there is reported, and by being slow', async () => {
      const { open, server, failure } = await scene();
      await using gone = await open({ url: 'http://127.0.0.1:1/remote.git' }, 'gone.git');
      expect(await failure(gone.snapshot())).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      server.intercept = () => new Promise(() => {});
      await using slow = await open({ timeoutMilliseconds: 50 });
      expect(await failure(slow.snapshot())).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      const controller = new AbortController();
      await using waiting = await open({}, 'waiting.git');
      const stopped = waiting.snapshot({ signal: controller.signal });
      const reason = new Error('stopped');
      setImmediate(() => controller.abort(reason));
      await expect(stopped).rejects.toBe(reason);
    });
  });

  describe('a connection that is lost during a push', () => {
    it('before it arrives: it is sent again', async () => {
      const { open, server, directory } = await scene();
      await using store = await open();
      let drops = 2;
      server.intercept = (request, response) => {
        if (!isPush(request) || drops === 0) return false;
        drops -= 1;
        response.destroy();
        return true;
      };
      expect((await write(store, { a: '1' })).outcome).toBe('written');
      expect(drops).toBe(0);
      expect(await count(directory)).toBe(1);
    });

    it.each(['no answer', 'half an answer', 'a proxy error'])(
      'after it arrived, with %s: it is found to be there',
      async (kind) => {
        const { open, server, directory } = await scene();
        await using store = await open();
        let pushes = 0;
        server.answering = (request, answer) => {
          if (!isPush(request)) return true;
          pushes += 1;
          const { socket } = request;
          if (kind === 'half an answer') {
            socket.write(
              `HTTP/1.1 200 OK\r\ncontent-type: application/x-git-receive-pack-result\r\ncontent-length: 500\r\n\r\n`,
            );
            socket.end(answer.subarray(-10));
          }
          if (kind === 'a proxy error') socket.end('HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n');
          return kind !== 'no answer' ? new Promise(() => {}) : false;
        };
        const receipt = await write(store, { a: '1' });
        expect(receipt).toMatchObject({
          outcome: 'written',
          commit: (await git(directory, ['rev-parse', 'main'])).trim(),
        });
        expect(pushes).toBe(1);
        expect(await count(directory)).toBe(1);
        expect(await readText(await store.snapshot(), 'a')).toBe('1');
      },
    );

    it('after it arrived, and another writer came on top: both are in history once', async () => {
      const { open, server, directory } = await scene();
      await using store = await open();
      await using other = await open({}, 'other.git');
      await write(store, { a: '0' });
      let dropped = false;
      server.answering = async (request) => {
        if (!isPush(request) || dropped) return true;
        dropped = true;
        await write(other, { b: '1' });
        return false;
      };
      const receipt = await write(store, { a: '1' });
      expect(receipt.outcome).toBe('written');
      const history = (await git(directory, ['rev-list', 'main'])).trim().split('\n');
      expect(history).toHaveLength(3);
      expect(history[1]).toBe(receipt.outcome === 'written' ? receipt.commit : undefined);
      expect((await write(store, { a: '2', b: '2' })).outcome).toBe('written');
    });

    it('and the remote cannot be asked: nothing is guessed, and the next write finds out', async () => {
      const { open, server, failure, directory } = await scene();
      await using store = await open();
      await write(store, { a: '0' });
      let down = false;
      server.intercept = (_, response) => {
        if (down) response.destroy();
        return down;
      };
      server.answering = (request) => {
        if (isPush(request)) down = true;
        return !down;
      };
      const error = await failure(write(store, { a: '1' }));
      const commit = (await git(directory, ['rev-parse', 'main'])).trim();
      expect(error).toMatchObject({ code: 'GIT_PUSH_UNKNOWN', retryable: true, details: { commit } });
      server.intercept = () => false;
      server.answering = () => true;
      expect(await write(store, { a: '1' })).toEqual({ outcome: 'unchanged', subject: 'test', commit });
      expect(await count(directory)).toBe(2);
    });

    it('each time: nobody can say whether one is still on its way', async () => {
      const { open, server, failure, directory } = await scene();
      await using store = await open();
      await write(store, { a: '0' });
      server.intercept = (request, response) => {
        if (!isPush(request)) return false;
        response.destroy();
        return true;
      };
      expect(await failure(write(store, { a: '1' }))).toMatchObject({ code: 'GIT_PUSH_UNKNOWN', retryable: true });
      expect(await count(directory)).toBe(1);
    });
  });

  describe('the cache of a remote', () => {
    it('takes one commit of a long history, then only what is new', async () => {
      const { open, server, directory, root } = await scene();
      await using author = await open({}, 'author.git');
      for (let index = 0; index < 6; index += 1) await write(author, { a: String(index), [`dir/${index}`]: '1' });
      const bodies: string[] = [];
      server.intercept = (request, _, body) => {
        if (request.url?.endsWith('/git-upload-pack')) bodies.push(body.toString('latin1'));
        return false;
      };
      await using store = await open();
      expect(await readText(await store.snapshot(), 'dir/3')).toBe('1');
      expect(await collect(store.log())).toHaveLength(1);
      if (!isNative) {
        expect(bodies).toHaveLength(1);
        expect(bodies[0]).toContain('deepen 1');
      }

      await write(author, { a: 'new' });
      expect(await readText(await store.snapshot(), 'a')).toBe('new');
      if (!isNative) {
        expect(bodies).toHaveLength(2);
        expect(bodies[1]).not.toContain('deepen');
        expect(bodies[1]).toContain('have ');
      }
      await write(store, { 'dir/0': null });
      expect(await count(directory)).toBe(8);
      expect(await collect(store.log())).toHaveLength(3);
      for (const each of [directory, join(root, 'clone.git')]) await fsck(each);
    });

    it('pushes exactly the objects of the commit', async () => {
      const { open, server, directory } = await scene();
      await using store = await open();
      await write(
        store,
        Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`instances/${index}/values.yaml`, `${index}`])),
      );
      const from = server.requests.length;
      const objects = async () =>
        Number(/in-pack: (\d+)/.exec(await git(directory, ['count-objects', '-v']))?.[1]) +
        Number(/^count: (\d+)/.exec(await git(directory, ['count-objects', '-v']))?.[1]);
      const before = await objects();
      await write(store, { 'instances/7/values.yaml': 'new' });
      const isAsked = ['GET /remote.git/info/refs?service=git-receive-pack'];
      expect(server.requests.slice(from).map(({ method, path }) => `${method} ${path}`)).toEqual([
        ...(isNative ? isAsked : []),
        'POST /remote.git/git-receive-pack',
      ]);
      // Blob, three trees, commit.
      expect((await objects()) - before).toBe(5);
    });

    it('follows a branch that was rewound, and one that was deleted', async () => {
      const { open, directory, root } = await scene();
      await using store = await open();
      const first = await write(store, { a: '1' });
      await write(store, { a: '2' });
      const commit = first.outcome === 'written' ? first.commit : '';
      await git(directory, ['update-ref', 'refs/heads/main', commit]);
      expect(await readText(await store.snapshot(), 'a')).toBe('1');
      expect((await write(store, { a: '3' })).outcome).toBe('written');
      expect(await count(directory)).toBe(2);

      await git(directory, ['update-ref', '-d', 'refs/heads/main']);
      expect((await store.snapshot()).commit).toBeNull();
      expect((await write(store, { b: '1' })).outcome).toBe('written');
      expect((await write(store, { b: '2' })).outcome).toBe('written');
      expect(await count(directory)).toBe(2);
      expect(await readText(await store.snapshot(), 'a')).toBeUndefined();
      for (const each of [directory, join(root, 'clone.git')]) await fsck(each);
    });

    it('is never ahead of the remote', async () => {
      const { open, server, failure, directory, root } = await scene();
      await using store = await open();
      await write(store, { a: '1' });
      const tip = (await git(directory, ['rev-parse', 'main'])).trim();
      server.intercept = (request, response) => {
        if (isPush(request)) response.writeHead(403).end();
        return Boolean(isPush(request));
      };
      await failure(write(store, { a: '2' }));
      expect((await git(join(root, 'clone.git'), ['rev-parse', 'main'])).trim()).toBe(tip);
    });

    it('may be locked by somebody without any harm', async () => {
      const { open, directory, root } = await scene();
      await using store = await open();
      await using other = await open({}, 'other.git');
      await write(store, { a: '1' });
      const lock = join(root, 'clone.git/refs/heads/main.lock');
      await writeFile(lock, '');
      expect((await write(store, { a: '2' })).outcome).toBe('written');
      await write(other, { a: '3' });
      expect(await readText(await store.snapshot(), 'a')).toBe('3');
      expect((await write(store, { a: '4' })).outcome).toBe('written');
      await rm(lock);
      expect(await readText(await store.snapshot(), 'a')).toBe('4');
      expect(await count(directory)).toBe(4);
      await fsck(join(root, 'clone.git'));
    });

    it('is shared by several stores', async () => {
      const { open, directory, root } = await scene();
      const stores = await Promise.all([open(), open(), open()]);
      await Promise.all(stores.map((store, index) => write(store, { [`f${index}`]: '1' })));
      await write(stores[0] as StateStore, { last: '1' });
      expect(await count(directory)).toBe(4);
      await fsck(join(root, 'clone.git'));
    });

    it('gives up on a branch that others keep moving', async () => {
      const { open, failure } = await scene();
      await using store = await open();
      await using other = await open({}, 'other.git');
      let asked = 0;
      const moving = store.write([
        {
          subject: 'x',
          propose: async (snapshot) => {
            asked += 1;
            await write(other, { a: String(asked) });
            return put({ b: '1' }).propose(snapshot);
          },
        },
      ]);
      expect(await failure(moving)).toMatchObject({ code: 'STORE_CONFLICT', details: { attempts: 5 } });
      expect(asked).toBe(5);
    });
  });
}
