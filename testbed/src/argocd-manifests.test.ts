import { describe, expect, it } from 'vitest';
import { selectManifests } from './argocd-manifests.ts';

const document = (kind: string, name: string) => `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n`;
const select = (...documents: string[]) => selectManifests(documents.join('---\n'));

describe('of Argo CD’s installation', () => {
  it('what runs or routes is left out, and so are Dex and Redis', () => {
    const left = [
      document('Deployment', 'argocd-server'),
      document('StatefulSet', 'argocd-application-controller'),
      document('Service', 'argocd-server'),
      document('NetworkPolicy', 'argocd-server-network-policy'),
      document('ServiceAccount', 'argocd-dex-server'),
      document('Role', 'argocd-redis'),
    ];
    expect(select(...left, '')).toEqual([]);
  });

  it('what has a namespace gets Argo CD’s', () => {
    expect(select(document('ConfigMap', 'argocd-cm'), document('ClusterRole', 'argocd-server'))).toEqual([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm', namespace: 'argocd' } },
      { apiVersion: 'v1', kind: 'ClusterRole', metadata: { name: 'argocd-server' } },
    ]);
  });

  it('an unknown kind is refused', () => {
    expect(() => select(document('DaemonSet', 'new'))).toThrow('What is to become of the DaemonSet new');
  });
});
