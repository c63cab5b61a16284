import * as z from 'zod';
import { parseInput } from '../schema/parse-input.ts';
import { type TenantId, tenantIdSchema } from './identifier.ts';

/** Whose instances they are. Caelus keeps no table of tenants; the host does. */
export interface Tenant {
  readonly id: TenantId;
}

const tenantSchema: z.ZodType<Tenant> = z.strictObject({ id: tenantIdSchema });

/** Parses a tenant. @throws {CaelusError} `ID_INVALID`, `INVALID_INPUT` */
export function parseTenant(input: unknown): Tenant {
  return parseInput(tenantSchema, input, 'The tenant');
}
