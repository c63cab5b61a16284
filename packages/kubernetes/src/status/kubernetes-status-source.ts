import { type Logger, type StatusSource, silentLogger } from '@caelus/core';
import { integerIssues, issueUnless, refuseInput, unknownKeys } from '@caelus/core/adapter';
import type { KubernetesClient } from '../client/kubernetes-client.ts';
import { RESOURCES } from '../client/resource.ts';
import { createApplicationControl } from './application-control.ts';
import { type ApplicationPlace, listAnew, listPages } from './application-listing.ts';
import { findLiveResources } from './find-live-resources.ts';
import { toApplication } from './managed-applications.ts';
import { watchApplications } from './watch-applications.ts';

export interface KubernetesStatusSourceOptions {
  /** The cluster that Argo CD runs in. It stays the caller's: disposing of the source leaves it open. */
  readonly client: KubernetesClient;
  /** Where the Applications are. Default `argocd`. */
  readonly namespace?: string | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
  /** Applications in one answer of a listing: 1 to 1,000. Default 250. */
  readonly pageSize?: number | undefined;
  /** How long the server keeps one watch open: 1 to 3,600 s. Default 300. */
  readonly watchSeconds?: number | undefined;
  /** Failures of the watch in a row before it throws: 0 to 100. Default 6. */
  readonly retries?: number | undefined;
  /** The first wait after a failure, which then doubles: 1 to 60,000 ms. Default 500. */
  readonly retryMilliseconds?: number | undefined;
  /** The longest wait: 1 to 600,000 ms. Default 30,000. */
  readonly retryLimitMilliseconds?: number | undefined;
}

const KEYS = [
  'client',
  'namespace',
  'logger',
  'pageSize',
  'watchSeconds',
  'retries',
  'retryMilliseconds',
  'retryLimitMilliseconds',
];

/**
 * Argo CD's Applications by the Kubernetes API, which unlike Argo CD's own never leaves out a deletion: what a watch missed is
 * found by a new listing.
 * @throws {CaelusError} `INVALID_INPUT`
 */
export function createKubernetesStatusSource(
  options: KubernetesStatusSourceOptions,
): StatusSource & Required<Pick<StatusSource, 'control' | 'findLiveResources'>> {
  const { client, namespace = 'argocd', logger = silentLogger, pageSize = 250, watchSeconds = 300 } = options;
  const { retries = 6, retryMilliseconds = 500, retryLimitMilliseconds = 30_000 } = options;
  refuseInput('The options of the Kubernetes status source', [
    ...unknownKeys('', options, KEYS),
    ...issueUnless('/client', typeof client?.watch === 'function', 'Give what createKubernetesClient returns.'),
    ...issueUnless(
      '/namespace',
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace),
      'Use the name of a namespace.',
    ),
    ...integerIssues('/pageSize', pageSize, 1, 1000),
    ...integerIssues('/watchSeconds', watchSeconds, 1, 3600),
    ...integerIssues('/retries', retries, 0, 100),
    ...integerIssues('/retryMilliseconds', retryMilliseconds, 1, 60_000),
    ...integerIssues('/retryLimitMilliseconds', retryLimitMilliseconds, 1, 600_000),
  ]);
  const place: ApplicationPlace = { client, namespace, pageSize };
  const patience = {
    baseMilliseconds: retryMilliseconds,
    mostMilliseconds: retryLimitMilliseconds,
    failures: retries,
  };

  return {
    name: `Kubernetes ${client.name}, namespace ${namespace}`,

    async get(name, callOptions = {}) {
      const found = await client.get(RESOURCES.Application, { namespace, name }, callOptions);
      return found && toApplication(found);
    },

    async *list(callOptions = {}) {
      const seen = new Set<string>();
      yield* listAnew(place, async function* () {
        for await (const { items } of listPages(place, callOptions)) {
          for (const object of items) {
            if (seen.has(object.metadata.name)) continue;
            seen.add(object.metadata.name);
            yield toApplication(object);
          }
        }
      });
    },

    watch: (callOptions = {}) => watchApplications({ ...place, patience, watchSeconds, logger }, callOptions),

    async findLiveResources(name, callOptions = {}) {
      const found = await client.get(RESOURCES.Application, { namespace, name }, callOptions);
      return found === undefined ? [] : findLiveResources(client, toApplication(found), callOptions);
    },

    control: createApplicationControl(client, namespace),

    async [Symbol.asyncDispose]() {},
  };
}
