import { type Actor, type CallOptions, parseActor } from '@caelus/core';
import { inputRefused } from '@caelus/core/adapter';

/** What every command takes beside its input. */
export interface CommandOptions extends CallOptions {
  /** Who asks: the author of the commit, and named in the audit events. Default: Caelus itself. */
  readonly actor?: Actor | undefined;
  /**
   * Makes a repeated call of the same command answer as the first did, for a day: 1 to 255 printable ASCII characters.
   * The same key with another input is refused.
   */
  readonly idempotencyKey?: string | undefined;
}

/** What a command on an instance takes beside its input. */
export interface InstanceCommandOptions extends CommandOptions {
  /** The generation that the caller has seen; the command is refused if the instance has moved on. */
  readonly expectedGeneration?: number | undefined;
}

/** Checks what a command was given. @throws {CaelusError} `NAME_INVALID`, `INVALID_INPUT` */
export function parseCommandOptions({ actor, idempotencyKey }: CommandOptions): {
  readonly actor: Actor | null;
  readonly idempotencyKey: string | undefined;
} {
  if (idempotencyKey !== undefined && !/^[\x21-\x7e]{1,255}$/.test(idempotencyKey)) {
    const message = 'An idempotency key has 1 to 255 printable ASCII characters, without spaces.';
    throw inputRefused('The command', [{ path: '/idempotencyKey', message }]);
  }
  return { actor: actor === undefined ? null : parseActor(actor), idempotencyKey };
}
