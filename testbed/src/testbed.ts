import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { argocd } from './argocd.ts';
import { argocdManifests } from './argocd-manifests.ts';
import { ARGOCD_NAMESPACE, type Bed, GIT_USER, paths } from './bed.ts';
import { makeFolders, writeConfiguration } from './bed-files.ts';
import { type BedState, newBed, readState, writeState } from './bed-state.ts';
import { bedFolder } from './cache-folder.ts';
import { makeCertificates } from './certificates.ts';
import type { Component } from './component.ts';
import { crashed, end, endOfLog, launch, ready } from './component-process.ts';
import { until } from './condition.ts';
import { apiServer, controllers, etcd } from './control-plane.ts';
import { withFolderLock } from './folder-lock.ts';
import type { Progress } from './go-program.ts';
import { apply, kubectl } from './kubectl.ts';
import { isFree } from './loopback-port.ts';
import { ask } from './probe.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';
import { linkPrograms } from './programs.ts';
import { services } from './services.ts';
import { ARGOCD_VERSIONS, type ArgocdMinor, DEFAULT_ARGOCD } from './versions.ts';

/** What a testbed is started with. */
export interface TestbedOptions {
  /** Two names are two testbeds, side by side. Default `default`; 1 to 20 characters of `a-z`, `0-9` and `-`. */
  readonly name?: string;
  /** The minor version of Argo CD, by default the newest. A testbed keeps the one that it was first started with. */
  readonly argocd?: ArgocdMinor;
  /** How often Argo CD asks Git by itself, in seconds; by default 120, as it does anywhere. Fixed at the first start too. */
  readonly polling?: number;
  /** How long Argo CD waits between two waves of a sync, in seconds; by default 2, as it does anywhere. Fixed at the first start too. */
  readonly syncWaveDelay?: number;
  /** Called with what is about to take a while. */
  readonly progress?: Progress;
}

/** A testbed that runs: all that one needs to use it. */
export interface Testbed {
  readonly name: string;
  /** Everything that it wrote. */
  readonly folder: string;
  /** For the cluster's administrator. */
  readonly kubeconfig: string;
  /** The certificate that signs all others. */
  readonly caFile: string;
  /** Programs of the versions that run here: kubectl, helm, kustomize, sops, argocd, … */
  readonly programs: string;
  readonly argocd: {
    readonly version: string;
    readonly url: string;
    readonly namespace: string;
    readonly username: string;
    readonly password: string;
    /** The metrics of these components, as Prometheus reads them. */
    readonly metrics: Readonly<Record<'application-controller' | 'repo-server' | 'argocd-server', string>>;
  };
  readonly git: { readonly url: string; readonly username: string; readonly password: string };
  /** A Helm repository. */
  readonly charts: { readonly url: string };
  /** A registry that speaks TLS; what lies in it is named `oci://<host>/<repository>`. */
  readonly registry: { readonly host: string };
}

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?$/;
const POLLING_SECONDS = 120;
const PASSWORD_SECONDS = 120;
const APPLY_SECONDS = 120;
/** What was killed lets go of its port a moment after it has gone. */
const PORT_SECONDS = 10;
const START_SECONDS = 1800;

/** In the order of their start. What stands in one row needs only the rows above. */
async function componentsOf(bed: Bed): Promise<readonly (readonly Component[])[]> {
  const password = await readFile(paths(bed).redisPassword, 'utf8');
  return [[etcd(bed), ...services(bed)], [apiServer(bed)], [...controllers(bed), ...argocd(bed, password)]];
}

/**
 * Starts a testbed, or what of it does not run, and waits until all of it is ready. The first start builds the programs.
 *
 * @throws Error when something cannot be built, a port was taken meanwhile, or a component ends instead of being ready.
 */
