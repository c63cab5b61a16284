import type { TemplateVersion } from '../model/template-version.ts';
import { assertUnlocked } from '../values/locked-values.ts';
import type { Values } from '../values/values.ts';
import { assertNoSecrets, assertValuesValid, compileValuesSchema, type ValuesSchema } from '../values/values-schema.ts';
import { lockedPointers } from './values-layers.ts';

/**
 * Checks what a user may set, whichever way it comes into the rows, and returns the schema it was checked by. `platformValues` wins
 * over it and is locked.
 * @throws {CaelusError} `VALUES_LOCKED`, `VALUES_SECRET_REFUSED`, `VALUES_INVALID`, `VALUES_SCHEMA_INVALID`
 */
export function checkUserValues(
  userValues: Values,
  templateVersion: Pick<TemplateVersion, 'lockedValues' | 'capabilities' | 'valuesSchema'>,
  platformValues: Values,
): ValuesSchema {
  const schema = compileValuesSchema(templateVersion.valuesSchema);
  assertUnlocked(userValues, lockedPointers(templateVersion), platformValues);
  assertNoSecrets(schema, userValues);
  assertValuesValid(schema, userValues, 'user');
  return schema;
}
