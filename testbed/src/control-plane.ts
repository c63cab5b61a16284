import { type Bed, paths } from './bed.ts';
import type { Component } from './component.ts';

const LOOPBACK = '127.0.0.1';
const SERVICE_RANGE = '10.96.0.0/16';

/** Those that a GitOps controller can tell from their absence; nothing for nodes, clouds, certificates or scaling. */
const CONTROLLERS = [
  'clusterrole-aggregation-controller',
  'cronjob-controller',
  'daemonset-controller',
  'deployment-controller',
  'endpointslice-controller',
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'persistentvolume-binder-controller',
  'persistentvolume-protection-controller',
  'persistentvolumeclaim-protection-controller',
  'replicaset-controller',
  'resourcequota-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'statefulset-controller',
  'ttl-after-finished-controller',
];

/** Where the API server keeps its objects. */
export function etcd(bed: Bed): Component {
  const { certificate, key, etcd: folder } = paths(bed);
  const client = `https://${LOOPBACK}:${bed.ports.etcd}`;
  const peer = `https://${LOOPBACK}:${bed.ports['etcd-peer']}`;
  return {
    name: 'etcd',
    program: 'etcd',
    arguments: [
      '--name=testbed',
      `--data-dir=${folder}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=testbed=${peer}`,
      `--trusted-ca-file=${certificate('ca')}`,
      `--cert-file=${certificate('etcd')}`,
      `--key-file=${key('etcd')}`,
      '--client-cert-auth',
      `--peer-trusted-ca-file=${certificate('ca')}`,
      `--peer-cert-file=${certificate('etcd')}`,
      `--peer-key-file=${key('etcd')}`,
      '--peer-client-cert-auth',
      '--log-level=warn',
      // What a power cut takes from a testbed is made again in seconds.
      '--unsafe-no-fsync',
      '--auto-compaction-mode=revision',
      '--auto-compaction-retention=10000',
    ],
    ready: { kind: 'https', port: bed.ports.etcd, path: '/health', user: 'etcd-client' },
  };
}

/** The API server: RBAC, encryption of secrets at rest, and no route to anything but etcd and KWOK. */
export function apiServer(bed: Bed): Component {
  const { certificate, key, encryption, pki } = paths(bed);
  return {
    name: 'kube-apiserver',
    program: 'kube-apiserver',
    arguments: [
      `--bind-address=${LOOPBACK}`,
      `--advertise-address=${LOOPBACK}`,
      `--secure-port=${bed.ports['kube-apiserver']}`,
      // A loopback address is no endpoint of a service.
      '--endpoint-reconciler-type=none',
      `--etcd-servers=https://${LOOPBACK}:${bed.ports.etcd}`,
      `--etcd-cafile=${certificate('ca')}`,
      `--etcd-certfile=${certificate('etcd-client')}`,
      `--etcd-keyfile=${key('etcd-client')}`,
      `--encryption-provider-config=${encryption}`,
      `--client-ca-file=${certificate('ca')}`,
      `--tls-cert-file=${certificate('apiserver')}`,
      `--tls-private-key-file=${key('apiserver')}`,
      `--kubelet-certificate-authority=${certificate('ca')}`,
      `--kubelet-client-certificate=${certificate('admin')}`,
      `--kubelet-client-key=${key('admin')}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${pki}/service-account.pub`,
      `--service-account-signing-key-file=${key('service-account')}`,
      `--service-cluster-ip-range=${SERVICE_RANGE}`,
      // No controller of nodes runs that would take the taint away again.
      '--disable-admission-plugins=TaintNodesByCondition',
      '--allow-privileged',
      '--profiling=false',
    ],
    ready: { kind: 'https', port: bed.ports['kube-apiserver'], path: '/readyz', user: 'admin' },
  };
}

/** The controllers, the scheduler, and KWOK, which stands in for kubelets and drivers. */
export function controllers(bed: Bed): readonly Component[] {
  const { certificate, key, kubeconfig, kwok } = paths(bed);
  const secured = (name: 'kube-controller-manager' | 'kube-scheduler') => [
    `--kubeconfig=${kubeconfig(name)}`,
    `--authentication-kubeconfig=${kubeconfig(name)}`,
    `--authorization-kubeconfig=${kubeconfig(name)}`,
    `--bind-address=${LOOPBACK}`,
    `--secure-port=${bed.ports[name]}`,
    `--tls-cert-file=${certificate('component')}`,
    `--tls-private-key-file=${key('component')}`,
    '--leader-elect=false',
    '--profiling=false',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ];
  return [
    {
      name: 'kube-controller-manager',
      program: 'kube-controller-manager',
      arguments: [
        ...secured('kube-controller-manager'),
        `--controllers=${CONTROLLERS.join(',')}`,
        '--use-service-account-credentials',
        `--service-account-private-key-file=${key('service-account')}`,
        `--root-ca-file=${certificate('ca')}`,
        '--concurrent-namespace-syncs=20',
        '--resource-quota-sync-period=30s',
      ],
      ready: { kind: 'https', port: bed.ports['kube-controller-manager'], path: '/healthz' },
    },
    {
      name: 'kube-scheduler',
      program: 'kube-scheduler',
      arguments: secured('kube-scheduler'),
      ready: { kind: 'https', port: bed.ports['kube-scheduler'], path: '/healthz' },
    },
    {
      name: 'kwok',
      program: 'kwok',
      arguments: [
        `--kubeconfig=${kubeconfig('kwok')}`,
        `--config=${kwok}`,
        '--manage-all-nodes',
        `--node-ip=${LOOPBACK}`,
        `--node-port=${bed.ports.kwok}`,
        `--server-address=${LOOPBACK}:${bed.ports.kwok}`,
        `--tls-cert-file=${certificate('component')}`,
        `--tls-private-key-file=${key('component')}`,
      ],
      ready: { kind: 'https', port: bed.ports.kwok, path: '/healthz' },
    },
  ];
}