export async function startTestbed(options: TestbedOptions = {}): Promise<Testbed> {
  const { name = 'default', progress = () => {} } = options;
  checkName(name);
  if (process.platform !== 'linux') throw new Error('The testbed needs Linux: it tells processes apart by /proc.');
  return withFolderLock(bedFolder(name), START_SECONDS, async () => {
    let state = await readState(name);
    if (state === undefined) {
      const { argocd: minor = DEFAULT_ARGOCD, polling = POLLING_SECONDS, syncWaveDelay } = options;
      const settings = { name, argocd: minor, polling, ...(syncWaveDelay !== undefined && { syncWaveDelay }) };
      state = { bed: await newBed(settings), processes: {} };
    }
    const { bed } = state;
    checkUnchanged(bed, options);
    await linkPrograms(bed.argocd, paths(bed).programs, progress);
    await makeFolders(bed);
    await writeState(state);
    await makeCertificates(bed);
    await writeConfiguration(bed);
    const [foundation = [], server = [], rest = []] = await componentsOf(bed);
    state = await startAll(state, foundation, progress);
    state = await startAll(state, server, progress);
    const { version } = ARGOCD_VERSIONS[bed.argocd];
    if (state.installed !== version) {
      progress(`Applying Argo CD ${version}'s definitions, rights and settings`);
      await apply(bed, await argocdManifests(bed));
      await until(() => isServed(bed), { seconds: APPLY_SECONDS, what: 'Argo CD’s definitions to be served' });
      state = { ...state, installed: version };
      await writeState(state);
    }
    await startAll(state, rest, progress);
    return describe(bed);
  });
}

/** The testbed of this name, if all of it runs. */
export async function findTestbed(name = 'default'): Promise<Testbed | undefined> {
  const status = await testbedStatus(name);
  return status.every(({ state }) => state === 'ready') && status.length > 0 ? describe(await bedOf(name)) : undefined;
}

/** How one component is. */
export interface ComponentStatus {
  readonly name: string;
  /** `crashed`: it was started and has ended without having been asked to. */
  readonly state: 'ready' | 'not ready' | 'crashed' | 'stopped';
  readonly pid?: number;
  /** Why it is not ready. */
  readonly reason?: string;
}

/** How every component is; nothing for a testbed that was never started. */
export async function testbedStatus(name = 'default'): Promise<readonly ComponentStatus[]> {
  const state = await readState(name);
  if (state === undefined) return [];
  const components = (await componentsOf(state.bed)).flat();
  return Promise.all(components.map((component) => statusOf(state, component)));
}

async function statusOf({ bed, processes }: BedState, component: Component): Promise<ComponentStatus> {
  const { name } = component;
  const identity = processes[name];
  if (identity === undefined) return { name, state: 'stopped' };
  if (!isRunning(identity)) return { name, state: 'crashed', reason: crashed(bed, name).message };
  const { pid } = identity;
  return ask(bed, component.ready).then(
    () => ({ name, state: 'ready', pid }),
    (error: Error) => ({ name, state: 'not ready', pid, reason: error.message }),
  );
}

/** Ends every process of a testbed. With `purge`, its folder goes too, and with it the ports and all that was in the cluster. */
export async function stopTestbed(
  name = 'default',
  { purge = false }: { readonly purge?: boolean } = {},
): Promise<void> {
  checkName(name);
  if (!existsSync(bedFolder(name))) return;
  await withFolderLock(bedFolder(name), START_SECONDS, async () => {
    const state = await readState(name);
    if (state !== undefined) {
      for (const row of (await componentsOf(state.bed)).toReversed()) {
        const started = row.map((component) => state.processes[component.name]);
        await Promise.all(started.filter((identity) => identity !== undefined).map((identity) => end(identity)));
      }
      await writeState({ ...state, processes: {} });
    }
    if (purge) await rm(bedFolder(name), { recursive: true });
  });
}

/** Ends one component and starts it again: by `SIGTERM`, or as if it had crashed. */
export async function restartComponent(
  component: string,
  { name = 'default', kill = false }: { readonly name?: string; readonly kill?: boolean } = {},
): Promise<void> {
  await withFolderLock(bedFolder(name), START_SECONDS, async () => {
    const state = await readState(name);
    if (state === undefined) throw new Error(`There is no testbed ${name}. Start it first.`);
    const wanted = await componentOf(state.bed, component);
    const identity = state.processes[component];
    if (identity !== undefined) await end(identity, kill ? 'SIGKILL' : 'SIGTERM');
    await startAll(state, [wanted], () => {});
  });
}

/**
 * The last lines that a component has written.
 *
 * @throws Error when there is no such component or testbed.
 */
export async function componentLog(component: string, lines: number, name?: string): Promise<string> {
  const bed = await bedOf(name);
  return endOfLog(bed, (await componentOf(bed, component)).name, lines);
}

async function componentOf(bed: Bed, name: string): Promise<Component> {
  const components = (await componentsOf(bed)).flat();
  const found = components.find((component) => component.name === name);
  if (found === undefined) throw new Error(`${name} is none of ${components.map((known) => known.name).join(', ')}.`);
  return found;
}

