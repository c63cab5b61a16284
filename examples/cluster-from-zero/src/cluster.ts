import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { ArgoCdClientOptions } from '@caelus/argocd-client';
import { createNodeFetch } from '@caelus/argocd-client/node';
import { createRepository, publishChart, startTestbed, stopTestbed } from '@caelus-testbed/testbed';
import { CHART_FOLDER } from './chart.ts';

const run = promisify(execFile);

/** What the story is told on. */
export interface Cluster extends AsyncDisposable {
  readonly description: string;
  /** Of an administrator: bootstrap needs one, Caelus itself does not. */
  readonly kubeconfig: string;
  /** How Argo CD's API is reached, by an account that sees Applications and may end their syncs. */
  readonly argoCd: ArgoCdClientOptions;
  /** A repository for Caelus alone, empty at first. */
  readonly git: { readonly url: string; readonly username: string; readonly password: string };
  /** A Helm repository that has `guestbook` 1.0.0. Without one, the chart is kept in the GitOps repository. */
  readonly charts: string | undefined;
  /** Keeps the database and a copy of the repository: who tells the story again on the same cluster needs the same. */
  readonly folder: string;
  kubectl(...parameters: readonly string[]): Promise<string>;
}

/** The cluster that the environment names, or else a testbed, which is removed at the end unless it is to be kept. */
export async function findCluster(keep: boolean): Promise<Cluster> {
  return process.env.ARGOCD_URL === undefined ? startTestbedCluster(keep) : yourCluster();
}

async function yourCluster(): Promise<Cluster> {
  const names = ['KUBECONFIG', 'ARGOCD_AUTH_TOKEN', 'GIT_URL', 'GIT_TOKEN'];
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length > 0) throw new Error(`With ARGOCD_URL, set these too: ${missing.join(', ')}.`);
  const { KUBECONFIG: kubeconfig = '', ARGOCD_URL: baseUrl = '', ARGOCD_AUTH_TOKEN: token } = process.env;
  const { GIT_URL: url = '', GIT_USERNAME: username = 'x-access-token', GIT_TOKEN: password = '' } = process.env;
  const folder = resolve('cluster-from-zero');
  await mkdir(folder, { recursive: true });
  return {
    description: `the cluster of ${kubeconfig}`,
    kubeconfig,
    argoCd: { baseUrl, token },
    git: { url, username, password },
    charts: process.env.CHARTS_URL,
    folder,
    kubectl: kubectlWith({ KUBECONFIG: kubeconfig }),
    async [Symbol.asyncDispose]() {},
  };
}

async function startTestbedCluster(keep: boolean): Promise<Cluster> {
  const name = 'from-zero';
  const end = async () => {
    if (!keep) return stopTestbed(name, { purge: true });
    console.log(`\nThe testbed still runs. To remove it: npm run testbed -- stop --purge --name ${name}`);
  };
  try {
    const testbed = await startTestbed({ name, progress: (text) => console.error(text) });
    const { url: baseUrl, username, password } = testbed.argocd;
    const { url } = await createRepository('gitops', name);
    const { repoURL } = await publishChart(CHART_FOLDER, name);
    const fetch = createNodeFetch({ ca: await readFile(testbed.caFile, 'utf8') });
    const folder = join(testbed.folder, 'caelus');
    await mkdir(folder, { recursive: true });
    return {
      description: 'a testbed: a real Kubernetes API and a real Argo CD, as processes on this machine',
      kubeconfig: testbed.kubeconfig,
      argoCd: { baseUrl, login: { username, password }, fetch },
      git: { url, username: testbed.git.username, password: testbed.git.password },
      charts: repoURL,
      folder,
      kubectl: kubectlWith({ KUBECONFIG: testbed.kubeconfig, PATH: `${testbed.programs}:${process.env.PATH}` }),
      async [Symbol.asyncDispose]() {
        fetch[Symbol.dispose]();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const kubectlWith =
  (environment: Readonly<Record<string, string>>) =>
  async (...parameters: readonly string[]) =>
    (await run('kubectl', parameters, { env: { ...process.env, ...environment } })).stdout;
