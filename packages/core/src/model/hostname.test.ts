import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { parseHostname } from './hostname.ts';

const label = (length: number) => 'a'.repeat(length);

describe('a hostname', () => {
  it.each(['a.b', 'cloud.example.com', '1.example', '3com.example', 'a--b.example', 'xn--nxasmq6b.xn--p1ai', 'a.1b'])(
    'may be %s',
    (name) => {
      expect(parseHostname(name)).toBe(name);
    },
  );

  it.each(hostileTexts)('is not %s', (_why, text) => {
    thrown('HOSTNAME_INVALID', () => parseHostname(text));
    thrown('HOSTNAME_INVALID', () => parseHostname(`${text}.example.com\n`));
  });

  it.each([
    ['a single label', 'localhost'],
    ['upper case', 'Cloud.example.com'],
    ['a trailing dot', 'cloud.example.com.'],
    ['a leading dot', '.example.com'],
    ['an empty label', 'cloud..example.com'],
    ['a wildcard', '*.example.com'],
    ['an underscore', 'a_b.example.com'],
    ['a leading hyphen', '-a.example.com'],
    ['a trailing hyphen', 'a-.example.com'],
    ['an IPv4 address', '127.0.0.1'],
    ['an IPv4 address in hexadecimal', '0x7f.0x1'],
    ['a name that browsers read as IPv4', 'example.0x'],
    ['an IPv6 address', '[::1]'],
    ['a port', 'example.com:80'],
    ['a URL', 'https://example.com'],
    ['an international name that is not encoded', 'bücher.example'],
    ['a trailing newline', 'example.com\n'],
  ])('is not %s', (_why, text) => {
    thrown('HOSTNAME_INVALID', () => parseHostname(text));
  });

  it('has labels of at most 63 characters', () => {
    expect(parseHostname(`${label(63)}.example`)).toMatch(/^a{63}\./);
    thrown('HOSTNAME_INVALID', () => parseHostname(`${label(64)}.example`));
    expect(parseHostname(`example.${label(63)}`)).toMatch(/a{63}$/);
    thrown('HOSTNAME_INVALID', () => parseHostname(`example.${label(64)}`));
  });

  it('has at most 253 characters', () => {
    const of = (last: number) => `${label(63)}.${label(63)}.${label(63)}.${label(last)}`;
    expect(parseHostname(of(60))).toHaveLength(252);
    expect(parseHostname(of(61))).toHaveLength(253);
    thrown('HOSTNAME_INVALID', () => parseHostname(of(62)));
    thrown('HOSTNAME_INVALID', () => parseHostname(`${'a.'.repeat(500_000)}a`));
  });

  it('is text', () => {
    thrown('INVALID_INPUT', () => parseHostname(null));
  });
});
