import type { IdSource } from '../../ports/id-source.ts';

/** Makes UUIDs that count up, so that a test's output is the same every time. `seed` tells two sources apart. */
export function createSerialIds(seed: number = 0): IdSource {
  let serial = 0;
  const group = seed.toString(16).padStart(4, '0');
  return { uuid: () => `00000000-${group}-7000-8000-${(++serial).toString(16).padStart(12, '0')}` };
}