/** The settings of a testbed that was started once. */
export async function bedOf(name = 'default'): Promise<Bed> {
  const state = await readState(name);
  if (state === undefined) throw new Error(`There is no testbed ${name}. Start it first.`);
  return state.bed;
}

/** Starts what does not run, remembers each at once, and waits for all. */
async function startAll(state: BedState, components: readonly Component[], progress: Progress): Promise<BedState> {
  const { bed } = state;
  const missing = components.filter(({ name }) => !isAlive(state.processes[name]));
  if (missing.length > 0) progress(`Starting ${missing.map(({ name }) => name).join(', ')}`);
  let processes = state.processes;
  for (const component of missing) {
    await until(() => isFree(component.ready.port), {
      seconds: PORT_SECONDS,
      what: `port ${component.ready.port}, which belongs to ${component.name}. End the program that listens on it, or make a new testbed`,
    });
    processes = { ...processes, [component.name]: await launch(bed, component) };
    await writeState({ ...state, processes });
  }
  await Promise.all(components.map((component) => ready(bed, component, processes[component.name] as ProcessIdentity)));
  return { ...state, processes };
}

const isAlive = (identity: ProcessIdentity | undefined) => identity !== undefined && isRunning(identity);

/** True once the API server serves every resource that was defined; Argo CD's server ends where one is missing. */
async function isServed(bed: Bed): Promise<boolean> {
  const conditions = '{range .items[*]}{.status.conditions[?(@.type=="Established")].status}{"\\n"}{end}';
  const output = await kubectl(bed, ['get', 'customresourcedefinitions', `--output=jsonpath=${conditions}`]);
  return output
    .split('\n')
    .slice(0, -1)
    .every((status) => status === 'True');
}

async function describe(bed: Bed): Promise<Testbed> {
  const { kubeconfig, certificate, programs, gitCredentials } = paths(bed);
  const credentials = await readFile(gitCredentials, 'utf8');
  const { ports } = bed;
  const web = (port: number) => `http://127.0.0.1:${port}`;
  return {
    name: bed.name,
    folder: bed.folder,
    kubeconfig: kubeconfig('admin'),
    caFile: certificate('ca'),
    programs,
    argocd: {
      version: ARGOCD_VERSIONS[bed.argocd].version,
      url: `https://127.0.0.1:${ports['argocd-server']}`,
      namespace: ARGOCD_NAMESPACE,
      username: 'admin',
      password: await initialPassword(bed),
      metrics: {
        'application-controller': `${web(ports['application-controller-metrics'])}/metrics`,
        'repo-server': `${web(ports['repo-server-metrics'])}/metrics`,
        'argocd-server': `${web(ports['argocd-server-metrics'])}/metrics`,
      },
    },
    git: { url: web(ports['git-server']), username: GIT_USER, password: credentials.slice(GIT_USER.length + 1) },
    charts: { url: web(ports['chart-repository']) },
    registry: { host: `127.0.0.1:${ports['oci-registry']}` },
  };
}

/** Argo CD's server makes it at its first start, and keeps it in a Secret. */
async function initialPassword(bed: Bed): Promise<string> {
  const secret = ['get', 'secret', 'argocd-initial-admin-secret', `--namespace=${ARGOCD_NAMESPACE}`];
  const what = 'Argo CD to make the password of its administrator';
  const encoded = await until(() => kubectl(bed, [...secret, '--output=jsonpath={.data.password}']), {
    seconds: PASSWORD_SECONDS,
    what,
  });
  return Buffer.from(encoded, 'base64').toString('utf8');
}

function checkName(name: string): void {
  if (!NAME.test(name)) throw new Error('The name of a testbed has 1 to 20 characters of a-z, 0-9 and - between them.');
}

function checkUnchanged(bed: Bed, { argocd: minor, polling, syncWaveDelay }: TestbedOptions): void {
  const isSame = <T>(wanted: T | undefined, made: T) => wanted === undefined || wanted === made;
  const isUnchanged = isSame(minor, bed.argocd) && isSame(polling, bed.polling);
  if (isUnchanged && isSame(syncWaveDelay, bed.syncWaveDelay)) return;
  const delay = bed.syncWaveDelay === undefined ? '' : `, a delay between waves of ${bed.syncWaveDelay} s`;
  const is = `The testbed ${bed.name} was made with Argo CD ${bed.argocd}${delay} and a polling of ${bed.polling} s.`;
  throw new Error(`${is} Remove it by "stop --purge", or choose another --name.`);
}
