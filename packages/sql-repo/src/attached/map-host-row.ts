import {
  CaelusError,
  chartVersionOf,
  type Destination,
  IN_CLUSTER,
  type InstanceDesired,
  type InstanceStatus,
  type JsonValue,
  type Product,
  parseChartSource,
  parseDeletionPolicy,
  parseDestination,
  parseHostname,
  parseLabels,
  parseProduct,
  parseTemplateVersion,
  parseTenantId,
  parseTierName,
  parseTimestamp,
  parseValues,
  type TemplateVersion,
  type TenantId,
  type Timestamp,
  VALUES_SCHEMA_LIMITS,
} from '@caelus/core';
import type { HostField } from './attach-options.ts';
import type { HostDesiredField, HostMapping } from './host-mapping.ts';
import type { HostRow } from './host-row.ts';

// What a host's row means. Pure: what a row lacks or has wrong is an error of the parser that finds it.

/** What a host's row of a deployment says, before it is compared with what Caelus has. */
export interface MappedDeployment {
  /** `held`: left alone. `unwanted`: to be deleted. */
  readonly lifecycle: 'held' | 'wanted' | 'unwanted';
  /** What the host's status means; `null` for a word that is not known, and for none. */
  readonly status: InstanceStatus | null;
  readonly templateVersionHostId: string | null;
  readonly generation: number | null;
  readonly createdAt: Timestamp | null;
  readonly deletedAt: Timestamp | null;
  /** Names that the host has chosen, or that Caelus has written there before. */
  readonly names: Readonly<Record<'argoAppName' | 'namespace' | 'releaseName', string | null>>;
}

/** What is desired, as far as the host says it. */
export interface MappedDesired {
  readonly tenant: TenantId;
  readonly destination: Destination;
  readonly desired: Partial<Omit<InstanceDesired, 'desiredTemplateVersionId'>>;
}

/** How far a row has come in its life. Never fails, so that a row with faults can still be deleted. */
export function mapLifecycle(mapping: HostMapping, { values }: HostRow): MappedDeployment {
  const { status, deletedAt, generation } = mapping;
  const word = values[status.column] ?? null;
  const meaning = word === null ? null : (status.meaning.get(word) ?? null);
  const gone = instantOf(deletedAt, values);
  const isUnwanted = meaning === 'Deleting' || meaning === 'Deleted' || gone !== null;
  const counted = generation === undefined ? Number.NaN : Number(values[generation] ?? Number.NaN);
  const named = (column: string | undefined) => (column === undefined ? null : values[column] || null);
  return {
    lifecycle: word !== null && status.held.has(word) ? 'held' : isUnwanted ? 'unwanted' : 'wanted',
    status: meaning,
    templateVersionHostId: values[mapping.desiredTemplateVersionId] ?? null,
    generation: Number.isSafeInteger(counted) && counted >= 1 ? counted : null,
    createdAt: instantOf(mapping.createdAt, values),
    deletedAt: gone,
    names: {
      argoAppName: named(mapping.names.argoAppName),
      namespace: named(mapping.names.namespace),
      releaseName: named(mapping.names.releaseName),
    },
  };
}

const parsers: { readonly [Field in HostDesiredField]: (value: unknown) => InstanceDesired[Field] } = {
  tier: (value) => parseTierName(value),
  userValues: (value) => parseValues(value, { what: 'The user’s values' }),
  platformValues: (value) => parseValues(value, { what: 'The platform’s values' }),
  hostname: (value) => (value === null || value === '' ? null : parseHostname(value)),
  labels: (value) => parseLabels(fromJson(value) ?? {}),
  deletionPolicy: (value) => parseDeletionPolicy(value ?? 'delete'),
};

/**
 * @param isNew Whether Caelus has no such instance yet. Afterwards, what is no column of the host's is Caelus's own.
 * @throws {CaelusError} the codes of the fields' parsers, and `INVALID_INPUT` where a function of the mapping throws
 */
export function mapDesired(mapping: HostMapping, row: HostRow, isNew: boolean): MappedDesired {
  const desired: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(mapping.desired) as [HostDesiredField, HostField][]) {
    if (!isNew && typeof field === 'object' && 'value' in field) continue;
    desired[name] = parsers[name](fieldOf(field, row, name));
  }
  const destination = mapping.destination === undefined ? undefined : fieldOf(mapping.destination, row, 'destination');
  return {
    tenant: parseTenantId(fieldOf(mapping.tenant, row, 'tenant')),
    destination: destination === undefined ? IN_CLUSTER : parseDestination(fromJson(destination)),
    // The cast: each field was given by its own parser.
    desired: desired as MappedDesired['desired'],
  };
}

