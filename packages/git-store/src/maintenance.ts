import type { Logger } from '@caelus/core';

export interface MaintenanceOptions {
  /** How many packs there are, or were made. */
  countPacks(): number;
  consolidate(): Promise<void>;
  readonly logger: Logger;
}

/** Keeps the packs few, one run at a time. */
export interface Maintenance {
  /** Begins a run in the background once there are enough new packs. */
  afterWrite(): void;
  /** Ends at once, unless packs come so fast that folding falls behind: then when the run that is under way has ended. */
  room(): Promise<void>;
  /** Ends when a run that began after the call has ended. */
  run(): Promise<void>;
  /** Ends when no run is under way. */
  settled(): Promise<void>;
}

/** Reading looks into each pack, and this many indexes are still quick to look into. */
const NEW_PACKS = 32;
/** With so many, writing waits: what folds has to look at all of them, and would never be done. */
const MOST_NEW_PACKS = 128;

export function createMaintenance({ countPacks, consolidate, logger }: MaintenanceOptions): Maintenance {
  let last: Promise<unknown> = Promise.resolve();
  let isWaiting = false;
  let due = NEW_PACKS;

  function run(): Promise<void> {
    const result = last.then(consolidate).finally(() => {
      due = countPacks() + NEW_PACKS;
    });
    last = result.catch(() => {});
    return result;
  }

  return {
    afterWrite() {
      if (isWaiting || countPacks() < due) return;
      isWaiting = true;
      run()
        .catch((error: unknown) => logger.warn('packs could not be folded', { error: String(error) }))
        .finally(() => {
          isWaiting = false;
        });
    },
    async room() {
      if (countPacks() >= due + MOST_NEW_PACKS - NEW_PACKS) await last;
    },
    run,
    async settled() {
      await last;
    },
  };
}
