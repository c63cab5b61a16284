import {
  CaelusError,
  type CallOptions,
  type InstanceId,
  type Page,
  type PageRequest,
  parseInstanceId,
  type WorkBacklog,
  type WorkFilter,
  type WorkRecord,
} from '@caelus/core';
import { type CommandOptions, parseCommandOptions } from './command-options.ts';
import { type EngineContext, timestamp } from './engine-context.ts';

/** What is to be brought from the rows to Git: for those who operate Caelus. */
export interface Work {
  /** How much there is, and how old the oldest is. */
  backlog(options?: CallOptions): Promise<WorkBacklog>;
  /** By instance id. `{ state: 'dead' }` are those that failed too often and are tried no more. @throws {CaelusError} `CURSOR_INVALID` */
  list(filter?: WorkFilter, page?: PageRequest, options?: CallOptions): Promise<Page<WorkRecord>>;
  /** @throws {CaelusError} `INSTANCE_UNKNOWN` where nothing was ever requested for it, `ID_INVALID` */
  get(id: string, options?: CallOptions): Promise<WorkRecord>;
  /**
   * Has an instance looked at now: one that is dead begins anew, one that waits for its retry waits no longer. Returns its work
   * as it is then.
   * @throws {CaelusError} `INSTANCE_UNKNOWN` where nothing was ever requested for it, `ID_INVALID`, `NAME_INVALID`
   */
  retry(id: string, options?: Omit<CommandOptions, 'idempotencyKey'>): Promise<WorkRecord>;
}

export function createWork(context: EngineContext): Work {
  const { repository } = context;
  return {
    backlog: (options) => repository.workBacklog(options),
    list: (filter, page, options) => repository.listWork(filter, page, options),
    get: async (id, options) => existing(parseInstanceId(id), await repository.findWork(parseInstanceId(id), options)),
    async retry(input, options = {}) {
      const { actor } = parseCommandOptions(options);
      const id = parseInstanceId(input);
      const record = await repository.transaction(async (transaction) => {
        const { state, attempts } = existing(id, await transaction.findWork(id));
        const at = timestamp(context);
        await transaction.requestWork(id, 'retry', at);
        const { generation = null, changeId = null } = (await transaction.findInstance(id)) ?? {};
        const data = { state, attempts };
        await transaction.appendEvent({ type: 'work-retried', at, instanceId: id, generation, changeId, actor, data });
        return existing(id, await transaction.findWork(id));
      }, options);
      context.due.wake();
      return record;
    },
  };
}

function existing(instanceId: InstanceId, record: WorkRecord | undefined): WorkRecord {
  if (record !== undefined) return record;
  throw new CaelusError({
    code: 'INSTANCE_UNKNOWN',
    message: `There is no work of an instance ${instanceId}.`,
    details: { instanceId },
  });
}
