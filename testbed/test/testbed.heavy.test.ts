import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bed } from '../src/bed.ts';
import { until } from '../src/condition.ts';
import {
  bedOf,
  type ComponentStatus,
  componentLog,
  createRepository,
  findTestbed,
  kubectl,
  publishChart,
  pushChart,
  restartComponent,
  startTestbed,
  stopTestbed,
  type Testbed,
  testbedStatus,
} from '../src/index.ts';
import { identify } from '../src/process-identity.ts';
import { signIn } from './argocd-session.ts';
import { LOOPBACK, listeningAddresses } from './listening-addresses.ts';
import { type Checkout, checkOut } from './repository-checkout.ts';
import { chartApplication, SMALL_CHART } from './small-chart.ts';
import { tinyApplication } from './tiny-application.ts';
import { tinyChart } from './tiny-chart.ts';

const NAME = `test-${process.pid}`;
const SECONDS = 180;

let testbed: Testbed;
let bed: Bed;
let checkout: Checkout;

beforeAll(async () => {
  testbed = await startTestbed({ name: NAME, progress: (text) => process.stderr.write(`${text}\n`) });
  bed = await bedOf(NAME);
});

afterAll(async () => {
  await checkout?.[Symbol.asyncDispose]();
  await stopTestbed(NAME, { purge: true });
});

const pids = (status: readonly ComponentStatus[]) => status.map(({ pid }) => pid ?? 0);

/** Of every process of this machine. */
const commandLines = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });

interface Application {
  readonly sync: string;
  readonly health: string;
  readonly conditions: string;
}

async function application(name: string): Promise<Application> {
  const fields = ['sync.status', 'health.status', 'conditions'].map((field) => `{.status.${field}}`);
  const output = `--output=jsonpath=${fields.join('|')}`;
  const text = await kubectl(bed, ['get', 'application', name, '--namespace=argocd', output]);
  const [sync = '', health = '', conditions = ''] = text.split('|');
  return { sync, health, conditions };
}

/** Argo CD looks at Git now, and not at its next poll. */
const refresh = () =>
  kubectl(bed, [
    'annotate',
    'application',
    'tiny',
    '--namespace=argocd',
    '--overwrite',
    'argocd.argoproj.io/refresh=normal',
  ]);

async function reaches(sync: string, health: string, name = 'tiny'): Promise<void> {
  let seen: Application | undefined;
  const isThere = async () => {
    seen = await application(name);
    return seen.sync === sync && seen.health === health;
  };
  await until(isThere, { seconds: SECONDS, what: `${name} to be ${sync} and ${health}` }).catch((error: Error) => {
    throw new Error(`${error.message} It is ${JSON.stringify(seen)}.`);
  });
}

