import { CaelusError } from '../errors.ts';
import type { JsonObject } from '../json-value.ts';
import type { PodSecurityLevel } from '../model/template-version.ts';
import type { ResourceQuantities, Tier } from '../model/tier.ts';
import { labelsOfInstance } from './labels-of-instance.ts';
import { toManifest } from './manifest.ts';
import type { RenderInstanceInput } from './render-instance.ts';
import { RETAIN_ANNOTATIONS } from './retain.ts';

/**
 * The plain manifests of an instance by file name: the namespace, and the limits and isolation that its tier asks for.
 * @throws {CaelusError} `POD_SECURITY_UNSUPPORTED`
 */
export function instanceManifests(input: RenderInstanceInput): ReadonlyMap<string, JsonObject> {
  const { tier } = input;
  const metadata = {
    name: 'caelus',
    namespace: input.instance.namespace,
    labels: labelsOfInstance(input.instance, input.product),
  };
  const manifests: readonly (readonly [file: string, manifest: JsonObject | undefined])[] = [
    // Argo CD reads files in the order of their names, and of two manifests of one object keeps the last.
    ['namespace-for-hooks.yaml', namespaceForHooks(input)],
    ['namespace.yaml', namespace(input)],
    ['resource-quota.yaml', resourceQuota(tier, metadata)],
    ['limit-range.yaml', limitRange(tier, metadata)],
    ['network-policy.yaml', networkPolicy(tier, metadata)],
  ];
  return new Map(manifests.filter((entry): entry is readonly [string, JsonObject] => entry[1] !== undefined));
}

/**
 * The namespace once more, as a hook: Argo CD runs post-delete hooks after it has deleted everything, the namespace too, and
 * could not make them. With those hooks it goes again.
 */
function namespaceForHooks(input: RenderInstanceInput): JsonObject | undefined {
  if (!needsNamespaceForHooks(input)) return undefined;
  const { metadata, ...rest } = namespace(input);
  const { annotations, ...names } = metadata as JsonObject;
  const hook = {
    'argocd.argoproj.io/hook': 'PostDelete',
    'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded',
  };
  return { ...rest, metadata: { ...names, annotations: { ...(annotations as JsonObject), ...hook } } };
}

function needsNamespaceForHooks({ instance, templateVersion }: RenderInstanceInput): boolean {
  return (
    instance.deletionPolicy === 'delete' && templateVersion.capabilities.deleteHooks?.includes('post-delete') === true
  );
}

function namespace(input: RenderInstanceInput): JsonObject {
  const { instance, product, templateVersion, tier } = input;
  const level = podSecurityLevel(templateVersion.capabilities.podSecurity ?? 'restricted', tier);
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: instance.namespace,
      labels: {
        ...labelsOfInstance(instance, product),
        'pod-security.kubernetes.io/audit': level,
        'pod-security.kubernetes.io/enforce': level,
        'pod-security.kubernetes.io/warn': level,
      },
      annotations: {
        // Argo CD deletes by descending wave: what the namespace holds goes first, with its hooks and finalizers.
        'argocd.argoproj.io/sync-wave': '-1',
        ...(instance.deletionPolicy === 'retain' ? RETAIN_ANNOTATIONS : {}),
        // Should Argo CD ever keep the other of the two manifests, that must not look like the removal of this one.
        ...(needsNamespaceForHooks(input) ? { 'argocd.argoproj.io/sync-options': 'Prune=false' } : {}),
      },
    },
  };
}

const STRICTEST_FIRST: readonly PodSecurityLevel[] = ['restricted', 'baseline', 'privileged'];

/** The template's level, which is the strictest that its pods run at, where the tier grants it. */
function podSecurityLevel(required: PodSecurityLevel, tier: Tier): PodSecurityLevel {
  const allowed = tier.podSecurity ?? 'baseline';
  if (STRICTEST_FIRST.indexOf(required) <= STRICTEST_FIRST.indexOf(allowed)) return required;
  throw new CaelusError({
    code: 'POD_SECURITY_UNSUPPORTED',
    message: `The template version's pods need the Pod Security level ${required}, and the tier ${tier.name} allows ${allowed} at most. Use another tier, or raise the tier's level.`,
    details: { tier: tier.name, required, allowed },
  });
}

function resourceQuota({ resourceQuota }: Tier, metadata: JsonObject): JsonObject | undefined {
  const hard = quantities(resourceQuota);
  return hard && { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } };
}

function limitRange({ limitRange }: Tier, metadata: JsonObject): JsonObject | undefined {
  const limits = quantities(limitRange?.default);
  const requests = quantities(limitRange?.defaultRequest);
  if (limits === undefined && requests === undefined) return undefined;
  const limit = { type: 'Container', default: limits, defaultRequest: requests };
  return toManifest({ apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits: [limit] } });
}

/** Quantities, or `undefined` where none are given: an empty block says nothing, and Argo CD would see a difference. */
function quantities(given: ResourceQuantities | undefined): ResourceQuantities | undefined {
  return given !== undefined && Object.keys(given).length > 0 ? given : undefined;
}

/**
 * Everything is denied but: traffic within the namespace, DNS of the cluster (in `kube-system`), and what the tier names.
 */
function networkPolicy({ networkPolicy, networkAllow }: Tier, metadata: JsonObject): JsonObject | undefined {
  if (networkPolicy !== 'default-deny') return undefined;
  const ingress = (networkAllow?.ingressFromNamespaces ?? []).map((name) => ({ from: [inNamespace(name)] }));
  const egress = (networkAllow?.egressToCidrs ?? []).map((cidr) => ({ to: [{ ipBlock: { cidr } }] }));
  const dns = {
    to: [inNamespace('kube-system')],
    ports: [
      { port: 53, protocol: 'UDP' },
      { port: 53, protocol: 'TCP' },
    ],
  };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: {} }] }, ...ingress],
      egress: [{ to: [{ podSelector: {} }] }, dns, ...egress],
    },
  };
}

function inNamespace(name: string): JsonObject {
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
}
