import type * as z from 'zod';
import { CaelusError, type ErrorCode, type InputIssue } from '../errors.ts';
import { toJsonPointer } from '../values/json-pointer.ts';
import { refusal } from './input-issues.ts';

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

/** How many issues one error lists: enough to correct an input, and no way to make a huge error of a huge input. */
export const ISSUES_LIMIT = 50;

/**
 * Parses `input` and throws one error that lists what is wrong with it, up to {@link ISSUES_LIMIT} issues. The code is
 * that of the first issue that carries one. Messages name types and fields, never the values that were given; and a key
 * that does not look like a field's name is not repeated either, because it is input too.
 */
export function parseInput<Output>(schema: z.ZodType<Output>, input: unknown, what: string): Output {
  const result = schema.safeParse(input, { reportInput: false });
  if (result.success) return result.data;
  const found = result.error.issues.map((outer) => (outer.code === 'invalid_key' ? (outer.issues[0] ?? outer) : outer));
  const issues: InputIssue[] = found.slice(0, ISSUES_LIMIT).map(toInputIssue);
  const code = found.map(codeOf).find((own) => own !== undefined) ?? 'INVALID_INPUT';
  throw new CaelusError({ code, message: refusal(what, issues), details: { issues } });
}

const FIELD_NAME = /^[A-Za-z0-9._/-]{1,63}$/;
const shown = (key: PropertyKey) => (FIELD_NAME.test(String(key)) ? key : '…');

function toInputIssue(found: z.core.$ZodIssue): InputIssue {
  const path = toJsonPointer(found.path.map(shown));
  if (found.code !== 'unrecognized_keys') return { path, message: found.message };
  const keys = found.keys.slice(0, ISSUES_LIMIT).map((key) => `"${String(shown(key))}"`);
  return { path, message: `Unknown field ${keys.join(', ')}.` };
}

function codeOf(found: z.core.$ZodIssue): IssueCode | undefined {
  const code: unknown = found.code === 'custom' ? found.params?.code : undefined;
  return code as (IssueCode & ErrorCode) | undefined;
}
