import type { Clock, Operation, Telemetry } from '@caelus/core';

type Attributes = Operation['attributes'];

/** Runs `body` between the hooks of telemetry. `body` may add attributes that are known only at its end. */
export type ObserveOperation = <T>(
  name: string,
  attributes: Attributes,
  body: (add: (attributes: Attributes) => void) => Promise<T>,
) => Promise<T>;

/** Makes the one place that calls telemetry; a hook that throws changes nothing. */
export function createObserveOperation(clock: Clock, telemetry: Telemetry | undefined): ObserveOperation {
  if (telemetry === undefined) return (_name, _attributes, body) => body(() => {});
  let serial = 0;
  const quietly = (hook: () => void) => {
    try {
      hook();
    } catch {
      // The host's hook is at fault, and the operation is not.
    }
  };
  return async (name, attributes, body) => {
    const operation: Operation = { id: ++serial, name, attributes };
    const started = clock.now().getTime();
    let added: Attributes = {};
    const end = (outcome: { readonly error?: unknown }) => {
      const milliseconds = clock.now().getTime() - started;
      quietly(() => telemetry.onOperationEnd?.(operation, { milliseconds, attributes: added, ...outcome }));
    };
    quietly(() => telemetry.onOperationStart?.(operation));
    try {
      const result = await body((more) => {
        added = { ...added, ...more };
      });
      end({});
      return result;
    } catch (error) {
      end({ error });
      throw error;
    }
  };
}
