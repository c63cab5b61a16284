import * as z from 'zod';
import type { JsonObject } from '../json-value.ts';

/** Helm values: a JSON object that {@link parseValues} has accepted. */
export type Values = JsonObject;

/** For records that hold values which were parsed before: an object, whose limits are not checked again. */
export const valuesSchema: z.ZodType<Values> = z.custom<Values>(
  (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
  'Expected an object.',
);
