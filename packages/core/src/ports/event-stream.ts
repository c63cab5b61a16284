import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { CaelusError } from '../errors.ts';
import type { CaelusEvent, NewCaelusEvent } from '../model/caelus-event.ts';
import { type Timestamp, timestampSchema } from '../model/identifier.ts';
import { parseInput } from '../schema/parse-input.ts';
import type { EventPruning } from './repository.ts';

// What every adapter of the Repository port decides alike about the stream of events, so that an adapter only reads and writes.

/** The greatest and the default `EventPruning.limit`. */
export const PRUNING_LIMITS = { most: 10_000, usual: 1_000 } as const;

const FINGERPRINT = /^[0-9a-f]{12}$/;
const NO_EVENT = '0'.repeat(12);

const eventPruningSchema: z.ZodType<EventPruning & { readonly limit: number }> = z
  .strictObject({
    before: timestampSchema.optional(),
    keep: z.int().min(0).optional(),
    limit: z.int().min(1).max(PRUNING_LIMITS.most).default(PRUNING_LIMITS.usual),
  })
  .refine(({ before, keep }) => before !== undefined || keep !== undefined, 'Give before, keep, or both.');

/** Checks which events are to be pruned, and fills in the usual limit. @throws {CaelusError} `INVALID_INPUT` */
export function parseEventPruning(input: EventPruning): EventPruning & { readonly limit: number } {
  return parseInput(eventPruningSchema, input, 'The pruning of events');
}

/** How many of the oldest events go: those before the first that is not older than `before`, so that no gap is left. */
export function prunableEvents(oldest: readonly Timestamp[], before: Timestamp | undefined): number {
  const kept = before === undefined ? -1 : oldest.findIndex((at) => at >= before);
  return kept === -1 ? oldest.length : kept;
}

/**
 * The cursor of an event: its place, which texts of equal length order, and a fingerprint of what it is. In a database that was
 * restored from a backup other events take the same places, and a reader must not go on among them as if nothing had happened.
 */
export function eventCursor(place: string, event: NewCaelusEvent): string {
  const { at, type, instanceId, generation, changeId } = event;
  const identity = JSON.stringify([at, type, instanceId, generation, changeId]);
  return `${place}.${bytesToHex(sha256(utf8ToBytes(identity))).slice(0, NO_EVENT.length)}`;
}

/** The cursor before the first event that there ever was. */
export function firstEventCursor(firstPlace: string): string {
  return `${firstPlace}.${NO_EVENT}`;
}

/** The place in a cursor. `pattern` is that of the adapter's places. @throws {CaelusError} `CURSOR_INVALID` */
export function placeOfEventCursor(cursor: string, pattern: RegExp): string {
  const [place = '', fingerprint = '', ...rest] = cursor.split('.');
  if (pattern.test(place) && FINGERPRINT.test(fingerprint) && rest.length === 0) return place;
  throw new CaelusError({
    code: 'CURSOR_INVALID',
    message: 'The cursor is not one that this listing gave. Start again without a cursor.',
    details: { cursor: cursor.slice(0, 100) },
  });
}

/** What is known of a cursor that a reader wants to go on from. */
export interface EventAnchor {
  /** The cursor of the newest event that was pruned, or {@link firstEventCursor}. */
  readonly horizon: string;
  /** The event that now has the cursor's place. */
  readonly event: Pick<CaelusEvent, 'cursor'> | undefined;
}

/**
 * Refuses to go on from a cursor after which events are missing. An adapter looks the anchor up in one snapshot and after it has read
 * the page: what is pruned between the two is noticed then.
 * @throws {CaelusError} `CURSOR_EXPIRED`
 */
export function assertResumable(cursor: string, { horizon, event }: EventAnchor): void {
  if (cursor === horizon || cursor === event?.cursor) return;
  const reason = event === undefined && placeOf(cursor) <= placeOf(horizon) ? 'pruned' : 'restored';
  const found =
    reason === 'pruned'
      ? 'Events after the cursor were pruned.'
      : 'The cursor is of an event that this database does not have: it was restored from a backup.';
  throw new CaelusError({
    code: 'CURSOR_EXPIRED',
    message: `${found} Read the present state anew, and then the events without a cursor.`,
    details: { cursor, reason },
  });
}

const placeOf = (cursor: string) => cursor.slice(0, cursor.indexOf('.'));
