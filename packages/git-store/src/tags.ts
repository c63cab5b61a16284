import {
  type Actor,
  CaelusError,
  type CallOptions,
  type CommitId,
  type InputIssue,
  parseActor,
  signature,
} from '@caelus/core';
import { pause } from './backoff.ts';
import { type GitSigner, signTag } from './commit-signature.ts';
import { corrupt, unavailable } from './git-errors.ts';
import { createObject, type GitObject } from './git-object.ts';
import type { ObjectStore } from './object-store.ts';
import { pushRefused } from './remote/git-remote.ts';
import { LOST_RACE } from './remote/upstream.ts';
import type { Tag, TagRefs } from './tag-refs.ts';

export interface NewTag {
  /** 1 to 200 characters of `A-Za-z0-9._+-` in segments joined by `/`: a part of what `git check-ref-format` admits. */
  readonly name: string;
  readonly commit: CommitId;
  /**
   * Makes an annotated tag, signed where the store has a signer; a lightweight one without. At most 64 KiB, without control
   * characters but line breaks and tabs, and without a line that begins a signature.
   */
  readonly message?: string | undefined;
  /** Who tags, where there is a message. Default: the committer of the store. */
  readonly tagger?: Actor | undefined;
}

/** Tags of the repository: the remote's where there is one. */
export interface GitTags {
  /**
   * Tags a commit, durably, and on the remote where there is one. A tag never moves: the same call again returns the tag
   * that is there, and a name that another commit has is refused, and so is one that another tag's name makes a directory.
   * A remote is asked nothing about the commit where the directory does not have it; it refuses a commit that it has not.
   * @throws {CaelusError} `GIT_TAG_EXISTS`, `NAME_INVALID`, `INVALID_INPUT`, `GIT_SIGNING_FAILED`, `GIT_PUSH_REFUSED`,
   *   `GIT_REF_LOCKED`, `STORE_CORRUPT` where there is no such commit, `UNAVAILABLE` (the same call again is safe)
   */
  createTag(tag: NewTag, options?: CallOptions): Promise<Tag>;
  /** All tags that lead to a commit, by name; those that others made, too. */
  listTags(options?: CallOptions): Promise<readonly Tag[]>;
}

export interface TagsOptions {
  readonly refs: TagRefs;
  readonly objects: ObjectStore;
  /** Whether a commit that is not in the directory may be somewhere else. */
  readonly hasRemote: boolean;
  readonly committer: Actor;
  readonly now: () => Date;
  readonly sign: GitSigner | undefined;
}

const NAME =
  /^(?!HEAD$)(?!.*(?:\.\.|\.lock(?:\/|$)|\/\.|\.\/|\.$))[A-Za-z0-9_][A-Za-z0-9._+-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$/;
const NAME_LENGTH = 200;
const MESSAGE_BYTES = 64 * 1024;
const ATTEMPTS = 4;
const BACKOFF = { baseMilliseconds: 50, mostMilliseconds: 1000 };

export function createTags({ refs, objects, hasRemote, committer, now, sign }: TagsOptions): GitTags {
  async function list(signal: AbortSignal | undefined): Promise<readonly Tag[]> {
    return (await refs.list(signal)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The tag, if it is there as it was asked for. @throws {CaelusError} `GIT_TAG_EXISTS` */
  async function find({ name, commit }: NewTag, signal: AbortSignal | undefined): Promise<Tag | undefined> {
    const tags = await list(signal);
    const same = tags.find((tag) => tag.name === name);
    if (same?.commit === commit) return same;
    const inTheWay = tags.find((tag) => tag.name.startsWith(`${name}/`) || name.startsWith(`${tag.name}/`));
    const taken = same ?? inTheWay;
    if (taken !== undefined) throw tagExists(taken);
    return undefined;
  }

  async function build({ name, commit, message, tagger = committer }: NewTag): Promise<readonly GitObject[]> {
    if (message === undefined) return [];
    const lines = [
      `object ${commit}`,
      'type commit',
      `tag ${name}`,
      `tagger ${signature(tagger)} ${Math.floor(now().getTime() / 1000)} +0000`,
      '',
      `${message.trimEnd()}\n`,
    ];
    const tag = createObject('tag', Buffer.from(lines.join('\n')));
    return [sign === undefined ? tag : await signTag(tag, sign)];
  }

  return {
    listTags: (options) => list(options?.signal),

    async createTag(tag, options) {
      const signal = options?.signal;
      checkTag(tag);
      const { name, commit } = tag;
      const known = await objects.find(commit);
      if (known === undefined ? !hasRemote : known.type !== 'commit') {
        throw corrupt(commit, `There is no commit ${commit} in the store. Take one from its log.`);
      }
      let created: readonly GitObject[] | undefined;
      let cause: unknown;
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        // Looked up, not guessed: also what an attempt without an answer has brought there.
        const found = await find(tag, signal);
        if (found !== undefined) return found;
        created ??= await build(tag);
        // The id of a tag object is no commit's, but a ref holds it as one.
        const id = (created[0]?.id ?? commit) as CommitId;
        const made = await refs.create(name, id, created, signal);
        if (made.outcome === 'accepted') return { name, commit, annotated: created.length > 0 };
        if (made.outcome === 'unknown') cause = made.cause;
        else if (!LOST_RACE.test(made.reason)) throw pushRefused(refs.place, made.reason);
        await pause(attempt, BACKOFF, signal);
      }
      throw unavailable(refs.place, 'it fails to take the tag.', cause);
    },
  };
}

function checkTag({ name, message, tagger }: NewTag): void {
  if (typeof name !== 'string' || name.length > NAME_LENGTH || !NAME.test(name)) {
    throw refused('NAME_INVALID', {
      path: '/name',
      message: `Use 1 to ${NAME_LENGTH} letters, digits, dots, underscores, plus signs and hyphens, in segments that Git admits.`,
    });
  }
  if (tagger !== undefined) parseActor(tagger);
  if (message === undefined) return;
  const isText =
    typeof message === 'string' &&
    message.trim() !== '' &&
    Buffer.byteLength(message) <= MESSAGE_BYTES &&
    !/[^\P{Cc}\n\t]|\p{Cs}/u.test(message) &&
    // Git would take what follows for the tag's signature.
    !/^-----BEGIN /m.test(message);
  if (isText) return;
  throw refused('INVALID_INPUT', {
    path: '/message',
    message: `Use a text of at most ${MESSAGE_BYTES} bytes, without control characters and without a signature.`,
  });
}

function refused(code: 'NAME_INVALID' | 'INVALID_INPUT', issue: InputIssue): CaelusError {
  return new CaelusError({
    code,
    message: `The tag cannot be accepted. ${issue.path}: ${issue.message}`,
    details: { issues: [issue] },
  });
}

function tagExists({ name, commit }: Tag): CaelusError<'GIT_TAG_EXISTS'> {
  return new CaelusError({
    code: 'GIT_TAG_EXISTS',
    message: `The tag ${name} is there already, and names commit ${commit}. Tags are never moved: choose another name.`,
    details: { tag: name, commit },
  });
}
