/**
 * Orders two resource versions: negative where `a` is older than `b`, 0 where they are the same, positive where it is newer.
 * Kubernetes calls them opaque, but they are the revision of its one store: whole numbers that only grow, over all objects, and
 * Argo CD's own watch compares them so. What is no number is taken for newer than anything else.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  if (!isNumber(a)) return 1;
  if (!isNumber(b)) return -1;
  // Longer numbers than doubles hold.
  return a.length === b.length ? (a < b ? -1 : 1) : a.length - b.length;
}

function isNumber(version: string): boolean {
  return /^(?:0|[1-9]\d*)$/.test(version);
}
