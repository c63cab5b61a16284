import { type Clock, type InputIssue, type Logger, silentLogger } from '@caelus/core';
import { integerIssues, issueUnless, refuseInput, unknownKeys } from '@caelus/core/adapter';
import { systemClock } from './system-clock.ts';

/** A token, or where to get one: asked before the first request, and once more when Argo CD no longer accepts it. */
export type ArgoCdToken = string | (() => string | Promise<string>);

/** A local account's login, for a session's token. An account with an API key and a `token` need no login. */
export interface ArgoCdLogin {
  readonly username: string;
  readonly password: string | (() => string | Promise<string>);
}

export interface ArgoCdClientOptions {
  /** Argo CD's `https` or `http` URL as its users know it, with its root path, without credentials. */
  readonly baseUrl: string;
  /** Give this or `login`; without both, only `version` and public settings can be read. */
  readonly token?: ArgoCdToken | undefined;
  readonly login?: ArgoCdLogin | undefined;
  /** Default: the runtime's. Give `createNodeFetch` of `@caelus/argocd-client/node` for a private CA or a client certificate. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Of each attempt, streams excepted: 1 to 3,600,000 ms. Default 30,000. */
  readonly timeoutMilliseconds?: number | undefined;
  /** How often a request is tried again that surely, or harmlessly, may be: 0 to 20. Default 4. */
  readonly retries?: number | undefined;
  /** The longest answer that is read, streams excepted: 1,024 to 536,870,912 bytes. Default 268,435,456. */
  readonly maxAnswerBytes?: number | undefined;
  /** How long a stream may bring nothing, not even a keep-alive, once it has begun: 1,000 to 3,600,000 ms. Default 45,000. */
  readonly streamIdleMilliseconds?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
}

/** The options with every default filled in. */
export interface ArgoCdSettings {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly token: ArgoCdToken | undefined;
  readonly login: ArgoCdLogin | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMilliseconds: number;
  readonly retries: number;
  readonly maxAnswerBytes: number;
  readonly streamIdleMilliseconds: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const KEYS = [
  'baseUrl',
  'token',
  'login',
  'fetch',
  'timeoutMilliseconds',
  'retries',
  'maxAnswerBytes',
  'streamIdleMilliseconds',
  'clock',
  'logger',
];

/** @throws {CaelusError} `INVALID_INPUT` */
export function parseArgoCdClientOptions(options: ArgoCdClientOptions): ArgoCdSettings {
  const { token, login, timeoutMilliseconds = 30_000, retries = 4, maxAnswerBytes = 2 ** 28 } = options;
  // Argo CD sends a keep-alive every 15 seconds.
  const { streamIdleMilliseconds = 45_000 } = options;
  const isSecret = (value: unknown) => typeof value === 'function' || (typeof value === 'string' && value !== '');
  const issues: readonly InputIssue[] = [
    ...unknownKeys('', options, KEYS),
    ...baseUrlIssues('/baseUrl', options.baseUrl),
    ...issueUnless('/token', token === undefined || isSecret(token), 'Give a token, or a function that gets one.'),
    ...issueUnless('/login', token === undefined || login === undefined, 'Give a token or a login, not both.'),
    ...(login === undefined ? [] : loginIssues(login, isSecret(login.password))),
    ...issueUnless('/fetch', options.fetch === undefined || typeof options.fetch === 'function', 'Give a function.'),
    ...integerIssues('/timeoutMilliseconds', timeoutMilliseconds, 1, 3_600_000),
    ...integerIssues('/retries', retries, 0, 20),
    ...integerIssues('/maxAnswerBytes', maxAnswerBytes, 1024, 2 ** 29),
    ...integerIssues('/streamIdleMilliseconds', streamIdleMilliseconds, 1_000, 3_600_000),
  ];
  refuseInput('The options of the Argo CD client', issues);
  return {
    baseUrl: withoutSlash(options.baseUrl),
    token,
    login,
    // Looked up at each call, so that what replaces the global one later counts.
    fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
    timeoutMilliseconds,
    retries,
    maxAnswerBytes,
    streamIdleMilliseconds,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

/** What is wrong with a server's URL. */
export function baseUrlIssues(path: string, value: unknown): readonly InputIssue[] {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return [{ path, message: 'Give an https or http URL.' }];
  }
  return [
    ...issueUnless(path, url.username === '' && url.password === '', 'Give it without credentials.'),
    ...issueUnless(path, url.search === '' && url.hash === '', 'Give it without a query and a fragment.'),
  ];
}

export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function loginIssues(login: ArgoCdLogin, hasPassword: boolean): readonly InputIssue[] {
  return [
    ...unknownKeys('/login', login, ['username', 'password']),
    ...issueUnless(
      '/login/username',
      typeof login.username === 'string' && login.username !== '',
      'Give the name of an account.',
    ),
    ...issueUnless('/login/password', hasPassword, 'Give a password, or a function that gets one.'),
  ];
}
