import * as z from 'zod';
import { parseInput } from '../schema/parse-input.ts';

/** How many commits one call looks at: the greatest and the default `maxCommits`. */
export const HISTORY_LIMITS = { most: 1_000_000, usual: 10_000 } as const;

const maxCommitsSchema = z.int().min(1).max(HISTORY_LIMITS.most).default(HISTORY_LIMITS.usual);

/** @throws {CaelusError} `INVALID_INPUT` */
export function parseMaxCommits(maxCommits: number | undefined): number {
  return parseInput(maxCommitsSchema, maxCommits, 'The number of commits to look at');
}
