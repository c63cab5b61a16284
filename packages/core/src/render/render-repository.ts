import * as z from 'zod';
import type { CallOptions } from '../call-options.ts';
import { CaelusError } from '../errors.ts';
import type { JsonObject } from '../json-value.ts';
import { type LayoutName, projectFile, REPOSITORY_FILES } from '../layout/layout.ts';
import { below, type RepoPath } from '../layout/repo-path.ts';
import type { RepoTree } from '../layout/repo-tree.ts';
import { type StoreId, storeIdSchema } from '../model/identifier.ts';
import type { Tier } from '../model/tier.ts';
import type { StateStore } from '../ports/state-store.ts';
import { rootProject, tierProject } from './app-project.ts';
import { readOwnYaml } from './read-own-yaml.ts';
import type { RenderContext } from './render-context.ts';
import { renderYaml } from './render-yaml.ts';
import { rootApplication } from './root-application.ts';

/** What `.caelus/layout.yaml` says of a GitOps repository. */
export interface RepositoryLayout {
  readonly storeId: StoreId;
  readonly layout: LayoutName;
  /** Rises when the same layout puts something elsewhere. */
  readonly version: 1;
}

/**
 * Renders what a GitOps repository holds besides its instances: the root Application, which an administrator applies once,
 * and what it leads to (one AppProject a tier, and in the sharded layout one more root Application a shard).
 */
export function renderRepository({
  context,
  tiers,
}: {
  readonly context: RenderContext;
  readonly tiers: readonly Tier[];
}): RepoTree {
  const { layout, storeId } = context;
  const files = new Map<RepoPath, Uint8Array>();
  files.set(REPOSITORY_FILES.layout, renderLayout({ storeId, layout: layout.name, version: 1 }));
  for (const tier of tiers) files.set(projectFile(tier.name), renderYaml(tierProject(context, tier)));

  const watched = [REPOSITORY_FILES.projects];
  for (const { path, shard } of layout.applicationDirectories) {
    if (shard === null) watched.push(path);
    else
      files.set(
        below(REPOSITORY_FILES.shardRoots, `${shard}.yaml`),
        renderYaml(rootApplication(context, [path], shard)),
      );
  }
  if (layout.name === 'sharded') watched.push(REPOSITORY_FILES.shardRoots);
  const root = [rootProject(context), rootApplication(context, watched, null)];
  files.set(REPOSITORY_FILES.root, concatenated(root));

  // Git keeps no empty directory, and Argo CD prunes nothing once a directory is gone: it reports an error in its place.
  const directories = [REPOSITORY_FILES.projects, ...layout.applicationDirectories.map(({ path }) => path)];
  for (const directory of directories) files.set(below(directory, '.gitkeep'), new Uint8Array());
  return files;
}

const API_VERSION = 'caelus.dev/v1';

function renderLayout(layout: RepositoryLayout): Uint8Array {
  return renderYaml({ apiVersion: API_VERSION, kind: 'RepositoryLayout', ...layout });
}

function concatenated(manifests: readonly JsonObject[]): Uint8Array {
  const text = manifests.map((manifest) => new TextDecoder().decode(renderYaml(manifest))).join('---\n');
  return new TextEncoder().encode(text);
}

const layoutFileSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('RepositoryLayout'),
  storeId: storeIdSchema,
  layout: z.enum(['flat', 'sharded']),
  version: z.literal(1),
});

/** Reads `.caelus/layout.yaml`. @throws {CaelusError} `STORE_CORRUPT` */
export function parseRepositoryLayout(bytes: Uint8Array): RepositoryLayout {
  const parsed = layoutFileSchema.safeParse(readOwnYaml(bytes, LAYOUT_FILE_LIMIT));
  if (parsed.success) {
    const { storeId, layout, version } = parsed.data;
    return { storeId, layout, version };
  }
  throw new CaelusError({
    code: 'STORE_CORRUPT',
    message:
      'The layout of the GitOps repository (.caelus/layout.yaml) is not what this version of Caelus writes. Restore it from the history, or use the version that wrote it.',
    details: { what: REPOSITORY_FILES.layout },
  });
}

/**
 * The id of the database that a GitOps repository belongs to; `undefined` where no database has set it up. A database that is
 * to be rebuilt from the repository is opened anew with this id.
 * @throws {CaelusError} `STORE_CORRUPT`, `UNAVAILABLE`
 */
export async function readStoreId(
  store: Pick<StateStore, 'snapshot'>,
  options: CallOptions = {},
): Promise<StoreId | undefined> {
  const bytes = await (await store.snapshot(options)).readFile(REPOSITORY_FILES.layout, options);
  return bytes && parseRepositoryLayout(bytes).storeId;
}

/** In bytes. */
const LAYOUT_FILE_LIMIT = 4096;

/**
 * Refuses a repository that is not ours to write.
 * @throws {CaelusError} `STORE_FOREIGN` when it belongs to another database or has another layout
 */
export function assertRepositoryOwned(
  found: RepositoryLayout,
  context: Pick<RenderContext, 'storeId' | 'layout'>,
): void {
  const differs =
    found.storeId !== context.storeId ? 'store' : found.layout !== context.layout.name ? 'layout' : undefined;
  if (differs === undefined) return;
  const [expected, actual] =
    differs === 'store' ? [context.storeId, found.storeId] : [context.layout.name, found.layout];
  throw new CaelusError({
    code: 'STORE_FOREIGN',
    message:
      differs === 'store'
        ? 'The GitOps repository belongs to another Caelus database. Check which repository and database belong together; nothing was written.'
        : `The GitOps repository has the layout ${actual}, and ${expected} is configured. Configure ${actual}, or move the repository; nothing was written.`,
    details: { expected, actual },
  });
}
