import { type Application, type CallOptions, isCaelusError, type LiveObject, type LiveResource } from '@caelus/core';
import { readLiveResources } from '@caelus/core/adapter';
import type { KubernetesClient } from '../client/kubernetes-client.ts';
import type { ResourceType } from '../client/resource.ts';

/**
 * The resources that the status of an Application lists, as they live, as far as the caller may read them. What they made
 * themselves is not known here, and neither is anything in another cluster than that of Argo CD.
 */
export async function findLiveResources(
  client: KubernetesClient,
  application: Application,
  options: CallOptions,
): Promise<readonly LiveResource[]> {
  const { destination = {} } = application.spec as {
    readonly destination?: { readonly server?: string; readonly name?: string };
  };
  const isHere = destination.server === 'https://kubernetes.default.svc' || destination.name === 'in-cluster';
  const types = new Map<string, Promise<readonly ResourceType[]>>();

  function typesOf(apiVersion: string): Promise<readonly ResourceType[]> {
    const known = types.get(apiVersion) ?? client.discover(apiVersion, options);
    types.set(apiVersion, known);
    return known;
  }

  return readLiveResources(application.status?.resources ?? [], async (listed) => {
    if (!isHere) return null;
    const { group = '', version = '', kind = '', namespace = '', name = '' } = listed;
    const found = await typesOf(group === '' ? version : `${group}/${version}`);
    const type = found.find((each) => each.kind === kind);
    // Its definition is gone, and so is it.
    if (type === undefined) return undefined;
    try {
      return (await client.get(type, { namespace, name }, options)) as LiveObject | undefined;
    } catch (error) {
      if (isCaelusError(error, 'KUBERNETES_ACCESS_DENIED')) return null;
      throw error;
    }
  });
}
