import { type Bed, paths } from './bed.ts';
import { run } from './run.ts';

/** A certificate to be made: a server's where it has hosts, else a client's. */
export interface CertificateRequest {
  readonly name: string;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly hosts?: readonly string[];
}

const LOOPBACK = ['127.0.0.1', 'localhost'];

const server = (name: string, ...hosts: string[]): CertificateRequest => ({
  name,
  commonName: name,
  hosts: [...LOOPBACK, ...hosts],
});

/** Each component of Argo CD is the service account that it has in a cluster, with that one's rights. */
const serviceAccount = (name: string): CertificateRequest => ({
  name,
  commonName: `system:serviceaccount:argocd:${name}`,
  organizations: ['system:serviceaccounts', 'system:serviceaccounts:argocd'],
});

/** The users that have a kubeconfig of their own. */
export const USERS: readonly CertificateRequest[] = [
  { name: 'admin', commonName: 'admin', organizations: ['system:masters'] },
  { name: 'kwok', commonName: 'kwok', organizations: ['system:masters'] },
  { name: 'kube-controller-manager', commonName: 'system:kube-controller-manager' },
  { name: 'kube-scheduler', commonName: 'system:kube-scheduler' },
  serviceAccount('argocd-server'),
  serviceAccount('argocd-application-controller'),
  serviceAccount('argocd-applicationset-controller'),
  serviceAccount('argocd-notifications-controller'),
];

/** Every certificate of a testbed. */
export const CERTIFICATES: readonly CertificateRequest[] = [
  ...USERS,
  server('etcd'),
  server('apiserver', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', '10.96.0.1'),
  server('component'),
  server('argocd-web'),
  { name: 'etcd-client', commonName: 'kube-apiserver' },
];

/** Makes what is missing or ends soon. */
export async function makeCertificates(bed: Bed): Promise<void> {
  const { program, pki } = paths(bed);
  await run(program('services'), ['certificates', pki], { input: JSON.stringify(CERTIFICATES) });
}
