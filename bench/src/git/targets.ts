import type { BenchResult } from '../bench-result.ts';
import type { LayoutName } from './workload.ts';

type Target = BenchResult['target'];

const INSTANCES = 10_000;
const MANY_INSTANCES = 50_000;

/** How many times faster the Git store is to be, with 10,000 instances. */
const FASTER = {
  'commit by the git CLI': { flat: 15, sharded: 25 },
  'commit by isomorphic-git': { flat: 400, sharded: 1000 },
  'push from a work tree': { flat: 5, sharded: 8 },
  'push by isomorphic-git': { flat: 50, sharded: 50 },
  'concurrent callers': { flat: 2, sharded: 2 },
} as const;

export function fasterTarget(
  comparison: keyof typeof FASTER,
  { layout, size }: { readonly layout: LayoutName; readonly size: number },
  ratio: number,
): Target {
  const least = FASTER[comparison][layout];
  return size === INSTANCES ? { text: `at least ${least}x`, reached: ratio >= least } : null;
}

/** Bytes of one push, beside those of a thin push of Git. */
export function sentTarget(size: number, ours: number, theirs: number): Target {
  return size === INSTANCES ? { text: 'at most 1.5 times the bytes', reached: ours <= 1.5 * theirs } : null;
}

export function memoryTarget(size: number, megabytes: number): Target {
  return size === MANY_INSTANCES ? { text: 'under 200 MB', reached: megabytes < 200 } : null;
}

export function objectsTarget(layout: LayoutName, size: number, objects: number): Target {
  return isGrowthLimited(layout, size) ? { text: 'at most 12', reached: objects <= 12 } : null;
}

export function writtenTarget(layout: LayoutName, size: number, bytes: number): Target {
  return isGrowthLimited(layout, size) ? { text: 'at most 40 kB', reached: bytes <= 40_000 } : null;
}

/** Growth of a commit's cost: 0 does not grow, 1 grows as the repository does. */
export function exponentTarget(layout: LayoutName, exponent: number): Target {
  return layout === 'sharded' ? { text: 'under 0.1', reached: exponent < 0.1 } : null;
}

function isGrowthLimited(layout: LayoutName, size: number): boolean {
  return layout === 'sharded' && size === MANY_INSTANCES;
}
