import { join } from 'node:path';
import { type Change, isCaelusError, type ProposedChange, parseRepoPath, renderCommitMessage } from '@caelus/core';
import { createGitStore } from '@caelus/git-store';
import fc from 'fast-check';
import { expect } from 'vitest';
import { fsck, git, temporaryDirectory } from '../git-command.ts';
import { expectSameObjects } from '../read-objects.ts';

const WHO = 'Fuzz <fuzz@example.com>';
const START = 1_700_000_000;

/** Whether Caelus could have written a file of that name. */
function isOwn(name: string): boolean {
  try {
    return parseRepoPath(name) === name;
  } catch (error) {
    if (isCaelusError(error, 'PATH_INVALID')) return false;
    throw error;
  }
}

/** Names whose order depends on whether they are directories, and which other names begin with. */
const awkwardName = fc.constantFrom('a', 'a-b', 'a.b', 'a0', 'A', 'ab', 'b', '0', 'a_', 'a-', 'aa');
const name = fc.oneof(
  { weight: 5, arbitrary: awkwardName },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/).filter(isOwn) },
);
const path = fc.array(name, { minLength: 1, maxLength: 5, size: 'max' }).map((parts) => parts.join('/'));
const content = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  // Alike enough to become deltas of one another.
  fc
    .nat(999)
    .map((line) => Buffer.from(Array.from({ length: 200 }, (_, at) => (at === line % 200 ? line : at)).join('\n'))),
);
/** A name that others may use, and Caelus never would, as Latin-1 text of its bytes. */
const foreignName = fc
  .uint8Array({ minLength: 1, maxLength: 8 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x20 : byte))).toString('latin1'))
  .filter((text) => !/^\.{0,2}$|^\.?git/i.test(text) && !isOwn(text));

type Step =
  | { readonly by: 'store'; readonly files: readonly (readonly [string, Uint8Array | null])[] }
  | { readonly by: 'git'; readonly directory: string; readonly name: string; readonly bytes: Uint8Array };

const edits = fc.array(fc.tuple(path, fc.option(content, { freq: 4 })), { minLength: 1, maxLength: 25, size: 'max' });
const crowd = fc
  .tuple(name, fc.integer({ min: 50, max: 400 }), content)
  .map(([directory, count, bytes]) =>
    Array.from({ length: count }, (_, index): [string, Uint8Array] => [`${directory}/crowd/n${index * 7}`, bytes]),
  );
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: edits.map((files): Step => ({ by: 'store', files })) },
  { weight: 1, arbitrary: crowd.map((files): Step => ({ by: 'store', files })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(name, foreignName, content)
      .map(([directory, foreign, bytes]): Step => ({ by: 'git', directory, name: foreign, bytes })),
  },
);
export const history: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 3, maxLength: 20, size: 'max' });

/** All files, by the Latin-1 text of their paths. */
type Files = ReadonlyMap<string, Uint8Array>;

/** A file takes the place of what lies below it, and a directory the place of a file above it. */
function withFile(files: Files, name: string, bytes: Uint8Array | null): Files {
  const isInTheWay = (each: string) => each === name || each.startsWith(`${name}/`) || name.startsWith(`${each}/`);
  const kept = [...files].filter(([each]) => (bytes === null ? each !== name : !isInTheWay(each)));
  return new Map(bytes === null ? kept : [...kept, [name, bytes]]);
}

/** What leads from one to the other, of the paths that Caelus could have written. */
function changeBetween(before: Files, after: Files): Change {
  const gone = [...before.keys()].filter((each) => !after.has(each)).map((each) => ({ path: each, bytes: null }));
  const there = [...after].map(([each, bytes]) => ({ path: each, bytes }));
  return [...gone, ...there]
    .filter(({ path: each }) => isOwn(each))
    .map(({ path: each, bytes }) => ({ path: parseRepoPath(each), bytes }));
}

const quoted = (text: string) =>
  `"${[...Buffer.from(text, 'latin1')].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"`;

