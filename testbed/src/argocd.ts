import { join } from 'node:path';
import { ARGOCD_NAMESPACE, type Bed, type PortName, paths } from './bed.ts';
import type { Component } from './component.ts';

const LOOPBACK = '127.0.0.1';

/** Where Argo CD finds what its pods have mounted. */
export const argocdFolders = (bed: Bed): { readonly tls: string; readonly ssh: string; readonly gpg: string } => {
  const at = (name: string) => join(paths(bed).argocd, name);
  return { tls: at('tls'), ssh: at('ssh'), gpg: at('gpg') };
};

/** The components of Argo CD, each with the rights of its own service account. */
export function argocd(bed: Bed, redisPassword: string): readonly Component[] {
  const { kubeconfig, argocd: folder } = paths(bed);
  const { tls, ssh, gpg } = argocdFolders(bed);
  const address = (name: PortName) => `${LOOPBACK}:${bed.ports[name]}`;
  const environment = {
    ARGOCD_TLS_DATA_PATH: tls,
    ARGOCD_SSH_DATA_PATH: ssh,
    ARGOCD_GPG_DATA_PATH: gpg,
    ARGOCD_GPG_ENABLED: 'false',
    // With it, a deletion now and then goes on while its pre-delete hook still runs, and so would the tests of one.
    ARGOCD_CLUSTER_CACHE_BATCH_EVENTS_PROCESSING: 'false',
    ARGOCD_RECONCILIATION_TIMEOUT: `${bed.polling}s`,
    ...(bed.syncWaveDelay !== undefined && { ARGOCD_SYNC_WAVE_DELAY: String(bed.syncWaveDelay) }),
    REDIS_PASSWORD: redisPassword,
    // https://kubernetes.default.svc is the cluster of the kubeconfig.
    ARGOCD_FAKE_IN_CLUSTER: 'true',
  };
  const inCluster = (account: string) => ({ ...environment, KUBECONFIG: kubeconfig(account) });
  const redis = `--redis=${address('redis')}`;
  const logs = ['--loglevel=info', '--logformat=text'];
  return [
    {
      name: 'repo-server',
      program: 'argocd-repo-server',
      arguments: [
        `--address=${LOOPBACK}`,
        `--port=${bed.ports['repo-server']}`,
        `--metrics-address=${LOOPBACK}`,
        `--metrics-port=${bed.ports['repo-server-metrics']}`,
        redis,
        ...logs,
      ],
      environment: {
        ...environment,
        ARGOCD_PLUGINSOCKFILEPATH: join(folder, 'plugins'),
        // By default one for the whole machine: the Git credentials of one testbed would be asked for at another's.
        ARGOCD_ASK_PASS_SOCK: join(paths(bed).temporary, 'ask-pass.sock'),
      },
      ready: { kind: 'http', port: bed.ports['repo-server-metrics'], path: '/healthz?full=true' },
    },
    {
      name: 'application-controller',
      program: 'argocd-application-controller',
      arguments: [
        `--namespace=${ARGOCD_NAMESPACE}`,
        `--metrics-port=${bed.ports['application-controller-metrics']}`,
        `--repo-server=${address('repo-server')}`,
        redis,
        ...logs,
      ],
      environment: inCluster('argocd-application-controller'),
      ready: { kind: 'http', port: bed.ports['application-controller-metrics'], path: '/healthz' },
    },
    {
      name: 'argocd-server',
      program: 'argocd-server',
      arguments: [
        `--namespace=${ARGOCD_NAMESPACE}`,
        `--address=${LOOPBACK}`,
        `--port=${bed.ports['argocd-server']}`,
        `--metrics-address=${LOOPBACK}`,
        `--metrics-port=${bed.ports['argocd-server-metrics']}`,
        `--repo-server=${address('repo-server')}`,
        `--staticassets=${join(folder, 'assets')}`,
        redis,
        ...logs,
      ],
      environment: inCluster('argocd-server'),
      ready: { kind: 'https', port: bed.ports['argocd-server'], path: '/healthz?full=true' },
    },
    {
      name: 'applicationset-controller',
      program: 'argocd-applicationset-controller',
      arguments: [
        `--namespace=${ARGOCD_NAMESPACE}`,
        `--metrics-addr=${address('applicationset-controller-metrics')}`,
        // It has a port for probes, and answers none.
        '--probe-addr=0',
        `--webhook-addr=${address('applicationset-controller-webhook')}`,
        `--argocd-repo-server=${address('repo-server')}`,
        ...logs,
      ],
      environment: inCluster('argocd-applicationset-controller'),
      ready: { kind: 'http', port: bed.ports['applicationset-controller-metrics'], path: '/metrics' },
    },
    {
      name: 'notifications-controller',
      program: 'argocd-notifications',
      arguments: [
        `--namespace=${ARGOCD_NAMESPACE}`,
        `--metrics-port=${bed.ports['notifications-controller-metrics']}`,
        `--argocd-repo-server=${address('repo-server')}`,
        ...logs,
      ],
      environment: inCluster('argocd-notifications-controller'),
      ready: { kind: 'http', port: bed.ports['notifications-controller-metrics'], path: '/metrics' },
    },
  ];
}
