/** A version of a chart, as its author has it on disk. */
export interface StoryChart {
  readonly name: string;
  readonly version: string;
  /** Path within the chart → text; `Chart.yaml` is made of the two above. */
  readonly files: Readonly<Record<string, string>>;
}

const WORKLOAD = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {{ .Values.replicas }}
  progressDeadlineSeconds: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels:
        app: web
        testbed.caelus.dev/health: {{ .Values.health | quote }}
    spec:
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: web
          image: example.com/web:{{ .Chart.Version }}
          envFrom:
            - configMapRef: {name: web}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
`;

const SETTINGS = `apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  message: {{ .Values.message | quote }}
  version: {{ .Chart.Version }}
`;

/** A Deployment `web`, whose health can be asked for, with its ConfigMap `web`; and `more`. Every value has a default. */
export function storyChart(
  name: string,
  version: string,
  more: Readonly<Record<string, string>> = {},
  { values = '' }: { readonly values?: string } = {},
): StoryChart {
  return {
    name,
    version,
    files: {
      'values.yaml': `message: hello\nreplicas: 1\nhealth: healthy\n${values}`,
      'templates/workload.yaml': WORKLOAD,
      'templates/settings.yaml': SETTINGS,
      ...more,
    },
  };
}

/** A ConfigMap of this name, for a story that looks for something that comes or goes. */
export const configMap = (name: string, namespace?: string): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
${namespace === undefined ? '' : `  namespace: ${namespace}\n`}data: {from: chart}
`;
