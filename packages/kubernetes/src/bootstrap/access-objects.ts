import type { ServiceAccountOptions } from './bootstrap-input.ts';
import type { PlannedObject } from './planned-object.ts';

/** Who Caelus is in the cluster, and what it may do there: Applications in Argo CD's namespace, and nothing else. */
export function accessObjects(argoCdNamespace: string, options: ServiceAccountOptions): readonly PlannedObject[] {
  const { namespace = 'caelus', name = 'caelus', rights = 'operate' } = options;
  const rbac = 'rbac.authorization.k8s.io';
  const role = { name: 'caelus', namespace: argoCdNamespace };
  const verbs = ['get', 'list', 'watch', ...(rights === 'operate' ? ['patch'] : [])];
  const ownNamespace: PlannedObject = {
    // A namespace that is there may have pods that the label would refuse.
    ownership: 'seed',
    reason: 'Where the service account of Caelus is. Pods in it get no privileges.',
    manifest: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
  };
  return [
    ...(namespace === argoCdNamespace ? [] : [ownNamespace]),
    {
      ownership: 'own',
      reason: 'Who Caelus is in the cluster.',
      manifest: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    },
    {
      ownership: 'own',
      reason:
        rights === 'operate'
          ? 'Caelus sees Applications, has them compared, and starts and ends their syncs.'
          : 'Caelus sees Applications.',
      manifest: {
        apiVersion: `${rbac}/v1`,
        kind: 'Role',
        metadata: role,
        rules: [{ apiGroups: ['argoproj.io'], resources: ['applications'], verbs }],
      },
    },
    {
      ownership: 'own',
      reason: 'Gives the service account that role, in the namespace of Argo CD alone.',
      manifest: {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata: role,
        roleRef: { apiGroup: rbac, kind: 'Role', name: role.name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    },
  ];
}
