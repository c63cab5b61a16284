import type * as z from 'zod';
import { patternSchema } from '../schema/identifier-schema.ts';
import { parseInput } from '../schema/parse-input.ts';

declare const brand: unique symbol;
/**
 * A fully qualified DNS name in lower case: labels of RFC 1123 joined by dots, at least two of them, at most 253
 * characters. The last one is not a number, decimal or hexadecimal: browsers read such a name as an IPv4 address (WHATWG
 * URL, "ends in a number"). International names go in as A-labels.
 */
export type Hostname = string & { readonly [brand]: 'Hostname' };

export const hostnameSchema: z.ZodType<Hostname> = patternSchema(
  'HOSTNAME_INVALID',
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!(?:\d+|0x[0-9a-f]*)$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  253,
  'Use a full DNS name in lower-case ASCII of at most 253 characters, such as cloud.example.com.',
);

/** Parses a hostname. It is not lower-cased for the caller: two spellings of one name must not both be taken. @throws {CaelusError} `HOSTNAME_INVALID` */
export function parseHostname(input: unknown): Hostname {
  return parseInput(hostnameSchema, input, 'The hostname');
}
