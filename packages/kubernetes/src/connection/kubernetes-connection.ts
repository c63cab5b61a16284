import type { InputIssue } from '@caelus/core';
import { issueUnless, unknownKeys } from '@caelus/core/adapter';

/**
 * How a Kubernetes API server is reached. `kubeconfigConnection` and `inClusterConnection` make one; a host may also write
 * it by hand.
 */
export interface KubernetesConnection {
  /** An `https` URL without credentials, query or fragment; a path is kept. `http` is taken for the own machine alone. */
  readonly server: string;
  /** The certificates that the server's is checked against, as PEM. Default: those that Node.js trusts. */
  readonly certificateAuthority?: string | undefined;
  /** The name that the server's certificate must have, where it is not the one in `server`. */
  readonly serverName?: string | undefined;
  /** Who asks. Default: nobody, as behind `kubectl proxy`. */
  readonly credentials?: KubernetesCredentials | undefined;
}

/** Functions, so that a connection that is printed shows none of it. */
export type KubernetesCredentials =
  /** Asked before each request, and once more after a 401. It must be quick: keep what is dear to get. */
  | { readonly token: () => string | Promise<string> }
  /** A client certificate and its key, as PEM. Asked once. */
  | { readonly clientCertificate: () => string; readonly clientKey: () => string };

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** What is wrong with a connection. */
export function connectionIssues(connection: KubernetesConnection): readonly InputIssue[] {
  const { server, certificateAuthority, serverName, credentials } = connection;
  return [
    ...unknownKeys('', connection, ['server', 'certificateAuthority', 'serverName', 'credentials']),
    ...serverIssues(server),
    ...issueUnless(
      '/certificateAuthority',
      certificateAuthority === undefined || isPem(certificateAuthority),
      'Give PEM certificates.',
    ),
    ...issueUnless(
      '/serverName',
      serverName === undefined || (typeof serverName === 'string' && /^[A-Za-z0-9.-]{1,253}$/.test(serverName)),
      'Give a host name.',
    ),
    ...issueUnless('/credentials', credentials === undefined || areCredentials(credentials), 'Give functions.'),
  ];
}

function serverIssues(server: unknown): readonly InputIssue[] {
  if (typeof server !== 'string' || server.length > 2048 || !URL.canParse(server)) {
    return [{ path: '/server', message: 'Give the URL of the API server.' }];
  }
  const { protocol, hostname, username, password, search, hash } = new URL(server);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
  return [
    ...issueUnless('/server', isSafe, 'Use https. Only the own machine may be reached by http.'),
    ...issueUnless('/server', username === '' && password === '', 'Leave credentials out of the URL.'),
    ...issueUnless('/server', search === '' && hash === '', 'Leave query and fragment out of the URL.'),
  ];
}

function areCredentials(credentials: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(credentials).sort().join();
  const isKnown = keys === 'token' || keys === 'clientCertificate,clientKey';
  return isKnown && Object.values(credentials).every((value) => typeof value === 'function');
}

export function isPem(text: unknown): boolean {
  return typeof text === 'string' && /-----BEGIN [A-Z ]+-----/.test(text);
}
