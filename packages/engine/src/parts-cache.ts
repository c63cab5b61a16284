import type { Product, ProductId, TemplateVersion, TemplateVersionId } from '@caelus/core';
import type { PartsReader } from './examine-instance.ts';

/** How many of each are kept: hosts have few products, and each instance of a page asks for its own. */
const KEPT = 1000;

/** Reads each product and template version once. For one pass over many instances, because a product may change its name. */
export function createPartsCache(reader: PartsReader): PartsReader {
  const products = new Map<ProductId, Promise<Product | undefined>>();
  const templateVersions = new Map<TemplateVersionId, Promise<TemplateVersion | undefined>>();
  function once<K, V>(known: Map<K, Promise<V>>, key: K, read: () => Promise<V>): Promise<V> {
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= KEPT) known.clear();
    const reading = read();
    known.set(key, reading);
    return reading;
  }
  return {
    findProduct: (id, options) => once(products, id, () => reader.findProduct(id, options)),
    findTemplateVersion: (id, options) => once(templateVersions, id, () => reader.findTemplateVersion(id, options)),
  };
}
