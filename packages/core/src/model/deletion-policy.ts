import * as z from 'zod';
import { parseInput } from '../schema/parse-input.ts';

/**
 * What becomes of an instance's data when the instance is deleted. `delete`: the namespace goes, and everything in it.
 * `retain`: the namespace and its volumes stay; it needs a chart that can mark its volumes
 * (`TemplateCapabilities.volumes`).
 */
export type DeletionPolicy = 'delete' | 'retain';

export const deletionPolicySchema: z.ZodType<DeletionPolicy> = z.enum(['delete', 'retain']);

/** Parses a deletion policy. @throws {CaelusError} `INVALID_INPUT` */
export function parseDeletionPolicy(input: unknown): DeletionPolicy {
  return parseInput(deletionPolicySchema, input, 'The deletion policy');
}
