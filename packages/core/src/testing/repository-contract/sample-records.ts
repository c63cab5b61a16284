import type { JsonObject } from '../../json-value.ts';
import type { NewCaelusEvent } from '../../model/caelus-event.ts';
import { IN_CLUSTER } from '../../model/destination.ts';
import type { GitState } from '../../model/git-state.ts';
import type { Hostname } from '../../model/hostname.ts';
import {
  type ChangeId,
  type CommitId,
  type InstanceId,
  type ProductId,
  type Slug,
  type TemplateVersionId,
  type TenantId,
  type TierName,
  type Timestamp,
  toTimestamp,
} from '../../model/identifier.ts';
import type { Instance } from '../../model/instance.ts';
import type { Product } from '../../model/product.ts';
import type { TemplateVersion } from '../../model/template-version.ts';
import type { DesiredUpdate, Repository, RepositoryTransaction, WorkClaim } from '../../ports/repository.ts';

// Valid records that differ by their number alone.

/** Seconds after a fixed instant. */
export function at(second: number): Timestamp {
  return toTimestamp(new Date(Date.UTC(2026, 0, 1) + second * 1000));
}

export function uuid(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

export const instanceId = (number: number): InstanceId => uuid(number) as InstanceId;
export const changeId = (number: number): ChangeId => uuid(0x10_0000 + number) as ChangeId;
export const productId = (number: number): ProductId => `product-${number}` as ProductId;
export const templateVersionId = (number: number): TemplateVersionId => `Template_${number}.x` as TemplateVersionId;

/** A valid product; two with different numbers do not collide. */
export function sampleProduct(number: number, other: Partial<Product> = {}): Product {
  return {
    id: productId(number),
    slug: `slug-${number}` as Slug,
    name: `Product ${number}`,
    createdAt: at(number),
    ...other,
  };
}

/** A valid template version of {@link sampleProduct} 1; two with different numbers do not collide. */
export function sampleTemplateVersion(number: number, other: Partial<TemplateVersion> = {}): TemplateVersion {
  return {
    id: templateVersionId(number),
    productId: productId(1),
    version: `1.${number}`,
    chart: { type: 'helm', repoURL: 'https://charts.example.com/stable', chart: 'app', version: `1.${number}.0` },
    defaultValues: { replicas: 1 },
    valuesSchema: null,
    lockedValues: [],
    capabilities: {},
    createdAt: at(number),
    deprecatedAt: null,
    ...other,
  };
}

/** A valid instance of {@link sampleTemplateVersion} 1; two with different numbers do not collide. */
export function sampleInstance(number: number, other: Partial<Instance> = {}): Instance {
  const id = instanceId(number);
  return {
    id,
    productId: productId(1),
    tenant: 'acme' as TenantId,
    tier: 'standard' as TierName,
    destination: IN_CLUSTER,
    namespace: `ns-${number}`,
    argoAppName: `app-${number}`,
    releaseName: 'app',
    gitPath: `instances/${id}`,
    desiredTemplateVersionId: templateVersionId(1),
    appliedTemplateVersionId: null,
    userValues: {},
    platformValues: {},
    hostname: null,
    labels: {},
    deletionPolicy: 'delete',
    generation: 1,
    observedGeneration: 0,
    changeId: changeId(number),
    changedBy: null,
    status: 'Pending',
    statusReason: 'Created',
    syncStatus: null,
    healthStatus: null,
    lastSyncedAt: null,
    lastError: null,
    createdAt: at(number),
    updatedAt: at(number),
    deletedAt: null,
    ...other,
  };
}

export const hostname = (name: string): Hostname => `${name}.example.com` as Hostname;

export function sampleUpdate(number: number, other: Partial<DesiredUpdate> = {}): DesiredUpdate {
  return {
    changeId: changeId(number),
    changedBy: null,
    updatedAt: at(number),
    status: 'Pending',
    statusReason: 'Updated',
    ...other,
  };
}

export function sampleEvent(number: number, other: Partial<NewCaelusEvent> = {}): NewCaelusEvent {
  return {
    at: at(number),
    type: 'instance-updated',
    instanceId: null,
    generation: null,
    changeId: null,
    commit: null,
    actor: null,
    data: { number },
    ...other,
  };
}

export function sampleGitState(number: number, other: Partial<GitState> = {}): GitState {
  return {
    instanceId: instanceId(number),
    generation: 1,
    changeId: changeId(number),
    contentHash: 'sha256:0',
    specHash: 'sha256:1',
    commit: '0123456789abcdef0123456789abcdef01234567' as CommitId,
    phase: 'present',
    writtenAt: at(number),
    ...other,
  };
}

export function sampleClaim(now: Timestamp, other: Partial<WorkClaim> = {}): WorkClaim {
  return { owner: 'host/1', limit: 100, leaseMilliseconds: 60_000, now, ...other };
}

/** Inserts product 1 with template version 1, which the sample instances refer to, and then `instances`. */
export async function seed(repository: Repository, ...instances: readonly Instance[]): Promise<void> {
  await repository.transaction(async (transaction) => {
    await transaction.insertProduct(sampleProduct(1));
    await transaction.insertTemplateVersion(sampleTemplateVersion(1));
    for (const instance of instances) await transaction.insertInstance(instance);
  });
}

/** One write as a transaction of its own. */
export async function write<T>(
  repository: Repository,
  body: (transaction: RepositoryTransaction) => Promise<T>,
): Promise<T> {
  return repository.transaction(body);
}

/** Texts that break what is put together by hand: SQL, JSON, shells, C strings, UTF-8, terminals, prototypes. */
export const hostileTexts: readonly string[] = [
  '',
  ' leading and trailing ',
  `' OR '1'='1`,
  `'); DROP TABLE deployment; --`,
  `"; DELETE FROM event; /*`,
  `' UNION SELECT value FROM meta --`,
  `\\'; ATTACH DATABASE 'x' AS y; --`,
  '%_%\\_%?:name@p$1#{}',
  '?1 ?2 $1 :a @b',
  'NULL',
  'null',
  '0x1F',
  '9007199254740993',
  'before\u0000after',
  '\u0000',
  '\u001b[31mred\u001b[0m \u001b0000 \u001b',
  'tab\t line\n return\r\n \u2028 \u2029 \u0085',
  'e\u0301 is not \u00e9, \u202eright to left\u202c, \ufeffmark',
  '\u{1f600} \u{10ffff} \uffff \ufffd',
  'lone \ud800 high',
  'lone \udc00 low',
  '__proto__',
  'constructor',
  '\u0130\u0131\u00df\ufb01',
  '{"json": [1, "two"]}',
  '../../etc/passwd',
  '$(touch x) `touch y`',
];

/** Values with every kind of JSON, deep, with hostile keys and hostile texts. */
export function hostileValues(): JsonObject {
  const keyed = Object.fromEntries(hostileTexts.map((text, index) => [text === '' ? 'empty' : text, index]));
  let deep: JsonObject = { end: true };
  for (let depth = 0; depth < 60; depth++) deep = { nested: [deep, null] };
  return {
    ...JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}}'),
    keyed,
    texts: hostileTexts,
    deep,
    numbers: [0, -1, 1.5, 1e21, 5e-324, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, Number.MAX_VALUE],
    empty: [{}, [], '', null, false],
  };
}
