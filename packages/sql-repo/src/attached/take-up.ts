import {
  type Actor,
  CaelusError,
  type CaelusEventType,
  canonicalJson,
  checkUserValues,
  compileValuesSchema,
  type Instance,
  type InstanceId,
  isCaelusError,
  isWanted,
  type JsonValue,
  type Product,
  type ProductId,
  parseActor,
  parseChangeId,
  parseInstanceId,
  parseTemplateVersionId,
  type TemplateVersion,
  type TemplateVersionId,
} from '@caelus/core';
import type { SqlSession } from '../sql-session.ts';
import { appendEvent } from '../tables/events.ts';
import { findInstance, insertInstance, updateDesired } from '../tables/instances.ts';
import { findProduct, insertProduct } from '../tables/products.ts';
import { deprecateTemplateVersion, findTemplateVersion, insertTemplateVersion } from '../tables/template-versions.ts';
import { productUnknown, templateVersionUnknown } from '../tables/unknown.ts';
import { type HostBinding, readHostRow } from './host-binding.ts';
import type { HostKind } from './host-mapping.ts';
import type { HostRow } from './host-row.ts';
import { type MappedDeployment, mapDesired, mapLifecycle, mapProduct, mapTemplateVersion } from './map-host-row.ts';
import { ensureRow, findRow, markProblem, markTakenUp, type RowRecord } from './row-records.ts';
import { mirror, writeNeverWas } from './write-host-row.ts';

// Brings what Caelus has of a host's row to what the row says now. Level-triggered: it matters not who wrote the row, how often, or
// whether anybody told. Each runs in a transaction.

/**
 * Takes up a row of the host's deployments by Caelus's id of it. What is wrong with the row is kept with it, and not thrown.
 * @param actor Who has changed it, where that is not kept with the row yet.
 * @throws {CaelusError} `SQL_HOST_MISMATCH`, and what the database gives
 */
export async function takeUpDeployment(
  binding: HostBinding,
  session: SqlSession,
  id: string,
  actor: string | null = null,
): Promise<void> {
  const known = await findRow(session, 'deployment', 'id', id);
  const hostId = known?.hostId ?? id;
  const row = await readHostRow(binding, session, 'deployment', hostId);
  if (row === undefined) {
    if (known !== undefined) await takeUpAbsence(binding, session, known);
    return;
  }
  const found = known ?? (await ensureRow(session, 'deployment', row.id));
  const record = actor === null ? found : { ...found, actor };
  if (record.fingerprint === row.fingerprint && record.problem === null) return;
  const problem = await problemOf(() => takeUpRow(binding, session, record, row));
  if (problem === undefined) {
    await markTakenUp(session, 'deployment', record.id, row.fingerprint);
    await mirror(binding, session, record.id as InstanceId);
  } else {
    await markProblem(session, 'deployment', record.id, problem, row.fingerprint, binding.now());
  }
}

/** A row that is not there is deleted only where somebody said so: it may as well have a new key, or be in a backup that is older. */
async function takeUpAbsence(binding: HostBinding, session: SqlSession, record: RowRecord): Promise<void> {
  const instance = await findInstance(session, record.id as InstanceId);
  if (instance === undefined || !isWanted(instance)) return;
  if (record.isGone) return requestDeletion(binding, session, instance, record, undefined);
  const problem =
    'HOST_ROW_ABSENT: The host has no such row any more, and nobody said that it was deleted. Give it its new key by repository.host.rekey, or delete the instance.';
  await markProblem(session, 'deployment', record.id, problem, null, binding.now());
}

async function takeUpRow(binding: HostBinding, session: SqlSession, record: RowRecord, row: HostRow): Promise<void> {
  const id = parseInstanceId(record.id);
  const mapped = mapLifecycle(binding.mapping, row);
  const current = await findInstance(session, id);
  if (mapped.lifecycle === 'held' || current?.status === 'Deleted') return;
  if (mapped.lifecycle === 'unwanted') {
    if (current === undefined) await writeNeverWas(binding, session, row);
    else if (isWanted(current)) await requestDeletion(binding, session, current, record, mapped);
    return;
  }
  if (current !== undefined && !isWanted(current)) {
    throw new CaelusError({
      code: 'INSTANCE_DELETED',
      message: `The instance ${id} is being deleted, which cannot be taken back. Insert another row.`,
      details: { instanceId: id, status: current.status },
    });
  }
  const versionId = mapped.templateVersionHostId;
  if (versionId === null) throw templateVersionUnknown('');
  const templateVersion = await takeUpTemplateVersion(binding, session, versionId);
  if (current === undefined) await create(binding, session, id, record, row, mapped, templateVersion);
  else await update(binding, session, current, record, row, mapped, templateVersion);
}

