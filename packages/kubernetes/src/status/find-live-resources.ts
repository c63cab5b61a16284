import {
  type Application,
  type ApplicationResourceStatus,
  type CallOptions,
  isCaelusError,
  LIVE_RESOURCES_LIMIT,
  type LiveObject,
  type LiveResource,
} from '@caelus/core';
import type { KubernetesClient } from '../client/kubernetes-client.ts';
import type { ResourceType } from '../client/resource.ts';

/** How many are asked for at once. */
const AT_ONCE = 4;

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

  async function read(listed: ApplicationResourceStatus): Promise<readonly LiveResource[]> {
    const { group = '', version = '', kind = '', namespace = '', name = '' } = listed;
    const resource = { group, kind, namespace: namespace || null, name };
    if (!isHere) return [{ ...resource, object: null }];
    const found = await typesOf(group === '' ? version : `${group}/${version}`);
    const type = found.find((each) => each.kind === kind);
    // Its definition is gone, and so is it.
    if (type === undefined) return [];
    try {
      const object = await client.get(type, { namespace, name }, options);
      return object === undefined ? [] : [{ ...resource, object: object as LiveObject }];
    } catch (error) {
      if (isCaelusError(error, 'KUBERNETES_ACCESS_DENIED')) return [{ ...resource, object: null }];
      throw error;
    }
  }

  const wanted = (application.status?.resources ?? []).slice(0, LIVE_RESOURCES_LIMIT);
  const resources: LiveResource[] = [];
  for (let start = 0; start < wanted.length; start += AT_ONCE) {
    resources.push(...(await Promise.all(wanted.slice(start, start + AT_ONCE).map(read))).flat());
  }
  return resources;
}
