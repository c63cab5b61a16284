import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { kubeconfigInvalid } from '../kubernetes-errors.ts';
import { parseKubeconfig, type TextOrFile } from './kubeconfig.ts';
import { isPem, type KubernetesConnection } from './kubernetes-connection.ts';

export interface KubeconfigOptions {
  /** The kubeconfig. Files that it names are relative to its directory. */
  readonly path: string;
  /** Default: the current context. */
  readonly context?: string | undefined;
}

/**
 * The API server and the user of a context of a kubeconfig: a token, a token file, which is read before each request, or a
 * client certificate. Commands (`exec`) are never run.
 * @throws {CaelusError} `KUBECONFIG_INVALID`
 */
export async function kubeconfigConnection({ path, context }: KubeconfigOptions): Promise<KubernetesConnection> {
  const readText = (file: string) =>
    readFile(resolve(dirname(path), file), 'utf8').catch((cause: unknown) => {
      throw kubeconfigInvalid('A file cannot be read. Check the path and its permissions.', cause);
    });
  const textOf = (given: TextOrFile) => ('text' in given ? Promise.resolve(given.text) : readText(given.file));
  const pem = async (given: TextOrFile) => {
    const text = await textOf(given);
    if (!isPem(text)) throw kubeconfigInvalid('A certificate or a key is not PEM.');
    return text;
  };
  const config = parseKubeconfig(await readText(resolve(path)), context);
  const { server, serverName, token, client } = config;
  const certificateAuthority = config.certificateAuthority && (await pem(config.certificateAuthority));
  const connection = { server, serverName, certificateAuthority };
  if (token !== undefined) return { ...connection, credentials: { token: () => textOf(token) } };
  if (client === undefined) return connection;
  const [clientCertificate, clientKey] = await Promise.all([pem(client.certificate), pem(client.key)]);
  return { ...connection, credentials: { clientCertificate: () => clientCertificate, clientKey: () => clientKey } };
}
