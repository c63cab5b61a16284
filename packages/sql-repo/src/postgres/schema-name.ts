import { CaelusError } from '@caelus/core';

export const DEFAULT_SCHEMA = 'caelus';

/** Plain names, so that none has to be quoted anywhere; short, because the channel of notifications begins with it. */
const SCHEMA = /^(?!pg_)[a-z_][a-z0-9_]{0,49}$/;

export const SCHEMA_RULE = 'Use 1 to 50 lower-case letters, digits and underscores, not beginning with a digit or pg_.';

export function isSchema(schema: unknown): schema is string {
  return typeof schema === 'string' && SCHEMA.test(schema);
}

/** @throws {CaelusError} `INVALID_INPUT` */
export function parseSchema(schema: string): string {
  if (isSchema(schema)) return schema;
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The schema cannot be accepted. ${SCHEMA_RULE}`,
    details: { issues: [{ path: '/schema', message: SCHEMA_RULE }] },
  });
}
