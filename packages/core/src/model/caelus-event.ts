import * as z from 'zod';
import type { JsonObject } from '../json-value.ts';
import { parseInput } from '../schema/parse-input.ts';
import { valuesSchema } from '../values/values.ts';
import { type Actor, actorSchema } from './actor.ts';
import {
  type ChangeId,
  type CommitId,
  changeIdSchema,
  commitIdSchema,
  type InstanceId,
  instanceIdSchema,
  type Timestamp,
  timestampSchema,
} from './identifier.ts';

export const eventTypes = [
  'product-created',
  'template-version-published',
  'template-version-deprecated',
  'instance-created',
  'instance-updated',
  'instance-upgraded',
  'instance-rolled-back',
  'instance-delete-requested',
  'instance-refresh-requested',
  'instance-sync-requested',
  'instance-terminate-requested',
  'instance-committed',
  'instance-status-changed',
  'instance-deleted',
  'instance-adopted',
  'instance-reasserted',
  'instance-rebuilt',
  'change-acknowledged',
  'catalogue-adopted',
  'drift-detected',
  'drift-resolved',
  'git-rewound',
  'rebuild-started',
  'rebuild-finished',
  'work-dead',
  'work-retried',
] as const;

/**
 * What can happen. The `instance-*` events of a command carry the generation and the change they made, or those that were newest
 * where Argo CD alone was told (`instance-refresh-requested`, `instance-sync-requested`, `instance-terminate-requested`); `instance-adopted` and
 * `instance-reasserted` say which side a person or the drift policy has chosen, Git or the database; `change-acknowledged` names
 * a change that was found in Git and is known from now on.
 */
export type CaelusEventType = (typeof eventTypes)[number];

/** One entry of the append-only record of what happened. */
export interface CaelusEvent {
  /** Orders events as they became visible, and resumes a stream after itself. Opaque. */
  readonly cursor: string;
  readonly at: Timestamp;
  readonly type: CaelusEventType;
  readonly instanceId: InstanceId | null;
  readonly generation: number | null;
  readonly changeId: ChangeId | null;
  /** The commit that it was written with, or in which it was seen; `null` for what has to do with rows alone. */
  readonly commit: CommitId | null;
  /** Who asked; `null` for what Caelus found by itself. */
  readonly actor: Actor | null;
  /** Names and numbers, never values: what a user set stays in the row and in Git. */
  readonly data: JsonObject;
}

/** An event before the repository has given it its place. */
export type NewCaelusEvent = Omit<CaelusEvent, 'cursor' | 'commit'> & {
  /** Default `null`: nothing was written. */
  readonly commit?: CommitId | null | undefined;
};

const fields = {
  at: timestampSchema,
  type: z.enum(eventTypes),
  instanceId: instanceIdSchema.nullable(),
  generation: z.int().min(0).nullable(),
  changeId: changeIdSchema.nullable(),
  commit: commitIdSchema.nullable(),
  actor: actorSchema.nullable(),
  data: valuesSchema,
};
const newEventSchema: z.ZodType<Omit<CaelusEvent, 'cursor'>> = z.strictObject({
  ...fields,
  commit: fields.commit.default(null),
});
const eventSchema: z.ZodType<CaelusEvent> = z.strictObject({ cursor: z.string(), ...fields });

/** Parses an event that a repository is to append. @throws {CaelusError} `ID_INVALID`, `NAME_INVALID`, `INVALID_INPUT` */
export function parseNewEvent(input: unknown): Omit<CaelusEvent, 'cursor'> {
  return parseInput(newEventSchema, input, 'The event');
}

/** Parses a stored event. @throws {CaelusError} `ID_INVALID`, `NAME_INVALID`, `INVALID_INPUT` */
export function parseEvent(input: unknown): CaelusEvent {
  return parseInput(eventSchema, input, 'The event');
}
