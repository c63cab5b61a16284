import type { CallOptions } from '@caelus/core';
import { type ArgoCdAccounts, createAccounts } from './accounts.ts';
import { type Api, type ArgoCdSchemas, callOf, contentOf, createApi } from './api.ts';
import { type ArgoCdApplications, createApplications } from './applications.ts';
import { type ArgoCdClientOptions, type ArgoCdLogin, parseArgoCdClientOptions } from './argo-cd-client-options.ts';
import { authFailed } from './argo-cd-errors.ts';
import { type ArgoCdClusters, createClusters } from './clusters.ts';
import { type ArgoCdProjects, createProjects } from './projects.ts';
import {
  type ArgoCdRepositories,
  type ArgoCdRepositoryCredentials,
  createRepositories,
  createRepositoryCredentials,
} from './repositories.ts';
import { createTokenSource } from './token-source.ts';
import { createTransport } from './transport.ts';

/** Who a client's token stands for. */
export interface ArgoCdUser {
  readonly loggedIn: boolean;
  readonly username: string;
  readonly groups: readonly string[];
}

/**
 * Argo CD's REST API, as far as Caelus uses it. Every call may throw a `CaelusError`: `ARGOCD_AUTH_FAILED`,
 * `ARGOCD_ACCESS_DENIED`, `ARGOCD_REQUEST_REFUSED`, `ARGOCD_UNSUPPORTED`, `ARGOCD_FAILED`, `ARGOCD_ANSWER_INVALID`,
 * `ARGOCD_REDIRECT_REFUSED`, `UNAVAILABLE`, and what it names itself.
 */
export interface ArgoCdClient {
  /** The server's URL, without a slash at its end. */
  readonly server: string;
  readonly applications: ArgoCdApplications;
  readonly projects: ArgoCdProjects;
  readonly repositories: ArgoCdRepositories;
  readonly repositoryCredentials: ArgoCdRepositoryCredentials;
  readonly clusters: ArgoCdClusters;
  readonly accounts: ArgoCdAccounts;
  /** Who the token stands for. */
  user(options?: CallOptions): Promise<ArgoCdUser>;
  /** What is installed; needs no token. */
  version(options?: CallOptions): Promise<ArgoCdSchemas['Version']>;
  settings(options?: CallOptions): Promise<ArgoCdSchemas['Settings']>;
}

/**
 * Makes a client. It sends nothing yet, and holds nothing that has to be closed.
 * @throws {CaelusError} `INVALID_INPUT`
 */
export function createArgoCdClient(options: ArgoCdClientOptions): ArgoCdClient {
  const settings = parseArgoCdClientOptions(options);
  const { baseUrl, login, clock, streamIdleMilliseconds } = settings;
  const anonymous = createApi(baseUrl, createTransport(settings, undefined));
  const tokens = createTokenSource(settings, () => logIn(anonymous, login as ArgoCdLogin));
  const api = createApi(baseUrl, createTransport(settings, tokens));
  return {
    server: baseUrl,
    applications: createApplications(api, { clock, idleMilliseconds: streamIdleMilliseconds }),
    projects: createProjects(api),
    repositories: createRepositories(api),
    repositoryCredentials: createRepositoryCredentials(api),
    clusters: createClusters(api),
    accounts: createAccounts(api),
    async user(callOptions = {}) {
      const found = await contentOf(api, api.GET('/api/v1/session/userinfo', callOf(api, callOptions)));
      return { loggedIn: found.loggedIn ?? false, username: found.username ?? '', groups: found.groups ?? [] };
    },
    version: (callOptions = {}) => contentOf(anonymous, anonymous.GET('/api/version', callOf(anonymous, callOptions))),
    settings: (callOptions = {}) => contentOf(api, api.GET('/api/v1/settings', callOf(api, callOptions))),
  };
}

/** A session's token, which lives for a day where the installation says nothing else. */
async function logIn(api: Api, { username, password }: ArgoCdLogin): Promise<string> {
  let secret: string;
  try {
    secret = typeof password === 'string' ? password : await password();
  } catch {
    // Without its cause, which may quote what it had.
    throw authFailed({ server: api.server, operation: 'login' }, 'The password cannot be had.');
  }
  const call = api.POST('/api/v1/session', { body: { username, password: secret }, ...callOf(api, {}) });
  return (await contentOf(api, call)).token;
}
