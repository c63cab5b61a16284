import type { CallOptions } from '@caelus/core';
import { type Api, type ArgoCdSchemas, callOf, contentOf, present } from './api.ts';

/** Whose token it is, and for how long. */
export interface NewToken {
  /** Default: made by Argo CD. */
  readonly id?: string | undefined;
  /** Seconds. Default 0: it does not expire. */
  readonly expiresIn?: number | undefined;
}

/** AppProjects, by Argo CD's REST API. */
export interface ArgoCdProjects {
  list(options?: CallOptions): Promise<readonly ArgoCdSchemas['AppProject'][]>;
  /** @throws {CaelusError} `ARGOCD_NOT_FOUND` */
  get(name: string, options?: CallOptions): Promise<ArgoCdSchemas['AppProject']>;
  /** @throws {CaelusError} `ARGOCD_CONFLICT` where another of that name exists, unless `upsert` */
  create(
    project: ArgoCdSchemas['AppProject'],
    request?: { readonly upsert?: boolean | undefined },
    options?: CallOptions,
  ): Promise<ArgoCdSchemas['AppProject']>;
  update(project: ArgoCdSchemas['AppProject'], options?: CallOptions): Promise<ArgoCdSchemas['AppProject']>;
  delete(name: string, options?: CallOptions): Promise<void>;
  /** Makes a token that stands for a role of the project. */
  createToken(
    address: { readonly project: string; readonly role: string },
    request?: NewToken & { readonly description?: string | undefined },
    options?: CallOptions,
  ): Promise<string>;
  /** Revokes one, by the second at which it was issued, or by its id. */
  deleteToken(
    address: { readonly project: string; readonly role: string },
    token: { readonly issuedAt: number; readonly id?: string | undefined },
    options?: CallOptions,
  ): Promise<void>;
}

export function createProjects(api: Api): ArgoCdProjects {
  const PATH = '/api/v1/projects/{name}';
  return {
    async list(options = {}) {
      return (await contentOf(api, api.GET('/api/v1/projects', callOf(api, options)))).items ?? [];
    },
    get: (name, options = {}) => contentOf(api, api.GET(PATH, { params: { path: { name } }, ...callOf(api, options) })),
    create: (project, request = {}, options = {}) =>
      contentOf(api, api.POST('/api/v1/projects', { body: { project, ...present(request) }, ...callOf(api, options) })),
    update: (project, options = {}) =>
      contentOf(
        api,
        api.PUT(PATH, {
          params: { path: { name: project.metadata.name } },
          body: { project },
          ...callOf(api, options),
        }),
      ),
    async delete(name, options = {}) {
      await api.DELETE(PATH, { params: { path: { name } }, ...callOf(api, options) });
    },
    async createToken({ project, role }, request = {}, options = {}) {
      const params = { path: { name: project, role } };
      const body = { project, role, ...present(request) };
      const call = api.POST(`${PATH}/roles/{role}/token`, { params, body, ...callOf(api, options) });
      return (await contentOf(api, call)).token;
    },
    async deleteToken({ project, role }, { issuedAt, id }, options = {}) {
      const params = { path: { name: project, role, iat: String(issuedAt) }, query: present({ id }) };
      await api.DELETE(`${PATH}/roles/{role}/token/{iat}`, { params, ...callOf(api, options) });
    },
  };
}
