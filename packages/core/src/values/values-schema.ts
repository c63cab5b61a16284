import { Ajv, type CodeKeywordDefinition, MissingRefError, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { CaelusError, type InputIssue, type SchemaViolation } from '../errors.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../json-value.ts';
import { BoundedCache } from './bounded-cache.ts';
import { fromJsonPointer, toJsonPointer } from './json-pointer.ts';
import { parseValues } from './parse-values.ts';
import { compileSchemaMap, type SchemaMap } from './schema-map.ts';
import { byPath, describe, FORBIDDEN_KEY, summary } from './schema-violations.ts';
import type { Values } from './values.ts';
import { VALUES_SCHEMA_LIMITS } from './values-limits.ts';

/** A compiled values schema. */
export interface ValuesSchema {
  /**
   * Every violation of the schema, ordered by place; none if the values fit.
   *
   * - `user`: the user's layer alone. Rules that a default may still satisfy do not count: `required`, `minProperties`,
   *   `dependentRequired` and `dependencies`, `not`, `if`; of `oneOf` at least one must fit. Keys that the schema forbids count.
   * - `merged`: the result of all layers, against the whole schema. Keys that only `additionalProperties: false` and the
   *   like forbid are passed over: a schema says what users may set, and the template and the platform set more.
   *
   * So both must be checked. Defaults are never filled in, types never converted, and `format` is not enforced.
   *
   * @throws {CaelusError} `VALUES_SCHEMA_INVALID` for a schema that refers to itself without end.
   */
  validate(values: Values, layer: 'user' | 'merged'): readonly SchemaViolation[];
  /**
   * JSON pointers of what is there and the schema says is `writeOnly: true`, in any branch that could apply to the place
   * (so a key that is secret in one branch of a `oneOf` is secret in all).
   */
  secretPointers(values: Values): readonly string[];
}

const OPTIONS: Options = {
  strict: false,
  allErrors: true,
  validateFormats: false,
  unicodeRegExp: true,
  logger: false,
  // The schema is checked before, by one validator for all; each schema has an instance of its own, because Ajv keeps
  // every `$id` it meets, for good and for all schemas of an instance.
  validateSchema: false,
  meta: false,
  // Halves the time to compile; validation stays well under a millisecond.
  code: { optimize: false },
};

type Draft = 'draft-07' | '2020-12';

const DRAFTS: ReadonlyMap<string, Draft> = new Map([
  ['https://json-schema.org/draft/2020-12/schema', '2020-12'],
  ['http://json-schema.org/draft-07/schema', 'draft-07'],
  ['https://json-schema.org/draft-07/schema', 'draft-07'],
]);

/** What only a whole set of values can satisfy or break, so not the user's layer alone. */
const RULES_OF_THE_WHOLE = ['required', 'minProperties', 'dependentRequired', 'dependencies', 'not', 'if'];

const metaValidators = new Map<Draft, Ajv>();
const compiled = new BoundedCache<ValuesSchema>(64);

const ANY: ValuesSchema = Object.freeze({ validate: () => [], secretPointers: () => [] });

/**
 * Compiles the JSON Schema of a template version's values: 2020-12, or draft-07 where `$schema` says so. References stay
 * within the schema. `null` accepts any values. The 64 schemas used last stay compiled.
 *
 * @throws {CaelusError} `VALUES_SCHEMA_INVALID`; the codes of {@link parseValues}, within {@link VALUES_SCHEMA_LIMITS}.
 */
export function compileValuesSchema(schema: JsonObject | null): ValuesSchema {
  if (schema === null) return ANY;
  const copy = parseValues(schema, { what: 'The values schema', limits: VALUES_SCHEMA_LIMITS });
  return compiled.getOrCreate(canonicalJson(copy), () => new CompiledSchema(copy));
}

class CompiledSchema implements ValuesSchema {
  readonly #schema: JsonObject;
  readonly #draft: Draft;
  readonly #whole: ValidateFunction;
  #ofUser: ValidateFunction | undefined;
  #map: SchemaMap | undefined;

  constructor(schema: JsonObject) {
    this.#schema = schema;
    this.#draft = draftOf(schema);
    checkAgainstMetaSchema(schema, this.#draft);
    this.#whole = compile(createAjv(this.#draft), schema);
    run(() => this.#whole({}));
  }

  validate(values: Values, layer: 'user' | 'merged'): readonly SchemaViolation[] {
    const { forbidden } = this.#read(values);
    if (layer === 'merged') return violationsOf(this.#whole, without(values, forbidden));
    this.#ofUser ??= compile(createUserAjv(this.#draft), this.#schema);
    const unknown = forbidden.map((pointer) => ({
      path: pointer,
      keyword: 'additionalProperties',
      message: FORBIDDEN_KEY,
    }));
    return [...violationsOf(this.#ofUser, without(values, forbidden)), ...unknown].sort(byPath);
  }

  secretPointers(values: Values): readonly string[] {
    return this.#read(values).secret;
  }

  #read(values: Values): ReturnType<SchemaMap> {
    this.#map ??= compileSchemaMap(createAjv(this.#draft), this.#schema);
    const map = this.#map;
    return run(() => map(values));
  }
}

function createAjv(draft: Draft): Ajv {
  return draft === 'draft-07' ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
}

function createUserAjv(draft: Draft): Ajv {
  const ajv = createAjv(draft);
  const anyOf = ajv.getKeyword('anyOf') as CodeKeywordDefinition;
  const additional = ajv.getKeyword('additionalProperties') as CodeKeywordDefinition;
  // Which keys are forbidden is what the schema map tells: here it is not decided yet which branches apply.
  const unclosed: CodeKeywordDefinition['code'] = (context) => {
    if (context.schema !== false) additional.code(context);
  };
  const replaced = ['oneOf', 'additionalProperties', 'unevaluatedProperties'];
  for (const keyword of [...RULES_OF_THE_WHOLE, ...replaced]) ajv.removeKeyword(keyword);
  return ajv
    .addKeyword({ ...anyOf, keyword: 'oneOf', error: { message: 'must match a schema in oneOf' } })
    .addKeyword({ ...additional, code: unclosed });
}

function draftOf(schema: JsonObject): Draft {
  const { $schema } = schema;
  if ($schema === undefined) return '2020-12';
  const draft = typeof $schema === 'string' ? DRAFTS.get($schema.replace(/#$/, '')) : undefined;
  return draft ?? invalid([{ path: '/$schema', message: 'Name JSON Schema 2020-12 or draft-07, or leave it out.' }]);
}

function checkAgainstMetaSchema(schema: JsonObject, draft: Draft): void {
  if ('$async' in schema)
    invalid([{ path: '/$async', message: 'Leave it out; asynchronous schemas are not supported.' }]);
  // Ajv resolves it only within the dynamic scope and passes over it elsewhere, rules and secrets included.
  const dynamic = findMembers(schema, (key) => key === '$dynamicRef');
  if (dynamic.length > 0)
    invalid(dynamic.map((path) => ({ path, message: 'Use $ref; dynamic references are not supported.' })));
  let ajv = metaValidators.get(draft);
  if (ajv === undefined) {
    const options: Options = { ...OPTIONS, meta: true };
    ajv = draft === 'draft-07' ? new Ajv(options) : new Ajv2020(options);
    metaValidators.set(draft, ajv);
  }
  if (ajv.validateSchema(schema) !== true) {
    invalid(describe(ajv.errors ?? []).map(({ path, message }) => ({ path, message })));
  }
}

function compile(ajv: Ajv, schema: JsonObject): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (error) {
    // What Ajv throws quotes the schema; the place is found again instead.
    if (error instanceof MissingRefError) {
      const places = findMembers(schema, (key, value) => key === '$ref' && value === error.missingRef);
      return invalid(places.map((path) => ({ path, message: 'It refers to what is not in the schema.' })));
    }
    const patterns = findMembers(schema, (key, value) => key === 'pattern' && !isPattern(value));
    const keys = findMembers(schema, (key) => key === 'patternProperties').flatMap((path) =>
      Object.keys(at(schema, path) ?? {})
        .filter((pattern) => !isPattern(pattern))
        .map((pattern) => `${path}${toJsonPointer([pattern])}`),
    );
    return invalid(
      [...patterns, ...keys].map((path) => ({
        path,
        message: 'It is not a regular expression (ECMA-262, with the u flag).',
      })),
    );
  }
}

function findMembers(value: JsonValue, matches: (key: string, value: JsonValue) => boolean, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]: [string, JsonValue]) => {
    const place = `${path}${toJsonPointer([key])}`;
    return [...(matches(key, member) ? [place] : []), ...findMembers(member, matches, place)];
  });
}

function isPattern(value: JsonValue): boolean {
  try {
    return typeof value === 'string' && new RegExp(value, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

function at(value: JsonValue, pointer: string): JsonObject | undefined {
  let found: JsonValue | undefined = value;
  for (const token of fromJsonPointer(pointer)) found = (found as JsonObject | undefined)?.[token];
  return isJsonObject(found) ? found : undefined;
}

function invalid(found: readonly InputIssue[]): never {
  const issues =
    found.length > 0 ? found : [{ path: '', message: 'It cannot be compiled; check it with a JSON Schema linter.' }];
  throw new CaelusError({
    code: 'VALUES_SCHEMA_INVALID',
    message: `The values schema cannot be used. ${summary(issues)}`,
    details: { issues },
  });
}

/** A schema that applies itself to the same place has no end but the stack's. */
function run<Result>(validate: () => Result): Result {
  try {
    return validate();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return invalid([{ path: '', message: 'It refers to itself without going deeper into the values.' }]);
  }
}

function violationsOf(validate: ValidateFunction, values: JsonValue): readonly SchemaViolation[] {
  return run(() => validate(values)) ? [] : describe(validate.errors ?? []);
}

/** The values without what stands at the pointers. */
function without(values: JsonValue, pointers: readonly string[]): JsonValue {
  if (pointers.length === 0) return values;
  const left: unknown = structuredClone(values);
  for (const pointer of pointers) {
    const tokens = fromJsonPointer(pointer);
    const last = tokens.at(-1) ?? '';
    let parent = left as Record<string, unknown> | undefined;
    for (const token of tokens.slice(0, -1)) parent = parent?.[token] as Record<string, unknown> | undefined;
    if (parent !== undefined) delete parent[last];
  }
  return left as JsonValue;
}

/**
 * Refuses values that do not fit the schema of their template version. Check the user's layer as `user` and the result
 * of all layers as `merged`; {@link ValuesSchema.validate} tells what each leaves out.
 *
 * @throws {CaelusError} `VALUES_INVALID` with every violation.
 */
export function assertValuesValid(schema: ValuesSchema, values: Values, layer: 'user' | 'merged'): void {
  const violations = schema.validate(values, layer);
  if (violations.length === 0) return;
  const whose = layer === 'user' ? 'The values that the user set' : 'The merged values';
  throw new CaelusError({
    code: 'VALUES_INVALID',
    message: `${whose} do not fit the schema of the template version. ${summary(violations)}`,
    details: { layer, violations },
  });
}

/**
 * Refuses values at places that the schema calls `writeOnly`: values are kept in SQL and in Git, where no secret belongs.
 * `null` and `''` are no secret, so that a template's defaults can show where one goes.
 *
 * @throws {CaelusError} `VALUES_SECRET_REFUSED` with every such place.
 */
export function assertNoSecrets(schema: ValuesSchema, values: Values): void {
  const places = schema.secretPointers(values);
  if (places.length === 0) return;
  const issues = places.map((path) => ({ path, message: 'It is a secret. Give it to the secret backend.' }));
  throw new CaelusError({
    code: 'VALUES_SECRET_REFUSED',
    message: `Secrets are not kept among values. Give them to the secret backend. ${summary(issues)}`,
    details: { issues },
  });
}
