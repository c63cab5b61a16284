/** A chart with a namespace of its own, a workload whose health can be asked for, a volume, a service and an ingress. */
export const tinyChart = (health: string): Readonly<Record<string, string>> => ({
  'chart/Chart.yaml': 'apiVersion: v2\nname: tiny\nversion: 1.0.0\n',
  'chart/values.yaml': `health: ${health}\n`,
  'chart/templates/namespace.yaml': `apiVersion: v1
kind: Namespace
metadata:
  name: {{ .Release.Namespace }}
  annotations:
    argocd.argoproj.io/sync-wave: "-1"
`,
  'chart/templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: tiny
spec:
  replicas: 2
  progressDeadlineSeconds: 5
  selector:
    matchLabels: {app: tiny}
  template:
    metadata:
      labels:
        app: tiny
        testbed.caelus.dev/health: {{ .Values.health }}
    spec:
      containers:
        - name: tiny
          image: example.com/tiny:1.0.0
          volumeMounts:
            - {name: data, mountPath: /data}
      volumes:
        - name: data
          persistentVolumeClaim: {claimName: data}
`,
  'chart/templates/around.yaml': `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: v1
kind: Service
metadata:
  name: tiny
spec:
  type: LoadBalancer
  selector: {app: tiny}
  ports: [{port: 80}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: tiny
spec:
  rules:
    - host: tiny.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: tiny, port: {number: 80}}}
`,
  'chart/templates/hook.yaml': `apiVersion: batch/v1
kind: Job
metadata:
  name: prepare
  annotations:
    helm.sh/hook: pre-install
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: prepare, image: example.com/tiny:1.0.0}
`,
});