async function create(
  binding: HostBinding,
  session: SqlSession,
  id: InstanceId,
  record: RowRecord,
  row: HostRow,
  mapped: MappedDeployment,
  templateVersion: TemplateVersion,
): Promise<void> {
  const { mapping } = binding;
  const product = await findProduct(session, templateVersion.productId);
  if (product === undefined) throw productUnknown(templateVersion.productId);
  const { tenant, destination, desired } = mapDesired(mapping, row, true);
  const at = binding.now();
  const names = mapping.naming.names({ id, slug: product.slug });
  const instance = {
    platformValues: {},
    hostname: null,
    labels: {},
    deletionPolicy: 'delete',
    userValues: {},
    ...desired,
    id,
    productId: product.id,
    tenant,
    destination,
    namespace: mapped.names.namespace ?? names.namespace,
    argoAppName: mapped.names.argoAppName ?? names.argoAppName,
    releaseName: mapped.names.releaseName ?? names.releaseName,
    gitPath: mapping.layout.instanceDirectory(id),
    desiredTemplateVersionId: templateVersion.id,
    appliedTemplateVersionId: null,
    generation: mapped.generation ?? 1,
    observedGeneration: 0,
    changeId: parseChangeId(binding.ids.uuid()),
    changedBy: actorOf(record),
    // What ran before Caelus came runs on; whether it runs as it should is seen later.
    status: mapped.status ?? 'Pending',
    statusReason: 'Accepted',
    syncStatus: null,
    healthStatus: null,
    lastSyncedAt: null,
    lastError: null,
    createdAt: mapped.createdAt ?? at,
    updatedAt: at,
    deletedAt: null,
  } as Instance;
  checkUserValues(instance.userValues, templateVersion, instance.platformValues);
  await insertInstance(session, instance);
  await announce(session, instance, 'instance-created');
}

async function update(
  binding: HostBinding,
  session: SqlSession,
  current: Instance,
  record: RowRecord,
  row: HostRow,
  mapped: MappedDeployment,
  templateVersion: TemplateVersion,
): Promise<void> {
  const { tenant, destination, desired } = mapDesired(binding.mapping, row, false);
  assertUnmoved(current, { tenant, destination, productId: templateVersion.productId });
  const next = { ...current, ...desired, desiredTemplateVersionId: templateVersion.id };
  const generation = Math.max(current.generation + 1, mapped.generation ?? 0);
  const isRaised = (mapped.generation ?? 0) > current.generation;
  if (same(next, current) && !isRaised) return;
  checkUserValues(next.userValues, templateVersion, next.platformValues);
  const at = binding.now();
  const change = {
    ...desired,
    desiredTemplateVersionId: templateVersion.id,
    changeId: parseChangeId(binding.ids.uuid()),
    changedBy: actorOf(record),
    updatedAt: at,
    statusReason: 'Accepted',
    generation,
  };
  await updateDesired(session, current.id, current.generation, { ...change, status: 'Pending' });
  const type = templateVersion.id === current.desiredTemplateVersionId ? 'instance-updated' : 'instance-upgraded';
  await announce(session, { ...next, ...change }, type);
}

async function requestDeletion(
  binding: HostBinding,
  session: SqlSession,
  current: Instance,
  record: RowRecord,
  mapped: MappedDeployment | undefined,
): Promise<void> {
  const at = binding.now();
  const change = {
    changeId: parseChangeId(binding.ids.uuid()),
    changedBy: actorOf(record),
    updatedAt: at,
    statusReason: 'Accepted',
    generation: Math.max(current.generation + 1, mapped?.generation ?? 0),
  };
  const deletedAt = mapped?.deletedAt ?? at;
  await updateDesired(session, current.id, current.generation, { ...change, status: 'Deleting', deletedAt });
  await announce(session, { ...current, ...change }, 'instance-delete-requested');
}

type Place = Pick<Instance, 'tenant' | 'destination' | 'productId'>;

