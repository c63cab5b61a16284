import type { Testbed } from '../src/index.ts';

/** The repository's credentials, a project that permits the namespace `tiny` alone, and an Application of the chart in it. */
export function tinyApplication({ git, argocd: { namespace } }: Testbed, url: string): object {
  const server = 'https://kubernetes.default.svc';
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'gitops', namespace, labels: { 'argocd.argoproj.io/secret-type': 'repository' } },
        stringData: { type: 'git', url, username: git.username, password: git.password },
      },
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { name: 'tiny', namespace },
        spec: {
          sourceRepos: [url],
          destinations: [{ server, namespace: 'tiny' }],
          clusterResourceWhitelist: [{ group: '', kind: 'Namespace' }],
        },
      },
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name: 'tiny', namespace, finalizers: ['resources-finalizer.argocd.argoproj.io'] },
        spec: {
          project: 'tiny',
          source: { repoURL: url, targetRevision: 'refs/heads/main', path: 'chart' },
          destination: { server, namespace: 'tiny' },
          syncPolicy: { automated: { prune: true, selfHeal: true } },
        },
      },
    ],
  };
}
