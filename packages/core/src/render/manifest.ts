import type { JsonObject, JsonValue } from '../json-value.ts';

/** A manifest while it is put together: a field that is `undefined` is not rendered. */
export interface ManifestDraft {
  readonly [key: string]: Draft;
}

type Draft = JsonValue | undefined | readonly Draft[] | ManifestDraft;

/** The JSON of a draft. */
export function toManifest(draft: ManifestDraft): JsonObject {
  const members = Object.entries(draft).filter(([, value]) => value !== undefined);
  return Object.fromEntries(members.map(([key, value]) => [key, toJson(value as Exclude<Draft, undefined>)]));
}

function toJson(draft: Exclude<Draft, undefined>): JsonValue {
  if (Array.isArray(draft)) return draft.filter((item) => item !== undefined).map(toJson);
  return typeof draft === 'object' && draft !== null ? toManifest(draft as ManifestDraft) : (draft as JsonValue);
}
