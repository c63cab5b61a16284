import {
  type ApplicationResource,
  applicationResources,
  type CallOptions,
  type Instance,
  type InstanceChanges,
  type InstanceFilter,
  type InstanceStatus,
  isCaelusError,
  type JsonObject,
  type JsonValue,
  type LeafProvenance,
  type NewInstance,
  type Page,
  type PageRequest,
  type ParsedInstanceChanges,
  type Plan,
  parseInstanceChanges,
  parseNewInstance,
  parseProductId,
  parseTemplateVersionId,
  parseTenantId,
  parseTierName,
  type SyncStatus,
  type TemplateVersionId,
} from '@caelus/core';
import { findAnswer, keepAnswer, type OnceRequest } from './answer-once.ts';
import { type CommandOptions, type InstanceCommandOptions, parseCommandOptions } from './command-options.ts';
import { draftCreate, draftDelete, draftUpdate, draftUpgrade, type InstanceDraft } from './draft-instance.ts';
import { draftRollback, type InstanceRollback, parseRollback } from './draft-rollback.ts';
import type { EngineContext } from './engine-context.ts';
import { explainInstance, getInstance } from './get-instance.ts';
import { createInstanceControl, type InstanceControl } from './instance-control.ts';
import { nilIds, planDraft } from './plan-draft.ts';

/** What a listing of instances is limited to; all that are given must hold. */
export interface InstanceQuery {
  readonly tenant?: string | undefined;
  readonly productId?: string | undefined;
  readonly templateVersionId?: string | undefined;
  readonly tier?: string | undefined;
  readonly status?: readonly InstanceStatus[] | undefined;
  readonly syncStatus?: readonly SyncStatus[] | undefined;
}

/** What an upgrade changes: the template version, and the user's values where they have to change with it. */
export interface InstanceUpgrade {
  readonly templateVersionId: string;
  /** Replaces the user's values as a whole. Default: they stay. */
  readonly values?: unknown;
}

/**
 * Commands and queries on instances. A command changes the row, in one transaction, and returns it; Git and the cluster
 * follow (see `settled`).
 */
