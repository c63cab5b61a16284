import {
  type ArgoCdVersion,
  cataloguePath,
  createLayout,
  createRenderContext,
  type Instance,
  type LayoutName,
  parseInstance,
  parseProduct,
  parseStoreId,
  parseTemplateVersion,
  parseTier,
  productRow,
  type RenderContext,
  type RenderInstanceInput,
  type RepoTree,
  renderCatalogueFile,
  renderInstance,
  renderRepository,
  renderTombstone,
  slugNaming,
  type TemplateCapabilities,
  type TemplateVersion,
  templateVersionRow,
  tombstoneOf,
  uuidNaming,
} from '@caelus/core';

/** What a sample says that differs from a plain instance of a chart in a Helm repository. */
export interface Sample {
  readonly layout?: LayoutName;
  readonly naming?: 'uuid' | 'slug';
  readonly version?: ArgoCdVersion;
  readonly pathPrefix?: string;
  readonly sourceRepos?: readonly string[];
  readonly chart?: object;
  readonly capabilities?: TemplateCapabilities;
  readonly defaultValues?: object;
  readonly tier?: object;
  readonly instance?: Partial<Record<keyof Instance, unknown>>;
  readonly templateVersion?: Partial<Record<keyof TemplateVersion, unknown>>;
  /** Shows the catalogue and the tombstone too. */
  readonly records?: boolean;
}

const at = '2026-01-31T12:00:00.000Z';
const ID = '0198c0de-1111-7222-8333-44445555661f';

export const CHARTS = {
  helm: { type: 'helm', repoURL: 'https://charts.example.com/stable', chart: 'guestbook', version: '1.0.0' },
  oci: { type: 'oci', repoURL: 'oci://registry.example.com/charts', chart: 'guestbook', version: '1.0.0' },
  git: {
    type: 'git',
    repoURL: 'https://git.example.com/charts/guestbook.git',
    path: 'deploy/chart',
    revision: 'refs/tags/v1.0.0',
  },
  gitOps: { type: 'git', path: 'charts/guestbook/1.0.0' },
} as const;

export function contextOf(sample: Sample = {}): RenderContext {
  return createRenderContext({
    storeId: parseStoreId('11111111-2222-4333-8444-555555555555'),
    layout: createLayout(sample.layout ?? 'flat'),
    naming: sample.naming === 'slug' ? slugNaming : uuidNaming,
    gitOps: { repoURL: 'https://git.example.com/platform/gitops.git', pathPrefix: sample.pathPrefix },
    argoCd: { version: sample.version, sourceRepos: sample.sourceRepos },
  });
}

export function inputOf(sample: Sample = {}): RenderInstanceInput {
  const product = parseProduct({ id: 'product-1', slug: 'guestbook', name: 'Guestbook', createdAt: at });
  const templateVersion = parseTemplateVersion({
    id: 'guestbook-1.0.0',
    productId: product.id,
    version: '1.0.0',
    chart: sample.chart ?? CHARTS.helm,
    defaultValues: sample.defaultValues ?? { replicas: 1, ingress: { enabled: true, host: '' } },
    valuesSchema: null,
    lockedValues: [],
    capabilities: sample.capabilities ?? { hostname: '/ingress/host' },
    createdAt: at,
    deprecatedAt: null,
    ...sample.templateVersion,
  });
  const context = contextOf(sample);
  const tier = parseTier({ name: 'stable', ...sample.tier });
  const id = (sample.instance?.id ?? ID) as Instance['id'];
  const instance = parseInstance({
    id,
    productId: product.id,
    tenant: 'acme',
    tier: tier.name,
    destination: { server: 'https://kubernetes.default.svc' },
    ...context.naming.names({ id, slug: product.slug }),
    gitPath: context.layout.instanceDirectory(id),
    desiredTemplateVersionId: templateVersion.id,
    appliedTemplateVersionId: null,
    userValues: { title: 'Our guests' },
    platformValues: {},
    hostname: null,
    labels: {},
    deletionPolicy: 'delete',
    generation: 1,
    observedGeneration: 0,
    changeId: '0198c0de-aaaa-7bbb-8ccc-ddddeeeeffff',
    status: 'Pending',
    statusReason: 'Committed',
    syncStatus: null,
    healthStatus: null,
    lastSyncedAt: null,
    lastError: null,
    changedBy: { name: 'Ada' },
    createdAt: at,
    updatedAt: at,
    deletedAt: null,
    ...sample.instance,
  });
  return { context, instance, product, templateVersion, tier };
}

/** The repository and the instance of a sample. Of 256 shards, the first and the instance's stand for all. */
export function renderSample(sample: Sample): RepoTree {
  const input = inputOf(sample);
  const repository = [...renderRepository({ context: input.context, tiers: [input.tier] })];
  const shown = repository.filter(([path]) => !/\/(?!1f|00)[0-9a-f]{2}(?:\/|\.yaml$)/.test(path));
  return new Map([...shown, ...renderInstance(input).tree, ...(sample.records ? recordsOf(input) : [])]);
}

