import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Data that conformance tests read and that is not part of this repository. */
export const sharedFolder: string = resolve(root, process.env.CAELUS_SHARED ?? '../shared');

/** Why a test of `folder` is skipped, or `undefined` where it runs. In CI the data must be there. */
export function reasonToSkip(folder: string): string | undefined {
  if (process.env.CI !== undefined || existsSync(join(sharedFolder, folder))) return undefined;
  return `${join(sharedFolder, folder)} is not there; set CAELUS_SHARED`;
}
