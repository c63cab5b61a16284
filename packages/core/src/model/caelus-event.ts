import type { JsonObject } from '../json-value.ts';
import type { Actor } from './actor.ts';
import type { ChangeId, InstanceId, Timestamp } from './identifier.ts';

export const eventTypes = [
  'product-created',
  'template-version-published',
  'template-version-deprecated',
  'instance-created',
  'instance-updated',
  'instance-upgraded',
  'instance-delete-requested',
  'instance-committed',
  'instance-status-changed',
  'instance-deleted',
  'drift-detected',
  'drift-resolved',
] as const;

/** What can happen. The `instance-*` events of a command carry the generation and the change they made. */
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
  /** Who asked; `null` for what Caelus found by itself. */
  readonly actor: Actor | null;
  /** Names and numbers, never values: what a user set stays in the row and in Git. */
  readonly data: JsonObject;
}

/** An event before the repository has given it its place. */
export type NewCaelusEvent = Omit<CaelusEvent, 'cursor'>;
