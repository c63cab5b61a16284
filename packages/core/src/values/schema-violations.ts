import type { ErrorObject } from 'ajv';
import type { InputIssue, SchemaViolation } from '../errors.ts';
import { canonicalJson, type JsonValue } from '../json-value.ts';
import { toJsonPointer } from './json-pointer.ts';

export const FORBIDDEN_KEY = 'must not be set: the schema has no such key';

/** Ajv's errors, each once and ordered by place. They name places and rules, never the values that were found. */
export function describe(errors: readonly ErrorObject[]): readonly SchemaViolation[] {
  const violations = errors.map((error): SchemaViolation => {
    const forbidden: unknown = error.params.additionalProperty ?? error.params.unevaluatedProperty;
    if (typeof forbidden !== 'string') {
      return { path: error.instancePath, keyword: error.keyword, message: messageOf(error) };
    }
    return {
      path: `${error.instancePath}${toJsonPointer([forbidden])}`,
      keyword: error.keyword,
      message: FORBIDDEN_KEY,
    };
  });
  const distinct = new Map(violations.map((violation) => [canonicalJson({ ...violation }), violation]));
  return [...distinct.values()].sort(byPath);
}

/** What the schema says may be quoted, up to here; what the values say may not. */
const LONGEST_QUOTE = 200;

function messageOf({ keyword, params, message }: ErrorObject): string {
  const allowed: JsonValue =
    keyword === 'enum' ? params.allowedValues : keyword === 'const' ? [params.allowedValue] : [];
  const quoted = (allowed as readonly JsonValue[]).map(canonicalJson).join(', ');
  if (quoted !== '' && quoted.length <= LONGEST_QUOTE) return `must be ${keyword === 'enum' ? 'one of ' : ''}${quoted}`;
  if (keyword === 'pattern' && String(params.pattern).length > LONGEST_QUOTE)
    return 'must match the pattern of the schema';
  return message ?? `must satisfy ${keyword}`;
}

export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

const MESSAGE_LIST = 10;

/** The first few issues, for a message. */
export function summary(issues: readonly InputIssue[]): string {
  const listed = issues
    .slice(0, MESSAGE_LIST)
    .map(({ path, message }) => `${path === '' ? 'The whole' : path}: ${message}`);
  const more = issues.length > MESSAGE_LIST ? `; and ${issues.length - MESSAGE_LIST} more` : '';
  return `${listed.join('; ')}${more}`;
}
