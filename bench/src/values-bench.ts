import {
  assertNoSecrets,
  assertValuesValid,
  compileValuesSchema,
  mergeValues,
  parseValues,
  type Values,
} from '@caelus/core';
import { type BenchResult, median } from './bench-result.ts';

const GROUPS = 20;
const KEYS_OF_A_GROUP = 10;

/** A schema of 200 keys in 20 closed objects, and layers that state all, a fifth and two of them. */
function sample(): { schema: Values; template: Values; user: Values; platform: Values } {
  const groups = Array.from({ length: GROUPS }, (_, index) => `group${index}`);
  const keys = Array.from({ length: KEYS_OF_A_GROUP }, (_, index) => `key${index}`);
  const each = <Value>(names: readonly string[], make: (name: string) => Value): Record<string, Value> =>
    Object.fromEntries(names.map((name) => [name, make(name)]));
  const rule = (key: string): Values =>
    key.endsWith('0')
      ? { type: 'string', pattern: '^[a-z0-9-]+$' }
      : key.endsWith('1')
        ? { enum: ['small', 'medium', 'large'] }
        : key.endsWith('2')
          ? { type: 'array', items: { type: 'string' } }
          : { type: 'integer', minimum: 0, maximum: 100 };
  const value = (key: string): Values[string] =>
    key.endsWith('0') ? 'name-1' : key.endsWith('1') ? 'small' : key.endsWith('2') ? ['a', 'b'] : 7;
  return {
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: each(groups, () => ({
        type: 'object',
        additionalProperties: false,
        required: keys,
        properties: each(keys, rule),
      })),
    },
    template: each(groups, () => each(keys, value)),
    user: each(groups, () => each(keys.slice(0, 2), value)),
    platform: { group0: { key3: 9 }, caelus: { plan: { storageSize: '10Gi' } } },
  };
}

/** What one change of an instance's values costs: each step alone, and all of them. `runs` samples of `batch` calls. */
export function benchValues(runs = 30, batch = 20): readonly BenchResult[] {
  const { schema, template, user, platform } = sample();
  const layers = [
    { name: 'template', values: template },
    { name: 'user', values: user },
    { name: 'platform', values: platform },
  ] as const;
  const text = JSON.stringify(user, null, 2);
  const merged = mergeValues(layers);
  const compiled = compileValuesSchema(schema);
  const parameters = { keys: GROUPS * KEYS_OF_A_GROUP, userKeys: GROUPS * 2, batch };

  const change = (): void => {
    const set = parseValues(user);
    assertValuesValid(compiled, set, 'user');
    assertNoSecrets(compiled, set);
    assertValuesValid(compiled, mergeValues(layers), 'merged');
  };
  // What people write who do without the layers: spread the top level, validate once.
  const spread = (): void => {
    compiled.validate({ ...template, ...user, ...platform }, 'merged');
  };
  let serial = 0;
  const compileNew = (): void => {
    serial += 1;
    compileValuesSchema({ ...schema, $comment: `${serial}` }).validate(merged, 'merged');
  };

  const measure = (work: string, run: () => void, calls = batch): BenchResult => ({
    name: 'values',
    work,
    against: null,
    unit: 'ms',
    median: medianMs(run, runs, calls),
    againstMedian: null,
    ratio: null,
    target: null,
    runs,
    parameters: { ...parameters, batch: calls },
  });
  const whole = measure('parse, validate the user layer, merge, validate the result', change);
  const naive = medianMs(spread, runs, batch);
  return [
    {
      ...whole,
      against: 'object spread and one validation',
      againstMedian: naive,
      ratio: naive / whole.median,
    },
    measure('merge three layers', () => mergeValues(layers)),
    measure('validate the user layer', () => compiled.validate(user, 'user')),
    measure('validate the merged values', () => compiled.validate(merged, 'merged')),
    measure('parse the user layer from an object', () => parseValues(user)),
    measure('parse the user layer from JSON text', () => parseValues(text)),
    measure('find a compiled schema again', () => compileValuesSchema(schema)),
    measure('compile a new schema and validate once', compileNew, 1),
  ];
}

function medianMs(run: () => void, runs: number, batch: number): number {
  for (let warm = 0; warm < batch; warm += 1) run();
  const samples = Array.from({ length: runs }, () => {
    const start = performance.now();
    for (let call = 0; call < batch; call += 1) run();
    return (performance.now() - start) / batch;
  });
  return median(samples);
}
