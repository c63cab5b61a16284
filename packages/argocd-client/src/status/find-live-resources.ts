import {
  type CallOptions,
  isCaelusError,
  LIVE_RESOURCES_LIMIT,
  type LiveObject,
  type LiveResource,
} from '@caelus/core';
import type { ArgoCdSchemas } from '../api.ts';
import type { ApplicationAddress, ArgoCdApplications } from '../applications.ts';

/** How many are asked for at once. */
const AT_ONCE = 4;

/** The resources of an Application and what they made, each as it lives now: Argo CD's tree may be a moment old. */
export async function findLiveResources(
  applications: Pick<ArgoCdApplications, 'resourceTree' | 'resource'>,
  address: ApplicationAddress,
  options: CallOptions,
): Promise<readonly LiveResource[]> {
  const { nodes } = await applications.resourceTree(address, {}, options);
  // What the Application itself made comes first: the rest goes with it.
  const depth = ({ parentRefs }: ArgoCdSchemas['ResourceNode']) => (parentRefs?.length ? 1 : 0);
  const wanted = (nodes ?? []).toSorted((a, b) => depth(a) - depth(b)).slice(0, LIVE_RESOURCES_LIMIT);
  const found: LiveResource[] = [];
  for (let start = 0; start < wanted.length; start += AT_ONCE) {
    const lot = wanted.slice(start, start + AT_ONCE).map((node) => read(node));
    found.push(...(await Promise.all(lot)).flat());
  }
  return found;

  async function read(node: ArgoCdSchemas['ResourceNode']): Promise<readonly LiveResource[]> {
    const { group = '', version = '', kind = '', namespace = '', name = '' } = node;
    const resource = { group, kind, namespace: namespace || null, name };
    try {
      const manifest = await applications.resource(address, { group, version, kind, namespace, name }, options);
      return [{ ...resource, object: JSON.parse(manifest) as LiveObject }];
    } catch (error) {
      if (isCaelusError(error, 'ARGOCD_ACCESS_DENIED')) return [{ ...resource, object: null }];
      // It is gone since.
      const isGone = isCaelusError(error, 'ARGOCD_NOT_FOUND') || isCaelusError(error, 'ARGOCD_REQUEST_REFUSED');
      if (isGone) return [];
      throw error;
    }
  }
}
