import { join } from 'node:path';
import {
  type Instance,
  type Product,
  type Repository,
  readStoreId,
  type StateStore,
  type StoreId,
  type TemplateVersion,
} from '@caelus/core';
import { createSimulatedArgoCd, type SimulatedArgoCd } from '@caelus/core/testing';
import { type Caelus, type CaelusOptions, createCaelus, systemClock } from '@caelus/engine';
import { createGitStore } from '@caelus/git-store';
import { createSqlRepository, fromPgPool } from '@caelus/sql-repo';
import pg from 'pg';
import { git, temporaryDirectory } from '../../packages/git-store/test/git-command.ts';
import { startHttpGitServer } from '../../packages/git-store/test/http-git-server.ts';

/** Where a branch lives: in the host's own directory, or on a remote that is reached over HTTP. */
export type Kind = 'a directory' | 'an HTTP remote';

/** What the processes of one test share. */
export interface Site extends AsyncDisposable {
  /** An SQLite file, or the URL of a PostgreSQL database. */
  readonly database: string;
  /** The repository that has the branch: what an operator would clone. */
  readonly bare: string;
  /** What a host's Git store is made with; hosts of a remote have a directory each. */
  storeOf(host: string): Parameters<typeof createGitStore>[0];
}

/** Without `database`, the rows are in an SQLite file. */
export async function createSite(kind: Kind, database?: string): Promise<Site> {
  const root = await temporaryDirectory();
  const bare = join(root.path, 'gitops.git');
  await git(root.path, ['init', '-q', '--bare', '-b', 'main', bare]);
  const server = kind === 'an HTTP remote' ? await startHttpGitServer(root.path) : undefined;
  // Many processes at once: the losers of a race try longer than one host alone has to.
  const patience = { retries: 500, lockWaitMilliseconds: 30_000 };
  return {
    database: database ?? join(root.path, 'caelus.db'),
    bare,
    storeOf: (host) =>
      server === undefined
        ? { directory: bare, ...patience }
        : { directory: join(root.path, `${host}.git`), remote: { url: `${server.url}/gitops.git` }, ...patience },
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]();
      await root[Symbol.asyncDispose]();
    },
  };
}

/** One host: Caelus over the real adapters, and a simulated Argo CD. */
export interface Stack extends AsyncDisposable {
  readonly caelus: Caelus;
  readonly repository: Repository;
  readonly store: StateStore;
  readonly argoCd: SimulatedArgoCd;
  readonly product: Product;
  readonly v1: TemplateVersion;
  readonly v2: TemplateVersion;
  create(input?: object, options?: Parameters<Caelus['instances']['create']>[1]): Promise<Instance>;
  /** Runs all loops and Argo CD until nothing moves and no work is left. */
  converge(): Promise<void>;
}

export interface StackOptions extends Pick<CaelusOptions, 'driftPolicy' | 'timings' | 'telemetry'> {
  readonly store: Parameters<typeof createGitStore>[0];
  readonly database: Site['database'];
  /** What Argo CD reads the branch by. Default: as `store`. */
  readonly cluster?: Parameters<typeof createGitStore>[0] | undefined;
  /** Makes a new database take the place of a lost one: every row is rebuilt from Git first. */
  readonly rebuild?: boolean;
  /** Stands between Caelus and its ports. */
  readonly wrap?: (ports: Pick<CaelusOptions, 'repository' | 'store'>) => Pick<CaelusOptions, 'repository' | 'store'>;
}

