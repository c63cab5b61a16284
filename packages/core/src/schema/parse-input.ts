import type * as z from 'zod';
import { CaelusError, type ErrorCode, type InputIssue } from '../errors.ts';
import { toJsonPointer } from '../values/json-pointer.ts';

/** The codes whose details are a list of issues: a schema may ask for one of them in place of `INVALID_INPUT`. */
export type IssueCode =
  | 'INVALID_INPUT'
  | 'ID_INVALID'
  | 'NAME_INVALID'
  | 'LABEL_INVALID'
  | 'HOSTNAME_INVALID'
  | 'PATH_INVALID'
  | 'REPOSITORY_URL_INVALID'
  | 'REPOSITORY_URL_CREDENTIALS'
  | 'CHART_VERSION_FLOATING';

/** Puts an error code on a custom zod issue, for {@link parseInput} to throw. */
export function issue(code: IssueCode, message: string): { error: string; params: { code: IssueCode } } {
  return { error: message, params: { code } };
}

/**
 * Parses `input` and throws one error that lists everything wrong with it. The code is that of the first issue that
 * carries one. Zod's messages name types and keys, never the values that were given.
 */
export function parseInput<Output>(schema: z.ZodType<Output>, input: unknown, what: string): Output {
  const result = schema.safeParse(input, { reportInput: false });
  if (result.success) return result.data;
  const issues: InputIssue[] = result.error.issues.map(({ path, message }) => ({ path: toJsonPointer(path), message }));
  const code = result.error.issues.map(codeOf).find((found) => found !== undefined) ?? 'INVALID_INPUT';
  const list = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new CaelusError({ code, message: `${what} cannot be accepted. ${list}`, details: { issues } });
}

function codeOf(found: z.core.$ZodIssue): IssueCode | undefined {
  const code: unknown = found.code === 'custom' ? found.params?.code : undefined;
  return code as (IssueCode & ErrorCode) | undefined;
}
