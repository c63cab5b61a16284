/** A Job that is a hook of Helm; its health is that of its pod, as the testbed's label says. */
export function hookJob(name: string, hooks: string, health: string): string {
  return `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
  annotations: {helm.sh/hook: "${hooks}"}
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
