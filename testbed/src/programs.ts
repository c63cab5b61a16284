import { chmod, copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGoProgram, type GoProgram, installGoTool, moduleFolder, type Progress } from './go-program.ts';
import { findRedis } from './redis-server.ts';
import { ARGOCD_VERSIONS, type ArgocdMinor, type ArgocdVersion, KUBERNETES_VERSION, SOPS } from './versions.ts';

const ours = (folder: string) => fileURLToPath(new URL(`../${folder}`, import.meta.url));

/** The folder of the Go module that Argo CD of this version is built from. */
export const argocdModule = (minor: ArgocdMinor): string => ours(`argocd/${minor}`);

/** What KWOK does with objects. */
export const STAGES_FILE: string = ours('control-plane/stages.yaml');

/** One program that is several, told apart by the name it is started by. */
const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kwok'];
const ARGOCD = [
  'argocd',
  'argocd-server',
  'argocd-repo-server',
  'argocd-application-controller',
  'argocd-applicationset-controller',
  'argocd-notifications',
];

/** Argo CD's image has them on the PATH, and its repo-server fails without. */
const ARGOCD_SCRIPTS = ['git-verify-wrapper.sh', 'gpg-wrapper.sh'];

const [MAJOR = '', MINOR = ''] = KUBERNETES_VERSION.slice(1).split('.');
const KUBERNETES_BUILD = 'k8s.io/component-base/version';
/** The module of Argo CD. */
export const ARGOCD_MODULE = 'github.com/argoproj/argo-cd/v3';
const METRICS_LISTENERS: Readonly<Record<ArgocdMinor, readonly string[]>> = {
  '3.5': ['controller/appcontroller.go', 'cmd/argocd-notification/commands/argocd_notification.go'],
  '3.2': ['controller/appcontroller.go', 'cmd/argocd-notification/commands/controller.go'],
};

const controlPlane: GoProgram = {
  name: 'control-plane',
  folder: ours('control-plane'),
  package: '.',
  variables: {
    [`${KUBERNETES_BUILD}.gitVersion`]: KUBERNETES_VERSION,
    [`${KUBERNETES_BUILD}.gitMajor`]: MAJOR,
    [`${KUBERNETES_BUILD}.gitMinor`]: MINOR,
  },
};

const services: GoProgram = { name: 'services', folder: ours('services'), package: '.' };

function argocd(minor: ArgocdMinor): GoProgram {
  const { version, commit }: ArgocdVersion = ARGOCD_VERSIONS[minor];
  const folder = argocdModule(minor);
  const build = `${ARGOCD_MODULE}/common`;
  return {
    name: 'argocd',
    folder,
    package: `${ARGOCD_MODULE}/cmd`,
    variables: {
      [`${build}.version`]: version,
      ...(commit !== '' && { [`${build}.gitCommit`]: commit, [`${build}.gitTreeState`]: 'clean' }),
    },
    // Two of its controllers serve their metrics on every interface, and no flag changes it. Nothing here may be reached from outside.
    patch: { module: ARGOCD_MODULE, files: METRICS_LISTENERS[minor], from: '"0.0.0.0:%d"', to: '"127.0.0.1:%d"' },
  };
}

/**
 * Builds what is not in the cache, one program after the other (Go uses all processors by itself).
 *
 * @returns Where each program lies, by the name that it is started by.
 */
export async function buildPrograms(minor: ArgocdMinor, progress: Progress): Promise<Readonly<Record<string, string>>> {
  const { helm, kustomize }: ArgocdVersion = ARGOCD_VERSIONS[minor];
  const links: Record<string, string> = { 'redis-server': await findRedis(progress) };
  for (const tool of [helm, kustomize, SOPS]) links[tool.name] = await installGoTool(tool, progress);
  links.services = await buildGoProgram(services, progress);
  const controlPlanePath = await buildGoProgram(controlPlane, progress);
  const argocdPath = await buildGoProgram(argocd(minor), progress);
  for (const name of CONTROL_PLANE) links[name] = controlPlanePath;
  for (const name of ARGOCD) links[name] = argocdPath;
  return links;
}

/** Fills `folder` with links to the programs by the names that they are started by, and builds those that are not in the cache. */
export async function linkPrograms(minor: ArgocdMinor, folder: string, progress: Progress): Promise<void> {
  const links = await buildPrograms(minor, progress);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all(Object.entries(links).map(([name, target]) => symlink(target, join(folder, name))));
  const source = join(await moduleFolder(argocdModule(minor), ARGOCD_MODULE), 'hack');
  for (const name of ARGOCD_SCRIPTS) {
    await copyFile(join(source, name), join(folder, name));
    // A module's files are not executable.
    await chmod(join(folder, name), 0o755);
  }
}
