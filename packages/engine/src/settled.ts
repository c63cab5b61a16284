import type { CallOptions, Instance, StatusReason } from '@caelus/core';
import type { EngineContext } from './engine-context.ts';
import { getInstance } from './get-instance.ts';

/** How an instance ended up. */
export interface Settlement {
  /**
   * `running`: the cluster runs what was asked, healthy. `deleted`: it is gone. `failed`: it cannot run, or not now; it
   * may still recover by itself. `blocked`: it goes on once somebody has done something. Nothing is written because Git holds what
   * Caelus did not write (the reason is the kind of drift); a deletion is held up (`DeletionBlocked`, `DeletionError`); or the
   * cluster differs and Argo CD was told to leave it so (`NeedsSync`). The message says by what.
   */
  readonly outcome: 'running' | 'deleted' | 'failed' | 'blocked';
  readonly instance: Instance;
  /** Why, in one word: the row's `statusReason`, or the kind of drift. */
  readonly reason: string;
  /** What Argo CD or Caelus says is wrong; `null` where nothing is. */
  readonly message: string | null;
}

export interface SettledOptions extends CallOptions {
  /** The generation to wait for, as a command returned it. Default: the newest. */
  readonly generation?: number | undefined;
  /** Called with the row whenever it has changed. */
  readonly onProgress?: ((instance: Instance) => void) | undefined;
}

/**
 * Waits until an instance has become what was asked, or cannot.
 * @throws {CaelusError} `INSTANCE_UNKNOWN`, `ID_INVALID`; and the signal's reason
 */
export async function settled(context: EngineContext, id: string, options: SettledOptions = {}): Promise<Settlement> {
  const { repository, changed, timings } = context;
  let last = '';
  for (;;) {
    const seen = changed.count();
    const instance = await getInstance(repository, id, options);
    const state = JSON.stringify(instance);
    if (state !== last) options.onProgress?.(instance);
    last = state;
    const settlement = await settlementOf(context, instance, options.generation ?? instance.generation);
    if (settlement !== undefined) return settlement;
    await changed.wait(seen, timings.poll, options);
  }
}

const AWAITS_SOMEBODY: readonly string[] = ['NeedsSync', 'DeletionBlocked', 'DeletionError'] satisfies StatusReason[];

async function settlementOf(
  { repository }: EngineContext,
  instance: Instance,
  generation: number,
): Promise<Settlement | undefined> {
  const { status, statusReason: reason, lastError: message, observedGeneration } = instance;
  if (status === 'Deleted') return { outcome: 'deleted', instance, reason, message };
  if (instance.generation < generation) return undefined;
  const drift = await repository.findDrift(instance.id);
  if (drift !== undefined) return { outcome: 'blocked', instance, reason: drift.kind, message };
  if (AWAITS_SOMEBODY.includes(reason)) return { outcome: 'blocked', instance, reason, message };
  if (status === 'Failed') return { outcome: 'failed', instance, reason, message };
  if (status === 'Running' && observedGeneration >= generation)
    return { outcome: 'running', instance, reason, message };
  return undefined;
}
