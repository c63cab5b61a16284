import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../client/resource.ts';

/** What controllers write: an Application's `operation` is, like every `status`, Argo CD's. */
const OF_CONTROLLERS = new Set(['status', 'operation']);
const OF_API_SERVER = new Set(['managedFields', 'resourceVersion', 'generation']);

/** Whether two states of an object are the same but for what the API server and controllers write themselves. */
export function isSameObject(left: KubernetesObject, right: KubernetesObject): boolean {
  return isDeepStrictEqual(withoutNotes(left), withoutNotes(right));
}

function withoutNotes(object: KubernetesObject): object {
  return { ...without(OF_CONTROLLERS, object), metadata: without(OF_API_SERVER, object.metadata) };
}

function without(keys: ReadonlySet<string>, fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !keys.has(key)));
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
