import {
  CaelusError,
  type ChangeNotification,
  type ChangeNotifier,
  type Clock,
  isCaelusError,
  type Logger,
  parseGitRepositoryUrl,
  silentLogger,
} from '@caelus/core';
import { createLinkedAbort, integerIssues, issueUnless, refuseInput, unknownKeys } from '@caelus/core/adapter';
import { baseUrlIssues, withoutSlash } from '../argo-cd-client-options.ts';
import { unavailable } from '../argo-cd-errors.ts';
import type { ArgoCdClient } from '../create-argo-cd-client.ts';
import { readableText } from '../readable-text.ts';
import { retryDelay } from '../retry-policy.ts';
import { systemClock } from '../system-clock.ts';
import { touchedRoots } from './touched-roots.ts';
import {
  divideFiles,
  type Push,
  renderPush,
  toWebUrl,
  type WebhookProvider,
  webhookHeaders,
  webhookProviders,
} from './webhook-payload.ts';

declare module '@caelus/core' {
  interface ErrorDetails {
    /** Argo CD does not take a webhook call. */
    readonly ARGOCD_WEBHOOK_REFUSED: { readonly server: string; readonly status: number };
  }
}

export interface ArgoCdWebhookNotifierOptions {
  /** Argo CD's `https` or `http` URL, with its root path, without credentials. */
  readonly baseUrl: string;
  readonly repository: {
    /** As the Applications write it. */
    readonly url: string;
    /** Default `main`. */
    readonly branch?: string | undefined;
    /** What `HEAD` means. Default: `branch`. */
    readonly defaultBranch?: string | undefined;
  };
  /** Whose format the call has. Default `github`. That of `bitbucket-server` names no files: every Application is refreshed. */
  readonly provider?: WebhookProvider | undefined;
  /** What Argo CD has as `webhook.<provider>.secret`, or where to get it. Default: none, and Argo CD believes everybody. */
  readonly secret?: string | (() => string | Promise<string>) | undefined;
  /** Refreshes the touched Applications one by one where the call fails. Default: the notification is then lost. */
  readonly fallback?:
    | {
        readonly client: Pick<ArgoCdClient, 'applications'>;
        /** The AppProjects of the instances, 1 to 50; the account needs `get` in each. */
        readonly projects: readonly string[];
        /** The AppProject of the root Applications. Default `caelus-root`. */
        readonly rootProject?: string | undefined;
      }
    | undefined;
  /** The most bytes of one call; what is more is told in several: 4,096 to 52,428,800. Default 4,194,304. */
  readonly maxPayloadBytes?: number | undefined;
  /** Of each call: 1 to 3,600,000 ms. Default 10,000. */
  readonly timeoutMilliseconds?: number | undefined;
  /** How often a call is tried again: 0 to 20. Default 2. */
  readonly retries?: number | undefined;
  /** Default: the runtime's. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
}

const KEYS = [
  'baseUrl',
  'repository',
  'provider',
  'secret',
  'fallback',
  'maxPayloadBytes',
  'timeoutMilliseconds',
  'retries',
  'fetch',
  'clock',
  'logger',
];
const MOST_PROJECTS = 50;
/** How many Applications are refreshed at a time. */
const PARALLEL = 8;

/**
 * Makes a notifier that tells Argo CD what a push changed, by one signed call of its webhook, so that exactly the touched
 * Applications are refreshed, at once. Fails with the code of what went wrong where there is no fallback, or that fails too.
 * @throws {CaelusError} `INVALID_INPUT`, `REPOSITORY_URL_INVALID`, `REPOSITORY_URL_CREDENTIALS`
 */
export function createArgoCdWebhookNotifier(options: ArgoCdWebhookNotifierOptions): ChangeNotifier {
  checkOptions(options);
  const {
    provider = 'github',
    fallback,
    maxPayloadBytes = 2 ** 22,
    timeoutMilliseconds = 10_000,
    retries = 2,
  } = options;
  const { clock = systemClock, logger = silentLogger, secret } = options;
  const fetch = options.fetch ?? ((...request) => globalThis.fetch(...request));
  const server = withoutSlash(options.baseUrl);
  const place = { server, operation: 'POST /api/webhook' };
  const { branch = 'main', defaultBranch = branch } = options.repository;
  const webUrl = toWebUrl(parseGitRepositoryUrl(options.repository.url));

  async function call(body: string, signal: AbortSignal | undefined): Promise<void> {
    const headers = await webhookHeaders(provider, body, await getSecret());
    for (let attempt = 0; ; attempt++) {
      const failure = await callOnce(body, headers, signal);
      if (failure === undefined) return;
      // To be told twice costs Argo CD a look, and no more.
      if (attempt >= retries || !failure.retryable) throw failure;
      await clock.sleep(retryDelay(attempt, Math.random()), { signal });
    }
  }

  async function callOnce(
    body: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<CaelusError | undefined> {
    signal?.throwIfAborted();
    using attempted = createLinkedAbort(signal);
    const timer = setTimeout(() => attempted.abort(), timeoutMilliseconds);
    try {
      const response = await fetch(`${server}/api/webhook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
        redirect: 'manual',
        signal: attempted.signal,
      });
      await response.body?.cancel();
      if (response.ok) return undefined;
      const passes = response.status === 429 || response.status >= 500;
      return passes
        ? unavailable(place, `it answered with status ${response.status}.`)
        : refused(server, response.status);
    } catch (error) {
      signal?.throwIfAborted();
      const { message, cause } = error as { readonly message?: string; readonly cause?: { readonly message?: string } };
      return unavailable(place, `${readableText(cause?.message || message || 'the connection broke')}.`);
    } finally {
      clearTimeout(timer);
    }
  }

  async function getSecret(): Promise<string | undefined> {
    if (secret === undefined) return undefined;
    let found: unknown;
    try {
      found = typeof secret === 'function' ? await secret() : secret;
    } catch {
      // Without its cause, which may quote what it had.
    }
    // Checked here: fetch quotes what cannot stand in a header.
    if (typeof found === 'string' && /^[\x21-\x7e]+$/.test(found)) return found;
    throw unavailable(place, 'the secret of the webhook cannot be had, or has other characters than visible ASCII.');
  }

  async function tell({ commit, edits }: ChangeNotification, signal: AbortSignal | undefined): Promise<void> {
    const push: Push = { webUrl, branch, defaultBranch, commit };
    const overhead = new TextEncoder().encode(renderPush(provider, push, { modified: [], removed: [] })).length;
    const parts = provider === 'bitbucket-server' ? [NO_FILES] : divideFiles(edits, overhead, maxPayloadBytes);
    for (const files of parts) await call(renderPush(provider, push, files), signal);
  }

  /** Refreshes the roots first: an Application that is not there yet is made by one of them. */
  async function refresh({ edits, applications }: ChangeNotification, signal: AbortSignal | undefined): Promise<void> {
    if (fallback === undefined) return;
    const { projects, rootProject = 'caelus-root' } = fallback;
    for (const name of touchedRoots(edits)) await refreshOne(name, [rootProject], signal);
    const names = [...new Set(applications)].values();
    const work = async () => {
      for (const name of names) await refreshOne(name, projects, signal);
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }

  async function refreshOne(name: string, projects: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (const project of projects) {
      signal?.throwIfAborted();
      try {
        await fallback?.client.applications.refresh({ name, project }, 'normal', { signal });
        return;
      } catch (error) {
        // In another project, or not there yet, or no longer.
        if (!isCaelusError(error, 'ARGOCD_NOT_FOUND')) throw error;
      }
    }
  }

  return {
    async notify(notification, { signal } = {}) {
      signal?.throwIfAborted();
      if (notification.edits.length === 0) return;
      try {
        await tell(notification, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (fallback === undefined) throw error;
        const code = isCaelusError(error) ? error.code : null;
        logger.warn('The webhook of Argo CD failed, so the Applications are refreshed one by one.', { code });
        await refresh(notification, signal);
      }
    },
  };
}

const NO_FILES = { modified: [], removed: [] };

function refused(server: string, status: number): CaelusError<'ARGOCD_WEBHOOK_REFUSED'> {
  return new CaelusError({
    code: 'ARGOCD_WEBHOOK_REFUSED',
    message: `Argo CD at ${server} refuses the webhook call with status ${status}. Check the URL, and that both have the same secret for the same provider.`,
    details: { server, status },
  });
}

function checkOptions(options: ArgoCdWebhookNotifierOptions): void {
  const { repository, provider, secret, fallback } = options;
  const { maxPayloadBytes = 2 ** 22, timeoutMilliseconds = 10_000, retries = 2 } = options;
  const isName = (value: unknown) => value === undefined || (typeof value === 'string' && value !== '');
  const names = fallback?.projects;
  refuseInput('The options of the webhook notifier', [
    ...unknownKeys('', options, KEYS),
    ...baseUrlIssues('/baseUrl', options.baseUrl),
    ...issueUnless('/repository', typeof repository === 'object' && repository !== null, 'Give the repository.'),
    ...unknownKeys('/repository', repository ?? {}, ['url', 'branch', 'defaultBranch']),
    ...issueUnless('/repository/branch', isName(repository?.branch), 'Give the name of a branch.'),
    ...issueUnless('/repository/defaultBranch', isName(repository?.defaultBranch), 'Give the name of a branch.'),
    ...issueUnless(
      '/provider',
      provider === undefined || webhookProviders.includes(provider),
      `Use one of ${webhookProviders.join(', ')}.`,
    ),
    ...issueUnless('/secret', isName(secret) || typeof secret === 'function', 'Give a secret, or what gets one.'),
    ...(fallback === undefined
      ? []
      : [
          ...unknownKeys('/fallback', fallback, ['client', 'projects', 'rootProject']),
          ...issueUnless(
            '/fallback/client',
            typeof fallback.client?.applications?.refresh === 'function',
            'Give a client of Argo CD.',
          ),
          ...issueUnless(
            '/fallback/projects',
            Array.isArray(names) && names.length >= 1 && names.length <= MOST_PROJECTS,
            `Give the names of 1 to ${MOST_PROJECTS} projects.`,
          ),
        ]),
    ...integerIssues('/maxPayloadBytes', maxPayloadBytes, 4_096, 52_428_800),
    ...integerIssues('/timeoutMilliseconds', timeoutMilliseconds, 1, 3_600_000),
    ...integerIssues('/retries', retries, 0, 20),
  ]);
}
