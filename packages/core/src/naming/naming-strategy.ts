import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { CaelusError } from '../errors.ts';
import type { InstanceId, Slug } from '../model/identifier.ts';
import type { InstanceNames } from '../model/instance.ts';
import { UUID } from '../schema/identifier-schema.ts';

/** Gives an instance its names, once, from what never changes of it. Equal input gives equal names. */
export interface NamingStrategy {
  readonly name: string;
  /**
   * A glob that matches every namespace this strategy makes and as little else as can be: an AppProject's destinations
   * are limited to it.
   */
  readonly namespacePattern: string;
  /** @throws {CaelusError} `ID_INVALID` where the strategy cannot name such an id */
  names(subject: NamingSubject): InstanceNames;
}

export interface NamingSubject {
  readonly id: InstanceId;
  /** The product's. */
  readonly slug: Slug;
}

/**
 * Namespace and Application are named by the instance's UUID, the Helm release by the product. Only UUIDs pass: any
 * other id might spell the name of a namespace that is not ours, such as `kube-system`.
 */
export const uuidNaming: NamingStrategy = {
  name: 'uuid',
  namespacePattern: '????????-????-????-????-????????????',
  names({ id, slug }) {
    if (!UUID.test(id)) {
      const message = 'Names after the instance id need a UUID; use the slug naming strategy for other ids.';
      throw new CaelusError({ code: 'ID_INVALID', message, details: { issues: [{ path: '', message }] } });
    }
    return { namespace: id, argoAppName: id, releaseName: releaseNameOf(slug) };
  },
};

/**
 * Namespace and Application are named `{slug}-{suffix}`: the product and eight characters drawn from a hash of the id.
 * The suffix starts with a digit, which tells the namespaces apart from those that people name.
 */
export const slugNaming: NamingStrategy = {
  name: 'slug',
  namespacePattern: '*-[0-9]???????',
  names({ id, slug }) {
    const name = `${slug}-${suffixOf(id)}`;
    return { namespace: name, argoAppName: name, releaseName: releaseNameOf(slug) };
  },
};

/** Charts name Services after the release, and a Service's name must start with a letter (RFC 1035). */
function releaseNameOf(slug: Slug): string {
  return /^[a-z]/.test(slug) ? slug : `r-${slug}`;
}

/** One decimal digit and seven of base 36: some 8 × 10¹¹ suffixes. The database refuses the rare pair that clashes. */
function suffixOf(id: InstanceId): string {
  const digest = sha256(utf8ToBytes(id));
  const digits = Array.from(digest.subarray(1, 8), (byte) => (byte % 36).toString(36));
  return `${(digest[0] as number) % 10}${digits.join('')}`;
}
