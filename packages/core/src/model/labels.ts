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

const name = z
  .string()
  .refine(
    (text) => DNS_LABEL.test(text),
    issue('LABEL_INVALID', 'A label name has 1 to 63 lower-case letters a-z, digits and hyphens.'),
  );

const value = z
  .string()
  .refine(
    (text) => text === '' || LABEL_VALUE.test(text),
    issue('LABEL_INVALID', 'A label value has at most 63 letters, digits, dots, underscores and hyphens.'),
  );

export const labelsSchema: z.ZodType<Labels> = z
  .record(name, value)
  .refine(
    (labels) => Object.keys(labels).length <= LABELS_LIMIT,
    issue('LABEL_INVALID', `Use at most ${LABELS_LIMIT} labels.`),
  );

/** Parses an instance's labels. @throws {CaelusError} `LABEL_INVALID` */
export function parseLabels(input: unknown): Labels {
  return parseInput(labelsSchema, input, 'The labels');
}
