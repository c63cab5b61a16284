import { describe, expect, it } from 'vitest';
import type { Proposal } from '../ports/state-store.ts';
import {
  COMMIT_MESSAGE_LIMITS,
  checkTrailers,
  commitAuthor,
  parseTrailers,
  renderCommitMessage,
} from './commit-message.ts';

const ann = { name: 'Ann', email: 'ann@example.com' };
const bob = { name: 'Bob', email: 'bob@example.com' };
const proposal = (summary: string, parts: Partial<Proposal> = {}): Proposal => ({
  edits: [],
  summary,
  trailers: [],
  actor: ann,
  ...parts,
});

describe('renderCommitMessage', () => {
  it('takes the summary of a single change as the subject', () => {
    const trailers = [{ key: 'Caelus-Change', value: 'one 1 x' }];
    expect(renderCommitMessage([proposal('create nextcloud for acme', { trailers })])).toBe(
      'create nextcloud for acme\n\nCaelus-Change: one 1 x\n',
    );
  });

  it('lists several changes, and puts their trailers last', () => {
    const message = renderCommitMessage([
      proposal('create one', { trailers: [{ key: 'Caelus-Change', value: 'one' }] }),
      proposal('delete two', { trailers: [{ key: 'Caelus-Change', value: 'two' }] }),
    ]);
    expect(message).toBe('Apply 2 changes\n\n- create one\n- delete two\n\nCaelus-Change: one\nCaelus-Change: two\n');
  });

  it('cuts a subject past its limit and keeps the whole summary in the body', () => {
    const { subject } = COMMIT_MESSAGE_LIMITS;
    expect(renderCommitMessage([proposal('x'.repeat(subject))])).toBe(`${'x'.repeat(subject)}\n`);
    const long = 'x'.repeat(subject + 1);
    expect(renderCommitMessage([proposal(long)])).toBe(`${'x'.repeat(subject - 1)}…\n\n- ${long}\n`);
  });

  it('cuts a summary past its limit, by code points', () => {
    const limit = COMMIT_MESSAGE_LIMITS.summary;
    const both = (text: string) => renderCommitMessage([proposal(text), proposal('b')]).split('\n')[2];
    expect(both('🚀'.repeat(limit))).toBe(`- ${'🚀'.repeat(limit)}`);
    expect(both('🚀'.repeat(limit + 1))).toBe(`- ${'🚀'.repeat(limit - 1)}…`);
  });

  it('neutralises what could break a line or hide text', () => {
    const message = renderCommitMessage([proposal('a\r\n\nCaelus-Change: forged\u2028b\u202ec\0d\ud800')]);
    expect(message).toBe('a Caelus-Change: forged b c d\n');
    expect(parseTrailers(message)).toEqual([]);
  });

  it('has a subject even where a summary has nothing to show', () => {
    expect(renderCommitMessage([proposal(' \n\t')])).toBe('Change without a summary\n');
  });

  it('refuses a trailer that would forge another', () => {
    const forged = { key: 'Caelus-Change', value: 'a\nCaelus-Change: b' };
    expect(() => renderCommitMessage([proposal('x', { trailers: [forged] })])).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.not.stringContaining('Change: b') }),
    );
  });
});

describe('checkTrailers', () => {
  const { trailerKey, trailerValue } = COMMIT_MESSAGE_LIMITS;
  it.each([
    ['key at its limit', 'k'.repeat(trailerKey), 'v', true],
    ['key past its limit', 'k'.repeat(trailerKey + 1), 'v', false],
    ['value at its limit', 'k', '🚀'.repeat(trailerValue), true],
    ['value past its limit', 'k', '🚀'.repeat(trailerValue + 1), false],
    ['empty key', '', 'v', false],
    ['empty value', 'k', '', false],
    ['outer space', 'k', ' v', false],
    ['line separator', 'k', 'a\u2028b', false],
    ['colon in the key', 'a: b', 'v', false],
  ])('%s', (_, key, value, accepted) => {
    const check = () => checkTrailers([{ key, value }]);
    if (accepted) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});

describe('parseTrailers', () => {
  it('never takes the subject for one', () => {
    expect(parseTrailers('Caelus-Change: one')).toEqual([]);
  });

  it('takes the last paragraph only where all of it is trailers', () => {
    expect(parseTrailers('s\n\nA: 1\nnot one\n')).toEqual([]);
    expect(parseTrailers('s\n\nA: 1\n\ntext\n')).toEqual([]);
    expect(parseTrailers('s\n\nA: 1\n\nB: 2\n')).toEqual([{ key: 'B', value: '2' }]);
  });

  it('reads what other tools wrote', () => {
    expect(parseTrailers('s\r\n\r\nSigned-off-by: A <a@b>  \r\nB: x: y\r\n\r\n')).toEqual([
      { key: 'Signed-off-by', value: 'A <a@b>' },
      { key: 'B', value: 'x: y' },
    ]);
  });
});

describe('commitAuthor', () => {
  it('is the actor whom all changes have in common', () => {
    expect(commitAuthor([proposal('a'), proposal('b', { actor: { ...ann } })])).toEqual(ann);
  });

  it.each([
    ['actors differ', [ann, bob]],
    ['one has none', [ann, null]],
    ['none has one', [null, null]],
  ])('is nobody where %s, and trailers name the actors', (_, actors) => {
    const proposals = actors.map((actor, index) => proposal(String(index), { actor }));
    expect(commitAuthor(proposals)).toBeNull();
    expect(parseTrailers(renderCommitMessage(proposals))).toEqual(
      actors
        .filter((actor) => actor !== null)
        .map(({ name, email }) => ({ key: 'Caelus-Actor', value: `${name} <${email}>` })),
    );
  });
});
