import type { Application } from '@caelus/core';
import type { KubernetesObject } from '../client/resource.ts';

/** What Caelus manages: Applications of instances. The roots are Caelus's too, but belong to no instance. */
export const MANAGED_SELECTOR = 'app.kubernetes.io/managed-by=caelus,caelus.dev/instance';

/**
 * The Application of an object. Its shape is checked by the API server; what only the API server needs is left out, because
 * it is often the larger part.
 */
export function toApplication(object: KubernetesObject): Application {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as Application;
}
