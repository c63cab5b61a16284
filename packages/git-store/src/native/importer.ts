import { type Actor, type Change, type CommitId, signature } from '@caelus/core';
import { type FileAccess, nonce } from '../file-access.ts';
import type { CommitFields } from '../git-backend.ts';
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
   * Writes a commit durably, then runs `body`, which makes a branch lead to the commit that it returns; `undefined` where it
   * could not. Until that is done, no garbage collection takes the pack away. One call at a time.
   * @throws {PlumbingError}
   */
  write(commit: NewImport, body: (imported: CommitId) => Promise<CommitId | undefined>): Promise<CommitId | undefined>;
  /** Begins with a new process, because packs that this one has written are gone. */
  renew(): void;
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
  /** What the process made last, where a branch leads to it. */
  let tip: CommitId | undefined;
  let isOutdated = false;

  async function newPacks(): Promise<readonly string[]> {
    const text = (await files.read(notes))?.toString('utf8') ?? '';
    const lines = text.slice(noted).split('\n');
    noted = text.length;
    return lines.flatMap((line) => /\/(pack-[0-9a-f]{40})\.pack:/.exec(line)?.[1] ?? []);
  }

  return {
    async write(commit, body) {
      // The process does not write again what it has written. Beside garbage collection this is safe only as long as it
      // all belongs to the history of the branch.
      if (isOutdated || tip !== commit.base) await plumbing.end();
      isOutdated = false;
      tip = undefined;
      let imported: CommitId;
      try {
        imported = await plumbing.ask(encodeImport(commit), async (answer) => {
          const line = await answer.line();
          if (!OBJECT_ID.test(line)) throw new PlumbingError({ isGivenUp: true });
          return line as CommitId;
        });
        if (isDurable) await files.syncDirectories([packDirectory]);
        tip = await body(imported);
        return tip;
      } finally {
        // Git keeps them until the process ends.
        for (const pack of await newPacks()) await files.remove(`${packDirectory}/${pack}.keep`);
      }
    },

    renew() {
      isOutdated = true;
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
