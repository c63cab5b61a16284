import * as z from 'zod';
import { CaelusError } from '../errors.ts';
import { commitIdSchema, type Timestamp, timestampSchema, toTimestamp } from '../model/identifier.ts';
import { type Instance, type InstanceDesired, type InstanceObserved, parseInstanceFields } from '../model/instance.ts';
import { parseInput } from '../schema/parse-input.ts';
import {
  type BranchState,
  type DesiredUpdate,
  type Lease,
  type ObservedUpdate,
  PAGE_LIMITS,
  type WorkClaim,
  type WorkRecord,
  type WorkState,
} from './repository.ts';

// What every adapter of the Repository port decides alike, so that an adapter only reads and writes.

const desiredFields: readonly (keyof InstanceDesired)[] = [
  'tier',
  'desiredTemplateVersionId',
  'userValues',
  'platformValues',
  'hostname',
  'labels',
  'deletionPolicy',
];
const commandFields: readonly (keyof DesiredUpdate)[] = [
  ...desiredFields,
  'changeId',
  'changedBy',
  'updatedAt',
  'status',
  'statusReason',
  'deletedAt',
];
const observedFields: readonly (keyof InstanceObserved)[] = [
  'status',
  'statusReason',
  'syncStatus',
  'healthStatus',
  'lastSyncedAt',
  'observedGeneration',
  'appliedTemplateVersionId',
  'lastError',
];

const pageLimitSchema = z.int().min(1).max(PAGE_LIMITS.most).default(PAGE_LIMITS.usual);
const keyCountSchema = z.int().max(PAGE_LIMITS.most);
const branchStateSchema: z.ZodType<BranchState> = z.strictObject({ commit: commitIdSchema, recheck: z.boolean() });
const renewalFields = {
  leaseMilliseconds: z
    .int()
    .min(1)
    .max(24 * 60 * 60 * 1000),
  now: timestampSchema,
};
const workRenewalSchema: z.ZodType<Pick<WorkClaim, 'leaseMilliseconds' | 'now'>> = z.strictObject(renewalFields);
const workClaimSchema: z.ZodType<WorkClaim> = z.strictObject({
  owner: z.string(),
  limit: z.int().min(1),
  ...renewalFields,
});
const leaseSchema: z.ZodType<Lease> = z.strictObject({
  name: z.string().min(1).max(500),
  owner: z.string(),
  token: z.string().min(1),
  beat: z.int().min(1),
  renewedAt: timestampSchema,
});

/** Checks the limit of a page, and gives the usual one where there is none. @throws {CaelusError} `INVALID_INPUT` */
export function parsePageLimit(limit: number | undefined): number {
  return parseInput(pageLimitSchema, limit, 'The limit of a page');
}

/** Checks how many records are asked for by key, and drops what is asked for twice. @throws {CaelusError} `INVALID_INPUT` */
export function parseKeys<T extends string>(keys: readonly T[]): readonly T[] {
  parseInput(keyCountSchema, keys.length, 'The number of keys');
  return [...new Set(keys)];
}

/** Checks a claim, and says when its leases end. @throws {CaelusError} `INVALID_INPUT` */
export function parseWorkClaim(input: WorkClaim): WorkClaim & { readonly leaseUntil: Timestamp } {
  const claim = parseInput(workClaimSchema, input, 'The claim');
  return { ...claim, leaseUntil: leaseEnd(claim) };
}

/** Checks a renewal, and says when its leases end. @throws {CaelusError} `INVALID_INPUT` */
export function parseWorkRenewal(input: Pick<WorkClaim, 'leaseMilliseconds' | 'now'>): Timestamp {
  return leaseEnd(parseInput(workRenewalSchema, input, 'The renewal'));
}

/** Checks a lease: its name has 1 to 500 characters, and its beat is 1 or more. @throws {CaelusError} `INVALID_INPUT` */
export function parseLease(input: Lease): Lease {
  return parseInput(leaseSchema, input, 'The lease');
}

function leaseEnd({ now, leaseMilliseconds }: Pick<WorkClaim, 'leaseMilliseconds' | 'now'>): Timestamp {
  return toTimestamp(new Date(Date.parse(now) + leaseMilliseconds));
}

/** What the columns of one piece of work come to. */
export function workStateOf(
  work: Pick<WorkRecord, 'deadAt' | 'leaseUntil' | 'attempts'> & { readonly requested: number; readonly done: number },
): WorkState {
  if (work.requested === work.done) return 'done';
  if (work.deadAt !== null) return 'dead';
  if (work.leaseUntil !== null) return 'leased';
  return work.attempts > 0 ? 'failing' : 'pending';
}

/** How much work one claim takes up at least that has waited long enough for its retry; what is left waits for the next claim. */
export const MATURED_AT_ONCE = 1000;

/**
 * The turn of the next piece of work of a tenant (empty: of none), whose `last` one was put into or served in turn `last`, 0
 * where it had none. Work is claimed by turn, then by tenant, and `served` is the farthest that claims have come. The turn is the
 * tenant's first that lies ahead of both. So from when a piece of work is its tenant's first, it waits for no more than
 * one of each other tenant, however many they have; and a tenant that was idle has saved up nothing.
 */
