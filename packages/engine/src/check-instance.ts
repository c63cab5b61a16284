import {
  assertValuesValid,
  checkUserValues,
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
  const schema = checkUserValues(instance.userValues, templateVersion, platformValues(parts));
  const rendered = renderInstance({ context: render, ...parts });
  assertValuesValid(schema, rendered.values, 'merged');
  return rendered;
}
