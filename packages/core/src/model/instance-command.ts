import * as z from 'zod';
import { parseInput } from '../schema/parse-input.ts';
import { parseValues } from '../values/parse-values.ts';
import type { Values } from '../values/values.ts';
import { type DeletionPolicy, deletionPolicySchema } from './deletion-policy.ts';
import { type Destination, destinationSchema } from './destination.ts';
import { type Hostname, hostnameSchema } from './hostname.ts';
import {
  type InstanceId,
  instanceIdSchema,
  type ProductId,
  productIdSchema,
  type TemplateVersionId,
  type TenantId,
  type TierName,
  templateVersionIdSchema,
  tenantIdSchema,
  tierNameSchema,
} from './identifier.ts';
import { type Labels, labelsSchema } from './labels.ts';

/** What a host says of a new instance. */
export interface NewInstance {
  readonly productId: string;
  readonly templateVersionId: string;
  readonly tenant: string;
  /** Default: a new UUID. */
  readonly id?: string | undefined;
  /** Default: the first tier that Caelus was given. */
  readonly tier?: string | undefined;
  /** Default: the destination that Caelus was given. */
  readonly destination?: Destination | undefined;
  /** The user's values: an object, or YAML or JSON text. Default: none. */
  readonly values?: unknown;
  /** Values that the host sets for this instance; they win over the user's and are locked. Default: none. */
  readonly platformValues?: unknown;
  readonly hostname?: string | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Default `delete`. */
  readonly deletionPolicy?: DeletionPolicy | undefined;
}

/** What a host may change of an instance; what is left out stays. */
export interface InstanceChanges {
  /** Replaces the user's values as a whole. */
  readonly values?: unknown;
  /** Replaces the platform's values of this instance as a whole. */
  readonly platformValues?: unknown;
  readonly tier?: string | undefined;
  readonly hostname?: string | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly deletionPolicy?: DeletionPolicy | undefined;
}

/** A new instance, checked; what was left out is `undefined`. */
export interface ParsedNewInstance {
  readonly productId: ProductId;
  readonly templateVersionId: TemplateVersionId;
  readonly tenant: TenantId;
  readonly id: InstanceId | undefined;
  readonly tier: TierName | undefined;
  readonly destination: Destination | undefined;
  readonly userValues: Values;
  readonly platformValues: Values;
  readonly hostname: Hostname | null;
  readonly labels: Labels;
  readonly deletionPolicy: DeletionPolicy;
}

/** Changes of an instance, checked; only what changes. */
export interface ParsedInstanceChanges {
  readonly userValues?: Values;
  readonly platformValues?: Values;
  readonly tier?: TierName;
  readonly hostname?: Hostname | null;
  readonly labels?: Labels;
  readonly deletionPolicy?: DeletionPolicy;
}

const newInstanceSchema = z.strictObject({
  productId: productIdSchema,
  templateVersionId: templateVersionIdSchema,
  tenant: tenantIdSchema,
  id: instanceIdSchema.optional(),
  tier: tierNameSchema.optional(),
  destination: destinationSchema.optional(),
  values: z.unknown().optional(),
  platformValues: z.unknown().optional(),
  hostname: hostnameSchema.nullish(),
  labels: labelsSchema.optional(),
  deletionPolicy: deletionPolicySchema.optional(),
});

const changesSchema = newInstanceSchema.pick({
  values: true,
  platformValues: true,
  tier: true,
  hostname: true,
  labels: true,
  deletionPolicy: true,
});

/**
 * Parses what a host says of a new instance, values included.
 * @throws {CaelusError} `ID_INVALID`, `NAME_INVALID`, `HOSTNAME_INVALID`, `LABEL_INVALID`, `INVALID_INPUT`, and the codes of {@link parseValues}
 */
export function parseNewInstance(input: unknown): ParsedNewInstance {
  const { values, platformValues, hostname, labels, deletionPolicy, ...rest } = parseInput(
    newInstanceSchema,
    input,
    'The instance',
  );
  return {
    id: undefined,
    tier: undefined,
    destination: undefined,
    ...rest,
    userValues: parseValues(values ?? {}, { what: 'The values' }),
    platformValues: parseValues(platformValues ?? {}, { what: 'The platform values' }),
    hostname: hostname ?? null,
    labels: labels ?? {},
    deletionPolicy: deletionPolicy ?? 'delete',
  };
}

/**
 * Parses changes of an instance, values included.
 * @throws {CaelusError} `NAME_INVALID`, `HOSTNAME_INVALID`, `LABEL_INVALID`, `INVALID_INPUT`, and the codes of {@link parseValues}
 */
export function parseInstanceChanges(input: unknown): ParsedInstanceChanges {
  const { values, platformValues, tier, hostname, labels, deletionPolicy } = parseInput(
    changesSchema,
    input,
    'The changes of the instance',
  );
  return {
    ...(values !== undefined && { userValues: parseValues(values, { what: 'The values' }) }),
    ...(platformValues !== undefined && {
      platformValues: parseValues(platformValues, { what: 'The platform values' }),
    }),
    ...(tier !== undefined && { tier }),
    ...(hostname !== undefined && { hostname }),
    ...(labels !== undefined && { labels }),
    ...(deletionPolicy !== undefined && { deletionPolicy }),
  };
}
