// The backend that the operations share. It runs Caelus in its own process, on embedded adapters: a bare Git repository
// and an SQLite file in a temporary folder. Argo CD is simulated; in production `status` is a client of the real one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Instance, parseRepoPath, parseTier, type TemplateVersion } from '@caelus/core';
import { createSimulatedArgoCd } from '@caelus/core/testing';
import { type Caelus, type CaelusOptions, createCaelus, systemClock } from '@caelus/engine';
import { createGitStore } from '@caelus/git-store';
import { createSqlRepository } from '@caelus/sql-repo';

export interface Host extends AsyncDisposable {
  readonly caelus: Caelus;
  /** Two versions of one product, a wiki. */
  readonly v1: TemplateVersion;
  readonly v2: TemplateVersion;
  /** Creates an instance for a user, and waits until it runs. */
  createRunning(tenant: string, title: string): Promise<Instance>;
  /** Reads a file of the GitOps repository; `undefined` where there is none. */
  readFile(path: string): Promise<string | undefined>;
  /** Edits a file of the GitOps repository as a person with a clone would: Caelus knows nothing of it. */
  editByHand(path: string, text: string): Promise<void>;
}

export async function startHost(options: Pick<CaelusOptions, 'driftPolicy'> = {}): Promise<Host> {
  const folder = await mkdtemp(join(tmpdir(), 'caelus-operations-'));
  const store = await createGitStore({ directory: join(folder, 'gitops.git') });
  const repository = await createSqlRepository({ file: join(folder, 'caelus.db') });
  const argoCd = createSimulatedArgoCd({ store });
  const caelus = createCaelus({
    repository,
    store,
    status: argoCd,
    gitOps: { repoURL: 'https://git.example.com/platform/gitops.git' },
    tiers: [parseTier({ name: 'stable' })],
    // The defaults suit a cluster; a simulated one answers at once.
    timings: { poll: 20, sweep: 50, deletion: 20 },
    ...options,
  });

  const product = await caelus.products.create({ slug: 'wiki', name: 'Wiki' });
  const publish = (version: string) =>
    caelus.templateVersions.publish({
      productId: product.id,
      version,
      chart: { type: 'helm', repoURL: 'https://charts.example.com', chart: 'wiki', version },
      defaultValues: { title: 'Wiki', replicas: 1, image: { tag: version } },
      lockedValues: ['/image'],
    });
  const [v1, v2] = [await publish('1.0.0'), await publish('2.0.0')];

  const worker = caelus.start();
  const stopped = new AbortController();
  const cluster = (async () => {
    while (!stopped.signal.aborted) {
      await argoCd.reconcile();
      await systemClock.sleep(5);
    }
  })();

  return {
    caelus,
    v1,
    v2,
    async createRunning(tenant, title) {
      const input = { productId: product.id, templateVersionId: v1.id, tenant, values: { title } };
      const { id } = await caelus.instances.create(input);
      return (await caelus.settled(id)).instance;
    },
    async readFile(path) {
      const bytes = await (await store.snapshot()).readFile(parseRepoPath(path));
      return bytes && new TextDecoder().decode(bytes);
    },
    async editByHand(path, text) {
      const edits = [{ path: parseRepoPath(path), bytes: new TextEncoder().encode(text) }];
      const proposal = { edits, summary: 'edit by hand', trailers: [], actor: { name: 'Mallory' } };
      await store.write([{ subject: path, propose: async () => proposal }]);
    },
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await Promise.all([worker.stop(), cluster]);
      await Promise.all([argoCd, store, repository].map((adapter) => adapter[Symbol.asyncDispose]()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
