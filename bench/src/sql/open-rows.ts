import type { Instance } from '@caelus/core';
import { type CaelusOptions, createCaelus } from '@caelus/engine';
import { createSqlRepository, fromPgPool, type SqlRepository } from '@caelus/sql-repo';
import pg from 'pg';

/** The rows of one process, and the pool below them. */
export interface OpenRows {
  readonly pool: pg.Pool;
  readonly repository: SqlRepository;
}

export async function openRows(url: string, connections: number): Promise<OpenRows> {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  return { pool, repository: await createSqlRepository({ executor: fromPgPool(pool) }) };
}

/** One instance as a command makes it, for others to be made after. */
export async function createFirst(
  repository: SqlRepository,
  adapters: Pick<CaelusOptions, 'store' | 'status'>,
): Promise<Instance> {
  const caelus = createCaelus({ ...settings, ...adapters, repository });
  const product = await caelus.products.create({ slug: 'wiki', name: 'Wiki' });
  const version = await caelus.templateVersions.publish({
    productId: product.id,
    version: '1.0.0',
    chart: { type: 'helm', repoURL: 'https://charts.example.com', chart: 'wiki', version: '1.0.0' },
    defaultValues: { title: 'Wiki', replicas: 1 },
  });
  const values = { title: 'The first' };
  return caelus.instances.create({ productId: product.id, templateVersionId: version.id, tenant: 'tenant-0', values });
}

/** What every Caelus of the benchmark is made with. */
export const settings: Pick<CaelusOptions, 'gitOps' | 'tiers' | 'layout'> = {
  gitOps: { repoURL: 'https://git.example.com/gitops.git' },
  tiers: [{ name: 'stable' } as CaelusOptions['tiers'][number]],
  layout: 'sharded',
};

/** A UUID of version 4 that is the same in each process. Its last two digits, which are the shard, differ. */
export function idOf(kind: 'instance' | 'change', index: number): string {
  const hex = index.toString(16).padStart(8, '0');
  return `${hex}-0000-4000-8000-${kind === 'instance' ? 'a' : 'c'}000${hex}`;
}

/** Another instance of the same kind: its id, in every name that is made of it, and its change are its own. */
export function instanceLike(first: Instance, index: number): Instance {
  const text = JSON.stringify({ ...first, tenant: `tenant-${index % 100}`, changeId: idOf('change', index) });
  // The cast: the first one's shape, with other identifiers.
  return JSON.parse(text.replaceAll(first.id, idOf('instance', index))) as Instance;
}
