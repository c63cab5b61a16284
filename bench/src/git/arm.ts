import type { Files } from './workload.ts';

/** One way to write a repository. */
export interface Arm extends AsyncDisposable {
  /** Makes one commit of it, durable, and pushed where the arm has a remote. */
  write(files: Files): Promise<void>;
  /** The most memory that a process which it started has used, in bytes; only where that was asked for. */
  readonly peakMemoryOfChildren?: number;
}

export interface ArmSettings {
  readonly kind: ArmKind;
  /** The repository: bare, or a work tree for `work-tree` and `isomorphic-work-tree`. */
  readonly directory: string;
  /** Of the remote, where commits are pushed to. */
  readonly url?: string | undefined;
  /** For `floor`: sizes of the trees that a commit makes anew. */
  readonly treeBytes?: readonly number[] | undefined;
  readonly watchMemory?: boolean | undefined;
}

// Each is loaded by itself, so that none carries the memory of another.
const ARMS = {
  store: async (settings: ArmSettings) => (await import('./store-arm.ts')).openStoreArm(settings),
  'native-store': async (settings: ArmSettings) => (await import('./store-arm.ts')).openStoreArm(settings),
  'work-tree': async (settings: ArmSettings) => (await import('./work-tree-arm.ts')).openWorkTreeArm(settings),
  'isomorphic-work-tree': async (settings: ArmSettings) =>
    (await import('./isomorphic-arm.ts')).openIsomorphicWorkTreeArm(settings),
  'isomorphic-objects': async (settings: ArmSettings) =>
    (await import('./isomorphic-arm.ts')).openIsomorphicObjectsArm(settings),
  'fast-import': async (settings: ArmSettings) => (await import('./fast-import-arm.ts')).openFastImportArm(settings),
  floor: async (settings: ArmSettings) => (await import('./floor-arm.ts')).openFloorArm(settings),
} satisfies Record<string, (settings: ArmSettings) => Promise<Arm>>;

export type ArmKind =
  | 'store'
  | 'native-store'
  | 'work-tree'
  | 'isomorphic-work-tree'
  | 'isomorphic-objects'
  | 'fast-import'
  | 'floor';

export function openArm(settings: ArmSettings): Promise<Arm> {
  return ARMS[settings.kind](settings);
}
