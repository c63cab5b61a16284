import { execFile, spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CommitId } from '@caelus/core';
import { createGitStore, type GitSigner } from '@caelus/git-store';
import { describe, expect, it } from 'vitest';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { startHttpGitServer } from './http-git-server.ts';
import { collect, put, write } from './store-writing.ts';

const run = promisify(execFile);
const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;
const skipReason = 'ssh-keygen is not installed; CI requires it';

/** A signer with a fresh key, and how stock Git is told to trust it. */
async function sshSigner(directory: string): Promise<{ readonly sign: GitSigner; readonly trust: readonly string[] }> {
  const key = join(directory, 'key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'caelus', '-f', key]);
  const publicKey = (await readFile(`${key}.pub`, 'utf8')).trim();
  const allowed = join(directory, 'allowed_signers');
  await writeFile(allowed, `caelus@localhost namespaces="git" ${publicKey}\n`);
  let count = 0;
  return {
    trust: ['-c', 'gpg.format=ssh', '-c', `gpg.ssh.allowedSignersFile=${allowed}`],
    async sign(payload) {
      count += 1;
      const file = join(directory, `payload-${count}`);
      await writeFile(file, payload);
      await run('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', key, file]);
      return readFile(`${file}.sig`, 'utf8');
    },
  };
}

const armored = (kind: string, body = 'U1NIU0lH\nAAAA') => `-----BEGIN ${kind}-----\n${body}\n-----END ${kind}-----\n`;

