import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { parseActor } from './actor.ts';

// Only what forges lines or hides text: people's names have accents, spaces and dots.
const unsafe = hostileTexts.filter(([, text]) => /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text));

describe('an actor', () => {
  it.each(['Ada', 'José Núñez', '山田 太郎', 'O’Brien, Jr.', 'billing-service[bot]'])('may be called %s', (name) => {
    expect(parseActor({ name })).toEqual({ name });
  });

  it('has a name of 1 to 100 characters', () => {
    for (const length of [1, 99, 100]) expect(parseActor({ name: 'a'.repeat(length) }).name).toHaveLength(length);
    for (const name of ['', ' ', '\u3000', 'a'.repeat(101)]) thrown('NAME_INVALID', () => parseActor({ name }));
  });

  it.each([...unsafe, ['an address', 'Ada <root@localhost>'] as const, ['a bracket', 'Ada >'] as const])(
    'has no name with %s, which would forge a line of a commit',
    (_why, name) => {
      thrown('NAME_INVALID', () => parseActor({ name }));
    },
  );

  it('may have an e-mail address of at most 254 characters', () => {
    const email = (length: number) => `a@${'b'.repeat(length - 2)}`;
    expect(parseActor({ name: 'Ada', email: 'ada+caelus@example.com' }).email).toBe('ada+caelus@example.com');
    expect(parseActor({ name: 'Ada', email: email(254) }).email).toHaveLength(254);
    thrown('NAME_INVALID', () => parseActor({ name: 'Ada', email: email(255) }));
  });

  it.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada @example.com',
    'ada@example.com\n',
    'ada@example.com>',
    'a@b@c',
    'аda@x',
  ])('has no e-mail address such as %j', (email) => {
    thrown('NAME_INVALID', () => parseActor({ name: 'Ada', email }));
  });

  it('has no other field, and the error does not repeat what looks like no field', () => {
    const error = thrown('INVALID_INPUT', () => parseActor({ name: 'Ada', rol: 'x', 'canary 7f3a\n': 1 }));
    expect(error.details.issues).toEqual([{ path: '', message: 'Unknown field "rol", "…".' }]);
  });
});
