// Rendering: one instance again and again, and 10,000 different ones with the memory that stays behind.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  createLayout,
  createRenderContext,
  parseInstance,
  parseProduct,
  parseStoreId,
  parseTemplateVersion,
  parseTier,
  planChange,
  type RenderInstanceInput,
  renderInstance,
  uuidNaming,
} from '@caelus/core';
import { type BenchResult, median, timed } from './bench-result.ts';

export interface RenderBenchOptions {
  /** Instances rendered once each. Default 10,000. */
  readonly instances?: number | undefined;
  /** Measured samples of 100 renderings of one instance. Default 30. */
  readonly runs?: number | undefined;
}

const BATCH = 100;

export async function benchRender({ instances = 10_000, runs = 30 }: RenderBenchOptions = {}): Promise<BenchResult[]> {
  const inputs = inputOf();
  const one = inputs(0);
  const { tree } = renderInstance(one);
  const bytes = [...tree.values()].reduce((sum, file) => sum + file.length, 0);
  const changed = { ...one, instance: { ...one.instance, userValues: { title: 'Another' } } };
  const after = renderInstance(changed).tree;
  const parameters = { files: tree.size, bytes, valuesKeys: 60, batch: BATCH };
  const results = [
    await sampled('render one instance', runs, parameters, () => renderInstance(one)),
    await sampled('plan a change of its values', runs, parameters, () => planChange(tree, after)),
  ];

  const tenth = Math.floor(instances / 10);
  const heapMiB: number[] = [];
  const elapsed: number[] = [];
  for (let part = 0; part < 10; part += 1) {
    elapsed.push(
      await timed(() => {
        for (let index = 0; index < tenth; index += 1) renderInstance(inputs(part * tenth + index));
      }),
    );
    heapMiB.push(heapAfterCollection());
  }
  results.push({
    name: 'render',
    work: `render ${tenth * 10} instances`,
    against: null,
    unit: 'ms',
    median: elapsed.reduce((sum, part) => sum + part, 0),
    againstMedian: null,
    ratio: null,
    target: null,
    runs: 1,
    parameters: { ...parameters, heapMiBAfterTenth: heapMiB[0] ?? 0, heapMiBAfterAll: heapMiB.at(-1) ?? 0 },
  });
  return results;
}

async function sampled(
  work: string,
  runs: number,
  parameters: BenchResult['parameters'],
  call: () => unknown,
): Promise<BenchResult> {
  const sample = () =>
    timed(() => {
      for (let index = 0; index < BATCH; index += 1) call();
    });
  for (let index = 0; index < 3; index += 1) await sample();
  const samples: number[] = [];
  for (let index = 0; index < runs; index += 1) samples.push((await sample()) / BATCH);
  return {
    name: 'render',
    work,
    against: null,
    unit: 'ms',
    median: median(samples),
    againstMedian: null,
    ratio: null,
    target: null,
    runs,
    parameters,
  };
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return Math.round((process.memoryUsage().heapUsed / 1024 / 1024) * 10) / 10;
}

/** Inputs of instances that differ by id, with 60 keys of values and every manifest that a tier can ask for. */
function inputOf(): (index: number) => RenderInstanceInput {
  const createdAt = '2026-01-31T12:00:00.000Z';
  const context = createRenderContext({
    storeId: parseStoreId('11111111-2222-4333-8444-555555555555'),
    layout: createLayout('sharded'),
    naming: uuidNaming,
    gitOps: { repoURL: 'https://git.example.com/platform/gitops.git' },
  });
  const product = parseProduct({ id: 'p', slug: 'nextcloud', name: 'Nextcloud', createdAt });
  const group = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key${index}`, `value ${index}`]));
  const templateVersion = parseTemplateVersion({
    id: 't',
    productId: 'p',
    version: '1.0.0',
    chart: { type: 'helm', repoURL: 'https://charts.example.com', chart: 'nextcloud', version: '6.6.3' },
    defaultValues: Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, group])),
    valuesSchema: null,
    lockedValues: [],
    capabilities: { hostname: '/ingress/host' },
    createdAt,
    deprecatedAt: null,
  });
  const tier = parseTier({
    name: 'stable',
    resourceQuota: { 'requests.cpu': '2' },
    limitRange: { default: { memory: '256Mi' } },
    networkPolicy: 'default-deny',
  });
  return (index) => {
    const id = `0198c0de-1111-7222-8333-${index.toString(16).padStart(12, '0')}`;
    const instance = parseInstance({
      id,
      productId: 'p',
      tenant: `tenant-${index % 100}`,
      tier: 'stable',
      destination: { server: 'https://kubernetes.default.svc' },
      ...{ namespace: id, argoAppName: id, releaseName: 'nextcloud' },
      gitPath: `instances/${id}`,
      desiredTemplateVersionId: 't',
      appliedTemplateVersionId: null,
      userValues: { title: `Instance ${index}`, a: group },
      platformValues: {},
      hostname: `i${index}.example.com`,
      labels: { team: 'red' },
      deletionPolicy: 'delete',
      generation: 1,
      observedGeneration: 0,
      changeId: '0198c0de-aaaa-7bbb-8ccc-ddddeeeeffff',
      changedBy: null,
      status: 'Pending',
      statusReason: 'Committed',
      syncStatus: null,
      healthStatus: null,
      lastSyncedAt: null,
      lastError: null,
      createdAt,
      updatedAt: createdAt,
      deletedAt: null,
    });
    return { context, instance, product, templateVersion, tier };
  };
}
