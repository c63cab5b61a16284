import type { JsonObject } from '@caelus/core';

/** One object that bootstrap brings about, and why. */
export interface PlannedObject {
  /** Everything but the values of secrets. */
  readonly manifest: JsonObject;
  /** Keys of a Secret. Values are taken by a callback, so that a plan which is printed shows none. */
  readonly secrets?: Readonly<Record<string, () => string>> | undefined;
  readonly reason: string;
  /**
   * `own`: the object is Caelus's. `shared`: it is Argo CD's, and only these keys of it are Caelus's. `seed`: it is made where it is
   * missing, and left alone from then on.
   */
  readonly ownership: 'own' | 'shared' | 'seed';
}

/** The database that an object in the cluster belongs to. */
export const STORE_ANNOTATION = 'caelus.dev/store';

/** The manifest with the values of its secrets, as the API server takes it. */
export function revealed({ manifest, secrets }: PlannedObject): JsonObject {
  if (secrets === undefined) return manifest;
  // Not stringData, which server-side apply does not know the owner of.
  const data = Object.entries(secrets).map(([key, reveal]) => [key, Buffer.from(reveal()).toString('base64')]);
  return { ...manifest, data: Object.fromEntries(data) };
}
