import { type CallOptions, isCaelusError, type LiveObject, type LiveResource } from '@caelus/core';
import { readLiveResources } from '@caelus/core/adapter';
import type { ArgoCdSchemas } from '../api.ts';
import type { ApplicationAddress, ArgoCdApplications } from '../applications.ts';

/** The resources of an Application and what they made, each as it lives now: Argo CD's tree may be a moment old. */
export async function findLiveResources(
  applications: Pick<ArgoCdApplications, 'resourceTree' | 'resource'>,
  address: ApplicationAddress,
  options: CallOptions,
): Promise<readonly LiveResource[]> {
  const { nodes } = await applications.resourceTree(address, {}, options);
  // What the Application itself made comes first: the rest goes with it.
  const depth = ({ parentRefs }: ArgoCdSchemas['ResourceNode']) => (parentRefs?.length ? 1 : 0);
  const listed = (nodes ?? []).toSorted((a, b) => depth(a) - depth(b));
  return readLiveResources(listed, async ({ group = '', version = '', kind = '', namespace = '', name = '' }) => {
    try {
      const manifest = await applications.resource(address, { group, version, kind, namespace, name }, options);
      return JSON.parse(manifest) as LiveObject;
    } catch (error) {
      if (isCaelusError(error, 'ARGOCD_ACCESS_DENIED')) return null;
      // It is gone since.
      if (isCaelusError(error, 'ARGOCD_NOT_FOUND') || isCaelusError(error, 'ARGOCD_REQUEST_REFUSED')) return undefined;
      throw error;
    }
  });
}
