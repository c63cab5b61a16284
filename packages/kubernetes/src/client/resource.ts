import type { JsonObject, JsonValue } from '@caelus/core';
import { inputRefused, refuseInput } from '@caelus/core/adapter';

/** A kind of objects of the Kubernetes API. */
export interface ResourceType {
  readonly apiVersion: string;
  readonly kind: string;
  /** As it stands in paths: `configmaps`. */
  readonly plural: string;
  readonly isNamespaced: boolean;
}

/** An object as the API server shows it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly [field: string]: unknown;
}

export interface ObjectMetadata {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly [field: string]: unknown;
}

/** One object of a type: `namespace` is left out for what lies in none. */
export interface ObjectName {
  readonly namespace?: string | undefined;
  readonly name: string;
}

const type = (apiVersion: string, kind: string, plural: string, isNamespaced = true): ResourceType => ({
  apiVersion,
  kind,
  plural,
  isNamespaced,
});

type ResourceKind =
  | 'Namespace'
  | 'ConfigMap'
  | 'Secret'
  | 'ServiceAccount'
  | 'Role'
  | 'RoleBinding'
  | 'ClusterRoleBinding'
  | 'CustomResourceDefinition'
  | 'ValidatingAdmissionPolicy'
  | 'ValidatingAdmissionPolicyBinding'
  | 'AppProject'
  | 'Application';

/** The kinds that Caelus reads or writes. */
export const RESOURCES: Readonly<Record<ResourceKind, ResourceType>> = {
  Namespace: type('v1', 'Namespace', 'namespaces', false),
  ConfigMap: type('v1', 'ConfigMap', 'configmaps'),
  Secret: type('v1', 'Secret', 'secrets'),
  ServiceAccount: type('v1', 'ServiceAccount', 'serviceaccounts'),
  Role: type('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  RoleBinding: type('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  ClusterRoleBinding: type('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', false),
  CustomResourceDefinition: type(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    false,
  ),
  ValidatingAdmissionPolicy: type(
    'admissionregistration.k8s.io/v1',
    'ValidatingAdmissionPolicy',
    'validatingadmissionpolicies',
    false,
  ),
  ValidatingAdmissionPolicyBinding: type(
    'admissionregistration.k8s.io/v1',
    'ValidatingAdmissionPolicyBinding',
    'validatingadmissionpolicybindings',
    false,
  ),
  AppProject: type('argoproj.io/v1alpha1', 'AppProject', 'appprojects'),
  Application: type('argoproj.io/v1alpha1', 'Application', 'applications'),
};

/** The type of a manifest. @throws {CaelusError} `INVALID_INPUT` for one that Caelus does not write */
export function resourceOf(manifest: JsonObject): ResourceType {
  const known: Readonly<Record<string, ResourceType>> = RESOURCES;
  const kind = String(manifest.kind);
  const found = Object.hasOwn(known, kind) ? known[kind] : undefined;
  if (found !== undefined && found.apiVersion === manifest.apiVersion) return found;
  throw inputRefused('The manifest', [{ path: '/kind', message: 'Use a kind that Caelus writes.' }]);
}

/** What a version of a group serves, from what the server says of it. Subresources are left out. */
export function resourceTypesOf(apiVersion: string, answer: JsonValue): readonly ResourceType[] {
  const { resources } = answer as { readonly resources?: readonly Record<'name' | 'kind' | 'namespaced', unknown>[] };
  return (resources ?? []).flatMap(({ name, kind, namespaced }) => {
    const plural = String(name);
    return plural.includes('/') ? [] : [type(apiVersion, String(kind), plural, namespaced === true)];
  });
}

/** The path of one version of a group. */
export function groupPath(apiVersion: string): string {
  const [first = '', second] = apiVersion.split('/');
  return second === undefined ? `/api/${segment(first)}` : `/apis/${segment(first)}/${segment(second)}`;
}

/** The path of all objects of a type, in one namespace or in all of them. */
export function collectionPath({ apiVersion, plural }: ResourceType, namespace: string | undefined): string {
  const root = groupPath(apiVersion);
  return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${segment(namespace)}/${plural}`;
}

/** The path of one object. */
export function objectPath(resource: ResourceType, { namespace, name }: ObjectName): string {
  return `${collectionPath(resource, resource.isNamespaced ? namespace : undefined)}/${segment(name)}`;
}

/** For people: `ConfigMap argocd/argocd-cm`. */
export function describeObject({ kind }: Pick<ResourceType, 'kind'>, { namespace, name }: ObjectName): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function segment(name: string): string {
  // What Kubernetes itself asks of every name in a path, and a limit.
  const isName = name.length > 0 && name.length <= 253 && name !== '.' && name !== '..' && !/[/%]/.test(name);
  refuseInput('The name', isName ? [] : [{ path: '', message: 'Use the name of a Kubernetes object.' }]);
  return encodeURIComponent(name);
}
