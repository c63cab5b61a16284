import { join } from 'node:path';
import { bedFolder } from './cache-folder.ts';
import type { ArgocdMinor } from './versions.ts';

/** What a port is for. A testbed keeps its ports, because its data names them. */
export const PORT_NAMES = [
  'etcd',
  'etcd-peer',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
  'redis',
  'repo-server',
  'repo-server-metrics',
  'application-controller-metrics',
  'applicationset-controller-metrics',
  'applicationset-controller-webhook',
  'notifications-controller-metrics',
  'argocd-server',
  'argocd-server-metrics',
  'git-server',
  'chart-repository',
  'oci-registry',
] as const;

/** The name of a port in {@link PORT_NAMES}. */
export type PortName = (typeof PORT_NAMES)[number];

/** One testbed: all that its components are told. Its folder holds everything that they write. */
export interface Bed {
  readonly name: string;
  readonly folder: string;
  readonly argocd: ArgocdMinor;
  /** How often Argo CD asks Git by itself, in seconds. */
  readonly polling: number;
  /** How long it waits between two waves of a sync, in seconds; as long as it does by itself where nothing is said. */
  readonly syncWaveDelay?: number;
  readonly ports: Readonly<Record<PortName, number>>;
}

/** The namespace of Argo CD. */
export const ARGOCD_NAMESPACE = 'argocd';

/** The name of the user for the Git server. */
export const GIT_USER = 'caelus';

/** Where the parts of a testbed lie. */
export const paths = (bed: { readonly name: string; readonly folder?: string }): BedPaths => {
  const at = (...parts: string[]) => join(bed.folder ?? bedFolder(bed.name), ...parts);
  return {
    state: at('state.json'),
    programs: at('bin'),
    program: (name) => at('bin', name),
    log: (component) => at('logs', `${component}.log`),
    pki: at('pki'),
    certificate: (name) => at('pki', `${name}.crt`),
    key: (name) => at('pki', `${name}.key`),
    kubeconfig: (user) => at(user === 'admin' ? 'kubeconfig' : `kubeconfig-${user}`),
    encryption: at('encryption.yaml'),
    kwok: at('kwok.yaml'),
    containerLog: at('container.log'),
    etcd: at('etcd'),
    redis: at('redis'),
    redisConfiguration: at('redis', 'redis.conf'),
    redisPassword: at('redis', 'password'),
    git: at('git'),
    gitCredentials: at('git-credentials'),
    charts: at('charts'),
    registry: at('registry'),
    argocd: at('argocd'),
    home: at('home'),
    temporary: at('tmp'),
  };
};

/** See {@link paths}. */
export interface BedPaths {
  readonly state: string;
  readonly programs: string;
  readonly program: (name: string) => string;
  readonly log: (component: string) => string;
  readonly pki: string;
  readonly certificate: (name: string) => string;
  readonly key: (name: string) => string;
  readonly kubeconfig: (user: string) => string;
  readonly encryption: string;
  readonly kwok: string;
  readonly containerLog: string;
  readonly etcd: string;
  readonly redis: string;
  readonly redisConfiguration: string;
  readonly redisPassword: string;
  readonly git: string;
  readonly gitCredentials: string;
  readonly charts: string;
  readonly registry: string;
  readonly argocd: string;
  readonly home: string;
  readonly temporary: string;
}
