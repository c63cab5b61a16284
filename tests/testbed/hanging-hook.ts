/** A hook with which no sync ends, where the value `hang` says so. */
export const HANGING_HOOK: Readonly<Record<string, string>> = {
  'templates/hook.yaml': `{{- if .Values.hang }}
apiVersion: batch/v1
kind: Job
metadata:
  name: hang
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
spec:
  backoffLimit: 0
  template:
    metadata:
      labels: {testbed.caelus.dev/health: progressing}
    spec:
      restartPolicy: Never
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: hang
          image: example.com/hang:1
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
{{- end }}
`,
};
