import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { argocdFolders } from './argocd.ts';
import { ARGOCD_NAMESPACE, type Bed, GIT_USER, paths } from './bed.ts';
import { USERS } from './certificates.ts';
import { STAGES_FILE } from './programs.ts';

/** Makes the folders of a testbed, and the secrets that are made once. Nobody else may read any of it. */
export async function makeFolders(bed: Bed): Promise<void> {
  const at = paths(bed);
  const { tls, ssh, gpg } = argocdFolders(bed);
  const folders = [bed.folder, at.etcd, at.redis, at.git, at.charts, at.registry, at.argocd, at.home, at.temporary];
  for (const folder of [
    ...folders,
    tls,
    ssh,
    gpg,
    `${bed.folder}/logs`,
    `${at.argocd}/plugins`,
    `${at.argocd}/assets`,
  ]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  await once(at.encryption, () =>
    stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'EncryptionConfiguration',
      resources: [
        {
          resources: ['secrets'],
          providers: [
            { secretbox: { keys: [{ name: 'key1', secret: randomBytes(32).toString('base64') }] } },
            { identity: {} },
          ],
        },
      ],
    }),
  );
  await once(at.redisPassword, newPassword);
  await once(at.gitCredentials, () => `${GIT_USER}:${newPassword()}`);
  await once(at.containerLog, () => `${new Date().toISOString()} stdout F Nothing runs in a testbed.\n`);
}

/** Writes what follows from the settings: configuration of Redis and KWOK, kubeconfigs, and what Argo CD trusts. */
export async function writeConfiguration(bed: Bed): Promise<void> {
  const at = paths(bed);
  const secret = (path: string, text: string) => writeFile(path, text, { mode: 0o600 });
  const password = await readFile(at.redisPassword, 'utf8');
  const redis = {
    bind: '127.0.0.1',
    port: bed.ports.redis,
    requirepass: password,
    dir: at.redis,
    save: '""',
    appendonly: 'no',
  };
  await secret(
    at.redisConfiguration,
    `${Object.entries(redis)
      .map((entry) => entry.join(' '))
      .join('\n')}\n`,
  );
  const stages = await readFile(STAGES_FILE, 'utf8');
  await secret(at.kwok, stages.replace('LOGS_FILE', at.containerLog));
  for (const { name } of USERS) await secret(at.kubeconfig(name), await kubeconfig(bed, name));
  await writeFile(`${argocdFolders(bed).tls}/127.0.0.1`, await readFile(at.certificate('ca')));
  await writeFile(`${argocdFolders(bed).ssh}/ssh_known_hosts`, '');
}

const newPassword = () => randomBytes(18).toString('base64url');

async function once(path: string, content: () => string): Promise<void> {
  if (!existsSync(path)) await writeFile(path, content(), { mode: 0o600 });
}

/** A kubeconfig that needs no other file. */
async function kubeconfig(bed: Bed, user: string): Promise<string> {
  const { certificate, key } = paths(bed);
  const data = async (path: string) => (await readFile(path)).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'testbed',
    clusters: [
      {
        name: 'testbed',
        cluster: {
          server: `https://127.0.0.1:${bed.ports['kube-apiserver']}`,
          'certificate-authority-data': await data(certificate('ca')),
        },
      },
    ],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': await data(certificate(user)), 'client-key-data': await data(key(user)) },
      },
    ],
    contexts: [
      {
        name: 'testbed',
        context: { cluster: 'testbed', user, ...(user !== 'admin' && { namespace: ARGOCD_NAMESPACE }) },
      },
    ],
  });
}
