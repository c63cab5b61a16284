import { isAlias, LineCounter, parseDocument, visit } from 'yaml';
import { kubeconfigInvalid } from '../kubernetes-errors.ts';

/** Text that stands in the kubeconfig, or in a file that it names. */
export type TextOrFile = { readonly text: string } | { readonly file: string };

/** What one context of a kubeconfig says: where the API server is, and who asks. */
export interface Kubeconfig {
  readonly context: string;
  readonly server: string;
  readonly serverName?: string | undefined;
  readonly certificateAuthority?: TextOrFile | undefined;
  readonly token?: TextOrFile | undefined;
  readonly client?: { readonly certificate: TextOrFile; readonly key: TextOrFile } | undefined;
}

/** In characters. */
export const KUBECONFIG_LIMIT: number = 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads one context of a kubeconfig, by default the current one. What would change who asks or what is trusted, and is not
 * supported here, is an error: it is never left out in silence.
 * @throws {CaelusError} `KUBECONFIG_INVALID`
 */
export function parseKubeconfig(text: string, contextName?: string | undefined): Kubeconfig {
  const config = parseYaml(text);
  const context = contextName ?? textOf(config, 'current-context');
  if (!context) throw kubeconfigInvalid('It has no current context. Name one.');
  const chosen = named(config, 'contexts', context, 'context');
  const cluster = named(config, 'clusters', textOf(chosen, 'cluster') ?? '', 'cluster');
  const userName = textOf(chosen, 'user');
  const user = userName === undefined || userName === '' ? {} : named(config, 'users', userName, 'user');
  refuse(cluster, UNSUPPORTED_OF_CLUSTER);
  refuse(user, UNSUPPORTED_OF_USER);
  const server = textOf(cluster, 'server');
  if (!server) throw kubeconfigInvalid('The cluster has no server.');
  const certificate = textOrFile(user, 'client-certificate');
  const key = textOrFile(user, 'client-key');
  if ((certificate === undefined) !== (key === undefined)) {
    throw kubeconfigInvalid('The user has a client certificate without its key, or a key without its certificate.');
  }
  // As kubectl: the file wins, because it may be renewed.
  const tokenFile = textOf(user, 'tokenFile');
  const tokenText = textOf(user, 'token');
  return {
    context,
    server,
    serverName: textOf(cluster, 'tls-server-name'),
    certificateAuthority: textOrFile(cluster, 'certificate-authority'),
    token: tokenFile ? { file: tokenFile } : tokenText ? { text: tokenText } : undefined,
    client: certificate && key ? { certificate, key } : undefined,
  };
}

const UNSUPPORTED_OF_CLUSTER: Readonly<Record<string, string>> = {
  'insecure-skip-tls-verify':
    'Its cluster turns off the check of the server (insecure-skip-tls-verify). Give certificate-authority-data.',
  'proxy-url': 'Its cluster is reached by a proxy (proxy-url), which is not supported.',
};
const NO_COMMANDS =
  'Commands of a kubeconfig are never run. Get the token in the host, and give createKubernetesClient a connection with it.';
const UNSUPPORTED_OF_USER: Readonly<Record<string, string>> = {
  exec: `Its user gets a token from a command (exec). ${NO_COMMANDS}`,
  'auth-provider': `Its user has an auth-provider. ${NO_COMMANDS}`,
  username: 'Its user has a password, which Kubernetes no longer takes. Use a token or a client certificate.',
  password: 'Its user has a password, which Kubernetes no longer takes. Use a token or a client certificate.',
  as: 'Its user impersonates another one (as), which is not supported.',
  'as-uid': 'Its user impersonates another one (as-uid), which is not supported.',
  'as-groups': 'Its user impersonates a group (as-groups), which is not supported.',
  'as-user-extra': 'Its user impersonates another one (as-user-extra), which is not supported.',
};

function refuse(fields: Fields, unsupported: Readonly<Record<string, string>>): void {
  for (const [field, reason] of Object.entries(unsupported)) {
    const value = fields[field];
    if (value !== undefined && value !== null && value !== false && value !== '') throw kubeconfigInvalid(reason);
  }
}

function parseYaml(text: string): Fields {
  if (text.length > KUBECONFIG_LIMIT) throw kubeconfigInvalid(`It is longer than ${KUBECONFIG_LIMIT} characters.`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  // The parser's own message quotes the text, and the text holds credentials.
  const [fault] = document.errors;
  if (fault !== undefined) {
    throw kubeconfigInvalid(`It is not YAML; the fault is in line ${lines.linePos(fault.pos[0]).line}.`);
  }
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) throw kubeconfigInvalid('It has aliases (*name), which a kubeconfig does not need.');
    },
  });
  const value: unknown = document.toJS();
  if (!isFields(value)) throw kubeconfigInvalid('It is empty, or a list.');
  return value;
}

function named(config: Fields, list: string, name: string, field: string): Fields {
  const entries = config[list];
  const found = Array.isArray(entries) ? entries.find((entry) => isFields(entry) && entry.name === name) : undefined;
  const value = isFields(found) ? found[field] : undefined;
  if (isFields(value)) return value;
  throw kubeconfigInvalid(`It has no ${field} of the name that is asked for.`);
}

function textOrFile(fields: Fields, name: string): TextOrFile | undefined {
  // As kubectl: what stands in the file itself wins.
  const data = textOf(fields, `${name}-data`);
  if (data) return { text: decoded(data, `${name}-data`) };
  const file = textOf(fields, name);
  return file ? { file } : undefined;
}

function decoded(data: string, field: string): string {
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(data)) throw kubeconfigInvalid(`${field} is not base64.`);
  return Buffer.from(data, 'base64').toString('utf8');
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw kubeconfigInvalid(`${name} is not text.`);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
