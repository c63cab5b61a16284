import type { CallOptions } from '@caelus/core';
import { type Api, type ArgoCdSchemas, callOf, contentOf, present } from './api.ts';

/** Whose repository. */
interface RepositoryScope {
  /** The AppProject that it belongs to. Default: the repository of everybody. */
  readonly project?: string | undefined;
  /** Has the connection tried anew. Default `false`. */
  readonly forceRefresh?: boolean | undefined;
}

/** Repositories that Argo CD reads, by its REST API. Answers never hold their secrets. */
export interface ArgoCdRepositories {
  list(scope?: RepositoryScope, options?: CallOptions): Promise<readonly ArgoCdSchemas['Repository'][]>;
  /** @throws {CaelusError} `ARGOCD_NOT_FOUND` */
  get(url: string, scope?: RepositoryScope, options?: CallOptions): Promise<ArgoCdSchemas['Repository']>;
  /** Makes one, and tries to reach it. */
  create(
    repository: ArgoCdSchemas['Repository'],
    request?: { readonly upsert?: boolean | undefined; readonly credsOnly?: boolean | undefined },
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['Repository']>;
  update(repository: ArgoCdSchemas['Repository'], options?: CallOptions): Promise<ArgoCdSchemas['Repository']>;
  delete(url: string, scope?: Pick<RepositoryScope, 'project'>, options?: CallOptions): Promise<void>;
}

/** Credentials for all repositories whose URLs begin alike, by Argo CD's REST API. Answers never hold their secrets. */
export interface ArgoCdRepositoryCredentials {
  list(options?: CallOptions): Promise<readonly ArgoCdSchemas['RepositoryCredentials'][]>;
  create(
    credentials: ArgoCdSchemas['RepositoryCredentials'],
    request?: { readonly upsert?: boolean | undefined },
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['RepositoryCredentials']>;
  update(
    credentials: ArgoCdSchemas['RepositoryCredentials'],
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['RepositoryCredentials']>;
  delete(url: string, options?: CallOptions): Promise<void>;
}

export function createRepositories(api: Api): ArgoCdRepositories {
  const PATH = '/api/v1/repositories/{repo}';
  const scopeQuery = ({ project, forceRefresh }: RepositoryScope) => present({ appProject: project, forceRefresh });
  return {
    async list(scope = {}, options = {}) {
      const call = api.GET('/api/v1/repositories', { params: { query: scopeQuery(scope) }, ...callOf(api, options) });
      return (await contentOf(api, call)).items ?? [];
    },
    get: (repo, scope = {}, options = {}) =>
      contentOf(api, api.GET(PATH, { params: { path: { repo }, query: scopeQuery(scope) }, ...callOf(api, options) })),
    create: (repository, request = {}, options = {}) =>
      contentOf(
        api,
        api.POST('/api/v1/repositories', {
          params: { query: present(request) },
          body: repository,
          ...callOf(api, options),
        }),
      ),
    update: (repository, options = {}) =>
      contentOf(
        api,
        api.PUT(PATH, { params: { path: { repo: repository.repo } }, body: repository, ...callOf(api, options) }),
      ),
    async delete(repo, { project } = {}, options = {}) {
      const params = { path: { repo }, query: present({ appProject: project }) };
      await api.DELETE(PATH, { params, ...callOf(api, options) });
    },
  };
}

export function createRepositoryCredentials(api: Api): ArgoCdRepositoryCredentials {
  const PATH = '/api/v1/repocreds/{url}';
  return {
    async list(options = {}) {
      return (await contentOf(api, api.GET('/api/v1/repocreds', callOf(api, options)))).items ?? [];
    },
    create: (credentials, request = {}, options = {}) =>
      contentOf(
        api,
        api.POST('/api/v1/repocreds', {
          params: { query: present(request) },
          body: credentials,
          ...callOf(api, options),
        }),
      ),
    update: (credentials, options = {}) =>
      contentOf(
        api,
        api.PUT(PATH, { params: { path: { url: credentials.url } }, body: credentials, ...callOf(api, options) }),
      ),
    async delete(url, options = {}) {
      await api.DELETE(PATH, { params: { path: { url } }, ...callOf(api, options) });
    },
  };
}
