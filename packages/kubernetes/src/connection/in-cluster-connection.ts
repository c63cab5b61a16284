import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaelusError } from '@caelus/core';
import type { KubernetesConnection } from './kubernetes-connection.ts';

/** Where Kubernetes puts what a pod needs to reach its API server. */
export interface InClusterOptions {
  /** Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly directory?: string | undefined;
  /** `KUBERNETES_SERVICE_HOST`. Default: the environment's. */
  readonly host?: string | undefined;
  /** `KUBERNETES_SERVICE_PORT`. Default: the environment's. */
  readonly port?: string | undefined;
}

/**
 * The API server of the cluster that this process runs in, as the service account of its pod. The token is read before each
 * request, because Kubernetes replaces it within the hour.
 * @throws {CaelusError} `INVALID_INPUT` where this is no pod, or one without a service account's token
 */
export async function inClusterConnection(options: InClusterOptions = {}): Promise<KubernetesConnection> {
  const {
    directory = '/var/run/secrets/kubernetes.io/serviceaccount',
    host = process.env.KUBERNETES_SERVICE_HOST,
    port = process.env.KUBERNETES_SERVICE_PORT,
  } = options;
  if (!host || !port) throw noPod('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set.');
  const read = (name: string) => readFile(join(directory, name), 'utf8');
  const [certificateAuthority] = await Promise.all([read('ca.crt'), read('token')]).catch((cause: unknown) => {
    throw noPod('The certificate or the token of the service account cannot be read.', cause);
  });
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    certificateAuthority,
    credentials: { token: () => read('token') },
  };
}

function noPod(reason: string, cause?: unknown): CaelusError<'INVALID_INPUT'> {
  const message = `This process is no pod with a service account: ${reason} Use a kubeconfig outside of a cluster.`;
  return new CaelusError({ code: 'INVALID_INPUT', message, details: { issues: [{ path: '', message }] }, cause });
}