describe('signed commits', () => {
  it('are verified by stock Git, and refused once they were changed', { timeout: 30_000 }, async (context) => {
    if (!hasSshKeygen && !process.env.CI) return context.skip(skipReason);
    await using root = await temporaryDirectory();
    const { sign, trust } = await sshSigner(root.path);
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, sign });
    await write(store, { a: '1' });
    const summary = 'Gruß, with a body that is long enough to be written below the subject of its own commit message';
    await store.write([put({ a: '2' }, { summary, trailers: [{ key: 'Caelus-Change', value: 'x 1 y' }] })]);
    await fsck(directory);

    for (const commit of ['main~1', 'main']) await git(directory, [...trust, 'verify-commit', commit]);
    expect(await git(directory, [...trust, 'log', '-1', '--format=%G? %GS', 'main'])).toBe('G caelus@localhost\n');
    const content = await git(directory, ['cat-file', 'commit', 'main']);
    expect(content).toMatch(/\ncommitter [^\n]*\ngpgsig -----BEGIN SSH SIGNATURE-----\n(?: [^\n]*\n)+\nGruß/);
    const forged = await git(
      directory,
      ['hash-object', '-t', 'commit', '-w', '--stdin'],
      content.replace('Gruß', 'Kuss'),
    );
    await expect(git(directory, [...trust, 'verify-commit', forged.trim()])).rejects.toThrow('verify-commit');

    const [record] = await collect(store.log({ limit: 1 }));
    expect(record).toMatchObject({ author: { name: 'Caelus' }, trailers: [{ key: 'Caelus-Change', value: 'x 1 y' }] });
    expect(record?.message).not.toContain('SIGNATURE');
    expect((await store.snapshotAt(record?.commit as CommitId)).commit).toBe(record?.commit);
  });

  it('hold annotated tags too, which stock Git verifies', { timeout: 30_000 }, async (context) => {
    if (!hasSshKeygen && !process.env.CI) return context.skip(skipReason);
    await using root = await temporaryDirectory();
    const { sign, trust } = await sshSigner(root.path);
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, sign });
    const receipt = await write(store, { a: '1' });
    await store.createTag({
      name: 'v1',
      commit: receipt.outcome === 'written' ? receipt.commit : ('' as CommitId),
      message: 'One',
    });
    await git(directory, [...trust, 'verify-tag', 'v1']);
    expect(await git(directory, ['tag', '-l', '--format=%(contents:subject)', 'v1'])).toBe('One\n');
    await fsck(directory);
  });

  it('are written as Git writes them, whatever kind of signature it is', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    let signature = '';
    const payloads: string[] = [];
    const sign: GitSigner = async (payload) => {
      payloads.push(Buffer.from(payload).toString('utf8'));
      payload.fill(0);
      return signature;
    };
    await using store = await createGitStore({ directory, sign });
    for (const [index, kind] of ['SSH SIGNATURE', 'PGP SIGNATURE', 'PGP MESSAGE', 'SIGNED MESSAGE'].entries()) {
      // OpenPGP has an empty line after its headers; some signers end lines as Windows does.
      signature = armored(kind, 'Version: 1\n\nAAAA').replaceAll('\n', index === 0 ? '\r\n' : '\n');
      await write(store, { a: String(index) });
      const content = await git(directory, ['cat-file', 'commit', 'main']);
      const header = `gpgsig -----BEGIN ${kind}-----\n Version: 1\n \n AAAA\n -----END ${kind}-----\n`;
      expect(content).toContain(`+0000\n${header}\n`);
      expect(content.replace(header, '')).toBe(payloads[index]);
    }
    await fsck(directory);
  });

  const failures: readonly [string, GitSigner, boolean][] = [
    ['throws', () => Promise.reject(new Error('passphrase canary-1234')), true],
    [
      'throws at once',
      (() => {
        throw new Error('canary-1234');
      }) as GitSigner,
      true,
    ],
    ['returns nothing', async () => '', false],
    ['returns no text', async () => new Uint8Array(4) as unknown as string, false],
    ['returns half a signature', async () => '-----BEGIN SSH SIGNATURE-----\nAAAA', false],
    ['returns two', async () => armored('SSH SIGNATURE') + armored('PGP SIGNATURE'), false],
    ['returns another armor', async () => armored('OPENSSH PRIVATE KEY'), false],
    ['ends with another armor', async () => armored('SSH SIGNATURE').replace('END SSH', 'END PGP'), false],
    ['returns a zero byte', async () => armored('SSH SIGNATURE', 'A\0A'), false],
    ['returns too much', async () => armored('SSH SIGNATURE', 'A'.repeat(64 * 1024)), false],
  ];
  it.each(failures)('are not written at all where the signer %s', async (_what, sign, retryable) => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    let isGood = true;
    await using store = await createGitStore({
      directory,
      sign: (payload) => (isGood ? Promise.resolve(armored('SSH SIGNATURE')) : sign(payload)),
    });
    const first = await write(store, { a: '1' });
    const commit = first.outcome === 'written' ? first.commit : null;
    const before = await readdir(directory, { recursive: true });
    isGood = false;
    const failure = await store.write([put({ a: '2' })]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'GIT_SIGNING_FAILED', retryable });
    expect(`${String(failure)} ${JSON.stringify(failure)} ${String((failure as Error).cause)}`).not.toContain('canary');
    await expect(store.createTag({ name: 'v1', commit: commit as CommitId, message: 'One' })).rejects.toMatchObject({
      code: 'GIT_SIGNING_FAILED',
    });
    expect(await readdir(directory, { recursive: true })).toEqual(before);
    expect((await store.snapshot()).commit).toBe(commit);
    isGood = true;
    expect((await write(store, { a: '2' })).outcome).toBe('written');
  });

  it('reach a remote, and nothing does where the signer fails', async () => {
    await using root = await temporaryDirectory();
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', 'remote.git']);
    await using server = await startHttpGitServer(root.path);
    let isGood = true;
    await using store = await createGitStore({
      directory: join(root.path, 'clone.git'),
      remote: { url: `${server.url}/remote.git` },
      sign: async () => (isGood ? armored('PGP SIGNATURE') : ''),
    });
    await write(store, { a: '1' });
    expect(await git(join(root.path, 'remote.git'), ['cat-file', 'commit', 'main'])).toContain(
      '\ngpgsig -----BEGIN PGP',
    );
    isGood = false;
    const posts = server.requests.filter(({ path }) => path.endsWith('git-receive-pack')).length;
    await expect(write(store, { a: '2' })).rejects.toMatchObject({ code: 'GIT_SIGNING_FAILED' });
    expect(server.requests.filter(({ path }) => path.endsWith('git-receive-pack'))).toHaveLength(posts);
  });

  it('need a function', async () => {
    const sign = 'key' as unknown as GitSigner;
    await expect(createGitStore({ directory: '/x', sign })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { issues: [{ path: '/sign' }] },
    });
  });
});
