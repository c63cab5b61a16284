import type { Ajv } from 'ajv';
import { isJsonObject, type JsonObject, type JsonValue } from '../json-value.ts';
import { toJsonPointer } from './json-pointer.ts';
import type { Values } from './values.ts';

/** What a schema says of the places of some values, whether or not the values fit it. JSON pointers, in order. */
export type SchemaMap = (values: Values) => {
  /** Places that are `writeOnly: true` and hold something. */
  readonly secret: readonly string[];
  /** Keys that one part of the schema forbids (`additionalProperties: false` and the like) and no other describes. */
  readonly forbidden: readonly string[];
};

/** Put into every schema within a schema, so that Ajv calls us wherever it applies that schema. */
const MARK = 'x-caelus-visit';

/** Each applies what it holds to the place it is at, without deciding which branch is the right one. */
const BRANCHES: Readonly<Record<string, (schema: unknown) => unknown>> = {
  anyOf: (branches) => ({ allOf: branches }),
  oneOf: (branches) => ({ allOf: branches }),
  if: (branch) => ({ allOf: [branch] }),
  // biome-ignore lint/suspicious/noThenProperty: the keyword's name
  then: (branch) => ({ allOf: [branch] }),
  else: (branch) => ({ allOf: [branch] }),
  contains: (items) => ({ items }),
};

/**
 * Compiles a schema into a function that finds what the schema says of each place in values, through references,
 * `allOf`, patterns and list items, and through every branch of `anyOf`, `oneOf` and `if`, since a branch that does not
 * fit yet may fit once defaults are merged in.
 *
 * @param ajv An instance for this alone; its keywords are changed.
 */
export function compileSchemaMap(ajv: Ajv, schema: JsonObject): SchemaMap {
  const patterns = new Map<string, RegExp>();
  let secret = new Set<string>();
  let forbidden = new Set<string>();
  let described = new Set<string>();

  const visit = (applied: JsonObject, data: JsonValue, path: string): void => {
    if (applied.writeOnly === true && data !== null && data !== '') secret.add(path);
    if (!isJsonObject(data)) return;
    for (const key of Object.keys(data)) {
      const verdict = verdictOn(applied, key, patterns);
      if (verdict !== undefined) (verdict ? described : forbidden).add(`${path}${toJsonPointer([key])}`);
    }
  };

  for (const keyword of ['not', 'propertyNames', ...Object.keys(BRANCHES)]) ajv.removeKeyword(keyword);
  for (const [keyword, macro] of Object.entries(BRANCHES)) ajv.addKeyword({ keyword, macro: macro as () => boolean });
  ajv.addKeyword({
    keyword: MARK,
    errors: false,
    validate: (_mark: unknown, data: JsonValue, applied?: object, place?: { readonly instancePath: string }) => {
      visit(applied as JsonObject, data, place?.instancePath ?? '');
      return true;
    },
  });
  const walk = ajv.compile(marked(schema) as JsonObject);

  return (values) => {
    [secret, forbidden, described] = [new Set(), new Set(), new Set()];
    walk(values);
    const undescribed = [...forbidden].filter((pointer) => !described.has(pointer));
    return { secret: [...secret].sort(), forbidden: undescribed.sort() };
  };
}

/** Keywords whose members are schemas, and keywords whose members are data. */
const OF_SCHEMAS = ['properties', 'patternProperties', 'dependentSchemas', 'dependencies', '$defs', 'definitions'];
const OF_DATA = ['const', 'enum', 'default', 'examples', 'dependentRequired'];

function marked(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(marked);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([keyword, member]): [string, JsonValue] => {
    if (OF_DATA.includes(keyword)) return [keyword, member];
    if (!OF_SCHEMAS.includes(keyword) || !isJsonObject(member)) return [keyword, marked(member)];
    return [keyword, Object.fromEntries(Object.entries(member).map(([key, schema]) => [key, marked(schema)]))];
  });
  return { ...Object.fromEntries(members), [MARK]: true };
}

/** Whether one schema describes a key of the object it applies to, forbids it, or says nothing of it. */
function verdictOn(schema: JsonObject, key: string, patterns: Map<string, RegExp>): boolean | undefined {
  const properties = members(schema, 'properties');
  const matching = Object.entries(members(schema, 'patternProperties')).filter(([source]) => {
    const pattern = patterns.get(source) ?? new RegExp(source, 'u');
    patterns.set(source, pattern);
    return pattern.test(key);
  });
  const applied = matching.map(([, member]) => member);
  if (Object.hasOwn(properties, key)) applied.push(properties[key] ?? true);
  if (applied.length > 0) return !applied.includes(false);

  const { required, additionalProperties, unevaluatedProperties } = schema;
  if (Array.isArray(required) && required.includes(key)) return true;
  if (DEPENDENCIES.some((keyword) => Object.hasOwn(members(schema, keyword), key))) return true;
  const rest = additionalProperties ?? unevaluatedProperties;
  return rest === undefined ? undefined : rest !== false;
}

const DEPENDENCIES = ['dependentSchemas', 'dependentRequired', 'dependencies'];

function members(schema: JsonObject, keyword: string): JsonObject {
  const value = schema[keyword];
  return isJsonObject(value) ? value : {};
}
