import {
  type ApplicationControl,
  type ApplicationRefreshOptions,
  type ApplicationSyncOptions,
  CaelusError,
  type CaelusEventType,
  type Instance,
  isWanted,
  type JsonObject,
  type SyncResource,
} from '@caelus/core';
import { inputRefused } from '@caelus/core/adapter';
import { findAnswer, keepAnswer } from './answer-once.ts';
import { type InstanceCommandOptions, parseCommandOptions } from './command-options.ts';
import { assertGeneration, instanceDeleted } from './draft-instance.ts';
import { type EngineContext, timestamp } from './engine-context.ts';
import { getInstance } from './get-instance.ts';

/** How Argo CD is to look at an instance anew. */
export type InstanceRefresh = Pick<ApplicationRefreshOptions, 'hard'>;

/** What a sync of an instance is limited to. */
export interface InstanceSync extends Pick<ApplicationSyncOptions, 'resources'> {
  /** Whether what Git no longer has is deleted. Default `true`, as in the syncs that Argo CD starts by itself. */
  readonly prune?: boolean | undefined;
}

/**
 * Commands that change neither the row nor Git, but tell Argo CD something about an instance. They resolve once Argo CD has been
 * told; what it makes of it comes to the row as everything else does. Each leaves an event before Argo CD is told, so that
 * nothing is done to a cluster that nobody has asked for.
 */
export interface InstanceControl {
  /**
   * Has Argo CD compare the instance with Git and the cluster anew.
   * @throws {CaelusError} `INSTANCE_UNKNOWN`, `INSTANCE_DELETED`, `GENERATION_STALE`, `APPLICATION_UNKNOWN`,
   * `CONTROL_UNSUPPORTED`, `IDEMPOTENCY_KEY_REUSED`, `UNAVAILABLE`
   */
  refresh(id: string, refresh?: InstanceRefresh, options?: InstanceCommandOptions): Promise<Instance>;
  /**
   * Starts a sync to what Git says: where syncs by hand are needed, or a change in the cluster is to be undone that Argo CD was
   * told to leave (`Tier.selfHeal`). A change that is not yet in Git is not waited for.
   * @throws {CaelusError} `APPLICATION_DELETING`, `OPERATION_RUNNING`, `SYNC_WINDOW_CLOSED`, `INVALID_INPUT`, and the codes of {@link refresh}
   */
  sync(id: string, sync?: InstanceSync, options?: InstanceCommandOptions): Promise<Instance>;
  /** Ends the sync that runs; does nothing where none does. @throws {CaelusError} the codes of {@link refresh} */
  terminate(id: string, options?: InstanceCommandOptions): Promise<Instance>;
}

/** What one sync may be limited to. */
const MOST_RESOURCES = 100;

export function createInstanceControl(context: EngineContext): InstanceControl {
  const { repository, status, observe } = context;

  async function tell(
    scope: Extract<CaelusEventType, `instance-${string}-requested`>,
    id: string,
    input: JsonObject,
    options: InstanceCommandOptions,
    mayBe: (instance: Instance) => boolean,
    act: (control: ApplicationControl, application: string) => Promise<void>,
  ): Promise<Instance> {
    const { actor, idempotencyKey: key } = parseCommandOptions(options);
    const request = { scope, key, input: { id, ...input } };
    const isAnswered = await repository.transaction(
      async (transaction) => (await findAnswer(context, transaction, request)) !== undefined,
      options,
    );
    const instance = await getInstance(repository, id, options);
    if (isAnswered) return instance;
    if (!mayBe(instance)) throw instanceDeleted(instance);
    assertGeneration(instance, options);
    const { control } = status;
    if (control === undefined) throw controlUnsupported(status.name);
    const { id: instanceId, generation, changeId, argoAppName } = instance;
    const event = { type: scope, at: timestamp(context), instanceId, generation, changeId, actor, data: input };
    await repository.transaction((transaction) => transaction.appendEvent(event), options);
    await act(control, argoAppName);
    await repository.transaction((transaction) => keepAnswer(context, transaction, request, { id: instanceId }));
    context.changed.wake();
    return getInstance(repository, id, options);
  }

  const isThere = ({ status: lifecycle }: Instance) => lifecycle !== 'Deleted';

  return {
    refresh: (id, { hard = false } = {}, options = {}) =>
      observe('instance-refresh', { hard }, () =>
        tell('instance-refresh-requested', id, { hard }, options, isThere, (control, application) =>
          control.refresh(application, { hard, signal: options.signal }),
        ),
      ),
    sync: (id, { prune = true, resources } = {}, options = {}) =>
      observe('instance-sync', {}, async () => {
        const only = resources && parseResources(resources);
        const input = JSON.parse(JSON.stringify({ prune, resources: only })) as JsonObject;
        return tell('instance-sync-requested', id, input, options, isWanted, (control, application) =>
          control.sync(application, { prune, resources: only, signal: options.signal }),
        );
      }),
    terminate: (id, options = {}) =>
      observe('instance-terminate', {}, () =>
        tell('instance-terminate-requested', id, {}, options, isThere, (control, application) =>
          control.terminateOperation(application, { signal: options.signal }),
        ),
      ),
  };
}

/** Only what Argo CD knows of a resource, so that nothing else comes into an event or a request. */
function parseResources(resources: readonly SyncResource[]): readonly SyncResource[] {
  const isName = (text: unknown, least: number) =>
    typeof text === 'string' && text.length >= least && text.length <= 253 && /^[\x21-\x7e]*$/.test(text);
  const isResource = ({ group = '', kind, namespace = '', name }: SyncResource) =>
    isName(group, 0) && isName(kind, 1) && isName(namespace, 0) && isName(name, 1);
  const isList = Array.isArray(resources) && resources.length >= 1 && resources.length <= MOST_RESOURCES;
  if (!isList || !resources.every(isResource)) {
    const message = `Name 1 to ${MOST_RESOURCES} resources, each by its kind and name.`;
    throw inputRefused('The sync', [{ path: '/resources', message }]);
  }
  return resources.map(({ group = '', kind, namespace, name }) => ({
    group,
    kind,
    name,
    ...(namespace !== undefined && { namespace }),
  }));
}

function controlUnsupported(source: string): CaelusError<'CONTROL_UNSUPPORTED'> {
  return new CaelusError({
    code: 'CONTROL_UNSUPPORTED',
    message: `The status source (${source}) can only read Applications. Give createCaelus one that has control.`,
    details: { source },
  });
}
