import { CaelusError } from '../errors.ts';
import type { Actor } from '../model/actor.ts';
import type { Proposal, Trailer } from '../ports/state-store.ts';

/** The longest subject, summary and trailer, in code points. */
export const COMMIT_MESSAGE_LIMITS = { subject: 72, summary: 500, trailerKey: 64, trailerValue: 500 } as const;

/** Who commits where nothing else is configured. */
export const CAELUS_ACTOR: Actor = { name: 'Caelus', email: 'caelus@localhost' };

const KEY = /^[A-Za-z][A-Za-z0-9-]*$/;
const TRAILER_LINE = /^([A-Za-z][A-Za-z0-9-]*): (.*)$/;
// Line breaks of every kind, other control characters, lone surrogates, and characters that hide or reorder text.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Writes the message of one commit: a subject, one line for each change where there are several, and all trailers as the
 * last paragraph. Summaries are for people, so what could break a line or hide text becomes a space, and what is too long
 * is cut; a summary can neither be taken for a trailer nor add one. Trailers are for programs, so they are refused rather
 * than altered.
 *
 * Actors become `Caelus-Actor` trailers where {@link commitAuthor} cannot name them all.
 * @throws {CaelusError} `INVALID_INPUT` for a trailer that {@link checkTrailers} refuses
 */
export function renderCommitMessage(proposals: readonly Proposal[]): string {
  const summaries = proposals.map(({ summary }) => oneLine(summary));
  const [first = '', ...others] = summaries;
  const single = others.length === 0 && proposals.length === 1;
  const subject = single ? cut(first, COMMIT_MESSAGE_LIMITS.subject) : `Apply ${proposals.length} changes`;
  const lines = single && subject === first ? [] : summaries.map((summary) => `- ${summary}`);
  const trailers = [...proposals.flatMap((proposal) => proposal.trailers), ...actorTrailers(proposals)];
  checkTrailers(trailers);
  const paragraphs = [[subject], lines, trailers.map(({ key, value }) => `${key}: ${value}`)];
  return `${paragraphs
    .filter((paragraph) => paragraph.length > 0)
    .map((paragraph) => paragraph.join('\n'))
    .join('\n\n')}\n`;
}

/**
 * Reads the trailers of a message: the last paragraph, where it is not the subject and has nothing but `Key: value` lines.
 * Messages that other tools wrote are read the same way.
 */
export function parseTrailers(message: string): readonly Trailer[] {
  const paragraphs = message
    .replace(/\r\n/g, '\n')
    .trimEnd()
    .split(/\n[ \t]*\n/);
  if (paragraphs.length < 2) return [];
  const trailers: Trailer[] = [];
  for (const line of paragraphs.at(-1)?.split('\n').filter(Boolean) ?? []) {
    const [, key, value] = TRAILER_LINE.exec(line) ?? [];
    if (key === undefined || value === undefined) return [];
    trailers.push({ key, value: value.trim() });
  }
  return trailers;
}

/** The actor whom all changes have in common: the commit's author. `null` where there is none; the committer then stands in. */
export function commitAuthor(proposals: readonly Proposal[]): Actor | null {
  const first = proposals[0]?.actor ?? null;
  if (first === null) return null;
  const isCommon = proposals.every(({ actor }) => actor !== null && signature(actor) === signature(first));
  return isCommon ? { name: first.name.trim(), email: first.email ?? CAELUS_ACTOR.email } : null;
}

/** An actor as Git writes one: `Name <email>`. */
export function signature({ name, email }: Actor): string {
  return `${name.trim()} <${email ?? CAELUS_ACTOR.email}>`;
}

/**
 * Refuses trailers that would not be read back as they are.
 * @throws {CaelusError} `INVALID_INPUT` naming each by its place, never by its value
 */
export function checkTrailers(trailers: readonly Trailer[]): void {
  const { trailerKey, trailerValue } = COMMIT_MESSAGE_LIMITS;
  const issues = trailers.flatMap(({ key, value }, index) => [
    ...(KEY.test(key) && key.length <= trailerKey
      ? []
      : [{ path: `/trailers/${index}/key`, message: `Use 1 to ${trailerKey} letters, digits and hyphens.` }]),
    ...(value !== '' && value === value.trim() && !UNSAFE.test(value) && [...value].length <= trailerValue
      ? []
      : [
          {
            path: `/trailers/${index}/value`,
            message: `Use one line of 1 to ${trailerValue} characters, without control characters or outer spaces.`,
          },
        ]),
  ]);
  if (issues.length === 0) return;
  const list = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `A trailer of the commit message cannot be accepted. ${list}`,
    details: { issues },
  });
}

function actorTrailers(proposals: readonly Proposal[]): readonly Trailer[] {
  if (commitAuthor(proposals) !== null) return [];
  const signatures = new Set(proposals.flatMap(({ actor }) => (actor === null ? [] : [signature(actor)])));
  return [...signatures].map((value) => ({ key: 'Caelus-Actor', value }));
}

/** Makes a summary one safe line, as it stands in a message. */
export function oneLine(summary: string): string {
  const safe = summary.replace(new RegExp(UNSAFE, 'gu'), ' ').replace(/\s+/gu, ' ').trim();
  return safe === '' ? 'Change without a summary' : cut(safe, COMMIT_MESSAGE_LIMITS.summary);
}

function cut(text: string, limit: number): string {
  const points = [...text];
  return points.length <= limit
    ? text
    : `${points
        .slice(0, limit - 1)
        .join('')
        .trimEnd()}…`;
}
