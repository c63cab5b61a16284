import { isDeepStrictEqual } from 'node:util';

// The objects of an API server that a test runs: versions, history, labels and server-side apply, as far as Caelus uses them.
// Where a behaviour is not obvious, its source is named; the suite against a real API server holds it to that.

export interface FakeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly resourceVersion?: string | undefined;
    readonly uid?: string | undefined;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface Change {
  readonly version: number;
  readonly path: string;
  readonly before: FakeObject | undefined;
  readonly after: FakeObject | undefined;
}

export interface FieldOwned {
  readonly field: string;
  readonly manager: string;
}

export type ApplyResult =
  | { readonly outcome: 'created' | 'applied'; readonly object: FakeObject }
  | { readonly outcome: 'conflict'; readonly fields: readonly FieldOwned[] };

export class FakeObjects {
  readonly history: Change[] = [];
  version = 100;
  /** Changes up to here are forgotten. */
  compacted = 0;
  readonly listeners: Set<(change: Change) => void> = new Set();
  private readonly objects = new Map<string, FakeObject>();
  private readonly owners = new Map<string, Map<string, Set<string>>>();

  read(path: string): FakeObject | undefined {
    return this.objects.get(path);
  }

  /** Objects below a collection's path, by name. All namespaces: every collection of the plural. */
  below(matches: (path: string) => boolean): readonly FakeObject[] {
    // etcd keeps keys in order, and the API server pages in that order.
    const paths = [...this.objects.keys()].filter(matches).sort();
    return paths.map((path) => this.objects.get(path) as FakeObject);
  }

  write(path: string, object: FakeObject | undefined): FakeObject | undefined {
    const before = this.objects.get(path);
    if (object === undefined && before === undefined) return undefined;
    this.version += 1;
    const uid = object?.metadata.uid ?? `uid-${this.version}`;
    const resourceVersion = String(this.version);
    const after = object && { ...object, metadata: { ...object.metadata, uid, resourceVersion } };
    if (after === undefined) {
      this.objects.delete(path);
      this.owners.delete(path);
    } else {
      this.objects.set(path, after);
    }
    const change = { version: this.version, path, before, after };
    this.history.push(change);
    for (const listen of this.listeners) listen(change);
    return after;
  }

  /** Another controller writes: it then owns what it changed. */
  put(path: string, object: FakeObject, manager = 'somebody'): FakeObject {
    const { metadata } = this.objects.get(path) ?? {};
    const written = this.write(path, { ...object, metadata: { uid: metadata?.uid, ...object.metadata } }) as FakeObject;
    const owners = this.owners.get(path) ?? new Map<string, Set<string>>();
    owners.set(manager, new Set(leavesOf(object).keys()));
    this.owners.set(path, owners);
    return written;
  }

  /** A backup is brought back: versions of which others know are of the future again. */
  restore(version: number): void {
    this.version = version;
    this.compacted = 0;
    this.history.length = 0;
  }

  compact(): void {
    this.compacted = this.version;
    this.history.length = 0;
  }

  /** https://kubernetes.io/docs/reference/using-api/server-side-apply/ : conflicts, ownership, removal, no-op. */
  apply(path: string, applied: FakeObject, manager: string, force: boolean, isDryRun: boolean): ApplyResult {
    const live = this.objects.get(path);
    const owners = new Map([...(this.owners.get(path) ?? [])].map(([name, fields]) => [name, new Set(fields)]));
    const wanted = leavesOf(applied);
    const current = live === undefined ? new Map<string, unknown>() : leavesOf(live);
    const conflicts: FieldOwned[] = [];
    for (const [field, value] of wanted) {
      if (isDeepStrictEqual(current.get(field), value)) continue;
      for (const [name, fields] of owners) {
        if (name === manager || !fields.has(field)) continue;
        if (force) fields.delete(field);
        else conflicts.push({ field: `.${field.split('→').join('.')}`, manager: name });
      }
    }
    if (conflicts.length > 0) return { outcome: 'conflict', fields: conflicts };
    const next = structuredClone(live ?? { ...applied }) as unknown as Record<string, unknown>;
    for (const field of owners.get(manager) ?? []) {
      const isShared = [...owners].some(([name, fields]) => name !== manager && fields.has(field));
      if (!wanted.has(field) && !isShared) removeAt(next, field.split('→'));
    }
    for (const [field, value] of wanted) setAt(next, field.split('→'), structuredClone(value));
    owners.set(manager, new Set(wanted.keys()));
    const object = next as unknown as FakeObject;
    const isSame = live !== undefined && isDeepStrictEqual(object, live);
    if (isDryRun) return { outcome: live === undefined ? 'created' : 'applied', object };
    this.owners.set(path, owners);
    const written = isSame ? live : (this.write(path, object) as FakeObject);
    return { outcome: live === undefined ? 'created' : 'applied', object: written };
  }
}

/** Fields that are applied: objects are walked, everything else is a leaf. Lists are taken as atomic. */
function leavesOf(object: FakeObject): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const own = /^(?:apiVersion|kind|metadata→(?:name|namespace|resourceVersion|uid|managedFields))(?:→|$)/;
  const walk = (value: unknown, path: readonly string[]) => {
    const key = path.join('→');
    if (own.test(key)) return;
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
      for (const [name, child] of Object.entries(value)) walk(child, [...path, name]);
    } else if (path.length > 0) {
      found.set(key, value);
    }
  };
  walk(object, []);
  return found;
}

function setAt(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head = '', ...rest] = path;
  if (rest.length === 0) object[head] = value;
  else {
    object[head] ??= {};
    setAt(object[head] as Record<string, unknown>, rest, value);
  }
}

function removeAt(object: Record<string, unknown>, path: readonly string[]): void {
  const [head = '', ...rest] = path;
  if (rest.length === 0) delete object[head];
  else if (object[head] !== undefined) removeAt(object[head] as Record<string, unknown>, rest);
}

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** The part of label selectors that is used: `a=b` and `a`. */
export function matchesSelector(object: FakeObject | undefined, selector: string | null): boolean {
  if (object === undefined) return false;
  const labels = object.metadata.labels ?? {};
  return (selector ?? '')
    .split(',')
    .filter((part) => part !== '')
    .every((part) => {
      const [key = '', value] = part.split('=');
      return value === undefined ? key in labels : labels[key] === value;
    });
}
