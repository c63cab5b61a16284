import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ARGOCD_NAMESPACE, type Bed, paths } from './bed.ts';
import { moduleFolder } from './go-program.ts';
import { ARGOCD_MODULE, argocdModule } from './programs.ts';

/** What is read of a manifest. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** What runs or routes: in a testbed these are processes. */
const REPLACED = new Set(['Deployment', 'StatefulSet', 'Service', 'NetworkPolicy']);
/** No Dex, and no Redis in the cluster. */
const ABSENT = /^argocd-(?:dex-server|redis)/;
const NAMESPACED = new Set(['ServiceAccount', 'Role', 'RoleBinding', 'ConfigMap', 'Secret']);

/**
 * Of Argo CD's own `install.yaml`, what is not a running thing: definitions, accounts, rights and settings, in its namespace.
 *
 * @throws Error when it holds a kind that this function does not know.
 */
export function selectManifests(installation: string): readonly Manifest[] {
  const manifests = parseAllDocuments(installation).map((document) => document.toJS() as Manifest | null);
  return manifests.flatMap((manifest) => {
    if (manifest === null || REPLACED.has(manifest.kind) || ABSENT.test(manifest.metadata.name)) return [];
    if (NAMESPACED.has(manifest.kind)) {
      return [{ ...manifest, metadata: { ...manifest.metadata, namespace: ARGOCD_NAMESPACE } }];
    }
    if (/^(?:CustomResourceDefinition|ClusterRole|ClusterRoleBinding)$/.test(manifest.kind)) return [manifest];
    throw new Error(`What is to become of the ${manifest.kind} ${manifest.metadata.name} in Argo CD's install.yaml?`);
  });
}

/** All that is applied to the cluster before Argo CD starts. */
export async function argocdManifests(bed: Bed): Promise<readonly object[]> {
  const source = await moduleFolder(argocdModule(bed.argocd), ARGOCD_MODULE);
  const selected = selectManifests(await readFile(join(source, 'manifests/install.yaml'), 'utf8'));
  const { certificate, key } = paths(bed);
  const authority = await readFile(certificate('ca'), 'utf8');
  const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'argocd-cm': { url: `https://127.0.0.1:${bed.ports['argocd-server']}` },
    'argocd-tls-certs-cm': { '127.0.0.1': authority },
  };
  const tls = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'argocd-server-tls', namespace: ARGOCD_NAMESPACE },
    type: 'kubernetes.io/tls',
    stringData: {
      'tls.crt': await readFile(certificate('argocd-web'), 'utf8'),
      'tls.key': await readFile(key('argocd-web'), 'utf8'),
    },
  };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ARGOCD_NAMESPACE } },
    ...selected.map((manifest) => {
      const more = manifest.kind === 'ConfigMap' ? settings[manifest.metadata.name] : undefined;
      return more === undefined ? manifest : { ...manifest, data: { ...manifest.data, ...more } };
    }),
    tls,
    ...clusterManifests(),
  ];
}

/** A node for every pod, and volumes for every claim. */
function clusterManifests(): readonly object[] {
  const storageClass = (name: string, reclaimPolicy: string, isDefault: boolean) => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) } },
    provisioner: 'testbed.caelus.dev/volume',
    reclaimPolicy,
    volumeBindingMode: 'Immediate',
  });
  return [
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'testbed', labels: { 'kubernetes.io/hostname': 'testbed', 'kubernetes.io/os': 'linux' } },
    },
    storageClass('testbed', 'Delete', true),
    storageClass('testbed-retain', 'Retain', false),
  ];
}