describe('a testbed', () => {
  it('runs every component, and each is ready', async () => {
    const status = await testbedStatus(NAME);
    expect(status.filter(({ state }) => state !== 'ready')).toEqual([]);
    expect(status).toHaveLength(14);
  });

  it('listens on the loopback interface alone', async () => {
    const status = await testbedStatus(NAME);
    for (const { name, pid = 0 } of status) {
      const addresses = listeningAddresses(pid);
      expect(addresses, name).not.toEqual([]);
      expect(new Set([...LOOPBACK, ...addresses]), name).toEqual(new Set(LOOPBACK));
    }
  });

  it('has an Argo CD of the version that it says', async () => {
    const kubernetes = await kubectl(bed, ['version', '--output=json']);
    expect(JSON.parse(kubernetes)).toMatchObject({ serverVersion: { gitVersion: 'v1.36.3' } });
    const argocd = await signIn(testbed);
    expect(await argocd('/api/version')).toMatchObject({ Version: `v${testbed.argocd.version}+c9c369e` });
    expect(await argocd('/api/v1/session/userinfo')).toMatchObject({ loggedIn: true, username: 'admin' });
  });

  it('installs from Git what an AppProject permits: Synced and Healthy', async () => {
    const { url } = await createRepository('gitops', NAME);
    checkout = await checkOut(testbed, url);
    await checkout.commit(tinyChart('healthy'));
    await kubectl(bed, ['apply', '--filename=-'], JSON.stringify(tinyApplication(testbed, url)));
    await reaches('Synced', 'Healthy');
    const ready = '--output=jsonpath={.status.readyReplicas}';
    expect(await kubectl(bed, ['get', 'deployment', 'tiny', '--namespace=tiny', ready])).toBe('2');
    const bound = '--output=jsonpath={.status.phase}';
    expect(await kubectl(bed, ['get', 'pvc', 'data', '--namespace=tiny', bound])).toBe('Bound');
    const logs = await kubectl(bed, ['logs', 'deployment/tiny', '--namespace=tiny', '--tail=1']);
    expect(logs).toContain('Nothing runs in a testbed.');
  });

  it('shows a workload that waits, one that fails, and its recovery', async () => {
    await checkout.commit(tinyChart('degraded'));
    await refresh();
    await reaches('Synced', 'Progressing');
    await reaches('Synced', 'Degraded');
    await checkout.commit(tinyChart('healthy'));
    await refresh();
    await reaches('Synced', 'Healthy');
  });

  it('lets a namespace and its volume go with the Application', async () => {
    const namespace = async () => kubectl(bed, ['get', 'namespaces', '--output=name']);
    expect(await namespace()).toContain('namespace/tiny');
    await kubectl(bed, ['delete', 'application', 'tiny', '--namespace=argocd', '--wait=false']);
    const isGone = async () => !(await namespace()).includes('namespace/tiny');
    await until(isGone, { seconds: SECONDS, what: 'the namespace to go' });
    const volumes = async () => (await kubectl(bed, ['get', 'pv', '--output=name'])) === '';
    await until(volumes, { seconds: SECONDS, what: 'the volume to go' });
    expect(await kubectl(bed, ['get', 'applications', '--namespace=argocd', '--output=name'])).toBe('');
  });

  it('installs charts from its Helm repository and from its OCI registry', async () => {
    const chart = await mkdtemp(join(tmpdir(), 'caelus-testbed-chart-'));
    try {
      await mkdir(join(chart, 'templates'));
      for (const [path, text] of Object.entries(SMALL_CHART)) await writeFile(join(chart, path), text);
      const repository = await publishChart(chart, NAME);
      const registry = await pushChart(chart, NAME);
      const objects = [
        ...chartApplication('repository', repository.repoURL, 'small'),
        ...chartApplication('registry', registry.repoURL.replace('oci://', ''), 'small'),
      ];
      await kubectl(bed, ['apply', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
      await reaches('Synced', 'Healthy', 'repository');
      await reaches('Synced', 'Healthy', 'registry');
    } finally {
      await rm(chart, { recursive: true });
    }
    const data = '--output=jsonpath={.data.from}';
    for (const name of ['repository', 'registry']) {
      expect(await kubectl(bed, ['get', 'configmap', name, '--namespace=default', data])).toBe('chart 1.2.3');
    }
  });

  it('is left as it is by a second start', async () => {
    const before = await testbedStatus(NAME);
    const progress: string[] = [];
    expect(await startTestbed({ name: NAME, progress: (text) => progress.push(text) })).toEqual(testbed);
    expect(pids(await testbedStatus(NAME))).toEqual(pids(before));
    expect(progress).toEqual([]);
  });

  it('says which component has crashed, and starts that one again', async () => {
    const before = await testbedStatus(NAME);
    const victim = before.find(({ name }) => name === 'application-controller');
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await until(() => identify(victim?.pid ?? 0) === undefined, { seconds: SECONDS, what: 'the victim to end' });
    const after = await testbedStatus(NAME);
    expect(after.filter(({ state }) => state !== 'ready')).toEqual([
      {
        name: 'application-controller',
        state: 'crashed',
        reason: expect.stringContaining('application-controller has ended. The end of '),
      },
    ]);
    expect(await findTestbed(NAME)).toBeUndefined();
    const progress: string[] = [];
    await startTestbed({ name: NAME, progress: (text) => progress.push(text) });
    expect(progress).toEqual(['Starting application-controller']);
    expect(await findTestbed(NAME)).toEqual(testbed);
  });

  it('restarts one component on request', async () => {
    const pidOf = async (name: string) => (await testbedStatus(NAME)).find((status) => status.name === name)?.pid;
    const [redis, server] = [await pidOf('redis'), await pidOf('git-server')];
    await restartComponent('redis', { name: NAME, kill: true });
    expect(await pidOf('redis')).not.toBe(redis);
    expect(await pidOf('git-server')).toBe(server);
    await expect(restartComponent('nothing', { name: NAME })).rejects.toThrow('nothing is none of etcd, ');
  });

  it('shows what a component has written', async () => {
    expect(await componentLog('git-server', 5, NAME)).toBe('');
    expect((await componentLog('kwok', 5, NAME)).split('\n')).toHaveLength(5);
    await expect(componentLog('../state', 5, NAME)).rejects.toThrow('../state is none of etcd, ');
  });

  it('refuses to become another Argo CD', async () => {
    await expect(startTestbed({ name: NAME, argocd: '3.2' })).rejects.toThrow('was made with Argo CD 3.5');
  });

  it('leaves no process behind, and goes on where it was', async () => {
    await kubectl(bed, ['create', 'configmap', 'kept', '--namespace=default', '--from-literal=a=b']);
    const started = pids(await testbedStatus(NAME));
    await stopTestbed(NAME);
    expect(started.filter((pid) => identify(pid) !== undefined)).toEqual([]);
    expect(commandLines().filter((line) => line.includes(bed.folder))).toEqual([]);
    expect(new Set((await testbedStatus(NAME)).map(({ state }) => state))).toEqual(new Set(['stopped']));
    expect(await startTestbed({ name: NAME })).toEqual(testbed);
    expect(await kubectl(bed, ['get', 'configmap', 'kept', '--output=jsonpath={.data.a}'])).toBe('b');
  });

  it('runs beside another', async () => {
    const other = `${NAME}-b`;
    try {
      const beside = await startTestbed({ name: other });
      expect(beside.argocd.url).not.toBe(testbed.argocd.url);
      expect(await findTestbed(NAME)).toEqual(testbed);
      await expect(kubectl(await bedOf(other), ['get', 'configmap', 'kept'])).rejects.toThrow('not found');
    } finally {
      await stopTestbed(other, { purge: true });
    }
    expect(existsSync(bed.folder.replace(NAME, other))).toBe(false);
    expect(await findTestbed(NAME)).toEqual(testbed);
  });
});
