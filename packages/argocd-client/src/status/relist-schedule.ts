/** When everything is to be listed: soon after a stream began, from time to time, and sooner while the stream loses events. */
export interface RelistSchedule {
  /** In milliseconds since 1970. */
  due(): number;
  /** A stream was asked for. What changes until it works is missed by it. */
  streamStarted(now: number): void;
  /** The stream brought something, so it still sends what existed when it began. */
  streamMoved(now: number): void;
  /** Everything was listed; `lost` states had been listed before that the stream has not brought since. Returns whether it is losing events. */
  listed(begun: number, now: number, lost: number): boolean;
}

/** How long a stream must be quiet after its start before what it missed by then is listed, in milliseconds. */
const SETTLE = 2_000;
/** The longest that this is put off while the stream is not quiet. */
const MOST_SETTLE = 30_000;
/** How much sooner than usual everything is listed at most. */
const MOST_HASTE = 16;

/** Makes a schedule whose first listing is due at once. Pure: it is told the time. */
export function createRelistSchedule(usualMilliseconds: number): RelistSchedule {
  /** When the stream began, until a listing that began after it had settled. */
  let young: number | undefined;
  let interval = usualMilliseconds;
  let due = 0;
  let settled = 0;

  function settle(now: number): void {
    if (young === undefined) return;
    settled = Math.min(now + SETTLE, young + MOST_SETTLE);
    due = settled;
  }

  return {
    due: () => due,
    streamStarted(now) {
      const isFirst = due === 0;
      young = now;
      settle(now);
      // The first listing waits for nothing.
      if (isFirst) due = 0;
    },
    streamMoved(now) {
      if (due !== 0) settle(now);
    },
    listed(begun, now, lost) {
      const wasYoung = young !== undefined;
      if (begun >= settled) young = undefined;
      // What a stream that just began has missed says nothing about how well it works.
      const isLosing = lost > 0 && !wasYoung;
      if (isLosing) interval = Math.max(interval / 2, usualMilliseconds / MOST_HASTE);
      else if (!wasYoung) interval = usualMilliseconds;
      due = young === undefined ? now + interval : Math.max(settled, now + 1);
      return isLosing;
    },
  };
}