export async function openStack(stackOptions: StackOptions): Promise<Stack> {
  const { store: storeOptions, database, cluster, rebuild = false, wrap, ...options } = stackOptions;
  const store = await createGitStore(storeOptions);
  const repository = await openRepository(database, rebuild ? await readStoreId(store) : undefined);
  const { pathPrefix, pullRequest, ...repositoryOptions } = storeOptions;
  // Argo CD reads the whole branch, whichever part of it is Caelus's, and whatever waits to be merged.
  const isWhole = pathPrefix === undefined && pullRequest === undefined && cluster === undefined;
  const whole = isWhole ? store : await createGitStore(cluster ?? repositoryOptions);
  const rootPath = pathPrefix === undefined ? undefined : `${pathPrefix}/argo-cd/root.yaml`;
  const argoCd = createSimulatedArgoCd({ store: whole, rootPath });
  const caelus = createCaelus({
    ...(wrap?.({ repository, store }) ?? { repository, store }),
    status: argoCd,
    gitOps: { repoURL: 'https://git.example.com/gitops.git' },
    tiers: [{ name: 'stable' } as CaelusOptions['tiers'][number]],
    ...options,
    timings: { poll: 20, relist: 500, sweep: 500, retry: 5, retryLimit: 50, deletion: 5, ...options.timings },
  });
  if (rebuild) await caelus.rebuildFromGit();
  const { product, v1, v2 } = await findOrPublish(caelus);
  return {
    caelus,
    repository,
    store,
    argoCd,
    product,
    v1,
    v2,
    create: (input = {}, commandOptions) =>
      caelus.instances.create(
        { productId: product.id, templateVersionId: v1.id, tenant: 'acme', ...input },
        commandOptions,
      ),
    async converge() {
      const signal = AbortSignal.timeout(100_000);
      for (;;) {
        const { written, observed } = await caelus.runOnce({ signal });
        const moved = await argoCd.reconcile({ signal });
        const { pending } = await repository.workBacklog();
        if (!moved && written === 0 && observed === 0 && pending === 0) return;
        // What a process that was killed had leased is free again in a moment.
        if (!moved) await systemClock.sleep(5, { signal });
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([argoCd, store, whole, repository].map((adapter) => adapter[Symbol.asyncDispose]()));
    },
  };
}

async function openRepository(database: Site['database'], storeId: StoreId | undefined): Promise<Repository> {
  if (!database.startsWith('postgres:')) {
    return createSqlRepository({ file: database, storeId, busyTimeoutMilliseconds: 60_000 });
  }
  const pool = new pg.Pool({ connectionString: database, max: 4 });
  pool.on('error', () => {});
  const repository = await createSqlRepository({ executor: fromPgPool(pool), storeId });
  return {
    ...repository,
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]();
      await pool.end();
    },
  };
}

async function findOrPublish({ products, templateVersions }: Caelus): Promise<Pick<Stack, 'product' | 'v1' | 'v2'>> {
  const product = (await products.list()).items[0] ?? (await products.create({ slug: 'wiki', name: 'Wiki' }));
  const known = (await templateVersions.list()).items;
  const version = async (name: string) =>
    known.find((found) => found.version === name) ??
    (await templateVersions.publish({
      productId: product.id,
      version: name,
      chart: { type: 'helm', repoURL: 'https://charts.example.com', chart: 'wiki', version: name },
      defaultValues: { title: 'Wiki', image: { tag: name } },
      lockedValues: ['/image'],
    }));
  return { product, v1: await version('1.0.0'), v2: await version('2.0.0') };
}

/** One commit as stock Git reads it. */
export interface Commit {
  readonly author: string;
  readonly subject: string;
  /** The values of its `Caelus-Change` trailers. */
  readonly changes: readonly string[];
}

/** The history of the branch, oldest first. */
export async function history(bare: string): Promise<readonly Commit[]> {
  const trailers = '%(trailers:key=Caelus-Change,valueonly,separator=%x1e)';
  const log = await git(bare, ['log', '--reverse', '-z', `--format=%an <%ae>%x1f%s%x1f${trailers}`, 'main']);
  return log
    .split('\0')
    .filter(Boolean)
    .map((record) => {
      const [author = '', subject = '', changes = ''] = record.split('\x1f');
      return { author, subject, changes: changes.split('\x1e').filter(Boolean) };
    });
}
