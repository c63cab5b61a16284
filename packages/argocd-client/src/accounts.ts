import type { CallOptions } from '@caelus/core';
import { type Api, type ArgoCdSchemas, callOf, contentOf, present } from './api.ts';
import type { NewToken } from './projects.ts';

/** Argo CD's local accounts, by its REST API. */
export interface ArgoCdAccounts {
  list(options?: CallOptions): Promise<readonly ArgoCdSchemas['Account'][]>;
  get(name: string, options?: CallOptions): Promise<ArgoCdSchemas['Account']>;
  /** Makes a token of an account that has the capability `apiKey`. */
  createToken(name: string, request?: NewToken, options?: CallOptions): Promise<string>;
  deleteToken(name: string, id: string, options?: CallOptions): Promise<void>;
}

export function createAccounts(api: Api): ArgoCdAccounts {
  const PATH = '/api/v1/account/{name}';
  return {
    async list(options = {}) {
      return (await contentOf(api, api.GET('/api/v1/account', callOf(api, options)))).items ?? [];
    },
    get: (name, options = {}) => contentOf(api, api.GET(PATH, { params: { path: { name } }, ...callOf(api, options) })),
    async createToken(name, request = {}, options = {}) {
      const body = { name, ...present(request) };
      const call = api.POST(`${PATH}/token`, { params: { path: { name } }, body, ...callOf(api, options) });
      return (await contentOf(api, call)).token;
    },
    async deleteToken(name, id, options = {}) {
      await api.DELETE(`${PATH}/token/{id}`, { params: { path: { name, id } }, ...callOf(api, options) });
    },
  };
}
