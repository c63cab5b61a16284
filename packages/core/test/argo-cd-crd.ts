import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import { sharedFolder } from './shared-data.ts';

interface CustomResourceDefinition {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}
type Schema = Readonly<Record<string, unknown>>;

export type CheckedKind = 'Application' | 'AppProject';

/** A check of manifests against Argo CD's own CRD, in which a field that the CRD does not know is an error. */
export function crdValidator(release: string, kind: CheckedKind): ValidateFunction {
  const file = join(sharedFolder, 'argocd', release, `${kind.toLowerCase()}-crd.yaml`);
  const definition = parse(readFileSync(file, 'utf8')) as CustomResourceDefinition;
  const schema = definition.spec.versions[0]?.schema.openAPIV3Schema;
  if (schema === undefined) throw new Error(`${file} holds no schema.`);
  const closed = closedSchema({ ...schema, properties: { ...(schema.properties as object), metadata: OBJECT_META } });
  return new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(closed);
}

/** The part of Kubernetes' ObjectMeta that may stand in a file; the CRD says no more of it than that it is an object. */
const OBJECT_META: Schema = {
  type: 'object',
  required: ['name', 'namespace'],
  properties: {
    name: { type: 'string', pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' },
    namespace: { type: 'string', pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' },
    labels: { type: 'object', additionalProperties: { type: 'string', pattern: '^[A-Za-z0-9._-]{0,63}$' } },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
    finalizers: { type: 'array', items: { type: 'string' } },
  },
};

/** The schema with every object closed, but for those that the CRD itself leaves open. */
function closedSchema(schema: Schema): Schema {
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (key === 'properties') {
      const members = Object.entries(value as Record<string, Schema>);
      return [key, Object.fromEntries(members.map(([name, member]) => [name, closedSchema(member)]))];
    }
    const isSchema = key === 'items' || key === 'additionalProperties';
    return [key, isSchema && typeof value === 'object' ? closedSchema(value as Schema) : value];
  });
  const result = Object.fromEntries(entries);
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties !== undefined;
  if (schema['x-kubernetes-int-or-string'] === true) return {};
  return schema.type === 'object' && !isOpen ? { ...result, additionalProperties: false } : result;
}
