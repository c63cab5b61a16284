import type { InputIssue } from '@caelus/core';
import { refuseInput } from '@caelus/core/adapter';

/** What the sweep forgets. The lineage of instances is kept for ever: it is what tells a restored database from a manual edit. */
export interface Retention {
  /** Which events go. With both limits, those that are past both. Readers who have not come so far get `CURSOR_EXPIRED`. */
  readonly events?: EventRetention | undefined;
}

/** At least one of the two. */
export interface EventRetention {
  /** Events older than this, in milliseconds: 3,600,000 (an hour) or more. */
  readonly olderThan?: number | undefined;
  /** All but the newest so many: 0 or more. */
  readonly keep?: number | undefined;
}

const HOUR = 3_600_000;
/** A hundred years; further back an instant has no four digits for its year. */
const MOST = 100 * 365 * 24 * HOUR;

/** @throws {CaelusError} `INVALID_INPUT` */
export function checkRetention(retention: Retention): Retention {
  refuseInput('The retention', retention.events === undefined ? [] : issuesOf(retention.events));
  return retention;
}

function issuesOf({ olderThan, keep }: EventRetention): readonly InputIssue[] {
  const issues: InputIssue[] = [];
  if (olderThan === undefined && keep === undefined) {
    issues.push({ path: '/retention/events', message: 'Give olderThan, keep, or both.' });
  }
  if (olderThan !== undefined && !(Number.isSafeInteger(olderThan) && olderThan >= HOUR && olderThan <= MOST)) {
    issues.push({ path: '/retention/events/olderThan', message: `Use ${HOUR} to ${MOST} milliseconds.` });
  }
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep >= 0)) {
    issues.push({ path: '/retention/events/keep', message: 'Use a whole number, 0 or more.' });
  }
  return issues;
}
