import type { CallOptions } from '@caelus/core';
import { type Api, type ArgoCdSchemas, callOf, contentOf, present } from './api.ts';

/** Which cluster: by the URL of its API server, or by its name. */
export type ClusterAddress = { readonly server: string } | { readonly name: string };

/** Clusters that Argo CD deploys to, by its REST API. Answers never hold their secrets. */
export interface ArgoCdClusters {
  list(options?: CallOptions): Promise<readonly ArgoCdSchemas['Cluster'][]>;
  get(address: ClusterAddress, options?: CallOptions): Promise<ArgoCdSchemas['Cluster']>;
  create(
    cluster: ArgoCdSchemas['Cluster'],
    request?: { readonly upsert?: boolean | undefined },
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['Cluster']>;
  /** Replaces the named fields, such as `name`, `config`, `namespaces`. Default: all. */
  update(
    cluster: ArgoCdSchemas['Cluster'],
    request?: { readonly updatedFields?: readonly string[] | undefined },
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['Cluster']>;
  delete(address: ClusterAddress, options?: CallOptions): Promise<void>;
}

export function createClusters(api: Api): ArgoCdClusters {
  const PATH = '/api/v1/clusters/{id}';
  const paramsOf = (address: ClusterAddress) =>
    'server' in address
      ? { path: { id: address.server } }
      : { path: { id: address.name }, query: { 'id.type': 'name' as const } };
  return {
    async list(options = {}) {
      return (await contentOf(api, api.GET('/api/v1/clusters', callOf(api, options)))).items ?? [];
    },
    get: (address, options = {}) =>
      contentOf(api, api.GET(PATH, { params: paramsOf(address), ...callOf(api, options) })),
    create: (cluster, request = {}, options = {}) =>
      contentOf(
        api,
        api.POST('/api/v1/clusters', { params: { query: present(request) }, body: cluster, ...callOf(api, options) }),
      ),
    update: (cluster, request = {}, options = {}) =>
      contentOf(
        api,
        api.PUT(PATH, {
          params: { path: { id: cluster.server }, query: present(request) },
          body: cluster,
          ...callOf(api, options),
        }),
      ),
    async delete(address, options = {}) {
      await api.DELETE(PATH, { params: paramsOf(address), ...callOf(api, options) });
    },
  };
}