/** What is there so that the rows can be rebuilt: the catalogue, and the tombstone, as after the instance's deletion. */
function recordsOf({ context, instance, product, templateVersion }: RenderInstanceInput): RepoTree {
  const { storeId, layout } = context;
  const rows = [productRow(product), templateVersionRow(templateVersion)];
  const tombstone = renderTombstone(tombstoneOf(instance, storeId));
  return new Map([
    ...rows.map((row) => [cataloguePath(row), renderCatalogueFile({ storeId, row })] as const),
    [layout.tombstoneFile(instance.id), tombstone] as const,
  ]);
}

const everyTierOption = {
  values: { ingress: { className: 'nginx' } },
  syncWindows: [
    { kind: 'deny', schedule: '0 8 * * 1-5', duration: '9h', timeZone: 'Europe/Berlin', manualSync: true },
    { kind: 'allow', schedule: '0 22 * * *', duration: '1h30m' },
  ],
  resourceQuota: { 'requests.cpu': '2', 'limits.memory': '4Gi', persistentvolumeclaims: '3' },
  limitRange: { default: { memory: '256Mi' }, defaultRequest: { cpu: '50m' } },
  networkPolicy: 'default-deny',
  networkAllow: { ingressFromNamespaces: ['ingress-nginx'], egressToCidrs: ['203.0.113.0/24', '2001:db8::/32'] },
  destinations: [{ server: 'https://kubernetes.default.svc' }, { name: 'eu-1' }],
  podSecurity: 'restricted',
  selfHeal: false,
};
const retain: Sample = { instance: { deletionPolicy: 'retain' } };

/** One sample for every way in which rendered files differ: each is a folder of golden files. */
export const SAMPLES: Readonly<Record<string, Sample>> = {
  'flat-helm': {},
  'sharded-oci': { layout: 'sharded', naming: 'slug', chart: CHARTS.oci },
  'flat-git': { chart: CHARTS.git },
  'flat-git-same-repository': { chart: CHARTS.gitOps },
  'path-prefix': { pathPrefix: 'clusters/eu-1', layout: 'sharded', chart: CHARTS.gitOps },
  'path-prefix-kustomize': { pathPrefix: 'eu', chart: CHARTS.gitOps, capabilities: { kustomize: true } },
  'sharded-git-same-repository': { layout: 'sharded', chart: CHARTS.gitOps },
  'kustomize-helm': { chart: CHARTS.helm, capabilities: { kustomize: true } },
  'kustomize-oci-retain': { ...retain, chart: CHARTS.oci, capabilities: { kustomize: true } },
  'kustomize-same-repository': { layout: 'sharded', chart: CHARTS.gitOps, capabilities: { kustomize: true } },
  'retain-annotations': {
    ...retain,
    capabilities: { volumes: { annotations: ['/persistence/annotations', '/caches/0/annotations'] } },
    defaultValues: { caches: [{ size: '1Gi', annotations: { team: 'a' } }, { size: '2Gi' }] },
  },
  'records-of-rows': {
    records: true,
    capabilities: { hostname: '/ingress/host', volumes: 'claim-templates' },
    templateVersion: {
      valuesSchema: { type: 'object', properties: { title: { type: 'string' } } },
      lockedValues: ['/image'],
      deprecatedAt: '2026-03-31T12:00:00.000Z',
    },
    instance: { hostname: 'guests.example.com', deletionPolicy: 'retain', deletedAt: '2026-04-30T12:00:00.000Z' },
  },
  'records-of-rows-sharded': { layout: 'sharded', records: true },
  'retain-claim-templates': { ...retain, capabilities: { volumes: 'claim-templates' } },
  'delete-hooks': { capabilities: { deleteHooks: ['post-delete', 'pre-delete'] } },
  'delete-hooks-2.14': { version: '2.14', capabilities: { deleteHooks: ['pre-delete', 'post-delete'] } },
  'every-tier-option': {
    tier: everyTierOption,
    sourceRepos: ['https://charts.example.com/*', 'oci://registry.example.com/charts'],
    instance: {
      destination: { name: 'eu-1' },
      hostname: 'guests.example.com',
      labels: { team: 'red', 'cost-center': '' },
      platformValues: { ingress: { className: 'traefik' } },
      userValues: { title: 'Über uns: "Gäste"\nund mehr', motd: 'on', ingress: { annotations: { a: 'b' } } },
    },
    capabilities: { hostname: '/ingress/host', podSecurity: 'restricted' },
  },
  'privileged-tier': {
    tier: { name: 'internal', podSecurity: 'privileged' },
    capabilities: { podSecurity: 'baseline' },
  },
  'argo-cd-2.14': { version: '2.14', tier: everyTierOption, instance: { destination: { name: 'eu-1' } } },
};
