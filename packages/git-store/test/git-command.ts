import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRepoPath, type RepoPath } from '@caelus/core';

const environment = {
  PATH: process.env.PATH,
  HOME: tmpdir(),
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Stock',
  GIT_AUTHOR_EMAIL: 'stock@example.com',
  GIT_COMMITTER_NAME: 'Stock',
  GIT_COMMITTER_EMAIL: 'stock@example.com',
};

/** Runs stock Git; rejects where it fails or, for `fsck`, has anything to say. */
export function git(directory: string, args: readonly string[], input?: string | Buffer): Promise<string> {
  return gitBytes(directory, args, input).then((bytes) => bytes.toString('utf8'));
}

export function gitBytes(directory: string, args: readonly string[], input?: string | Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'git',
      ['-C', directory, ...args],
      { env: environment, encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`git ${args.join(' ')}: ${stderr.toString('utf8')}`));
        else resolve(stdout);
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

/** Fails where `git fsck --strict` finds anything wrong. Objects of abandoned attempts may dangle. */
export async function fsck(directory: string): Promise<void> {
  const found = await git(directory, ['fsck', '--strict', '--full', '--no-dangling', '--no-progress']);
  if (found.trim() !== '') throw new Error(`git fsck: ${found}`);
}

/** Also of commits that no branch has: a store that finds a commit relies on having all of it. */
export async function checkCommitsAreComplete(directory: string): Promise<void> {
  const listing = await git(directory, [
    'cat-file',
    '--batch-all-objects',
    '--batch-check=%(objecttype) %(objectname)',
  ]);
  const commits = [...listing.matchAll(/^commit (.*)$/gm)].map(([, id = '']) => id);
  await git(directory, ['rev-list', '--objects', '--stdin'], commits.join('\n'));
}

/** All files of a branch, as stock Git reads them; none where there is no such branch. */
export async function treeOf(directory: string, revision: string): Promise<ReadonlyMap<RepoPath, Uint8Array>> {
  const files = new Map<RepoPath, Uint8Array>();
  const listing = await git(directory, ['ls-tree', '-r', '-z', revision]).catch((error: Error) => {
    if (/not a valid object name/i.test(error.message)) return '';
    throw error;
  });
  const lines = listing.split('\0').filter(Boolean);
  if (lines.length === 0) return files;
  const entries = lines.map((line) => {
    const [, id = '', path = ''] = /^\d+ blob ([0-9a-f]{40})\t(.*)$/s.exec(line) ?? [];
    return { id, path };
  });
  const batch = await gitBytes(directory, ['cat-file', '--batch'], entries.map(({ id }) => `${id}\n`).join(''));
  let at = 0;
  for (const { path } of entries) {
    const end = batch.indexOf(0x0a, at);
    const size = Number(batch.toString('latin1', at, end).split(' ')[2]);
    files.set(parseRepoPath(path), batch.subarray(end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  return files;
}

/** A directory that is removed at the end of the scope. */
export async function temporaryDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'caelus-git-store-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}
