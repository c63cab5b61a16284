import * as z from 'zod';
import { DNS_LABEL } from '../schema/identifier-schema.ts';
import { issue, parseInput } from '../schema/parse-input.ts';
import { type Values, valuesSchema } from '../values/values.ts';
import { type Actor, actorSchema } from './actor.ts';
import { type DeletionPolicy, deletionPolicySchema } from './deletion-policy.ts';
import { type Destination, destinationSchema } from './destination.ts';
import { type Hostname, hostnameSchema } from './hostname.ts';
import {
  type ChangeId,
  changeIdSchema,
  type InstanceId,
  instanceIdSchema,
  type ProductId,
  productIdSchema,
  type TemplateVersionId,
  type TenantId,
  type TierName,
  type Timestamp,
  templateVersionIdSchema,
  tenantIdSchema,
  tierNameSchema,
  timestampSchema,
} from './identifier.ts';
import { type Labels, labelsSchema } from './labels.ts';

/** What an instance is doing, for its user. `Deleted` is final. */
export type InstanceStatus = 'Pending' | 'Running' | 'Failed' | 'Deleting' | 'Deleted';
/** Whether the cluster matches Git. `Error`: Argo CD could not compare or apply. */
export type SyncStatus = 'Synced' | 'OutOfSync' | 'Error';
/** Argo CD's health of the instance's resources. */
export type HealthStatus = 'Healthy' | 'Suspended' | 'Progressing' | 'Missing' | 'Degraded' | 'Unknown';

export const instanceStatuses: readonly InstanceStatus[] = ['Pending', 'Running', 'Failed', 'Deleting', 'Deleted'];
export const syncStatuses: readonly SyncStatus[] = ['Synced', 'OutOfSync', 'Error'];
export const healthStatuses: readonly HealthStatus[] = [
  'Healthy',
  'Suspended',
  'Progressing',
  'Missing',
  'Degraded',
  'Unknown',
];

/** The names that an instance has outside SQL, given once at creation by a naming strategy and never changed. */
export interface InstanceNames {
  /** The Kubernetes namespace that holds the instance. */
  readonly namespace: string;
  /** The Argo CD Application. */
  readonly argoAppName: string;
  /** The Helm release: starts with a letter, at most 53 characters. */
  readonly releaseName: string;
}

/** What a command sets: the desired state. Each change of it raises `generation` and has a `changeId` of its own. */
export interface InstanceDesired {
  readonly tier: TierName;
  readonly desiredTemplateVersionId: TemplateVersionId;
  readonly userValues: Values;
  /** Values that the host sets for this instance; they win over the user's and are locked. */
  readonly platformValues: Values;
  readonly hostname: Hostname | null;
  readonly labels: Labels;
  readonly deletionPolicy: DeletionPolicy;
}

/** What was seen of an instance: written by the observer and the projector, never by a command. */
export interface InstanceObserved {
  readonly status: InstanceStatus;
  /** One word for why the status is what it is, from the table of `mapStatus`. */
  readonly statusReason: string;
  readonly syncStatus: SyncStatus | null;
  readonly healthStatus: HealthStatus | null;
  /** When Argo CD last finished a full sync. */
  readonly lastSyncedAt: Timestamp | null;
  /** The newest generation that Argo CD has reported synced; 0 before the first. */
  readonly observedGeneration: number;
  /** The template version that last ran. */
  readonly appliedTemplateVersionId: TemplateVersionId | null;
  readonly lastError: string | null;
}

/** One user's running copy of a product: the deployment record. */
export interface Instance extends InstanceDesired, InstanceObserved, InstanceNames {
  readonly id: InstanceId;
  readonly productId: ProductId;
  readonly tenant: TenantId;
  readonly destination: Destination;
  /** The instance's directory in the GitOps repository. */
  readonly gitPath: string;
  /** Rises by one with every change of the desired state, deletion included. Starts at 1. */
  readonly generation: number;
  readonly changeId: ChangeId;
  /** Who made the last change of the desired state: the author of its commit. */
  readonly changedBy: Actor | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  /** When deletion was asked for. */
  readonly deletedAt: Timestamp | null;
}

const dnsLabel = z.string().refine((text) => DNS_LABEL.test(text), issue('NAME_INVALID', 'Use an RFC 1123 label.'));

const instanceFields = {
  id: instanceIdSchema,
  productId: productIdSchema,
  tenant: tenantIdSchema,
  tier: tierNameSchema,
  destination: destinationSchema,
  namespace: dnsLabel,
  argoAppName: dnsLabel,
  releaseName: z
    .string()
    .regex(/^[a-z](?:[a-z0-9-]{0,51}[a-z0-9])?$/, 'Use at most 53 characters, starting with a letter.'),
  gitPath: z.string(),
  desiredTemplateVersionId: templateVersionIdSchema,
  appliedTemplateVersionId: templateVersionIdSchema.nullable(),
  userValues: valuesSchema,
  platformValues: valuesSchema,
  hostname: hostnameSchema.nullable(),
  labels: labelsSchema,
  deletionPolicy: deletionPolicySchema,
  generation: z.int().min(1),
  observedGeneration: z.int().min(0),
  changeId: changeIdSchema,
  changedBy: actorSchema.nullable(),
  status: z.enum(instanceStatuses as [InstanceStatus, ...InstanceStatus[]]),
  statusReason: z.string(),
  syncStatus: z.enum(syncStatuses as [SyncStatus, ...SyncStatus[]]).nullable(),
  healthStatus: z.enum(healthStatuses as [HealthStatus, ...HealthStatus[]]).nullable(),
  lastSyncedAt: timestampSchema.nullable(),
  lastError: z.string().nullable(),
  createdAt: timestampSchema,
  updatedAt: timestampSchema,
  deletedAt: timestampSchema.nullable(),
};
const instanceSchema: z.ZodType<Instance> = z.strictObject(instanceFields);
const fieldsSchema: z.ZodType<Partial<Instance>> = z.strictObject(instanceFields).partial() as never;

/** Parses a stored instance. @throws {CaelusError} `ID_INVALID`, `NAME_INVALID`, `HOSTNAME_INVALID`, `LABEL_INVALID`, `INVALID_INPUT` */
export function parseInstance(input: unknown): Instance {
  return parseInput(instanceSchema, input, 'The instance');
}

/** Parses some fields of an instance. @throws {CaelusError} as {@link parseInstance} */
export function parseInstanceFields(input: unknown): Partial<Instance> {
  return parseInput(fieldsSchema, input, 'The instance');
}

/** Tells whether an instance is wanted: neither being deleted nor gone. */
export function isWanted(instance: Pick<Instance, 'status'>): boolean {
  return instance.status !== 'Deleting' && instance.status !== 'Deleted';
}