export function nextTurn(
  tenant: string,
  last: number,
  served: { readonly turn: number; readonly tenant: string } | undefined,
): number {
  if (served === undefined) return last + 1;
  return Math.max(last + 1, tenant > served.tenant ? served.turn : served.turn + 1);
}

/**
 * The fields of an instance that `updateDesired` writes, the next generation among them. What `update` carries beside
 * the desired state is left out.
 * @throws {CaelusError} `GENERATION_STALE`, `INSTANCE_DELETED`, and the codes of {@link parseInstance}
 */
export function desiredChanges(
  current: Instance,
  expectedGeneration: number,
  update: DesiredUpdate,
): Partial<Instance> {
  const { id: instanceId, generation, status } = current;
  if (generation !== expectedGeneration) {
    throw new CaelusError({
      code: 'GENERATION_STALE',
      message: `The instance ${instanceId} is at generation ${generation}, not ${expectedGeneration}: somebody else changed it. Read it again and decide anew.`,
      details: { instanceId, expected: expectedGeneration, actual: generation },
    });
  }
  if (status === 'Deleted' && update.status !== 'Deleted') throw deleted(current);
  if (status !== 'Deleted' && update.status === 'Deleted') throw notDeleted();
  const next = update.generation ?? generation + 1;
  if (next <= generation) throw refused('/generation', 'Use a greater generation than the row has.');
  return checked({ ...pick(update, commandFields), generation: next });
}

/**
 * The fields of an instance that `updateObserved` writes. What `observed` carries beside them is left out.
 * @throws {CaelusError} `INSTANCE_DELETED`, and the codes of {@link parseInstance}
 */
export function observedChanges(
  current: Instance,
  observed: Partial<InstanceObserved>,
  at: Timestamp,
): Partial<Instance> {
  const changes = { ...pick(observed, observedFields), updatedAt: at };
  if (current.status === 'Deleted' && (changes.status ?? 'Deleted') !== 'Deleted') throw deleted(current);
  return checked(changes);
}

/** What `updateObservedMany` writes of one instance: every field that is observed, where the row is still `current`. */
export interface ObservedWrite {
  readonly current: Instance;
  readonly fields: InstanceObserved & Pick<Instance, 'updatedAt'>;
}

/**
 * What `updateObservedMany` writes, in the order of the ids, so that two who write the same rows do not wait for each other.
 * @throws {CaelusError} `INSTANCE_DELETED`, `INVALID_INPUT`, and the codes of {@link parseInstance}
 */
export function observedWrites(updates: readonly ObservedUpdate[], at: Timestamp): readonly ObservedWrite[] {
  const ids = new Set(updates.map(({ current }) => current.id));
  if (ids.size < updates.length) {
    const message = 'The updates of the instances cannot be accepted. Give each instance once.';
    throw new CaelusError({ code: 'INVALID_INPUT', message, details: { issues: [{ path: '', message }] } });
  }
  return updates
    .map(({ current, observed }) => {
      const changes = observedChanges(current, observed, at);
      // The cast: a whole instance has every field that is observed.
      const before = pick<Instance>(current, observedFields) as InstanceObserved;
      return { current, fields: { ...before, ...changes, updatedAt: at } };
    })
    .toSorted((a, b) => (a.current.id < b.current.id ? -1 : 1));
}

/** Whether a row is still as it was when it was read: what was seen is about nothing else. */
export function isUnchanged(current: Instance | undefined, read: Instance): boolean {
  return current?.changeId === read.changeId && current.updatedAt === read.updatedAt && current.status === read.status;
}

function notDeleted(): CaelusError {
  return refused('/status', 'An instance becomes Deleted by what is observed, not by a command. Use Deleting.');
}

function refused(path: string, message: string): CaelusError {
  return new CaelusError({
    code: 'INVALID_INPUT',
    message: `The change of the instance cannot be accepted. ${path}: ${message}`,
    details: { issues: [{ path, message }] },
  });
}

/** Checks what a repository is to remember of the branch. @throws {CaelusError} `ID_INVALID`, `INVALID_INPUT` */
export function parseBranchState(input: unknown): BranchState {
  return parseInput(branchStateSchema, input, 'The state of the branch');
}

/** No rule spans two fields, and those of the row were checked when it was read. */
function checked(changes: Partial<Instance>): Partial<Instance> {
  parseInstanceFields(changes);
  return changes;
}

type Given<T> = { readonly [Field in keyof T]?: Exclude<T[Field], undefined> };

function pick<T extends object>(record: T, fields: readonly (keyof T)[]): Given<T> {
  const given = fields.filter((field) => record[field] !== undefined);
  return Object.fromEntries(given.map((field) => [field, record[field]])) as Given<T>;
}

function deleted({ id: instanceId, status }: Instance): CaelusError {
  return new CaelusError({
    code: 'INSTANCE_DELETED',
    message: `The instance ${instanceId} is deleted, which is final. Create another one.`,
    details: { instanceId, status },
  });
}
