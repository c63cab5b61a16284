import { type ChangeId, changeIdSchema, type InstanceId, instanceIdSchema } from '../model/identifier.ts';
import type { Trailer } from '../ports/state-store.ts';

/** The trailer that says which change of which instance a commit writes. */
export const CHANGE_TRAILER = 'Caelus-Change';

/** One change of one instance's desired state, as a commit names it. */
export interface ChangeReference {
  readonly instanceId: InstanceId;
  readonly generation: number;
  readonly changeId: ChangeId;
}

/** Renders `Caelus-Change: <instance> <generation> <changeId>`. */
export function changeTrailer({ instanceId, generation, changeId }: ChangeReference): Trailer {
  return { key: CHANGE_TRAILER, value: `${instanceId} ${generation} ${changeId}` };
}

/** Reads what {@link changeTrailer} writes; `undefined` for any other trailer. What it says is a claim of who wrote the commit. */
export function parseChangeTrailer({ key, value }: Trailer): ChangeReference | undefined {
  if (key !== CHANGE_TRAILER) return undefined;
  const [, id, digits, change] = /^(\S+) ([1-9][0-9]{0,15}) (\S+)$/.exec(value) ?? [];
  const instanceId = instanceIdSchema.safeParse(id);
  const changeId = changeIdSchema.safeParse(change);
  const generation = Number(digits);
  if (!instanceId.success || !changeId.success || !Number.isSafeInteger(generation)) return undefined;
  return { instanceId: instanceId.data, generation, changeId: changeId.data };
}
