import {
  type CaelusEvent,
  createLayout,
  type Instance,
  type InstanceId,
  instanceFiles,
  type Product,
  parseTier,
  type RepoPath,
  type Repository,
  type StateStore,
  type TemplateVersion,
} from '@caelus/core';
import {
  createManualClock,
  createMemoryBranch,
  createMemoryRepository,
  createMemoryStateStore,
  createRecordingNotifier,
  createSerialIds,
  createSimulatedArgoCd,
  type ManualClock,
  type MemoryBranch,
  type RecordingNotifier,
  type SimulatedArgoCd,
} from '@caelus/core/testing';
import { type Caelus, type CaelusOptions, createCaelus } from '../src/index.ts';

/** A host with everything in memory, one product with two versions, and a person at the keyboard. */
export interface World extends AsyncDisposable {
  readonly caelus: Caelus;
  readonly options: CaelusOptions;
  readonly repository: Repository;
  readonly store: StateStore;
  readonly branch: MemoryBranch;
  readonly argoCd: SimulatedArgoCd;
  readonly clock: ManualClock;
  readonly notifier: RecordingNotifier;
  readonly product: Product;
  readonly v1: TemplateVersion;
  readonly v2: TemplateVersion;
  create(input?: object): Promise<Instance>;
  /** One that has run, and whose deletion was asked for and stands still in Argo CD. */
  createStuck(): Promise<Instance>;
  /** Runs all loops and Argo CD until nothing moves. */
  converge(): Promise<void>;
  /** Changes files of an instance as a person with a clone would. */
  editByHand(path: RepoPath, text: string | null): Promise<void>;
  readText(path: RepoPath): Promise<string | undefined>;
  places(id: InstanceId): ReturnType<typeof instanceFiles>;
  events(): Promise<readonly CaelusEvent[]>;
}

export const chart = { type: 'helm', repoURL: 'https://charts.example.com', chart: 'wiki', version: '1.0.0' } as const;

export const schema = {
  type: 'object',
  properties: {
    title: { type: 'string', minLength: 1 },
    replicas: { type: 'integer', minimum: 1, maximum: 5 },
    image: { type: 'object', properties: { tag: { type: 'string' } } },
    adminPassword: { type: 'string', writeOnly: true },
  },
  additionalProperties: false,
};

export async function createWorld(more: Partial<CaelusOptions> = {}): Promise<World> {
  const clock = createManualClock();
  const repository = more.repository ?? createMemoryRepository();
  const branch = createMemoryBranch();
  const store = more.store ?? createMemoryStateStore({ shared: branch });
  const argoCd = createSimulatedArgoCd({ store, now: () => clock.now() });
  const notifier = createRecordingNotifier();
  const options: CaelusOptions = {
    repository,
    store,
    status: argoCd,
    gitOps: { repoURL: 'https://git.example.com/gitops.git' },
    tiers: [parseTier({ name: 'stable' }), parseTier({ name: 'beta', values: { replicas: 1 } })],
    clock,
    ids: createSerialIds(),
    ...more,
    notifier,
  };
  const caelus = createCaelus(options);
  const product = await caelus.products.create({ slug: 'wiki', name: 'Wiki' });
  const publish = (version: string, rest: object = {}) =>
    caelus.templateVersions.publish({
      productId: product.id,
      version,
      chart: { ...chart, version: `${version}.0` },
      defaultValues: { title: 'Wiki', image: { tag: version } },
      valuesSchema: schema,
      lockedValues: ['/image'],
      ...rest,
    });
  const v1 = await publish('1.0');
  const v2 = await publish('2.0');
  const layout = createLayout(options.layout ?? 'flat');
  const places = (id: InstanceId) => instanceFiles(layout, id);
  return {
    caelus,
    options,
    repository,
    store,
    branch,
    argoCd,
    clock,
    notifier,
    product,
    v1,
    v2,
    places,
    create: (input = {}) =>
      caelus.instances.create({ productId: product.id, templateVersionId: v1.id, tenant: 'acme', ...input }),
    async createStuck(this: World) {
      const instance = await this.create();
      await this.converge();
      argoCd.setFailure(instance.argoAppName, { kind: 'stuck-deletion' });
      await caelus.instances.delete(instance.id);
      return instance;
    },
    async converge() {
      for (let round = 0; round < 20; round++) {
        const { written, observed } = await caelus.runOnce();
        const moved = await argoCd.reconcile();
        clock.advance(40_000);
        if (!moved && written === 0 && observed === 0) return;
      }
      throw new Error('The world does not come to rest.');
    },
    async editByHand(path, text) {
      const bytes = text === null ? null : new TextEncoder().encode(text);
      const proposal = { edits: [{ path, bytes }], summary: 'edit by hand', trailers: [], actor: { name: 'Somebody' } };
      const [receipt] = await store.write([{ subject: 'hand', propose: async () => proposal }]);
      if (receipt?.outcome !== 'written') throw new Error('The edit changed nothing.');
    },
    async readText(path) {
      const bytes = await (await store.snapshot()).readFile(path);
      return bytes && new TextDecoder().decode(bytes);
    },
    events: () => repository.listEvents({ limit: 500 }),
    async [Symbol.asyncDispose]() {
      await Promise.all([
        argoCd[Symbol.asyncDispose](),
        store[Symbol.asyncDispose](),
        repository[Symbol.asyncDispose](),
      ]);
    },
  };
}
