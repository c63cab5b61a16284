import {
  assertNoSecrets,
  assertUnlocked,
  assertValuesValid,
  compileValuesSchema,
  lockedPointers,
  platformValues,
  type RenderedInstance,
  type RenderInstanceInput,
  renderInstance,
} from '@caelus/core';
import type { EngineContext } from './engine-context.ts';

/**
 * Checks everything about an instance that can be checked before it is written, and returns what Git will hold.
 * @throws {CaelusError} `VALUES_LOCKED`, `VALUES_SECRET_REFUSED`, `VALUES_INVALID`, and the codes of `renderInstance`
 */
export function checkInstance(
  { render }: Pick<EngineContext, 'render'>,
  parts: Omit<RenderInstanceInput, 'context'>,
): RenderedInstance {
  const { instance, templateVersion } = parts;
  const schema = compileValuesSchema(templateVersion.valuesSchema);
  const { userValues } = instance;
  assertUnlocked(userValues, lockedPointers(templateVersion), platformValues(parts));
  assertNoSecrets(schema, userValues);
  assertValuesValid(schema, userValues, 'user');
  const rendered = renderInstance({ context: render, ...parts });
  assertValuesValid(schema, rendered.values, 'merged');
  return rendered;
}
