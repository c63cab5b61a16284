import type { CallOptions } from '../call-options.ts';

/** The time, and waiting. */
export interface Clock {
  now(): Date;
  /** Resolves after `milliseconds`; rejects with `signal.reason` when stopped. */
  sleep(milliseconds: number, options?: CallOptions): Promise<void>;
}