function fileCommand(name: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`M 100644 inline ${quoted(name)}\ndata ${bytes.length}\n`),
    bytes,
    Buffer.from('\n'),
  ]);
}

function commitCommand(at: number, message: string, from: string): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([
    Buffer.from(
      `commit refs/heads/main\nauthor ${WHO} ${at} +0000\ncommitter ${WHO} ${at} +0000\ndata ${bytes.length}\n`,
    ),
    bytes,
    Buffer.from(`\n${from}`),
  ]);
}

const inOrder = (text: string) => text.trim().split('\n').toSorted();
const objectsOf = (directory: string) =>
  git(directory, ['cat-file', '--batch-all-objects', '--batch-check']).then(inOrder);

/** Writes a history by the store, with commits of stock Git in between, and the same content by stock Git alone. */
export async function checkHistory(steps: readonly Step[]): Promise<void> {
  await using root = await temporaryDirectory();
  const directory = join(root.path, 'store.git');
  const stock = join(root.path, 'stock.git');
  await git(root.path, ['init', '-q', '--bare', '-b', 'main', stock]);
  let at = START;
  await using store = await createGitStore({
    directory,
    now: () => new Date(at * 1000),
    committer: { name: 'Fuzz', email: 'fuzz@example.com' },
  });
  let files: Files = new Map();
  const stream: Buffer[] = [];
  for (const each of steps) {
    at += 1;
    const before = files;
    if (each.by === 'git') {
      const file = `${each.directory}/${each.name}`;
      files = withFile(files, file, each.bytes);
      const from = stream.length === 0 ? '' : 'from refs/heads/main^0\n';
      const hidden = [...before.keys()].filter((path) => file.startsWith(`${path}/`));
      const remove = hidden.map((path) => Buffer.from(`D ${quoted(path)}\n`));
      const input = Buffer.concat([commitCommand(at, 'by hand\n', from), ...remove, fileCommand(file, each.bytes)]);
      await git(directory, ['fast-import', '--quiet'], input);
      stream.push(commitCommand(at, 'by hand\n', ''));
    } else {
      for (const [name, bytes] of each.files) files = withFile(files, name, bytes);
      // A file of others that a change would hide makes it fail; such a step is left out.
      const foreign = (all: Files) => [...all.keys()].filter((path) => !isOwn(path)).length;
      if (foreign(files) < foreign(before)) files = before;
      const change = changeBetween(before, files);
      const proposal = { edits: change, summary: `step ${at}`, trailers: [], actor: null };
      const proposed: ProposedChange = { subject: 'fuzz', propose: async () => proposal };
      const [receipt] = await store.write([proposed]);
      if (receipt?.outcome === 'failed') throw receipt.error;
      if (receipt?.outcome !== 'written') continue;
      stream.push(commitCommand(at, renderCommitMessage([proposal]), ''));
    }
    stream.push(Buffer.from('deleteall\n'), ...[...files].map(([name, bytes]) => fileCommand(name, bytes)));
  }
  if (stream.length === 0) return;
  await git(stock, ['fast-import', '--quiet'], Buffer.concat(stream));
  expect(await git(directory, ['rev-list', 'main'])).toBe(await git(stock, ['rev-list', 'main']));
  const objects = await objectsOf(stock);
  expect(await objectsOf(directory)).toEqual(objects);
  await store.consolidate();
  await fsck(directory);
  expect(await objectsOf(directory)).toEqual(objects);
  expect(await expectSameObjects(directory)).toBe(objects.length);
  await checkRepacked(directory);
}

const REPACKS = [
  ['repack', '-adfq', '--depth=50', '--window=50'],
  ['-c', 'repack.useDeltaBaseOffset=false', 'repack', '-adfq', '--depth=50'],
  ['gc', '-q', '--aggressive'],
  ['repack', '-adFq', '--depth=0'],
];

/** Reads what stock Git has packed in all its ways. */
async function checkRepacked(directory: string): Promise<void> {
  for (const command of REPACKS) {
    await git(directory, command);
    await expectSameObjects(directory);
  }
}
