import {
  CaelusError,
  createLayout,
  type InputIssue,
  type InstanceStatus,
  instanceStatuses,
  type Layout,
  type NamingStrategy,
  slugNaming,
} from '@caelus/core';
import type { AttachOptions, HostField } from './attach-options.ts';

/** The three tables that a host has of its own. */
export type HostKind = 'product' | 'template-version' | 'deployment';

export interface HostTable {
  readonly kind: HostKind;
  /** Without its schema, for people. */
  readonly name: string;
  /** Quoted, with its schema. */
  readonly sql: string;
  readonly id: string;
  /** Every column that is mapped, the key among them. */
  readonly columns: readonly string[];
  /** Those that Caelus adds where they are missing, with their types. */
  readonly added: Readonly<Record<string, string>>;
  /** Those whose change means that the row is to be looked at. */
  readonly watched: readonly string[];
}

/** The options of attached mode, checked, with every default filled in. */
export interface HostMapping {
  readonly schema: string;
  readonly tables: Readonly<Record<HostKind, HostTable>>;
  readonly product: { readonly slug: HostField; readonly name: HostField; readonly createdAt: string | undefined };
  readonly templateVersion: {
    readonly productId: string;
    readonly version: HostField;
    readonly helmChartRepoUrl: string;
    readonly chartVersion: string;
    readonly defaultValues: string;
    readonly chartName: HostField | undefined;
    readonly chart: HostField | undefined;
    readonly valuesSchema: HostField | undefined;
    readonly lockedValues: HostField | undefined;
    readonly capabilities: HostField | undefined;
    readonly createdAt: string | undefined;
    readonly deprecatedAt: string | undefined;
  };
  /** The host's fields of the desired state; those that are left out are kept by Caelus alone. */
  readonly desired: Readonly<Partial<Record<HostDesiredField, HostField>>>;
  readonly desiredTemplateVersionId: string;
  readonly tenant: HostField;
  readonly destination: HostField | undefined;
  readonly generation: string | undefined;
  readonly createdAt: string | undefined;
  readonly deletedAt: string | undefined;
  /** The columns of names that a host may have chosen. */
  readonly names: { readonly argoAppName: string; readonly namespace?: string; readonly releaseName?: string };
  /** The columns that Caelus writes of what it knows. */
  readonly mirrored: Readonly<Partial<Record<MirroredField, string>>>;
  readonly status: HostStatusMapping;
  readonly naming: NamingStrategy;
  readonly layout: Layout;
  readonly installsTriggers: boolean;
  readonly timeZone: string;
  readonly inserts: boolean;
}

export type HostDesiredField = 'tier' | 'userValues' | 'platformValues' | 'hostname' | 'labels' | 'deletionPolicy';
export type MirroredField =
  | 'gitPath'
  | 'argoAppName'
  | 'namespace'
  | 'releaseName'
  | 'syncStatus'
  | 'healthStatus'
  | 'statusReason'
  | 'lastSyncedAt'
  | 'lastError'
  | 'observedGeneration'
  | 'appliedTemplateVersionId';

