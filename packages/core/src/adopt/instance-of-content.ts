import type { GitContent } from '../decide/decide.ts';
import type { Layout } from '../layout/layout.ts';
import type { StoreId, Timestamp } from '../model/identifier.ts';
import type { Instance } from '../model/instance.ts';
import type { Marker, Tombstone } from '../render/marker.ts';

/** What the row of an instance can be rebuilt to, from what lies in Git. */
export type InstanceOfContent =
  | { readonly outcome: 'row'; readonly instance: Instance }
  /** Nothing of it is this database's. */
  | { readonly outcome: 'foreign' }
  /** A marker or tombstone cannot be read. */
  | { readonly outcome: 'unreadable' }
  | { readonly outcome: 'nothing' };

/**
 * The row of an instance, as its marker and its tombstone say. What Git does not have is as for a new row: everything that
 * was observed, who made the last change, and of a deleted instance also its values, hostname and labels.
 */
export function instanceOfContent(
  { marker, tombstone, hasDirectory, hasApplicationFile }: GitContent,
  { storeId, layout, at }: { readonly storeId: StoreId; readonly layout: Layout; readonly at: Timestamp },
): InstanceOfContent {
  if (marker === 'invalid' || tombstone === 'invalid') return { outcome: 'unreadable' };
  if ([marker, tombstone].some((file) => file !== null && file.storeId !== storeId)) return { outcome: 'foreign' };
  if (marker === null && tombstone === null)
    return { outcome: hasDirectory || hasApplicationFile ? 'foreign' : 'nothing' };
  const base = marker === null ? ofTombstone(tombstone as Tombstone) : ofMarker(marker);
  const gitPath = layout.instanceDirectory(base.id);
  const instance = { ...base, gitPath, ...UNOBSERVED, changedBy: null, updatedAt: at, deletedAt: null };
  if (tombstone === null) {
    return { outcome: 'row', instance: { ...instance, status: 'Pending', statusReason: 'Rebuilt' } };
  }
  const { generation, changeId, deletedAt } = tombstone;
  const isGone = !hasDirectory && !hasApplicationFile;
  const status = isGone ? 'Deleted' : 'Deleting';
  const statusReason = isGone ? 'Gone' : 'Rebuilt';
  return { outcome: 'row', instance: { ...instance, generation, changeId, deletedAt, status, statusReason } };
}

const UNOBSERVED = {
  syncStatus: null,
  healthStatus: null,
  lastSyncedAt: null,
  observedGeneration: 0,
  appliedTemplateVersionId: null,
  lastError: null,
} as const;

type DesiredRow = Omit<
  Instance,
  keyof typeof UNOBSERVED | 'gitPath' | 'changedBy' | 'updatedAt' | 'deletedAt' | 'status' | 'statusReason'
>;

function ofMarker(marker: Marker): DesiredRow {
  const { id, tenant, tier, destination, names, product, templateVersion, generation, changeId, createdAt } = marker;
  const { userValues, platformValues, hostname, labels, deletionPolicy } = marker;
  return {
    id,
    productId: product.id,
    tenant,
    tier,
    destination,
    ...names,
    desiredTemplateVersionId: templateVersion.id,
    userValues,
    platformValues,
    hostname,
    labels,
    deletionPolicy,
    generation,
    changeId,
    createdAt,
  };
}

function ofTombstone(tombstone: Tombstone): DesiredRow {
  const { storeId: _, names, templateVersionId, deletedAt: __, ...rest } = tombstone;
  return {
    ...rest,
    ...names,
    desiredTemplateVersionId: templateVersionId,
    userValues: {},
    platformValues: {},
    hostname: null,
    labels: {},
  };
}
