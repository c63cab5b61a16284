import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseRepoPath } from '@caelus/core';
import { createGitStore } from '@caelus/git-store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createObject, type GitObject } from '../src/git-object.ts';
import { encodeEntries } from '../src/pack/encode-pack.ts';
import { encodeLineDelta } from '../src/pack/line-delta.ts';
import { applyDelta } from '../src/pack/pack-delta.ts';
import { parseEntryHeader } from '../src/pack/pack-entry.ts';
import { encodeThinPack } from '../src/pack/thin-pack.ts';
import { encodePktLine, FLUSH_PKT } from '../src/remote/pkt-line.ts';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { startHttpGitServer } from './http-git-server.ts';
import { readText, write } from './store-writing.ts';

const line = fc.oneof(
  fc.constantFrom('a: 1\n', 'b: 2\n', '\n', 'no end'),
  fc.string().map((text) => `${text}\n`),
);
const text = fc.array(line, { size: 'max', maxLength: 300 }).map((lines) => Buffer.from(lines.join('')));
const bytes = fc.oneof(text, fc.uint8Array({ size: 'max', maxLength: 2000 }).map(Buffer.from));

function firstHeader(pack: Buffer) {
  return parseEntryHeader(pack.subarray(12), 12);
}

describe('a delta of lines', () => {
  it('leads from any bytes to any others', () => {
    fc.assert(
      fc.property(bytes, bytes, (base, target) => {
        expect(applyDelta(base, encodeLineDelta(base, target)).equals(target)).toBe(true);
      }),
    );
  });

  it('of one changed line is hardly more than that line', () => {
    const lines = Array.from({ length: 2000 }, (_, index) => `key${index}: value ${index % 7}\n`);
    const base = Buffer.from(lines.join(''));
    const target = Buffer.from(lines.toSpliced(1234, 1, 'key1234: another\n').join(''));
    expect(encodeLineDelta(base, target).length).toBeLessThan(17 + 30);
  });
});

describe('a thin pack', () => {
  it('gives stock Git the same objects as a whole one, where it has the previous versions', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 20 }), async (pairs) => {
        await using root = await temporaryDirectory();
        const directory = join(root.path, 'receiver.git');
        await git(root.path, ['init', '-q', '--bare', directory]);
        const olds = pairs.map(([old]) => createObject('blob', old));
        for (const { content } of olds) await git(directory, ['hash-object', '-w', '--stdin'], Buffer.from(content));
        const news = pairs.map(([, content], index) => createObject('blob', content, olds[index]?.id));
        const held = new Map(olds.map((old) => [old.id, { type: old.type, content: Buffer.from(old.content) }]));
        const pack = await encodeThinPack(news, await encodeEntries(news), async (id) => held.get(id));
        await git(directory, ['index-pack', '--stdin', '--fix-thin'], pack);
        for (const { id, content } of news) {
          expect(await git(directory, ['cat-file', 'blob', id])).toBe(Buffer.from(content).toString('utf8'));
        }
      }),
      { numRuns: 5 },
    ));

  const lines = Array.from({ length: 100 }, (_, index) => `${createHash('sha1').update(`${index}`).digest('hex')}\n`);
  const old = createObject('blob', Buffer.from(lines.join('')));
  const find = async (id: string) =>
    id === old.id ? { type: old.type, content: Buffer.from(old.content) } : undefined;
  const packOf = async (objects: readonly GitObject[]) =>
    firstHeader(await encodeThinPack(objects, await encodeEntries(objects), find));
  const changed = Buffer.from(lines.with(50, 'another\n').join(''));

  it('has what changed, where the previous version is known', async () => {
    expect((await packOf([createObject('blob', changed, old.id)])).kind).toBe('delta');
  });

  it('of a hundred objects, which the receiver keeps as a pack, has a delta only where it saves a kibibyte', async () => {
    const tree = (entries: number, first: string) =>
      Buffer.concat(
        Array.from({ length: entries }, (_, index) =>
          Buffer.concat([
            Buffer.from(`100644 ${String(index).padStart(4, '0')}\0`),
            Buffer.from(
              createHash('sha1')
                .update(index === 0 ? first : String(index))
                .digest('hex'),
              'hex',
            ),
          ]),
        ),
      );
    const kindOf = async (count: number, entries: number) => {
      const previous = createObject('tree', tree(entries, 'old'));
      const others = Array.from({ length: count - 1 }, (_, index) => createObject('tag', Buffer.from(`${index}`)));
      const all = [createObject('tree', tree(entries, 'new'), previous.id), ...others];
      const found = { type: 'tree' as const, content: Buffer.from(previous.content) };
      return firstHeader(await encodeThinPack(all, await encodeEntries(all), async () => found)).kind;
    };
    expect(await Promise.all([kindOf(99, 20), kindOf(100, 20), kindOf(100, 200)])).toEqual(['delta', 'tree', 'delta']);
  });

  it.each<[string, readonly GitObject[]]>([
    ['has no previous version', [createObject('blob', changed)]],
    ['has one that is not here', [createObject('blob', changed, '1'.repeat(40))]],
    ['has one of another type', [createObject('tree', Buffer.alloc(0), old.id)]],
    ['changed entirely', [createObject('blob', Buffer.from('x'), old.id)]],
    ['is one of two that took each other’s place', [createObject('blob', changed, old.id), old]],
    ['is larger than a mebibyte', [createObject('blob', Buffer.concat([changed, Buffer.alloc(1024 * 1024)]), old.id)]],
    [
      'is one of more than a hundred files',
      [
        createObject('blob', changed, old.id),
        ...Array.from({ length: 100 }, (_, index) => createObject('blob', Buffer.from(`${index}`))),
      ],
    ],
  ])('has an object whole that %s', async (_, objects) => {
    expect((await packOf(objects)).kind).not.toBe('delta');
  });
});