export interface HostStatusMapping {
  readonly column: string;
  readonly words: Readonly<Record<InstanceStatus, string>>;
  /** What each of the host's words means. */
  readonly meaning: ReadonlyMap<string, InstanceStatus>;
  readonly held: ReadonlySet<string>;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const IDENTIFIER_RULE = 'Use 1 to 63 letters, digits and underscores, not beginning with a digit.';
const WORD = /^[\p{L}\p{N} ._-]{1,64}$/u;
const WORD_RULE = 'Use 1 to 64 letters, digits, spaces, dots, hyphens and underscores.';
/** Names of the time zone database, and offsets as in `Etc/GMT+5`. */
const TIME_ZONE = /^[A-Za-z0-9_+/-]{1,64}$/;

/** A name as it stands in a statement. Only checked names are given. */
export const quoted = (identifier: string): string => `"${identifier}"`;
/** A checked word as it stands in a statement. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The columns of one field. */
export function columnsOfField(field: HostField | undefined): readonly string[] {
  if (field === undefined) return [];
  if (typeof field === 'string') return [field];
  return 'columns' in field ? field.columns : [];
}

/**
 * Checks the options of attached mode, and fills in what they leave out.
 * @returns The mapping, or what is wrong.
 */
export function parseHostMapping(options: AttachOptions): HostMapping | readonly InputIssue[] {
  const issues: InputIssue[] = [];
  const name = (path: string, value: unknown, usual?: string): string => {
    const given = value === undefined ? usual : value;
    if (typeof given === 'string' && IDENTIFIER.test(given)) return given;
    issues.push({ path: `/attach${path}`, message: IDENTIFIER_RULE });
    return '';
  };
  const optionalName = (path: string, value: unknown) => (value === undefined ? undefined : name(path, value));
  const field = (path: string, value: HostField | undefined, usual?: HostField): HostField | undefined => {
    const given = value === undefined ? usual : value;
    if (given === undefined) return undefined;
    if (typeof given === 'string') return name(path, given);
    if (typeof given === 'object' && given !== null && 'value' in given) return { value: given.value };
    const isReader = typeof given === 'object' && given !== null && Array.isArray(given.columns);
    if (isReader && typeof given.read === 'function' && given.columns.length <= 32) {
      const columns = given.columns.map((column, index) => name(`${path}/columns/${index}`, column));
      return { columns, read: given.read };
    }
    issues.push({
      path: `/attach${path}`,
      message: 'Give a column, { value }, or { columns, read } of at most 32 columns.',
    });
    return undefined;
  };
  const required = (path: string, value: HostField | undefined, usual?: HostField): HostField => {
    const found = field(path, value, usual);
    if (value === undefined && usual === undefined) {
      issues.push({ path: `/attach${path}`, message: 'Say where it comes from: a column, or { value }.' });
    }
    return found ?? { value: null };
  };

  const { product = {}, templateVersion = {}, triggers, insert = false, timeZone = 'UTC' } = options;
  const deployment = options.deployment ?? ({} as AttachOptions['deployment']);
  const schema = name('/schema', options.schema, 'public');
  if (triggers !== 'install' && triggers !== 'none') {
    issues.push({ path: '/attach/triggers', message: 'Use install or none.' });
  }
  if (typeof timeZone !== 'string' || !TIME_ZONE.test(timeZone)) {
    issues.push({ path: '/attach/timeZone', message: 'Use the name of a time zone, such as Europe/Berlin.' });
  }
  if (typeof insert !== 'boolean') issues.push({ path: '/attach/insert', message: 'Use true or false.' });

  const ofProduct: HostMapping['product'] = {
    slug: required('/product/slug', product.slug, 'slug'),
    name: required('/product/name', product.name, 'name'),
    createdAt: optionalName('/product/createdAt', product.createdAt),
  };
  const templateId = name('/templateVersion/id', templateVersion.id, 'id');
  const ofVersion: HostMapping['templateVersion'] = {
    productId: name('/templateVersion/productId', templateVersion.productId, 'product_id'),
    version: required('/templateVersion/version', templateVersion.version, templateId),
    helmChartRepoUrl: name(
      '/templateVersion/helmChartRepoUrl',
      templateVersion.helmChartRepoUrl,
      'helm_chart_repo_url',
    ),
    chartVersion: name('/templateVersion/chartVersion', templateVersion.chartVersion, 'chart_version'),
    defaultValues: name('/templateVersion/defaultValues', templateVersion.defaultValues, 'default_values'),
    chartName: field('/templateVersion/chartName', templateVersion.chartName),
    chart: field('/templateVersion/chart', templateVersion.chart),
    valuesSchema: field('/templateVersion/valuesSchema', templateVersion.valuesSchema),
    lockedValues: field('/templateVersion/lockedValues', templateVersion.lockedValues),
    capabilities: field('/templateVersion/capabilities', templateVersion.capabilities),
    createdAt: optionalName('/templateVersion/createdAt', templateVersion.createdAt),
    deprecatedAt: optionalName('/templateVersion/deprecatedAt', templateVersion.deprecatedAt),
  };
  const at = (key: string) => `/deployment/${key}`;
  const desired: Record<string, HostField> = {};
  const desiredFields = {
    tier: required(at('tier'), deployment.tier),
    userValues: field(at('userValues'), deployment.userValues, 'user_values'),
    platformValues: field(at('platformValues'), deployment.platformValues),
    hostname: field(at('hostname'), deployment.hostname),
    labels: field(at('labels'), deployment.labels),
    deletionPolicy: field(at('deletionPolicy'), deployment.deletionPolicy),
  };
  for (const [key, found] of Object.entries(desiredFields)) if (found !== undefined) desired[key] = found;
  const argoAppName = name(at('argoAppName'), deployment.argoAppName, 'argo_app_name');
  const namespace = optionalName(at('namespace'), deployment.namespace);
  const releaseName = optionalName(at('releaseName'), deployment.releaseName);
  const gitPath = name(at('gitPath'), deployment.gitPath, 'git_path');
  const syncStatus = name(at('syncStatus'), deployment.syncStatus, 'sync_status');
  const lastSyncedAt = name(at('lastSyncedAt'), deployment.lastSyncedAt, 'last_synced_at');
  const mirrored: Partial<Record<MirroredField, string>> = { gitPath, argoAppName, syncStatus, lastSyncedAt };
  if (namespace !== undefined) mirrored.namespace = namespace;
  if (releaseName !== undefined) mirrored.releaseName = releaseName;
  for (const key of [
    'healthStatus',
    'statusReason',
    'lastError',
    'observedGeneration',
    'appliedTemplateVersionId',
  ] as const) {
    const column = optionalName(at(key), deployment[key]);
    if (column !== undefined) mirrored[key] = column;
  }
  const status = parseStatus(deployment.status ?? {}, issues, (path, value, usual) => name(at(path), value, usual));
  const generation = optionalName(at('generation'), deployment.generation);
  const createdAt = optionalName(at('createdAt'), deployment.createdAt);
  const deletedAt = optionalName(at('deletedAt'), deployment.deletedAt);
  const desiredTemplateVersionId = name(
    at('desiredTemplateVersionId'),
    deployment.desiredTemplateVersionId,
    'desired_template_version_id',
  );
  const tenant = required(at('tenant'), deployment.tenant);
  const destination = field(at('destination'), deployment.destination);

  const table = (kind: HostKind, key: string, given: { table?: string | undefined; id?: string | undefined }) => {
    const tableName = name(
      `/${key}/table`,
      given.table,
      kind === 'template-version' ? 'product_template_version' : kind,
    );
    return {
      kind,
      name: tableName,
      sql: `${quoted(schema)}.${quoted(tableName)}`,
      id: name(`/${key}/id`, given.id, 'id'),
    };
  };
  const distinct = (columns: readonly (string | undefined)[]) =>
    [...new Set(columns)].filter((column): column is string => column !== undefined);
  const productTable = table('product', 'product', product);
  const versionTable = table('template-version', 'templateVersion', templateVersion);
  const deploymentTable = table('deployment', 'deployment', deployment);
  const productWatched = distinct([...columnsOfField(ofProduct.slug), ...columnsOfField(ofProduct.name)]);
  const versionFields = [ofVersion.version, ofVersion.chartName, ofVersion.chart, ofVersion.valuesSchema];
  const versionAdded = [ofVersion.helmChartRepoUrl, ofVersion.chartVersion, ofVersion.defaultValues];
  const versionWatched = distinct([
    ofVersion.productId,
    ...[...versionFields, ofVersion.lockedValues, ofVersion.capabilities].flatMap(columnsOfField),
    ...versionAdded,
  ]);
  const rowWatched = distinct([
    desiredTemplateVersionId,
    ...Object.values(desired).flatMap(columnsOfField),
    ...columnsOfField(tenant),
    ...columnsOfField(destination),
    generation,
  ]);
  const tables: HostMapping['tables'] = {
    product: {
      ...productTable,
      columns: distinct([productTable.id, ...productWatched, ofProduct.createdAt]),
      added: {},
      watched: productWatched,
    },
    'template-version': {
      ...versionTable,
      columns: distinct([versionTable.id, ...versionWatched, ofVersion.createdAt, ofVersion.deprecatedAt]),
      added: Object.fromEntries(versionAdded.map((column) => [column, 'text'])),
      watched: versionWatched,
    },
    deployment: {
      ...deploymentTable,
      columns: distinct([
        deploymentTable.id,
        ...rowWatched,
        status.column,
        createdAt,
        deletedAt,
        ...Object.values(mirrored),
      ]),
      added: {
        [gitPath]: 'text',
        [argoAppName]: 'text',
        [lastSyncedAt]: 'timestamptz',
        [syncStatus]: 'text',
        [status.column]: 'text',
      },
      watched: rowWatched,
    },
  };
  const written = [...Object.values(mirrored), status.column];
  const twice = rowWatched.filter((column) => written.includes(column) || column === deploymentTable.id);
  if (twice.length > 0 || new Set(written).size < written.length) {
    issues.push({
      path: '/attach/deployment',
      message: `Give each column one meaning: ${distinct([...twice, ...written.filter((column, index) => written.indexOf(column) !== index)]).join(', ')}.`,
    });
  }
  if (issues.length > 0) return issues;
  return {
    schema,
    tables,
    product: ofProduct,
    templateVersion: ofVersion,
    desired,
    desiredTemplateVersionId,
    tenant,
    destination,
    generation,
    createdAt,
    deletedAt,
    names: {
      argoAppName,
      ...(namespace !== undefined && { namespace }),
      ...(releaseName !== undefined && { releaseName }),
    },
    mirrored,
    status,
    naming: options.naming ?? slugNaming,
    layout: createLayout(options.layout ?? 'flat'),
    installsTriggers: triggers === 'install',
    timeZone,
    inserts: insert,
  };
}

function parseStatus(
  { column, words = {}, alsoRead = {}, held = [] }: NonNullable<AttachOptions['deployment']['status']>,
  issues: InputIssue[],
  name: (path: string, value: unknown, usual: string) => string,
): HostStatusMapping {
  const path = '/attach/deployment/status';
  const all = Object.fromEntries(instanceStatuses.map((status) => [status, words[status] ?? status])) as Record<
    InstanceStatus,
    string
  >;
  const meaning = new Map<string, InstanceStatus>();
  const heldWords = new Set(held);
  for (const [word, status] of [
    ...instanceStatuses.map((status) => [all[status], status] as const),
    ...Object.entries(alsoRead),
  ]) {
    if (typeof word !== 'string' || !WORD.test(word)) issues.push({ path: `${path}/words`, message: WORD_RULE });
    if (meaning.has(word) || heldWords.has(word)) {
      issues.push({ path: `${path}/words`, message: 'Give each word one meaning.' });
    }
    if (!instanceStatuses.includes(status))
      issues.push({ path: `${path}/alsoRead`, message: 'Use a status of Caelus.' });
    meaning.set(word, status);
  }
  for (const word of heldWords) {
    if (typeof word !== 'string' || !WORD.test(word)) issues.push({ path: `${path}/held`, message: WORD_RULE });
  }
  return { column: name('status/column', column, 'status'), words: all, meaning, held: heldWords };
}

/** @throws {CaelusError} `INVALID_INPUT` */
export function hostMapping(options: AttachOptions): HostMapping {
  const parsed = parseHostMapping(options);
  if (!('length' in parsed)) return parsed;
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The mapping of the host's tables cannot be accepted. ${parsed.map(({ path, message }) => `${path}: ${message}`).join(' ')}`,
    details: { issues: parsed },
  });
}
