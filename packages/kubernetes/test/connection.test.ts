import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubernetesClient } from '../src/client/kubernetes-client.ts';
import { RESOURCES } from '../src/client/resource.ts';
import { inClusterConnection } from '../src/connection/in-cluster-connection.ts';
import { KUBECONFIG_LIMIT, parseKubeconfig } from '../src/connection/kubeconfig.ts';
import { kubeconfigConnection } from '../src/connection/kubeconfig-connection.ts';
import type { KubernetesConnection } from '../src/connection/kubernetes-connection.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { type FakeApi, startFakeApi } from './fake-kubernetes-api.ts';

const SECRET = 'hunter2-SECRET';
let directory: string;
let certificates: Certificates;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caelus-kubeconfig-'));
  certificates = await makeCertificates();
});
afterAll(() => rm(directory, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString('base64');

function kubeconfig(cluster: string, user: string, more = ''): string {
  return `apiVersion: v1
kind: Config
current-context: one
contexts: [{ name: one, context: { cluster: here, user: me } }, { name: bare, context: { cluster: here } }]
clusters: [{ name: here, cluster: { ${cluster} } }]
users: [{ name: me, user: { ${user} } }]
${more}`;
}

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(directory, name), text);
  return join(directory, name);
}

async function ask(connection: KubernetesConnection): Promise<unknown> {
  await using client = createKubernetesClient(connection, { timeoutMilliseconds: 5000 });
  return client.get(RESOURCES.Namespace, { name: 'none' });
}

/** Everything that an error shows, its causes included. */
async function shownBy(failing: Promise<unknown>): Promise<string> {
  const error: unknown = await failing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return inspect(error, { depth: 20 });
}

