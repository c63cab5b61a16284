import type { Instance } from '../model/instance.ts';
import type { Product } from '../model/product.ts';

/** Kubernetes labels of everything that Caelus itself writes for an instance. */
export function labelsOfInstance(instance: Instance, product: Product): Readonly<Record<string, string>> {
  const own = Object.entries(instance.labels).map(([name, value]) => [`label.caelus.dev/${name}`, value]);
  return {
    ...Object.fromEntries(own),
    'app.kubernetes.io/managed-by': 'caelus',
    'caelus.dev/instance': instance.id,
    'caelus.dev/product': product.slug,
    'caelus.dev/tenant': instance.tenant,
    'caelus.dev/tier': instance.tier,
  };
}
