import {
  type Application,
  type ApplicationEvent,
  type CallOptions,
  type Clock,
  isCaelusError,
  type Logger,
  type StatusSource,
  silentLogger,
} from '@caelus/core';
import { createLinkedAbort, integerIssues, issueUnless, refuseInput, unknownKeys } from '@caelus/core/adapter';
import type { ArgoCdSchemas } from '../api.ts';
import type { ApplicationAddress } from '../applications.ts';
import { answerInvalid } from '../argo-cd-errors.ts';
import type { ArgoCdClient } from '../create-argo-cd-client.ts';
import { systemClock } from '../system-clock.ts';
import { createApplicationControl } from './application-control.ts';
import { findLiveResources } from './find-live-resources.ts';
import { watchManaged } from './watch-managed.ts';

export interface ArgoCdStatusSourceOptions {
  readonly client: Pick<ArgoCdClient, 'server' | 'applications'>;
  /**
   * The AppProjects of the instances, 1 to 50; the account needs `get` in each. Argo CD says that an Application does not exist
   * only to those who name its project.
   */
  readonly projects: readonly string[];
  /** A label selector. Default: the Applications of Caelus' instances. */
  readonly selector?: string | undefined;
  /** Where the Applications are. Default: the namespace of Argo CD. */
  readonly namespace?: string | undefined;
  /** How often everything is listed beside the watch: 1,000 to 86,400,000 ms. Default 300,000. */
  readonly relistMilliseconds?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
}

const KEYS = ['client', 'projects', 'selector', 'namespace', 'relistMilliseconds', 'clock', 'logger'];
const MANAGED_SELECTOR = 'app.kubernetes.io/managed-by=caelus,caelus.dev/instance';
const MOST_PROJECTS = 50;

/**
 * Makes the status source that reads a real Argo CD by its REST API. The account needs `applications, get` in every project,
 * which is enough for a refresh, and `applications, sync` for starting syncs and ending them.
 * @throws {CaelusError} `INVALID_INPUT`
 */
export function createArgoCdStatusSource(
  options: ArgoCdStatusSourceOptions,
): StatusSource & Required<Pick<StatusSource, 'control' | 'findLiveResources'>> {
  const { client, projects, selector = MANAGED_SELECTOR, namespace, relistMilliseconds = 300_000 } = options;
  const isNames = Array.isArray(projects) && projects.every((project) => typeof project === 'string' && project !== '');
  refuseInput('The options of the status source', [
    ...unknownKeys('', options, KEYS),
    ...issueUnless('/client', typeof client?.applications?.list === 'function', 'Give a client of Argo CD.'),
    ...issueUnless(
      '/projects',
      isNames && projects.length >= 1 && projects.length <= MOST_PROJECTS,
      `Give the names of 1 to ${MOST_PROJECTS} projects.`,
    ),
    ...integerIssues('/relistMilliseconds', relistMilliseconds, 1_000, 86_400_000),
  ]);
  const { applications } = client;
  const { clock = systemClock, logger = silentLogger } = options;
  const filter = { projects, selector, namespace };
  const closing = new AbortController();
  /** The project that an Application was last seen in, which is asked first. */
  const lastProject = new Map<string, string>();

  function toApplication(found: ArgoCdSchemas['Application']): Application {
    const application = checked(client.server, found);
    const { metadata, spec } = application;
    if (spec.project !== undefined) lastProject.set(metadata.name, spec.project);
    return application;
  }

  async function find(name: string, callOptions: CallOptions): Promise<ArgoCdSchemas['Application'] | undefined> {
    const last = lastProject.get(name);
    const ordered = last === undefined ? projects : [last, ...projects.filter((project) => project !== last)];
    for (const project of ordered) {
      callOptions.signal?.throwIfAborted();
      const found = await applications.get(addressOf(name, project), callOptions).catch(unlessNotFound);
      if (found !== undefined) return found;
    }
    lastProject.delete(name);
    return undefined;
  }

  const addressOf = (name: string, project: string): ApplicationAddress => ({ name, project, namespace });

  /** Where the Application is now; `undefined` where there is none. */
  async function addressFor(name: string, callOptions: CallOptions): Promise<ApplicationAddress | undefined> {
    const found = await find(name, callOptions);
    return found && addressOf(name, found.spec.project ?? 'default');
  }

  async function get(name: string, callOptions: CallOptions = {}): Promise<Application | undefined> {
    const found = await find(name, callOptions);
    return found === undefined ? undefined : toApplication(found);
  }

  async function listAll(callOptions: CallOptions): Promise<readonly Application[]> {
    return (await applications.list(filter, callOptions)).items.map(toApplication);
  }

  async function* list(callOptions: CallOptions = {}): AsyncGenerator<Application> {
    for (const application of await listAll(callOptions)) {
      callOptions.signal?.throwIfAborted();
      yield application;
    }
  }

  async function* stream(callOptions: CallOptions) {
    for await (const { type, application } of applications.watch(filter, callOptions)) {
      yield {
        type: type === 'DELETED' ? ('deleted' as const) : ('present' as const),
        application: toApplication(application),
      };
    }
  }

  async function* watch({ signal }: CallOptions = {}): AsyncGenerator<ApplicationEvent> {
    using all = createLinkedAbort(signal, closing.signal);
    const watched = { list: listAll, stream, get, relistMilliseconds, clock, logger };
    for await (const event of watchManaged(watched, all.signal)) {
      if (event.type === 'absent') lastProject.delete(event.name);
      yield event;
    }
  }

  return {
    name: `Argo CD at ${client.server}`,
    get,
    list,
    watch,
    async findLiveResources(name, callOptions = {}) {
      const address = await addressFor(name, callOptions);
      return address === undefined ? [] : findLiveResources(applications, address, callOptions);
    },
    control: createApplicationControl(applications, addressFor),
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('The status source was closed.'));
    },
  };
}

function unlessNotFound(error: unknown): undefined {
  if (!isCaelusError(error, 'ARGOCD_NOT_FOUND')) throw error;
}

/** An Application that has what everything relies on, without what is of use to the API server alone and often the larger part. */
function checked(server: string, found: ArgoCdSchemas['Application']): Application {
  const { metadata, spec } = found as Partial<ArgoCdSchemas['Application']>;
  if (typeof metadata?.name !== 'string' || typeof spec !== 'object' || spec === null) {
    throw answerInvalid(
      { server, operation: 'read an Application' },
      200,
      'It has an Application without a name or a spec.',
    );
  }
  const { managedFields: _, ...kept } = metadata as ArgoCdSchemas['ObjectMeta'] & { readonly managedFields?: unknown };
  return { ...found, metadata: kept };
}
