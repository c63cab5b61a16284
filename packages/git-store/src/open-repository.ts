import type { FileAccess } from './file-access.ts';
import { unsupported } from './git-errors.ts';
import { KEEP_MARK } from './pack/pack-directory.ts';

export interface OpenRepositoryOptions {
  readonly files: FileAccess;
  readonly gitdir: string;
  /** Where this store keeps temporary files and its mark; inside the repository, so that a rename is one step. */
  readonly scratch: string;
  readonly branch: string;
  readonly remoteUrl: string | undefined;
  /** Whether the branch exists in the directory. */
  hasBranch(): Promise<boolean>;
}

const CONFIG = '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n';
const DIRECTORIES = ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags'];
/** Long enough that nobody can still be writing it. */
const LEFTOVER_MILLISECONDS = 60 * 60 * 1000;

/**
 * Makes the bare repository, or checks that the one that is there can be written safely.
 * @throws {CaelusError} `GIT_REPOSITORY_UNSUPPORTED`
 */
export async function openRepository(options: OpenRepositoryOptions): Promise<void> {
  const { files, gitdir, scratch, branch } = options;
  const packDirectory = `${gitdir}/objects/pack`;
  const found = await files.list(gitdir);
  if (!found.includes('HEAD')) {
    const names = found.filter((name) => !OWN_NAMES.test(name));
    if (names.length > 0) {
      throw unsupported(gitdir, names.includes('.git') ? 'it has a work tree.' : 'it holds other files.');
    }
    for (const name of DIRECTORIES) await files.makeDirectory(`${gitdir}/${name}`);
    await files.replace(`${gitdir}/config`, Buffer.from(CONFIG));
    // Last, because with it the directory is a repository.
    await files.replace(`${gitdir}/HEAD`, Buffer.from(`ref: refs/heads/${branch}\n`));
    await files.syncDirectories([gitdir, `${gitdir}/refs`, `${gitdir}/objects`]);
  }
  const problem = unsupportedConfig((await files.read(`${gitdir}/config`))?.toString('utf8') ?? '');
  if (problem !== undefined) throw unsupported(gitdir, problem);
  await files.makeDirectory(scratch);
  await checkMark(options);
  const temporary = (await files.list(scratch)).filter((name) => /^(?:ref|lock|break|tmp)[-_]/.test(name));
  await removeOld(files, scratch, temporary);
  await removeOld(files, packDirectory, await packLeftovers(files, packDirectory));
}

/** What a writer that was killed leaves beside the packs: marks of ours, packs without an index, temporary files. */
async function packLeftovers(files: FileAccess, directory: string): Promise<readonly string[]> {
  const names = new Set(await files.list(directory));
  const leftovers: string[] = [];
  for (const name of names) {
    const isUnfinished = /^pack-[0-9a-f]+\.pack$/.test(name) && !names.has(name.replace(/pack$/, 'idx'));
    const isMark = name.endsWith('.keep') && (await files.read(`${directory}/${name}`))?.equals(KEEP_MARK);
    if (isUnfinished || isMark || /^tmp_(?:pack|idx)_/.test(name)) leftovers.push(name);
  }
  return leftovers;
}

async function removeOld(files: FileAccess, directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const modifiedAt = await files.modifiedAt(`${directory}/${name}`);
    const isOld = modifiedAt !== undefined && Date.now() - modifiedAt > LEFTOVER_MILLISECONDS;
    if (isOld) await files.remove(`${directory}/${name}`);
  }
}

/** What another process may have made of an empty directory so far. */
const OWN_NAMES = /^(?:objects|refs|config|caelus|tmp_caelus_[0-9a-f]+)$/;

/**
 * A directory belongs to one remote, or to none. Otherwise a branch with commits of its own could be taken for a cache, and
 * be moved to what the remote has.
 */
async function checkMark({ files, gitdir, scratch, remoteUrl, hasBranch }: OpenRepositoryOptions): Promise<void> {
  const path = `${scratch}/remote`;
  const mark = (await files.read(path))?.toString('utf8').trim();
  if (mark === remoteUrl) return;
  if (mark !== undefined)
    throw unsupported(gitdir, 'it is the cache of a remote, and not of the one that is configured.');
  if (await hasBranch()) throw unsupported(gitdir, 'its branch has commits that do not come from the remote.');
  await files.replace(path, Buffer.from(`${remoteUrl}\n`));
}

function unsupportedConfig(config: string): string | undefined {
  let section = '';
  for (const line of config.split('\n')) {
    const header = /^\s*\[\s*([^\]\s"]+)/.exec(line)?.[1];
    if (header !== undefined) section = header.toLowerCase();
    const [, key = '', value = ''] =
      /^(?:\s*\[[^\]]*\])?\s*([A-Za-z][A-Za-z0-9-]*)\s*=?\s*"?([^"#;]*)/.exec(line) ?? [];
    const setting = `${section}.${key.toLowerCase()}=${value.trim().toLowerCase()}`;
    if (setting === 'core.bare=false') return 'it has a work tree.';
    if (/^extensions\.objectformat=(?!sha1$)/.test(setting)) return 'its object names are not SHA-1.';
    if (/^extensions\.refstorage=(?!files$)/.test(setting)) return 'its refs are not stored as files.';
    if (/^core\.repositoryformatversion=(?![01]$)/.test(setting)) return 'its format version is not known.';
  }
  return undefined;
}