describe('a kubeconfig', () => {
  it('gives server, certificates and token, from its text or from files beside it', async () => {
    await using api = await startFakeApi(certificates.server);
    api.tokens.add('token-1');
    const authority = base64(certificates.authority);
    await write('ca.crt', certificates.authority);
    await write('token', 'token-1\n');
    const inText = await write(
      'a',
      kubeconfig(`server: "${api.url}", certificate-authority-data: ${authority}`, 'token: token-1'),
    );
    const inFiles = await write(
      'b',
      kubeconfig(`server: "${api.url}", certificate-authority: ca.crt`, 'tokenFile: token'),
    );
    for (const path of [inText, inFiles]) expect(await ask(await kubeconfigConnection({ path }))).toBeUndefined();
    expect(api.requests.map(({ authorization }) => authorization)).toEqual(['Bearer token-1', 'Bearer token-1']);
  });

  it('reads a token file before each request, and once more after a 401', async () => {
    await using api = await startFakeApi();
    api.tokens.add('token-1');
    await write('token', 'token-1');
    const path = await write('c', kubeconfig(`server: "${api.url}"`, 'tokenFile: token'));
    await using client = createKubernetesClient(await kubeconfigConnection({ path }));
    await client.get(RESOURCES.Namespace, { name: 'none' });
    api.tokens.clear();
    api.tokens.add('token-2');
    await write('token', 'token-2');
    await client.get(RESOURCES.Namespace, { name: 'none' });
    expect(api.requests.map(({ authorization }) => authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('gives a client certificate, which the server asks for', async () => {
    await using api = await startFakeApi({
      ...certificates.server,
      ca: certificates.authority,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const { cert, key } = certificates.client;
    const cluster = `server: "${api.url}", certificate-authority-data: ${base64(certificates.authority)}`;
    const path = await write(
      'd',
      kubeconfig(cluster, `client-certificate-data: ${base64(cert)}, client-key-data: ${base64(key)}`),
    );
    expect(await ask(await kubeconfigConnection({ path }))).toBeUndefined();
    await expect(ask(await kubeconfigConnection({ path, context: 'bare' }))).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:UNAVAILABLE|KUBERNETES_PROTOCOL_INVALID)$/),
    });
    expect(api.requests).toHaveLength(1);
  });

  it.each([
    ['exec', `exec: { command: ${SECRET} }`],
    ['auth-provider', `auth-provider: { name: ${SECRET} }`],
    ['password', `username: me, password: ${SECRET}`],
    ['impersonation', `as: ${SECRET}`],
    ['a certificate without its key', `client-certificate: ${SECRET}`],
    ['a key without its certificate', `client-key: ${SECRET}`],
    ['data that is not base64', `client-key-data: "${SECRET}!", client-certificate-data: "x"`],
    ['a token that is no text', `token: [${SECRET}]`],
  ])('is refused for %s, without what it holds', async (_, user) => {
    const path = await write('e', kubeconfig('server: "https://127.0.0.1:1"', user));
    const shown = await shownBy(kubeconfigConnection({ path }));
    expect(shown).toContain('KUBECONFIG_INVALID');
    expect(shown).not.toContain(SECRET);
  });

  it('is refused for a file that is not there', async () => {
    const files = 'client-key: none.key, client-certificate: none.crt';
    const path = await write('f', kubeconfig('server: "https://127.0.0.1:1"', files));
    await expect(kubeconfigConnection({ path })).rejects.toMatchObject({ code: 'KUBECONFIG_INVALID' });
  });

  it.each([
    ['a server that is not checked', 'server: "https://x", insecure-skip-tls-verify: true'],
    ['a proxy', 'server: "https://x", proxy-url: "http://y"'],
    ['no server', 'tls-server-name: x'],
  ])('is refused for %s', (_, cluster) => {
    expect(() => parseKubeconfig(kubeconfig(cluster, 'token: x'))).toThrow(/cannot be used/);
  });

  it.each([
    ['text that is not YAML', `a: [${SECRET}\n b`],
    ['an alias', `users: &a [{ name: ${SECRET} }]\nclusters: *a`],
    ['nothing', ''],
    ['a list', `- ${SECRET}`],
    ['no context', `users: [${SECRET}]`],
    ['a context that is not there', `current-context: ${SECRET}`],
  ])('is refused for %s, without an excerpt', (_, text) => {
    let shown = '';
    try {
      parseKubeconfig(text);
    } catch (error) {
      shown = inspect(error, { depth: 20 });
    }
    expect(shown).toContain('KUBECONFIG_INVALID');
    expect(shown).not.toContain(SECRET);
  });

  it.each([
    { more: -1, isTaken: true },
    { more: 0, isTaken: true },
    { more: 1, isTaken: false },
  ])('of its limit and $more characters is taken: $isTaken', ({ more, isTaken }) => {
    const text = kubeconfig('server: "https://x"', 'token: x', '#');
    const long = text.padEnd(KUBECONFIG_LIMIT + more, '#');
    if (isTaken) expect(parseKubeconfig(long).server).toBe('https://x');
    else expect(() => parseKubeconfig(long)).toThrow(/longer than/);
  });
});

describe('a pod', () => {
  it('is the service account of its cluster', async () => {
    await using api = await startFakeApi(certificates.server);
    api.tokens.add('token-1');
    await write('ca.crt', certificates.authority);
    await write('token', 'token-1');
    const { hostname: host, port } = new URL(api.url);
    const connection = await inClusterConnection({ directory, host, port });
    expect(await ask(connection)).toBeUndefined();
    api.tokens.clear();
    api.tokens.add('token-2');
    await write('token', 'token-2');
    expect(await ask(connection)).toBeUndefined();
  });

  it('has an address of any kind', async () => {
    await write('ca.crt', certificates.authority);
    const connection = await inClusterConnection({ directory, host: 'fd00::1', port: '443' });
    expect(connection.server).toBe('https://[fd00::1]:443');
  });

  it.each([
    { host: '', port: '443' },
    { host: '127.0.0.1', port: '443', directory: '/nonexistent' },
  ])('is where there are its address and its files', async (options) => {
    await expect(inClusterConnection(options)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('a connection', () => {
  it('shows no credentials when it is printed', async () => {
    const path = await write('g', kubeconfig('server: "https://x"', `token: ${SECRET}`));
    const connection = await kubeconfigConnection({ path });
    const client = createKubernetesClient(connection);
    expect(inspect([connection, client], { depth: 20 }) + JSON.stringify([connection, client])).not.toContain(SECRET);
  });

  it.each([
    { server: 'http://192.0.2.1' },
    { server: 'https://user:pass@x' },
    { server: 'https://x?y' },
    { server: 'https://x#y' },
    { server: 'ftp://x' },
    { server: 'x' },
    { server: 'https://x', certificateAuthority: 'no PEM' },
    { server: 'https://x', serverName: 'a b' },
    { server: 'https://x', credentials: { token: 'text' } },
    { server: 'https://x', credentials: { clientKey: () => '' } },
    { server: 'https://x', insecure: true },
  ])('is refused: $server', (connection) => {
    expect(() => createKubernetesClient(connection as KubernetesConnection)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });

  it.each(['http://127.0.0.1:8001', 'http://localhost:1', 'http://[::1]:1', 'https://x/k8s/clusters/c-1/'])(
    'is taken: %s',
    (server) => {
      expect(() => createKubernetesClient({ server })).not.toThrow();
    },
  );

  it.each([0, 1, 3_600_000, 3_600_001])('has a time limit from 1 to 3,600,000 ms: %s', (timeoutMilliseconds) => {
    const create = () => createKubernetesClient({ server: 'https://x' }, { timeoutMilliseconds });
    if (timeoutMilliseconds === 0 || timeoutMilliseconds > 3_600_000) expect(create).toThrow(/whole number/);
    else expect(create).not.toThrow();
  });

  it('keeps a path before that of the API', async () => {
    await using api = await startFakeApi();
    await ask({ server: `${api.url}/k8s/clusters/c-1/` }).catch(() => {});
    expect(api.requests[0]?.url.pathname).toBe('/k8s/clusters/c-1/api/v1/namespaces/none');
  });
});

describe('what may go wrong', () => {
  const withToken = (api: FakeApi): KubernetesConnection => ({ server: api.url, credentials: { token: () => SECRET } });

  it('has no token in it, whatever the server does', async () => {
    await using api = await startFakeApi();
    const { interceptors } = api;
    const answers = [
      { status: 302, code: 'KUBERNETES_PROTOCOL_INVALID' },
      { status: 400, code: 'KUBERNETES_PROTOCOL_INVALID' },
      { status: 403, code: 'KUBERNETES_ACCESS_DENIED' },
      { status: 500, code: 'UNAVAILABLE' },
      { status: 200, code: 'KUBERNETES_PROTOCOL_INVALID' },
    ];
    for (const { status, code } of answers) {
      interceptors.push(({ authorization }, response) => {
        response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(`what I got: ${authorization}`);
        return true;
      });
      const shown = await shownBy(ask(withToken(api)));
      expect(shown).toContain(code);
      expect(shown).not.toContain(SECRET);
    }
    interceptors.push((_, response) => response.destroy() !== undefined);
    expect(await shownBy(ask(withToken(api)))).not.toContain(SECRET);
  });

  it('is never sent elsewhere: a redirect is not followed', async () => {
    await using elsewhere = await startFakeApi();
    await using api = await startFakeApi();
    api.interceptors.push((_, response) => response.writeHead(307, { location: elsewhere.url }).end() !== undefined);
    await expect(ask(withToken(api))).rejects.toMatchObject({
      code: 'KUBERNETES_PROTOCOL_INVALID',
      details: { reason: expect.stringContaining('redirects') },
    });
    expect(elsewhere.requests).toEqual([]);
  });

  it.each([
    ['is empty', () => ' \n'],
    ['has a line break', () => `a\r\nx-injected: ${SECRET}`],
    ['is no text', () => undefined as unknown as string],
    ['cannot be read', () => Promise.reject(new Error(SECRET))],
  ])('is a token that %s', async (_, token) => {
    await using api = await startFakeApi();
    const shown = await shownBy(ask({ server: api.url, credentials: { token } }));
    expect(shown).toContain('KUBERNETES_AUTH_FAILED');
    expect(shown).not.toContain(SECRET);
    expect(api.requests).toEqual([]);
  });

  it('is a token that is not taken, after it was read once more', async () => {
    await using api = await startFakeApi();
    api.tokens.add('another');
    await expect(ask(withToken(api))).rejects.toMatchObject({ code: 'KUBERNETES_AUTH_FAILED' });
    expect(api.requests).toHaveLength(2);
  });

  it('is a server whose certificate nobody vouches for', async () => {
    await using api = await startFakeApi(certificates.server);
    await expect(ask({ server: api.url })).rejects.toMatchObject({ code: 'KUBERNETES_PROTOCOL_INVALID' });
    expect(api.requests).toEqual([]);
  });

  it('is a certificate of another name', async () => {
    await using api = await startFakeApi(certificates.server);
    const connection = {
      server: api.url,
      certificateAuthority: certificates.authority,
      serverName: 'other.example.com',
    };
    await expect(ask(connection)).rejects.toMatchObject({ code: 'KUBERNETES_PROTOCOL_INVALID' });
  });

  it('is a server that does not answer in time', async () => {
    await using api = await startFakeApi();
    api.interceptors.push(() => true);
    await using client = createKubernetesClient({ server: api.url }, { timeoutMilliseconds: 50 });
    await expect(client.get(RESOURCES.Namespace, { name: 'x' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('is a server that is not there', async () => {
    await expect(ask({ server: 'http://127.0.0.1:1' })).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  });

  it('is not that too much was asked at once, where the server says when to come again', async () => {
    await using api = await startFakeApi();
    api.interceptors.push((_, response) => response.writeHead(429, { 'retry-after': '0' }).end() !== undefined);
    expect(await ask({ server: api.url })).toBeUndefined();
    expect(api.requests).toHaveLength(2);
  });

  it('is not a kept connection that the server closed meanwhile', async () => {
    await using api = await startFakeApi();
    await using client = createKubernetesClient({ server: api.url });
    await client.get(RESOURCES.Namespace, { name: 'x' });
    // What arrives on the kept connection is answered by closing it.
    api.interceptors.push((_, response) => response.destroy() !== undefined);
    expect(await client.get(RESOURCES.Namespace, { name: 'x' })).toBeUndefined();
  });

  it.each(['', '.', '..', 'a/b', 'a%2fb', 'x'.repeat(254)])('is a name that leaves its place: %j', async (name) => {
    await using api = await startFakeApi();
    await using client = createKubernetesClient({ server: api.url });
    await expect(client.get(RESOURCES.Secret, { namespace: 'argocd', name })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await expect(client.list(RESOURCES.Secret, { namespace: name })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(api.requests).toEqual([]);
  });

  it('is the abort of the caller, which is told as it is', async () => {
    await using api = await startFakeApi();
    const reason = new Error('enough');
    const stop = new AbortController();
    api.interceptors.push(() => {
      stop.abort(reason);
      return true;
    });
    await using client = createKubernetesClient({ server: api.url });
    await expect(client.get(RESOURCES.Namespace, { name: 'x' }, { signal: stop.signal })).rejects.toBe(reason);
  });
});
