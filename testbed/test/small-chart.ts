/** A chart that says which version it is. */
export const SMALL_CHART: Readonly<Record<string, string>> = {
  'Chart.yaml': 'apiVersion: v2\nname: small\nversion: 1.2.3\n',
  'templates/map.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  from: chart {{ .Chart.Version }}
`,
};

/** An Application of a chart in a Helm repository or an OCI registry, and what Argo CD has to know of the place. */
export function chartApplication(name: string, repoURL: string, chart: string): readonly object[] {
  const namespace = 'argocd';
  const isRegistry = !repoURL.includes('://');
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, labels: { 'argocd.argoproj.io/secret-type': 'repository' } },
      stringData: { type: 'helm', name, url: repoURL, enableOCI: String(isRegistry) },
    },
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace },
      spec: {
        project: 'default',
        source: { repoURL, chart, targetRevision: '1.2.3' },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'default' },
        syncPolicy: { automated: {} },
      },
    },
  ];
}
