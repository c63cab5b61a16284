import * as z from 'zod';
import { LABEL_VALUE } from '../schema/identifier-schema.ts';
import { issue, parseInput } from '../schema/parse-input.ts';

/**
 * The cluster an instance runs in, named as Argo CD knows it: by the API server's URL or by the cluster's name, never
 * both (Argo CD refuses an Application whose destination has both).
 */
export type Destination = { readonly server: string } | { readonly name: string };

/** The cluster that Argo CD itself runs in. */
export const IN_CLUSTER: Destination = { server: 'https://kubernetes.default.svc' };

const server = z
  .string()
  .refine(
    isServerUrl,
    issue('REPOSITORY_URL_INVALID', 'Use the https URL of an API server, without credentials, query or fragment.'),
  );
const clusterName = z
  .string()
  .refine((text) => LABEL_VALUE.test(text), issue('NAME_INVALID', 'Use the name of a cluster that Argo CD knows.'));

export const destinationSchema: z.ZodType<Destination> = z
  .strictObject({ server: server.optional(), name: clusterName.optional() })
  .refine(
    (destination) => (destination.server === undefined) !== (destination.name === undefined),
    'Give the cluster by server or by name, one of the two.',
  ) as unknown as z.ZodType<Destination>;

function isServerUrl(text: string): boolean {
  if (text.length > 253 || !/^https:\/\/[A-Za-z0-9.:[\]-]+(?:\/[A-Za-z0-9._~/-]*)?$/.test(text)) return false;
  return !/\/\.{1,2}(?:\/|$)/.test(text) && URL.canParse(text);
}

/** Parses a destination. @throws {CaelusError} `INVALID_INPUT`, `NAME_INVALID`, `REPOSITORY_URL_INVALID` */
export function parseDestination(input: unknown): Destination {
  return parseInput(destinationSchema, input, 'The destination');
}
