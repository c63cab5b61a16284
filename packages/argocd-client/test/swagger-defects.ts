import type { Difference } from './compare-with-swagger.ts';

interface Defect extends Difference {
  /** How it is on the wire, and where Argo CD's source says so. */
  readonly why: string;
}

const int64 = 'Its 64-bit integers in a query are described as strings; grpc-gateway parses digits.';
const inlined = 'types.go embeds ResourceRef with `json:",inline"`, which the generator of the swagger overlooks.';

/**
 * Where Argo CD's swagger is wrong, and the document follows the wire. A test fails once an entry is no longer needed by
 * any of the versions.
 */
export const swaggerDefects: readonly Defect[] = [
  {
    at: 'Application.apiVersion',
    problem: 'missing',
    why: 'types.go embeds TypeMeta, so a request may carry it as a manifest does. Answers leave it out.',
  },
  { at: 'Application.kind', problem: 'missing', why: 'As apiVersion.' },
  {
    at: 'JsonObject',
    problem: 'type',
    why: 'RawExtension is described as { raw: bytes }, and marshals to the JSON that it holds (helm.valuesObject).',
  },
  {
    at: 'POST /api/v1/applications/{name}/sync body.sourcePositions[]',
    problem: 'type',
    why: 'Described as strings. The body is read by encoding/json, which takes numbers for []int64.',
  },
  { at: 'GET /api/v1/applications/{name}/manifests ?sourcePositions[]', problem: 'type', why: int64 },
  { at: 'GET /api/v1/applications/{name}/logs ?tailLines', problem: 'type', why: int64 },
  { at: 'GET /api/v1/applications/{name}/logs ?sinceSeconds', problem: 'type', why: int64 },
  { at: 'ResourceNode.group', problem: 'missing', why: inlined },
  { at: 'ResourceNode.version', problem: 'missing', why: inlined },
  { at: 'ResourceNode.kind', problem: 'missing', why: inlined },
  { at: 'ResourceNode.namespace', problem: 'missing', why: inlined },
  { at: 'ResourceNode.name', problem: 'missing', why: inlined },
  { at: 'ResourceNode.uid', problem: 'missing', why: inlined },
];
