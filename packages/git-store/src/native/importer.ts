import { type Actor, type Change, type CommitId, signature } from '@caelus/core';
import { type FileAccess, nonce } from '../file-access.ts';
import type { CommitFields } from '../git-backend.ts';
import type { GitObject } from '../git-object.ts';
import { encodeObjects } from '../pack/encode-pack.ts';
import { KEEP_MARK } from '../pack/pack-directory.ts';
import { parsePackIndex } from '../pack/pack-index.ts';
import type { GitProgram } from './git-program.ts';
import { createPlumbing, PlumbingError } from './plumbing.ts';

export interface ImporterOptions {
  readonly git: GitProgram;
  readonly files: FileAccess;
  readonly gitdir: string;
  readonly scratch: string;
  /** Whether what was written outlives a power cut. */
  readonly isDurable: boolean;
}

/** Writes commits by a long-lived `git fast-import`, with what is new in them, each into a pack of its own. */
export interface Importer {
  /**
   * Writes a commit durably, then runs `body`, which makes a branch lead to it, or to another commit among `needed`. Until that
   * is done, no garbage collection takes any of `needed`, the objects that are new in the commit. One call at a time.
   * @throws {PlumbingError}
   */
  write<T>(commit: NewImport, needed: readonly GitObject[], body: (imported: CommitId) => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

export interface NewImport {
  readonly base: CommitId | null;
  readonly edits: Change;
  readonly fields: CommitFields;
}

/** A name for the process alone: the ref is taken back before it is written. */
const REF = 'refs/caelus/import';
const NO_COMMIT = '0'.repeat(40);
/** Of one process. */
const MOST_COMMITS = 1000;
const OBJECT_ID = /^[0-9a-f]{40}$/;

export function createImporter({ git, files, gitdir, scratch, isDurable }: ImporterOptions): Importer {
  const packDirectory = `${gitdir}/objects/pack`;
  /** Where the process notes the packs that it has finished. */
  const notes = `${scratch}/tmp_packs-${nonce()}`;
  let noted = 0;
  const plumbing = createPlumbing(
    git,
    ['fast-import', '--quiet', '--force', '--date-format=raw', `--export-pack-edges=${notes}`],
    [
      ['fastimport.unpackLimit', '0'],
      ['core.fsync', isDurable ? 'all' : 'none'],
      ['core.compression', '1'],
      // Only the ref that is taken back could be locked by somebody, and nothing depends on it.
      ['core.filesRefLockTimeout', '0'],
      ['core.packedRefsTimeout', '0'],
    ],
  );
  let commits = 0;

  async function newPacks(): Promise<readonly string[]> {
    const text = (await files.read(notes))?.toString('utf8') ?? '';
    const lines = text.slice(noted).split('\n');
    noted = text.length;
    return lines.flatMap((line) => /\/(pack-[0-9a-f]{40})\.pack:/.exec(line)?.[1] ?? []);
  }

  async function objectsOf(packs: readonly string[]): Promise<ReadonlySet<string>> {
    const indexes = await Promise.all(packs.map((pack) => files.read(`${packDirectory}/${pack}.idx`)));
    return new Set(
      indexes.flatMap((index) => (index === undefined ? [] : parsePackIndex(index).objects.map(({ id }) => id))),
    );
  }

  /**
   * The process does not write what some pack has already. Where no branch leads to that one, garbage collection may take it
   * before a branch leads here, so such objects are written once more.
   */
  async function writePack(objects: readonly GitObject[]): Promise<string> {
    const { name, pack } = await encodeObjects(objects);
    const keep = `--keep=${KEEP_MARK.toString('utf8').trimEnd()}`;
    const { code } = await git.run(['index-pack', '--stdin', keep], { input: Buffer.concat(pack) });
    if (code !== 0) throw new PlumbingError({ isGivenUp: true });
    return name;
  }

  return {
    async write(commit, needed, body) {
      // It remembers every object that it has written.
      if (commits % MOST_COMMITS === 0) await plumbing.end();
      commits += 1;
      let packs: readonly string[] = [];
      try {
        const imported = await plumbing
          .ask(encodeImport(commit), async (answer) => {
            const line = await answer.line();
            if (!OBJECT_ID.test(line)) throw new PlumbingError({ isGivenUp: true });
            return line as CommitId;
          })
          .finally(async () => {
            packs = await newPacks();
          });
        const written = await objectsOf(packs);
        const missing = needed.filter(({ id }) => !written.has(id));
        if (missing.length > 0) packs = [...packs, await writePack(missing)];
        if (isDurable) await files.syncDirectories([packDirectory]);
        return await body(imported);
      } finally {
        // Git keeps them until the process ends.
        for (const pack of packs) await files.remove(`${packDirectory}/${pack}.keep`);
      }
    },

    async end() {
      await plumbing.end();
      await files.remove(notes);
    },
  };
}

/** The stream of commands, in which every text has its length before it, or is quoted. */
function encodeImport({ base, edits, fields }: NewImport): Buffer {
  const time = `${Math.floor(fields.at.getTime() / 1000)} +0000`;
  const removed = edits.filter(({ bytes }) => bytes === null);
  return Buffer.concat([
    Buffer.from(`commit ${REF}\nmark :1\n`),
    Buffer.from(`author ${identity(fields.author)} ${time}\ncommitter ${identity(fields.committer)} ${time}\n`),
    ...encodeData(Buffer.from(fields.message)),
    Buffer.from(base === null ? '' : `from ${base}\n`),
    // First, so that a file can take the place of a directory, and the other way round.
    ...removed.map(({ path }) => Buffer.from(`D ${quote(path)}\n`)),
    ...edits.flatMap(({ path, bytes }) =>
      bytes === null ? [] : [Buffer.from(`M 100644 inline ${quote(path)}\n`), ...encodeData(bytes)],
    ),
    Buffer.from(`\nreset ${REF}\nfrom ${NO_COMMIT}\n\ncheckpoint\n\nget-mark :1\n`),
  ]);
}

function encodeData(bytes: Uint8Array): readonly Uint8Array[] {
  return [Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')];
}

/** Actors have been checked; a line break in one would be a command here. */
function identity(actor: Actor): string {
  const line = signature(actor);
  if (/[\n\0]/.test(line)) throw new TypeError('The name of an actor is no single line.');
  return line;
}

/** As a string of C. Paths of the store need none of it, and this does not rely on that. */
function quote(path: string): string {
  const escaped = [...Buffer.from(path)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._/-]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${escaped.join('')}"`;
}
