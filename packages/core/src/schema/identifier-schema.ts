import * as z from 'zod';
import { type IssueCode, issue } from './parse-input.ts';

/** RFC 1123 label: what Kubernetes takes for namespaces and most names, and what is safe as a path segment anywhere. */
export const DNS_LABEL: RegExp = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A Kubernetes label value that is not empty (RFC 1123 characters, upper case, `.` and `_`). */
export const LABEL_VALUE: RegExp = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Any UUID of RFC 9562, in lower case. */
export const UUID: RegExp = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A string schema of one pattern and a greatest length, which throws `code` with a sentence that tells the rule. */
export function patternSchema<Brand extends string>(
  code: IssueCode,
  pattern: RegExp,
  maxLength: number,
  rule: string,
): z.ZodType<Brand> {
  return z
    .string()
    .refine((text) => text.length <= maxLength && pattern.test(text), issue(code, rule)) as unknown as z.ZodType<Brand>;
}