export interface Instances extends InstanceControl {
  /**
   * Creates an instance.
   * @throws {CaelusError} `PRODUCT_UNKNOWN`, `TEMPLATE_VERSION_UNKNOWN`, `TEMPLATE_VERSION_OF_OTHER_PRODUCT`,
   * `TEMPLATE_VERSION_DEPRECATED`, `TIER_UNKNOWN`, `INSTANCE_EXISTS`, `INSTANCE_NAME_TAKEN`, `HOSTNAME_TAKEN`,
   * `VALUES_LOCKED`, `VALUES_SECRET_REFUSED`, `VALUES_INVALID`, `DELETION_POLICY_UNSUPPORTED`, `IDEMPOTENCY_KEY_REUSED`,
   * and the codes of `parseNewInstance`
   */
  create(instance: NewInstance, options?: CommandOptions): Promise<Instance>;
  /**
   * Changes what is given; what is left out stays. A change that changes nothing makes no new generation.
   * @throws {CaelusError} `INSTANCE_UNKNOWN`, `INSTANCE_DELETED`, `GENERATION_STALE`, and the codes of {@link create}
   */
  update(id: string, changes: InstanceChanges, options?: InstanceCommandOptions): Promise<Instance>;
  /** Moves to another template version of the same product. @throws {CaelusError} `UPGRADE_ACROSS_PRODUCTS`, and the codes of {@link update} */
  upgrade(id: string, upgrade: InstanceUpgrade, options?: InstanceCommandOptions): Promise<Instance>;
  /**
   * Makes it what it was: template version, values, hostname, labels, tier and deletion policy of an earlier generation, as a new
   * one. Argo CD's own rollback is refused where syncs are automatic, and would be undone by the next sync.
   * @throws {CaelusError} `INSTANCE_STATE_UNKNOWN`, `TEMPLATE_VERSION_DEPRECATED`, `UPGRADE_ACROSS_PRODUCTS`, and the codes of {@link update}
   */
  rollback(id: string, to: InstanceRollback, options?: InstanceCommandOptions): Promise<Instance>;
  /**
   * Asks for the deletion. Asking again does nothing.
   * @throws {CaelusError} `INSTANCE_UNKNOWN`, `GENERATION_STALE`, `INSTANCE_NOT_SYNCED` where the data is to be retained
   * and the cluster does not yet know
   */
  delete(id: string, options?: InstanceCommandOptions): Promise<Instance>;
  /** @throws {CaelusError} `INSTANCE_UNKNOWN`, `ID_INVALID` */
  get(id: string, options?: CallOptions): Promise<Instance>;
  /** Newest first, deleted ones included. @throws {CaelusError} `CURSOR_INVALID`, `ID_INVALID`, `NAME_INVALID` */
  list(query?: InstanceQuery, page?: PageRequest, options?: CallOptions): Promise<Page<Instance>>;
  /**
   * The resources that Argo CD manages for an instance, as it last compared them: those that are `OutOfSync` differ from Git, and
   * those with `requiresPruning` are no longer in it. Asks Argo CD; empty before it has the Application and once it is gone.
   * @throws {CaelusError} `INSTANCE_UNKNOWN`, `ID_INVALID`, `UNAVAILABLE`
   */
  resources(id: string, options?: CallOptions): Promise<readonly ApplicationResource[]>;
  /** Where each of an instance's values comes from. @throws {CaelusError} `INSTANCE_UNKNOWN` */
  explainValues(id: string, options?: CallOptions): Promise<readonly LeafProvenance[]>;
  /** What {@link create} would write; refuses what it would refuse, and writes nothing. */
  planCreate(instance: NewInstance, options?: CallOptions): Promise<Plan>;
  planUpdate(id: string, changes: InstanceChanges, options?: InstanceCommandOptions): Promise<Plan>;
  planUpgrade(id: string, upgrade: InstanceUpgrade, options?: InstanceCommandOptions): Promise<Plan>;
  planRollback(id: string, to: InstanceRollback, options?: InstanceCommandOptions): Promise<Plan>;
  planDelete(id: string, options?: InstanceCommandOptions): Promise<Plan>;
}

/** How often a command is drafted anew because others keep changing the instance. */
const DRAFT_ATTEMPTS = 10;

