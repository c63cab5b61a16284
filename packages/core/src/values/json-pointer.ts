import { CaelusError } from '../errors.ts';
import { isJsonObject, type JsonValue } from '../json-value.ts';

/** Joins reference tokens into a JSON pointer (RFC 6901); no tokens give `''`, the whole document. */
export function toJsonPointer(tokens: readonly PropertyKey[]): string {
  return tokens.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Splits a JSON pointer (RFC 6901) into its unescaped reference tokens. */
export function fromJsonPointer(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** As {@link fromJsonPointer}, of what a caller gives. @throws {CaelusError} `INVALID_INPUT` */
export function parseJsonPointer(pointer: string): readonly string[] {
  if (/^(?:\/(?:[^~/]|~[01])*)*$/u.test(pointer)) return fromJsonPointer(pointer);
  const message = 'Use a JSON pointer, such as /ingress/host.';
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The JSON pointer cannot be accepted. ${message}`,
    details: { issues: [{ path: '', message }] },
  });
}

/** What lies at a pointer's place; `undefined` where nothing does. */
export function valueAt(root: JsonValue, tokens: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = root;
  for (const token of tokens) {
    if (Array.isArray(at))
      at = /^(?:0|[1-9][0-9]*)$/.test(token) ? (at as readonly JsonValue[])[Number(token)] : undefined;
    else at = isJsonObject(at) && Object.hasOwn(at, token) ? at[token] : undefined;
  }
  return at;
}
