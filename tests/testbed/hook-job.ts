/** The Job of a hook of Helm, in a chart: `degraded` fails, `progressing` never ends. */
export function hookJob(name: string, hook: string, health: 'degraded' | 'progressing'): string {
  return `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
  annotations: {helm.sh/hook: "${hook}"}
spec:
  backoffLimit: 0
  template:
    metadata:
      labels: {testbed.caelus.dev/health: ${health}}
    spec:
      restartPolicy: Never
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: ${name}
          image: example.com/${name}:1
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
`;
}

/** A hook with which no sync ends, where the value `hang` says so. */
export const HANGING_HOOK: Readonly<Record<string, string>> = {
  'templates/hook.yaml': `{{- if .Values.hang }}\n${hookJob('hang', 'pre-install,pre-upgrade', 'progressing')}{{- end }}\n`,
};
