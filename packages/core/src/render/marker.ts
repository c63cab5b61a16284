import * as z from 'zod';
import { CaelusError } from '../errors.ts';
import type { JsonObject } from '../json-value.ts';
import type { RepoTree } from '../layout/repo-tree.ts';
import { type ChartSource, chartSourceSchema } from '../model/chart-source.ts';
import { type DeletionPolicy, deletionPolicySchema } from '../model/deletion-policy.ts';
import { type Destination, destinationSchema } from '../model/destination.ts';
import { type Hostname, hostnameSchema } from '../model/hostname.ts';
import {
  type ChangeId,
  changeIdSchema,
  type InstanceId,
  instanceIdSchema,
  type ProductId,
  productIdSchema,
  type Slug,
  type StoreId,
  slugSchema,
  storeIdSchema,
  type TemplateVersionId,
  type TenantId,
  type TierName,
  type Timestamp,
  templateVersionIdSchema,
  tenantIdSchema,
  tierNameSchema,
  timestampSchema,
} from '../model/identifier.ts';
import type { Instance, InstanceNames } from '../model/instance.ts';
import { type Labels, labelsSchema } from '../model/labels.ts';
import { versionNameSchema } from '../model/template-version.ts';
import { type Values, valuesSchema } from '../values/values.ts';
import { contentHash } from './content-hash.ts';
import { readOwnYaml } from './read-own-yaml.ts';
import { renderYaml } from './render-yaml.ts';

/** What an instance's directory says of itself: whose it is, what it is meant to be, and which change wrote it. */
export interface Marker extends MarkerFacts {
  readonly storeId: StoreId;
  readonly generation: number;
  readonly changeId: ChangeId;
  /** Over every other file of the instance and over the {@link MarkerFacts}: a manual edit of either shows. */
  readonly contentHash: string;
}

/** The part of a marker from which the instance's row can be rebuilt. */
export interface MarkerFacts {
  readonly id: InstanceId;
  readonly tenant: TenantId;
  readonly tier: TierName;
  readonly destination: Destination;
  readonly names: InstanceNames;
  readonly product: { readonly id: ProductId; readonly slug: Slug };
  readonly templateVersion: { readonly id: TemplateVersionId; readonly version: string; readonly chart: ChartSource };
  readonly userValues: Values;
  readonly platformValues: Values;
  readonly hostname: Hostname | null;
  readonly labels: Labels;
  readonly deletionPolicy: DeletionPolicy;
  readonly createdAt: Timestamp;
}

/**
 * What stays of an instance after its deletion, so that a database restored from an older backup cannot revive it, and a
 * database that was lost can be rebuilt. Ids and names; never values, a hostname or labels.
 */
export interface Tombstone extends Pick<MarkerFacts, 'id' | 'tenant' | 'tier' | 'destination' | 'names'> {
  readonly storeId: StoreId;
  /** The generation and the change of the deletion. */
  readonly generation: number;
  readonly changeId: ChangeId;
  readonly productId: ProductId;
  readonly templateVersionId: TemplateVersionId;
  /** `retain`: the namespace and its volumes are still there. */
  readonly deletionPolicy: DeletionPolicy;
  readonly createdAt: Timestamp;
  readonly deletedAt: Timestamp;
}

/** The tombstone of an instance whose deletion was asked for. */
export function tombstoneOf(instance: Instance, storeId: StoreId): Tombstone {
  const { id, generation, changeId, tenant, tier, destination, productId, deletionPolicy, createdAt } = instance;
  const { namespace, argoAppName, releaseName } = instance;
  return {
    storeId,
    id,
    generation,
    changeId,
    tenant,
    tier,
    destination,
    names: { namespace, argoAppName, releaseName },
    productId,
    templateVersionId: instance.desiredTemplateVersionId,
    deletionPolicy,
    createdAt,
    deletedAt: instance.deletedAt ?? instance.updatedAt,
  };
}

const API_VERSION = 'caelus.dev/v1';