/** @throws {CaelusError} the codes of `parseProduct` */
export function mapProduct(mapping: HostMapping, id: string, row: HostRow, now: Timestamp): Product {
  const { slug, name, createdAt } = mapping.product;
  return parseProduct({
    id,
    slug: fieldOf(slug, row, 'slug'),
    name: fieldOf(name, row, 'name'),
    createdAt: instantOf(createdAt, row.values) ?? now,
  });
}

/** @throws {CaelusError} the codes of `parseTemplateVersion` */
export function mapTemplateVersion(
  mapping: HostMapping,
  id: string,
  row: HostRow,
  product: Product,
  now: Timestamp,
): TemplateVersion {
  const of = mapping.templateVersion;
  const field = (name: string, source: HostField | undefined) =>
    source === undefined ? null : fieldOf(source, row, name);
  const chart = of.chart === undefined ? chartOf(mapping, row, product) : fromJson(field('chart', of.chart));
  const schema = field('valuesSchema', of.valuesSchema);
  return parseTemplateVersion({
    id,
    productId: product.id,
    version: field('version', of.version),
    chart: parseChartSource(chart),
    defaultValues: parseValues(row.values[of.defaultValues], { what: 'The default values' }),
    valuesSchema:
      schema === null || schema === 'null'
        ? null
        : parseValues(schema, { what: 'The values schema', limits: VALUES_SCHEMA_LIMITS }),
    lockedValues: fromJson(field('lockedValues', of.lockedValues)) ?? [],
    capabilities: fromJson(field('capabilities', of.capabilities)) ?? {},
    createdAt: instantOf(of.createdAt, row.values) ?? now,
    deprecatedAt: instantOf(of.deprecatedAt, row.values),
  });
}

/** The chart by its address, its version, and its name, which is the product's where the host has none. */
function chartOf(mapping: HostMapping, row: HostRow, product: Product): unknown {
  const { helmChartRepoUrl, chartVersion, chartName } = mapping.templateVersion;
  const repoURL = row.values[helmChartRepoUrl];
  if (repoURL === null || repoURL === undefined) {
    throw invalid(
      'helmChartRepoUrl',
      'It is empty. Set it, by repository.host.backfill for those that are there already.',
    );
  }
  return {
    type: repoURL.startsWith('oci://') ? 'oci' : 'helm',
    repoURL,
    chart: chartName === undefined ? product.slug : fieldOf(chartName, row, 'chartName'),
    version: row.values[chartVersion] ?? undefined,
  };
}

/** What the columns of a chart are written as. */
export function chartColumns(
  mapping: HostMapping,
  { chart, defaultValues }: TemplateVersion,
): Record<string, string | null> {
  const of = mapping.templateVersion;
  return {
    [of.helmChartRepoUrl]: chart.repoURL ?? null,
    [of.chartVersion]: chartVersionOf(chart),
    [of.defaultValues]: JSON.stringify(defaultValues),
  };
}

function fieldOf(field: HostField, { values }: HostRow, name: string): unknown {
  if (typeof field === 'string') return values[field] ?? null;
  if ('value' in field) return field.value;
  try {
    return field.read(Object.fromEntries(field.columns.map((column) => [column, values[column] ?? null]))) ?? null;
  } catch {
    // What it throws may quote the row.
    throw invalid(name, 'The function of the mapping that reads it failed.');
  }
}

function instantOf(column: string | undefined, values: HostRow['values']): Timestamp | null {
  const instant = column === undefined ? null : values[column];
  if (instant === null || instant === undefined) return null;
  try {
    return parseTimestamp(instant);
  } catch {
    // No instant that JavaScript has, such as infinity.
    return null;
  }
}

/** JSON of a column; anything else as it is. */
function fromJson(value: unknown): JsonValue | undefined {
  if (typeof value !== 'string') return (value ?? undefined) as JsonValue | undefined;
  try {
    return (JSON.parse(value) ?? undefined) as JsonValue | undefined;
  } catch {
    return value;
  }
}

function invalid(field: string, message: string): CaelusError {
  return new CaelusError({
    code: 'INVALID_INPUT',
    message: `The host's row cannot be accepted. /${field}: ${message}`,
    details: { issues: [{ path: `/${field}`, message }] },
  });
}
