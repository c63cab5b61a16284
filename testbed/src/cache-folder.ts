import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where programs that were built and the state of testbeds lie: below the user's cache folder. */
export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'caelus');

/** Where the state of one testbed lies. */
export const bedFolder = (name: string): string => join(cacheFolder(), 'testbed', 'beds', name);