/** A remote with a directory of 2,000 files, and a store of it. */
async function scene() {
  const root = await temporaryDirectory();
  const directory = join(root.path, 'remote.git');
  await git(root.path, ['init', '-q', '--bare', '-b', 'main', directory]);
  const server = await startHttpGitServer(root.path);
  const store = await createGitStore({
    directory: join(root.path, 'clone.git'),
    maxBatch: 2000,
    remote: { url: `${server.url}/remote.git` },
  });
  await write(
    store,
    Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`all/${index}.yaml`, valuesOf(index, 'first')])),
  );
  const sent: Buffer[] = [];
  server.intercept = (request, _, body) => {
    if (request.url?.endsWith('/git-receive-pack')) sent.push(body);
    return false;
  };
  return {
    directory,
    server,
    store,
    sent,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      for (const each of [directory, join(root.path, 'clone.git')]) await fsck(each);
      await server[Symbol.asyncDispose]();
      await root[Symbol.asyncDispose]();
    },
  };
}

function valuesOf(index: number, color: string): string {
  return [...Array.from({ length: 40 }, (_, line) => `key${line}: value ${index * line}\n`), `color: ${color}\n`].join(
    '',
  );
}

describe('a push', () => {
  it('of one changed file costs what changed, not what its directory holds', async () => {
    await using scenery = await scene();
    const { store, sent, directory } = scenery;
    await write(store, { 'all/7.yaml': valuesOf(7, 'second') });
    expect(sent).toHaveLength(1);
    // The tree alone has 2,000 names and ids, 70 kB.
    expect(sent[0]?.length).toBeLessThan(1000);
    expect(await git(directory, ['show', 'main:all/7.yaml'])).toBe(valuesOf(7, 'second'));
  });

  it('to a remote that reads no thin packs is sent again whole, and whole from then on', async () => {
    await using scenery = await scene();
    const { store, sent, server } = scenery;
    const { intercept } = server;
    server.intercept = async (request, response, body) => {
      await intercept(request, response, body);
      if (!request.url?.endsWith('/git-receive-pack') || body.length > 10_000) return false;
      response.setHeader('content-type', 'application/x-git-receive-pack-result');
      const report = Buffer.concat([
        encodePktLine('unpack index-pack abnormal exit\n'),
        encodePktLine('ng refs/heads/main unpacker error\n'),
        FLUSH_PKT,
      ]);
      response.end(report);
      return true;
    };
    await write(store, { 'all/7.yaml': valuesOf(7, 'second') });
    await write(store, { 'all/8.yaml': valuesOf(8, 'second') });
    expect(sent.map((body) => body.length > 10_000)).toEqual([false, true, true]);
    expect(await readText(await store.snapshot(), 'all/8.yaml')).toBe(valuesOf(8, 'second'));
  });

  it('after the remote was rewound to before the base of a delta is decided anew', async () => {
    await using scenery = await scene();
    const { store, directory } = scenery;
    const first = (await git(directory, ['rev-parse', 'main'])).trim();
    await write(store, { 'all/7.yaml': valuesOf(7, 'second') });
    await git(directory, ['update-ref', 'refs/heads/main', first]);
    await git(directory, ['reflog', 'expire', '--expire=now', '--all']);
    await git(directory, ['gc', '-q', '--prune=now']);
    const path = parseRepoPath('all/7.yaml');
    const seen: (string | undefined)[] = [];
    const [receipt] = await store.write([
      {
        subject: 'test',
        async propose(snapshot) {
          seen.push(await readText(snapshot, path));
          return { edits: [{ path, bytes: Buffer.from('third') }], summary: 'third', trailers: [], actor: null };
        },
      },
    ]);
    expect(receipt?.outcome).toBe('written');
    expect(seen).toEqual([valuesOf(7, 'second'), valuesOf(7, 'first')]);
    expect((await git(directory, ['rev-list', 'main'])).trim().split('\n')).toHaveLength(2);
  });
});
