import { isJsonObject } from '../json-value.ts';
import { copyJson, overLimit, refuse } from './copy-json.ts';
import { readYaml } from './read-yaml.ts';
import type { Values } from './values.ts';
import { completeLimits, type ValuesLimits } from './values-limits.ts';

export interface ParseValuesOptions {
  /** What the values are, in the plural, to begin an error's sentence. Default `The values`. */
  readonly what?: string | undefined;
  /** Limits other than {@link VALUES_LIMITS}. */
  readonly limits?: Partial<ValuesLimits> | undefined;
}

/**
 * Reads Helm values from a plain object, or from YAML 1.2 or JSON text, into a new, deeply frozen tree. `null`,
 * `undefined` and a text without content are `{}`.
 *
 * Text is one document of YAML's core schema, with `!!str` as its only tag, and without directives or merge keys (`<<`).
 * Since Helm reads YAML 1.1, an unquoted scalar that the two versions take for different values (`yes`, `off`, `017`,
 * `1_000`, `0o17`) is refused. Keys that are numbers or booleans are taken by their text, as Helm does. Numbers must be
 * doubles as they are written, whole ones within ±2^53. Keys are neither empty nor `__proto__`, `constructor`,
 * `prototype` or `<<`. Accessors are read once; what they throw is passed on.
 *
 * @throws {CaelusError} `VALUES_NOT_YAML`, `VALUES_DUPLICATE_KEY`, `VALUES_AMBIGUOUS_SCALAR`, `VALUES_ALIAS_LIMIT` for
 * text; `VALUES_NOT_JSON`, `VALUES_KEY_FORBIDDEN`, `VALUES_TOO_DEEP`, `VALUES_TOO_LARGE` for both; `INVALID_INPUT` for
 * limits that cannot be.
 */
export function parseValues(input: unknown, options: ParseValuesOptions = {}): Values {
  const what = options.what ?? 'The values';
  const limits = completeLimits(options.limits);
  const read = typeof input === 'string' ? readText(input, what, limits) : input;
  const values = copyJson(read ?? {}, what, limits);
  if (isJsonObject(values)) return values;
  return refuse('VALUES_NOT_JSON', what, [], 'must be an object: keys with values.');
}

function readText(text: string, what: string, limits: ValuesLimits): unknown {
  if (text.length > limits.textBytes || new TextEncoder().encode(text).length > limits.textBytes) {
    const message = `${what} are a text of more than ${limits.textBytes} bytes; make it smaller.`;
    overLimit('VALUES_TOO_LARGE', message, limits.textBytes);
  }
  return readYaml(text, what, limits);
}