/** Where an instance runs, and for whom, is for good: what the one tenant has must not become the other's. */
function assertUnmoved(current: Instance, next: Place): void {
  const issues = (['tenant', 'destination', 'productId'] as const)
    .filter((field) => canonicalJson(current[field] as JsonValue) !== canonicalJson(next[field] as JsonValue))
    .map((field) => ({ path: `/${field}`, message: 'It never changes. Insert another row.' }));
  if (issues.length === 0) return;
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The change of the instance ${current.id} cannot be accepted. ${issues.map(({ path, message }) => `${path}: ${message}`).join(' ')}`,
    details: { issues },
  });
}

function same(a: Instance, b: Instance): boolean {
  const desired = (instance: Instance) => {
    const { tier, desiredTemplateVersionId, userValues, platformValues, hostname, labels, deletionPolicy } = instance;
    return canonicalJson({
      tier,
      desiredTemplateVersionId,
      userValues,
      platformValues,
      hostname,
      labels,
      deletionPolicy,
    });
  };
  return desired(a) === desired(b);
}

async function announce(session: SqlSession, instance: Instance, type: CaelusEventType): Promise<void> {
  const { id: instanceId, generation, changeId, changedBy: actor, updatedAt: at, tenant, productId } = instance;
  const data = { tenant, productId, templateVersionId: instance.desiredTemplateVersionId, by: 'host' };
  await appendEvent(session, { type, at, instanceId, generation, changeId, actor, data });
}

/** Whoever the host names, in `caelus.actor`; nobody where that is no name. */
function actorOf({ actor }: RowRecord): Actor | null {
  try {
    return actor === null ? null : parseActor({ name: actor });
  } catch {
    return null;
  }
}

/**
 * Takes up a version of the host's by the host's key of it. One that is known is looked at again only where `isRecheck` says so: a
 * version never changes, and one that does has a problem.
 * @throws {CaelusError} `TEMPLATE_VERSION_UNKNOWN`, `PRODUCT_UNKNOWN`, and the codes of `parseTemplateVersion`
 */
async function takeUpTemplateVersion(
  binding: HostBinding,
  session: SqlSession,
  hostId: string,
  isRecheck: boolean = false,
): Promise<TemplateVersion> {
  const known = await findRow(session, 'template-version', 'host_id', hostId);
  const current = known && (await findTemplateVersion(session, known.id as TemplateVersionId));
  if (current !== undefined && !isRecheck) return current;
  const row = await readHostRow(binding, session, 'template-version', hostId);
  if (row === undefined) {
    if (current !== undefined) return current;
    throw templateVersionUnknown(hostId);
  }
  const record = known ?? (await ensureRow(session, 'template-version', row.id));
  return rememberProblem(binding, session, 'template-version', record, row, async () => {
    const id = parseTemplateVersionId(record.id);
    const product = await takeUpProduct(binding, session, row.values[binding.mapping.templateVersion.productId] ?? '');
    const templateVersion = mapTemplateVersion(binding.mapping, id, row, product, current?.createdAt ?? binding.now());
    compileValuesSchema(templateVersion.valuesSchema);
    if (current === undefined) {
      await insertTemplateVersion(session, templateVersion);
      return templateVersion;
    }
    if (canonicalJson(fixed(current)) !== canonicalJson(fixed(templateVersion))) throw changedVersion(id);
    if (current.deprecatedAt === null && templateVersion.deprecatedAt !== null) {
      await deprecateTemplateVersion(session, id, templateVersion.deprecatedAt);
    }
    return current;
  });
}

/** Takes up a version where it can be; what is wrong with it is kept with it. */
export async function tryTakeUpTemplateVersion(
  binding: HostBinding,
  session: SqlSession,
  hostId: string,
  isRecheck?: boolean,
): Promise<void> {
  await problemOf(async () => void (await takeUpTemplateVersion(binding, session, hostId, isRecheck)));
}

const fixed = ({ createdAt: _, deprecatedAt: __, ...content }: TemplateVersion) =>
  JSON.parse(JSON.stringify(content)) as JsonValue;

function changedVersion(templateVersionId: TemplateVersionId): CaelusError {
  return new CaelusError({
    code: 'TEMPLATE_VERSION_IMMUTABLE',
    message: `The host has changed the template version ${templateVersionId}, which never changes. Put it back, and insert another one; instances keep what was published.`,
    details: { templateVersionId },
  });
}

/** Takes up a product of the host's by the host's key of it. @throws {CaelusError} `PRODUCT_UNKNOWN`, `PRODUCT_EXISTS`, and the codes of `parseProduct` */
async function takeUpProduct(binding: HostBinding, session: SqlSession, hostId: string): Promise<Product> {
  const known = await findRow(session, 'product', 'host_id', hostId);
  const current = known && (await findProduct(session, known.id as ProductId));
  if (current !== undefined) return current;
  const row = await readHostRow(binding, session, 'product', hostId);
  if (row === undefined) throw productUnknown(hostId);
  const record = known ?? (await ensureRow(session, 'product', row.id));
  return rememberProblem(binding, session, 'product', record, row, async () => {
    const product = mapProduct(binding.mapping, record.id, row, binding.now());
    await insertProduct(session, product);
    return product;
  });
}

async function rememberProblem<T>(
  binding: HostBinding,
  session: SqlSession,
  kind: HostKind,
  { id }: RowRecord,
  { fingerprint }: HostRow,
  body: () => Promise<T>,
): Promise<T> {
  try {
    const result = await body();
    await markTakenUp(session, kind, id, fingerprint);
    return result;
  } catch (error) {
    if (isOfTheRow(error)) await markProblem(session, kind, id, textOf(error), fingerprint, binding.now());
    throw error;
  }
}

async function problemOf(body: () => Promise<void>): Promise<string | undefined> {
  try {
    await body();
    return undefined;
  } catch (error) {
    if (isOfTheRow(error)) return textOf(error);
    throw error;
  }
}

/** Whether it says something of the row, and not of the database. */
const isOfTheRow = (error: unknown): error is CaelusError =>
  isCaelusError(error) && !error.retryable && !/^(?:SQL_|UNAVAILABLE|STORE_)/.test(error.code);

/** Messages of Caelus name fields, and never what is in them. */
const textOf = ({ code, message }: CaelusError) => `${code}: ${message}`;
