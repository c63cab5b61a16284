/** What every call that does I/O takes as its last argument. */
export interface CallOptions {
  /** Stops the call; it rejects with `signal.reason`. What was committed before stays committed. */
  readonly signal?: AbortSignal | undefined;
}