const namesSchema = z.strictObject({ namespace: z.string(), argoAppName: z.string(), releaseName: z.string() });

const markerSchema: z.ZodType<Marker> = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Instance'),
    storeId: storeIdSchema,
    id: instanceIdSchema,
    generation: z.int().min(1),
    changeId: changeIdSchema,
    contentHash: z.string().regex(/^[0-9a-f]{64}$/),
    tenant: tenantIdSchema,
    tier: tierNameSchema,
    destination: destinationSchema,
    names: namesSchema,
    product: z.strictObject({ id: productIdSchema, slug: slugSchema }),
    templateVersion: z.strictObject({
      id: templateVersionIdSchema,
      version: versionNameSchema,
      chart: chartSourceSchema,
    }),
    userValues: valuesSchema,
    platformValues: valuesSchema,
    hostname: hostnameSchema.nullable(),
    labels: labelsSchema,
    deletionPolicy: deletionPolicySchema,
    createdAt: timestampSchema,
  })
  .transform(({ apiVersion: _, kind: __, ...marker }) => marker);

const tombstoneSchema: z.ZodType<Tombstone> = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Tombstone'),
    storeId: storeIdSchema,
    id: instanceIdSchema,
    generation: z.int().min(1),
    changeId: changeIdSchema,
    tenant: tenantIdSchema,
    tier: tierNameSchema,
    destination: destinationSchema,
    names: namesSchema,
    productId: productIdSchema,
    templateVersionId: templateVersionIdSchema,
    deletionPolicy: deletionPolicySchema,
    createdAt: timestampSchema,
    deletedAt: timestampSchema,
  })
  .transform(({ apiVersion: _, kind: __, ...tombstone }) => tombstone);

/** Renders `instance.yaml`. */
export function renderMarker(marker: Marker): Uint8Array {
  return renderYaml({ apiVersion: API_VERSION, kind: 'Instance', ...(marker as unknown as JsonObject) });
}

/** Renders a tombstone. */
export function renderTombstone(tombstone: Tombstone): Uint8Array {
  return renderYaml({ apiVersion: API_VERSION, kind: 'Tombstone', ...(tombstone as unknown as JsonObject) });
}

/** Reads `instance.yaml`. @throws {CaelusError} `STORE_CORRUPT` */
export function parseMarker(bytes: Uint8Array): Marker {
  return parseFile(markerSchema, bytes, 'The marker of an instance (instance.yaml)');
}

/** Reads a tombstone. @throws {CaelusError} `STORE_CORRUPT` */
export function parseTombstone(bytes: Uint8Array): Tombstone {
  return parseFile(tombstoneSchema, bytes, 'A tombstone (.caelus/tombstones)');
}

/** The hash that a marker carries: over the instance's files, all but the marker itself, and over the marker's facts. */
export function instanceHash(files: RepoTree, facts: MarkerFacts): string {
  // Picked one by one: a whole Marker may be passed, and its hash must not go into itself.
  const { id, tenant, tier, destination, names, product, templateVersion } = facts;
  const { userValues, platformValues, hostname, labels, deletionPolicy, createdAt } = facts;
  return contentHash(files, {
    id,
    tenant,
    tier,
    destination,
    names: { ...names },
    product,
    templateVersion: { ...templateVersion, chart: { ...templateVersion.chart } as unknown as JsonObject },
    userValues,
    platformValues,
    hostname,
    labels,
    deletionPolicy,
    createdAt,
  });
}

function parseFile<T>(schema: z.ZodType<T>, bytes: Uint8Array, what: string): T {
  const parsed = schema.safeParse(readOwnYaml(bytes, MARKER_LIMIT));
  if (parsed.success) return parsed.data;
  throw new CaelusError({
    code: 'STORE_CORRUPT',
    message: `${what} is not what Caelus writes. Restore it from the history, or remove it.`,
    details: { what },
  });
}

/** In bytes. Values are at most 256 KiB each as JSON; YAML and three layers of them stay below this. */
const MARKER_LIMIT = 4 * 1024 * 1024;