export function createInstances(context: EngineContext): Instances {
  const { repository, observe } = context;
  const planning: EngineContext = { ...context, ids: nilIds };
  const plan = (draft: InstanceDraft, options: CallOptions) => planDraft(context, draft, options);

  /** Writes a draft and its answer in one transaction; a key that was answered before gets that answer again. */
  async function carryOut(
    request: OnceRequest,
    draft: () => Promise<InstanceDraft>,
    options: InstanceCommandOptions,
  ): Promise<Instance> {
    for (let attempt = 1; ; attempt++) {
      try {
        const id = await carryOutOnce(request, draft, options);
        context.changed.wake();
        context.due.wake();
        return await getInstance(repository, id, options);
      } catch (error) {
        // Somebody else's command came between the draft and the write. Who named no generation wants the newest.
        const mayRepeat = options.expectedGeneration === undefined && attempt < DRAFT_ATTEMPTS;
        if (!mayRepeat || !isCaelusError(error, 'GENERATION_STALE')) throw error;
      }
    }
  }

  async function carryOutOnce(
    request: OnceRequest,
    draft: () => Promise<InstanceDraft>,
    options: CallOptions,
  ): Promise<string> {
    const idOf = (answer: JsonValue | undefined) => (answer as { readonly id: string } | undefined)?.id;
    // Before the draft: what was answered once is answered again, even if it would be refused today.
    const answered = await repository.transaction((transaction) => findAnswer(context, transaction, request), options);
    if (answered !== undefined) return idOf(answered) as string;
    const { instance, write } = await draft();
    return repository.transaction(async (transaction) => {
      const meanwhile = idOf(await findAnswer(context, transaction, request));
      if (meanwhile !== undefined) return meanwhile;
      await write(transaction);
      await keepAnswer(context, transaction, request, { id: instance.id });
      return instance.id;
    }, options);
  }

  return {
    ...createInstanceControl(context),
    create: (input, options = {}) =>
      observe('instance-create', {}, async () => {
        const { actor, idempotencyKey: key } = parseCommandOptions(options);
        const parsed = parseNewInstance(input);
        const request = { scope: 'instance-create', key, input: asJson(parsed) };
        return carryOut(request, () => draftCreate(context, parsed, actor, options), options);
      }),
    update: (id, changes, options = {}) =>
      observe('instance-update', {}, async () => {
        const { actor, idempotencyKey: key } = parseCommandOptions(options);
        const parsed = parseInstanceChanges(changes);
        const request = { scope: 'instance-update', key, input: asJson({ id, ...parsed }) };
        return carryOut(request, () => draftUpdate(context, id, parsed, actor, options), options);
      }),
    upgrade: (id, upgrade, options = {}) =>
      observe('instance-upgrade', {}, async () => {
        const { actor, idempotencyKey: key } = parseCommandOptions(options);
        const changes = parseUpgrade(upgrade);
        const request = { scope: 'instance-upgrade', key, input: asJson({ id, ...changes }) };
        return carryOut(request, () => draftUpgrade(context, id, changes, actor, options), options);
      }),
    rollback: (id, to, options = {}) =>
      observe('instance-rollback', {}, async () => {
        const { actor, idempotencyKey: key } = parseCommandOptions(options);
        const parsed = parseRollback(to);
        const request = { scope: 'instance-rollback', key, input: asJson({ id, ...parsed }) };
        return carryOut(request, () => draftRollback(context, id, parsed, actor, options), options);
      }),
    delete: (id, options = {}) =>
      observe('instance-delete', {}, async () => {
        const { actor, idempotencyKey: key } = parseCommandOptions(options);
        const request = { scope: 'instance-delete', key, input: { id } };
        return carryOut(request, () => draftDelete(context, id, actor, options), options);
      }),
    get: (id, options) => getInstance(repository, id, options),
    list: (query, page, options) => repository.listInstances(parseQuery(query), page, options),
    async resources(id, options) {
      const { argoAppName } = await getInstance(repository, id, options);
      const application = await context.status.get(argoAppName, options);
      return application === undefined ? [] : applicationResources(application);
    },
    explainValues: (id, options) => explainInstance(context, id, options),
    planCreate: async (input, options = {}) =>
      plan(await draftCreate(planning, parseNewInstance(input), null, options), options),
    planUpdate: async (id, changes, options = {}) =>
      plan(await draftUpdate(planning, id, parseInstanceChanges(changes), null, options), options),
    planUpgrade: async (id, upgrade, options = {}) =>
      plan(await draftUpgrade(planning, id, parseUpgrade(upgrade), null, options), options),
    planRollback: async (id, to, options = {}) =>
      plan(await draftRollback(planning, id, parseRollback(to), null, options), options),
    planDelete: async (id, options = {}) => plan(await draftDelete(planning, id, null, options), options),
  };
}

function parseUpgrade({ templateVersionId, values }: InstanceUpgrade): ParsedInstanceChanges & {
  readonly templateVersionId: TemplateVersionId;
} {
  return { ...parseInstanceChanges({ values }), templateVersionId: parseTemplateVersionId(templateVersionId) };
}

function parseQuery(query: InstanceQuery = {}): InstanceFilter {
  const { tenant, productId, templateVersionId, tier, status, syncStatus } = query;
  return {
    tenant: tenant === undefined ? undefined : parseTenantId(tenant),
    productId: productId === undefined ? undefined : parseProductId(productId),
    templateVersionId: templateVersionId === undefined ? undefined : parseTemplateVersionId(templateVersionId),
    tier: tier === undefined ? undefined : parseTierName(tier),
    status,
    syncStatus,
  };
}

/** Drops what is `undefined`, which JSON does not have. */
function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
