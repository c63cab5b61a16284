import { CaelusError } from '../errors.ts';
import { isJsonObject, type JsonValue } from '../json-value.ts';
import type { Instance } from '../model/instance.ts';
import type { TemplateVersion } from '../model/template-version.ts';
import type { Tier } from '../model/tier.ts';
import { fromJsonPointer } from '../values/json-pointer.ts';
import { mergeValues, type ValuesLayer } from '../values/merge-values.ts';
import type { Values } from '../values/values.ts';
import { RETAIN_ANNOTATIONS } from './retain.ts';

export interface ValuesLayersInput {
  readonly instance: Pick<Instance, 'userValues' | 'platformValues' | 'hostname' | 'deletionPolicy'>;
  readonly templateVersion: Pick<TemplateVersion, 'id' | 'defaultValues' | 'capabilities'>;
  readonly tier: Pick<Tier, 'values'>;
}

/**
 * The layers of an instance's values, lowest first: the template's defaults, the user's, the platform's.
 * @throws {CaelusError} the codes of {@link platformValues}
 */
export function valuesLayers(input: ValuesLayersInput): readonly ValuesLayer[] {
  return [
    { name: 'template', values: input.templateVersion.defaultValues },
    { name: 'user', values: input.instance.userValues },
    { name: 'platform', values: platformValues(input) },
  ];
}

/**
 * What the platform sets, lowest first: the tier's values, the instance's platform values, the hostname, and with `retain`
 * the annotations that keep the chart's volumes. Where the template's pointer to such a value goes through a list of its
 * defaults, that whole list is set, because lists replace each other.
 * @throws {CaelusError} `HOSTNAME_UNSUPPORTED` when the template has no place for the hostname
 */
export function platformValues({ instance, templateVersion, tier }: ValuesLayersInput): Values {
  const { capabilities, defaultValues } = templateVersion;
  const parts: Values[] = [tier.values ?? {}, instance.platformValues];
  if (instance.hostname !== null) {
    if (capabilities.hostname === undefined) throw hostnameUnsupported(templateVersion.id);
    parts.push(valuesAt(capabilities.hostname, instance.hostname, defaultValues));
  }
  if (instance.deletionPolicy === 'retain' && typeof capabilities.volumes === 'object') {
    for (const pointer of capabilities.volumes.annotations) {
      parts.push(valuesAt(pointer, RETAIN_ANNOTATIONS, defaultValues));
    }
  }
  return mergeValues(parts.map((values) => ({ name: 'platform', values })));
}

/**
 * The places that users of a template version cannot set, beside what {@link platformValues} sets: those that it locks
 * itself, and those of the hostname and of the volumes' annotations, even while the platform sets nothing there. Otherwise
 * a user could take a hostname past the check that it is free, or annotate objects for Argo CD.
 */
export function lockedPointers({
  lockedValues,
  capabilities,
}: Pick<TemplateVersion, 'lockedValues' | 'capabilities'>): readonly string[] {
  const hostname = capabilities.hostname === undefined ? [] : [capabilities.hostname];
  const annotations = typeof capabilities.volumes === 'object' ? capabilities.volumes.annotations : [];
  return [...lockedValues, ...hostname, ...annotations];
}

/** Values that hold `value` at `pointer` and nothing else, but for the lists of `defaults` that lie on the way. */
function valuesAt(pointer: string, value: JsonValue, defaults: Values): Values {
  const [first, ...rest] = fromJsonPointer(pointer);
  return first === undefined ? {} : { [first]: holding(rest, value, defaults[first]) };
}

function holding(tokens: readonly string[], value: JsonValue, at: JsonValue | undefined): JsonValue {
  const [token, ...rest] = tokens;
  if (token === undefined) return value;
  if (Array.isArray(at)) {
    const index = Number(token);
    if (index in at) return at.with(index, within(at[index], holding(rest, value, at[index])));
  }
  return { [token]: holding(rest, value, isJsonObject(at) ? at[token] : undefined) };
}

/** What the list's element becomes: objects merge, anything else is replaced. */
function within(element: JsonValue, value: JsonValue): JsonValue {
  if (!isJsonObject(element) || !isJsonObject(value)) return value;
  return mergeValues([
    { name: 'platform', values: element },
    { name: 'platform', values: value },
  ]);
}

function hostnameUnsupported(templateVersionId: string): CaelusError {
  return new CaelusError({
    code: 'HOSTNAME_UNSUPPORTED',
    message:
      'The template version does not say where its chart takes a hostname. Create the instance without one, or publish a version with capabilities.hostname.',
    details: { templateVersionId },
  });
}
