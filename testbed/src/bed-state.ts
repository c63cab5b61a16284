import { readFile, rename, writeFile } from 'node:fs/promises';
import { type Bed, PORT_NAMES, paths } from './bed.ts';
import { bedFolder } from './cache-folder.ts';
import { freePorts } from './loopback-port.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** What is remembered of a testbed between two commands. */
export interface BedState {
  readonly bed: Bed;
  /** By the component's name, what was started last. */
  readonly processes: Readonly<Record<string, ProcessIdentity>>;
  /** The version of Argo CD whose definitions were applied to the cluster. */
  readonly installed?: string;
}

/** What is remembered of the testbed of this name, if there is one. */
export async function readState(name: string): Promise<BedState | undefined> {
  const text = await readFile(paths({ name }).state, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as BedState);
}

/** Remembers it; whoever reads meanwhile sees the old or the new state, whole. */
export async function writeState(state: BedState): Promise<void> {
  const path = paths(state.bed).state;
  await writeFile(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** A testbed that was never started: with ports that are free now. */
export async function newBed(settings: Omit<Bed, 'folder' | 'ports'>): Promise<Bed> {
  const ports = await freePorts(PORT_NAMES.length);
  const named = Object.fromEntries(PORT_NAMES.map((port, index) => [port, ports[index]])) as Bed['ports'];
  return { ...settings, folder: bedFolder(settings.name), ports: named };
}
