import * as z from 'zod';
import { DNS_LABEL, LABEL_VALUE } from '../schema/identifier-schema.ts';
import { issue, parseInput } from '../schema/parse-input.ts';

/**
 * A host's own labels of an instance: at most 32. Names are RFC 1123 labels and are rendered under `label.caelus.dev/`,
 * so that no label can pose as one of Argo CD's, Helm's or Kubernetes'. Values are Kubernetes label values.
 */
export type Labels = Readonly<Record<string, string>>;

/** How many labels one instance may carry. */
export const LABELS_LIMIT = 32;

// Not z.record, which drops a `__proto__` without a word and gives a bad name no code of its own.
export const labelsSchema: z.ZodType<Labels> = z
  .unknown()
  .superRefine((labels, context) => {
    const report = (message: string, path: string[] = []) =>
      context.addIssue({ code: 'custom', path, message, params: issue('LABEL_INVALID', message).params });
    if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
      return report('Use an object of label names and values.');
    }
    const entries = Object.entries(labels);
    if (entries.length > LABELS_LIMIT) return report(`Use at most ${LABELS_LIMIT} labels.`);
    for (const [name, value] of entries) {
      if (!DNS_LABEL.test(name)) {
        report('A label name has 1 to 63 lower-case letters a-z, digits and hyphens.', [name]);
      } else if (typeof value !== 'string' || (value !== '' && !LABEL_VALUE.test(value))) {
        report('A label value is text of at most 63 letters, digits, dots, underscores and hyphens.', [name]);
      }
    }
  })
  .transform((labels) => ({ ...(labels as Labels) }));

/** Parses an instance's labels. @throws {CaelusError} `LABEL_INVALID` */
export function parseLabels(input: unknown): Labels {
  return parseInput(labelsSchema, input, 'The labels');
}
