import { COMMIT_MESSAGE_LIMITS, commitAuthor, type Proposal, parseTrailers, renderCommitMessage } from '@caelus/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const nasty = fc.constantFrom('\n', '\r', '\u2028', '\0', '\u202e', ': ', 'Caelus-Change: x', '---', '# ', ' ');
const summary = fc
  .array(fc.oneof(fc.string({ unit: 'binary' }), nasty), { maxLength: 20 })
  .map((parts) => parts.join(''));
const actor = fc.option(
  fc.record({
    name: fc.constantFrom('Ann', ' Bob', 'Žofie'),
    email: fc.constantFrom('a@example.com', 'b@example.com'),
  }),
);
const trailer = fc.record({
  key: fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/),
  value: fc.stringMatching(/^[!-~](?:[ -~]{0,40}[!-~])?$/),
});
const proposals: fc.Arbitrary<Proposal[]> = fc.array(
  fc.record({ edits: fc.constant([]), summary, trailers: fc.array(trailer, { maxLength: 4 }), actor }),
  { minLength: 1, size: 'max', maxLength: 30 },
);

describe('a commit message', () => {
  it('gives back exactly its trailers, whatever the summaries say', () => {
    fc.assert(
      fc.property(proposals, (list) => {
        const expected = list.flatMap(({ trailers }) => trailers);
        const found = parseTrailers(renderCommitMessage(list));
        expect(found.slice(0, expected.length)).toEqual(expected);
        expect(found.slice(expected.length).every(({ key }) => key === 'Caelus-Actor')).toBe(true);
        const named = new Set(list.flatMap((each) => (each.actor === null ? [] : [each.actor.name.trim()])));
        if (found.length === expected.length) expect(named.size).toBeLessThanOrEqual(1);
        else expect(commitAuthor(list)).toBeNull();
      }),
    );
  });

  it('has one readable line for its subject and for each change, and no other', () => {
    fc.assert(
      fc.property(proposals, (list) => {
        const message = renderCommitMessage(list.map((each) => ({ ...each, trailers: [], actor: null })));
        const [subject = '', ...rest] = message.trimEnd().split('\n');
        expect([...subject].length).toBeLessThanOrEqual(COMMIT_MESSAGE_LIMITS.subject);
        expect(subject.trim()).not.toBe('');
        expect(message).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        const lines = rest.filter((line) => line !== '');
        expect(lines.every((line) => line.startsWith('- '))).toBe(true);
        if (list.length > 1) expect(lines).toHaveLength(list.length);
      }),
    );
  });
});
