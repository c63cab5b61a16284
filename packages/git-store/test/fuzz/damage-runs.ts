import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaelusError, parseRepoPath } from '@caelus/core';
import { createGitStore, type GitStore } from '@caelus/git-store';
import { expect } from 'vitest';
import { git, temporaryDirectory } from '../git-command.ts';
import { startHttpGitServer } from '../http-git-server.ts';
import { collect, readText, write } from '../store-writing.ts';

/** Where the ids begin in an index; before them is the table of how many there are. */
const IDS_AT = 8 + 256 * 4;
/** How each byte is damaged: one bit, and all of them. */
const FLIPS = [0x01, 0xff];
const LINES = Array.from({ length: 60 }, (_, index) => `line ${index}`).join('\n');
/** What a damaged repository may say. */
const REPORTED = ['STORE_CORRUPT', 'GIT_PROTOCOL_INVALID'];

async function fill(store: GitStore): Promise<void> {
  await write(store, { 'dir/file': LINES, 'dir/other': 'other' });
  await write(store, { 'dir/file': `${LINES}\nthe end` });
}

/** Everything that can be read, as text; or the code of what is reported. */
async function readAll(store: GitStore): Promise<string> {
  try {
    const snapshot = await store.snapshot();
    const names = await Promise.all(['dir/file', 'dir/other', 'dir/none'].map((name) => readText(snapshot, name)));
    const tree = await snapshot.readTree(parseRepoPath('dir'));
    const log = await collect(store.log());
    return JSON.stringify([snapshot.commit, names, [...tree.keys()], log.length]);
  } catch (error) {
    if (!(error instanceof CaelusError)) throw error;
    return error.code;
  }
}

/** Damages each n-th byte of the files of a small pack with deltas: what is read is right, or reported. */
export async function proveDamagedPack(every: number): Promise<void> {
  await using root = await temporaryDirectory();
  const directory = join(root.path, 'store.git');
  await using writer = await createGitStore({ directory });
  await fill(writer);
  await git(directory, ['repack', '-adfq', '--depth=50']);
  const packs = join(directory, 'objects/pack');
  const read = async () => {
    await using store = await createGitStore({ directory });
    return await readAll(store);
  };
  const right = await read();
  const names = (await readdir(packs)).filter((name) => /\.(?:pack|idx)$/.test(name));
  expect(names).toHaveLength(2);
  const outcomes = new Set<string>();
  for (const name of names) {
    const path = join(packs, name);
    const whole = await readFile(path);
    await git(directory, ['config', 'core.sharedRepository', '0666']);
    for (let at = 0; at < whole.length; at += every) {
      for (const flip of FLIPS) {
        const damaged = Buffer.from(whole);
        damaged.writeUInt8(whole.readUInt8(at) ^ flip, at);
        await writeFile(path, damaged);
        const outcome = await read();
        expect([right, 'STORE_CORRUPT'], `byte ${at} of ${name}`).toContain(outcome);
        outcomes.add(outcome);
      }
    }
    await writeFile(path, whole);
  }
  // An index that is whole, and says of two objects that each is where the other one is.
  const [index = ''] = names.filter((name) => name.endsWith('.idx'));
  const whole = await readFile(join(packs, index));
  const count = whole.readUInt32BE(IDS_AT - 4);
  const offsetOf = (position: number) => IDS_AT + 24 * count + 4 * position;
  for (let one = 0; one < count; one += 1) {
    for (let other = 0; other < one; other += 1) {
      const swapped = Buffer.from(whole);
      swapped.writeUInt32BE(whole.readUInt32BE(offsetOf(one)), offsetOf(other));
      swapped.writeUInt32BE(whole.readUInt32BE(offsetOf(other)), offsetOf(one));
      await writeFile(join(packs, index), swapped);
      expect([right, 'STORE_CORRUPT'], `objects ${one} and ${other} swapped`).toContain(await read());
    }
  }
  // Some bytes are never looked at: checksums of entries, for one.
  expect(outcomes).toEqual(new Set([right, 'STORE_CORRUPT']));
}

/** Damages, or cuts off, each n-th byte of what a remote sends at a first contact: it is refused, and never kept. */
export async function proveDamagedFetch(every: number): Promise<void> {
  await using root = await temporaryDirectory();
  const served = join(root.path, 'remote.git');
  {
    await using writer = await createGitStore({ directory: served });
    await fill(writer);
  }
  await git(served, ['gc', '-q']);
  await using server = await startHttpGitServer(root.path);
  const remote = { url: `${server.url}/remote.git` };
  const answers = new Map<string, Buffer>();
  server.answering = (request, answer) => {
    answers.set(request.method ?? '', answer.subarray(answer.indexOf('\r\n\r\n') + 4));
    return true;
  };
  const empty = join(root.path, 'empty.git');
  await (await createGitStore({ directory: empty, remote }))[Symbol.asyncDispose]();
  const readClone = async (directory: string) => {
    await using store = await createGitStore({ directory, remote });
    return await readAll(store);
  };
  let clones = 0;
  const newClone = async () => {
    clones += 1;
    const directory = join(root.path, `clone-${clones}.git`);
    await cp(empty, directory, { recursive: true });
    return directory;
  };
  const right = await readClone(await newClone());

  let sent: Buffer | undefined;
  server.intercept = (request, response) => {
    const service = request.method === 'GET' ? 'advertisement' : 'result';
    response.setHeader('content-type', `application/x-git-upload-pack-${service}`);
    response.end((request.method === 'POST' ? sent : undefined) ?? answers.get(request.method ?? ''));
    return true;
  };
  const whole = answers.get('POST') ?? Buffer.alloc(0);
  const seen = new Set<string>();
  const check = async (bytes: Buffer, name: string) => {
    sent = bytes;
    const directory = await newClone();
    const outcome = await readClone(directory);
    expect([right, ...REPORTED], name).toContain(outcome);
    seen.add(outcome === right ? 'right' : outcome);
    // It was not kept: once the remote sends what it has, it is read.
    sent = undefined;
    expect(await readClone(directory), name).toBe(right);
    await rm(directory, { recursive: true });
  };
  for (let at = 0; at < whole.length; at += every) {
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(whole.readUInt8(at) ^ (FLIPS[at % FLIPS.length] ?? 1), at);
    await check(damaged, `byte ${at} of what was sent`);
    await check(whole.subarray(0, at), `the first ${at} bytes of what was sent`);
  }
  expect(seen).toContain('STORE_CORRUPT');
}
