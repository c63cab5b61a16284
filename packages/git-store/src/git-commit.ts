import { type Actor, type CommitId, type CommitRecord, parseTrailers, signature, toTimestamp } from '@caelus/core';
import { corrupt } from './git-errors.ts';
import { createObject, type GitObject } from './git-object.ts';

export interface NewCommit {
  readonly tree: string;
  readonly parent: CommitId | null;
  readonly author: Actor;
  readonly committer: Actor;
  readonly at: Date;
  readonly message: string;
}

/** What a commit object says; `tree` beside what the port shows. */
export interface ParsedCommit extends CommitRecord {
  readonly tree: string;
}

export function createCommit({ tree, parent, author, committer, at, message }: NewCommit): GitObject {
  const time = `${Math.floor(at.getTime() / 1000)} +0000`;
  const lines = [
    `tree ${tree}`,
    ...(parent === null ? [] : [`parent ${parent}`]),
    `author ${signature(author)} ${time}`,
    `committer ${signature(committer)} ${time}`,
    '',
    message,
  ];
  return createObject('commit', Buffer.from(lines.join('\n')));
}

/** Reads a commit, also one that another tool wrote with less care. */
export function parseCommit(commit: CommitId, content: Buffer): ParsedCommit {
  const end = content.indexOf('\n\n');
  const headers = content
    .subarray(0, end === -1 ? content.length : end)
    .toString('utf8')
    .split('\n');
  const values = (key: string) =>
    headers.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const [tree] = values('tree');
  if (tree === undefined) throw corrupt(commit, `Commit ${commit} is malformed. Run git fsck in the repository.`);
  const isLatin1 = /^(?:iso-?8859-1|latin-?1)$/i.test(values('encoding')[0] ?? '');
  const message = end === -1 ? '' : content.subarray(end + 2).toString(isLatin1 ? 'latin1' : 'utf8');
  const [, name = '', email = ''] = /^(.*?) ?<([^>]*)>/.exec(values('author')[0] ?? '') ?? [];
  const seconds = Number(/> (-?\d+)/.exec(values('committer')[0] ?? '')?.[1] ?? 0);
  const date = new Date(seconds * 1000);
  return {
    commit,
    tree,
    // Git checks that these are object ids when it writes a commit, and fsck does.
    parents: values('parent') as CommitId[],
    author: { name, email },
    committedAt: toTimestamp(Number.isNaN(date.getTime()) ? new Date(0) : date),
    message,
    trailers: parseTrailers(message),
  };
}
