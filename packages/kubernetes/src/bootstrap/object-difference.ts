import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../client/resource.ts';

/** Whether two states of an object differ in more than the API server's own notes. */
export function isSameObject(left: KubernetesObject, right: KubernetesObject): boolean {
  return isDeepStrictEqual(withoutNotes(left), withoutNotes(right));
}

function withoutNotes({ metadata, ...rest }: KubernetesObject): object {
  const { managedFields: _, resourceVersion: __, generation: ___, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

/**
 * The fields that an object lacks of what is wanted, or has otherwise, as paths such as `.spec.destinations`. Lists are compared
 * as a whole; what an object has besides is not looked at. Never a value.
 */
export function missingFields(wanted: unknown, live: unknown, path = ''): readonly string[] {
  if (isFields(wanted) && isFields(live)) {
    return Object.entries(wanted).flatMap(([key, value]) => missingFields(value, live[key], `${path}.${key}`));
  }
  return isDeepStrictEqual(wanted, live) ? [] : [path];
}

/** The fields that an object has besides those that are wanted, at any depth of them. */
export function additionalFields(wanted: unknown, live: unknown, path = ''): readonly string[] {
  if (!isFields(wanted) || !isFields(live)) return [];
  return Object.entries(live).flatMap(([key, value]) =>
    key in wanted ? additionalFields(wanted[key], value, `${path}.${key}`) : [`${path}.${key}`],
  );
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
