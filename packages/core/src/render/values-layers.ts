import type { Instance } from '../model/instance.ts';
import type { TemplateVersion } from '../model/template-version.ts';
import type { Tier } from '../model/tier.ts';
import type { Values } from '../values/values.ts';

/** One layer of an instance's values; a later layer wins over an earlier one. */
export interface ValuesLayer {
  readonly name: 'template' | 'user' | 'platform';
  readonly values: Values;
}

/** What of an instance its values come from. */
export type ValuesSubject = Pick<Instance, 'userValues' | 'platformValues' | 'hostname' | 'deletionPolicy'>;

export interface ValuesLayersInput {
  readonly instance: ValuesSubject;
  readonly templateVersion: Pick<TemplateVersion, 'id' | 'defaultValues' | 'capabilities'>;
  readonly tier: Pick<Tier, 'name' | 'values'>;
}

export function valuesLayers(_input: ValuesLayersInput): readonly ValuesLayer[] {
  throw new Error('Not written yet.');
}

export function platformValues(_input: ValuesLayersInput): Values {
  throw new Error('Not written yet.');
}
