// A backend with its rows in an SQLite file and its desired state in a bare Git repository, and what goes wrong with either.
// Argo CD is simulated; in production `status` is a client of the real one.
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Instance, parseRepoPath, parseTier, readStoreId } from '@caelus/core';
import { createSimulatedArgoCd } from '@caelus/core/testing';
import { type Caelus, createCaelus } from '@caelus/engine';
import { createGitStore, type GitStore } from '@caelus/git-store';
import { createSqlRepository } from '@caelus/sql-repo';

/** Caelus over one database file and one Git repository. */
export interface Host extends AsyncDisposable {
  readonly caelus: Caelus;
  readonly store: GitStore;
  createInstance(tenant: string, title: string): Promise<Instance>;
  /** Runs all loops, and Argo CD, until nothing moves. */
  settle(): Promise<void>;
  /** Edits a file of the GitOps repository as a person with a clone would. */
  editByHand(path: string, text: string): Promise<void>;
}

/** The folder that everything of one story lies in. */
export interface Place extends AsyncDisposable {
  /** The path of a database, or of a Git repository. */
  pathOf(name: string): string;
  /** Copies a database file, or a Git repository: a backup, or one that is restored. */
  copy(from: string, to: string): Promise<void>;
}

export async function createPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'caelus-doctor-'));
  const pathOf = (name: string) => join(folder, name);
  return {
    pathOf,
    async copy(from, to) {
      if (from.endsWith('.git')) await cp(pathOf(from), pathOf(to), { recursive: true });
      else await copyFile(pathOf(from), pathOf(to));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Opens a host. With `rebuilt`, its database is a new one that takes the place of one that was lost. */
export async function openHost(place: Place, database: string, git: string, rebuilt = false): Promise<Host> {
  const store = await createGitStore({ directory: place.pathOf(git) });
  const storeId = rebuilt ? await readStoreId(store) : undefined;
  const repository = await createSqlRepository({ file: place.pathOf(database), storeId });
  const argoCd = createSimulatedArgoCd({ store });
  const caelus = createCaelus({
    repository,
    store,
    status: argoCd,
    gitOps: { repoURL: 'https://git.example.com/platform/gitops.git' },
    tiers: [parseTier({ name: 'stable' })],
    // The defaults suit a cluster; a simulated one answers at once.
    timings: { deletion: 1, grace: 1 },
  });
  return {
    caelus,
    store,
    async createInstance(tenant, title) {
      const { items } = await caelus.templateVersions.list();
      const version = items[0] ?? (await publish(caelus));
      const { productId, id: templateVersionId } = version;
      return caelus.instances.create({ productId, templateVersionId, tenant, values: { title } });
    },
    async settle() {
      for (;;) {
        const { written, observed } = await caelus.runOnce();
        const moved = await argoCd.reconcile();
        const { pending } = await repository.workBacklog();
        const flagged = (await repository.listDrift({ limit: 1 })).items.length > 0;
        if (!moved && written === 0 && observed === 0 && (pending === 0 || flagged)) return;
      }
    },
    async editByHand(path, text) {
      const edits = [{ path: parseRepoPath(path), bytes: new TextEncoder().encode(text) }];
      const proposal = { edits, summary: 'edit by hand', trailers: [], actor: { name: 'Mallory' } };
      await store.write([{ subject: path, propose: async () => proposal }]);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([argoCd, store, repository].map((adapter) => adapter[Symbol.asyncDispose]()));
    },
  };
}

async function publish({ products, templateVersions }: Caelus) {
  const { id } = await products.create({ slug: 'wiki', name: 'Wiki' });
  return templateVersions.publish({
    productId: id,
    version: '1.0.0',
    chart: { type: 'helm', repoURL: 'https://charts.example.com', chart: 'wiki', version: '1.0.0' },
    defaultValues: { title: 'Wiki', replicas: 1 },
  });
}
