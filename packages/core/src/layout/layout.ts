import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { InstanceId, ProductId, TemplateVersionId, TierName } from '../model/identifier.ts';
import { instanceIdSchema } from '../model/identifier.ts';
import { UUID } from '../schema/identifier-schema.ts';
import { below, isSafeSegment, type RepoPath, repoPath } from './repo-path.ts';

/** `flat`: one directory for all instances. `sharded`: 256 of them, for more than a few thousand instances. */
export type LayoutName = 'flat' | 'sharded';

/** Where everything lies in the GitOps repository. */
export interface Layout {
  readonly name: LayoutName;
  /** Every directory that Application manifests lie in, ordered: one root Application watches each. */
  readonly applicationDirectories: readonly ApplicationDirectory[];
  instanceDirectory(id: InstanceId): RepoPath;
  applicationFile(id: InstanceId): RepoPath;
  tombstoneFile(id: InstanceId): RepoPath;
  /** The directories that hold instance directories: one, or one a shard. */
  readonly instanceParents: readonly RepoPath[];
  /** The directories that hold tombstones: one, or one a shard. */
  readonly tombstoneParents: readonly RepoPath[];
}

export interface ApplicationDirectory {
  readonly path: RepoPath;
  /** Two hexadecimal digits in the sharded layout. */
  readonly shard: string | null;
}

/** Files of fixed places, the same in every layout. */
export const REPOSITORY_FILES: {
  readonly layout: RepoPath;
  readonly root: RepoPath;
  readonly projects: RepoPath;
  readonly shardRoots: RepoPath;
  /** The rows of products, one file each. */
  readonly products: RepoPath;
  /** The rows of template versions, one file each. */
  readonly templateVersions: RepoPath;
} = {
  layout: repoPath('.caelus', 'layout.yaml'),
  root: repoPath('argo-cd', 'root.yaml'),
  projects: repoPath('argo-cd', 'projects'),
  shardRoots: repoPath('argo-cd', 'roots'),
  products: repoPath('.caelus', 'catalogue', 'products'),
  templateVersions: repoPath('.caelus', 'catalogue', 'template-versions'),
};

const SHARDS: readonly string[] = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));

/** The flat or the sharded layout, of the version that this package writes. */
export function createLayout(name: LayoutName): Layout {
  const shards = name === 'flat' ? [null] : SHARDS;
  const place = (id: InstanceId) => (name === 'flat' ? [] : [shardOf(id)]);
  const inShard = (shard: string | null) => (shard === null ? [] : [shard]);
  return {
    name,
    applicationDirectories: shards.map((shard) => ({
      path: repoPath('argo-cd', 'applications', ...inShard(shard)),
      shard,
    })),
    instanceParents: shards.map((shard) => repoPath('instances', ...inShard(shard))),
    tombstoneParents: shards.map((shard) => repoPath('.caelus', 'tombstones', ...inShard(shard))),
    instanceDirectory: (id) => repoPath('instances', ...place(id), id),
    applicationFile: (id) => repoPath('argo-cd', 'applications', ...place(id), `${id}.yaml`),
    tombstoneFile: (id) => repoPath('.caelus', 'tombstones', ...place(id), `${id}.yaml`),
  };
}

/**
 * The shard of an instance. A UUID of any version ends in random digits; any other id is spread by its hash, so that
 * serial numbers do not crowd into a few shards.
 */
export function shardOf(id: InstanceId): string {
  if (UUID.test(id)) return id.slice(-2);
  return (sha256(utf8ToBytes(id))[0] as number).toString(16).padStart(2, '0');
}

/** The files that one instance owns. */
export interface InstanceFiles {
  readonly directory: RepoPath;
  readonly marker: RepoPath;
  readonly values: RepoPath;
  readonly manifests: RepoPath;
  readonly kustomization: RepoPath;
  readonly application: RepoPath;
  readonly tombstone: RepoPath;
}

/** Where the files of one instance lie. */
export function instanceFiles(layout: Layout, id: InstanceId): InstanceFiles {
  const directory = layout.instanceDirectory(id);
  return {
    directory,
    marker: below(directory, 'instance.yaml'),
    values: below(directory, 'values.yaml'),
    manifests: below(directory, 'manifests'),
    kustomization: below(directory, 'kustomization.yaml'),
    application: layout.applicationFile(id),
    tombstone: layout.tombstoneFile(id),
  };
}

/** The instance whose directory is named `name`, or `undefined` where that is no instance's name. */
export function instanceIdOf(name: string): InstanceId | undefined {
  const parsed = instanceIdSchema.safeParse(name);
  return parsed.success ? parsed.data : undefined;
}

/** The file of a product in the catalogue. */
export function productFile(id: ProductId): RepoPath {
  return below(REPOSITORY_FILES.products, catalogueFileName(id));
}

/** The file of a template version in the catalogue. */
export function templateVersionFile(id: TemplateVersionId): RepoPath {
  return below(REPOSITORY_FILES.templateVersions, catalogueFileName(id));
}

/** An id never begins with an underscore, so what stands before a name that some file system reserves cannot collide. */
function catalogueFileName(id: string): string {
  return isSafeSegment(`${id}.yaml`) ? `${id}.yaml` : `_${id}.yaml`;
}

/** The AppProject file of a tier. */
export function projectFile(tier: TierName): RepoPath {
  return below(REPOSITORY_FILES.projects, `${tier}.yaml`);
}
