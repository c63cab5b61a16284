import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A server of charts on the loopback interface. */
export interface ChartServer extends AsyncDisposable {
  /** As a chart source names it. */
  readonly repoURL: string;
  /** What a client needs in its environment to trust it. */
  readonly env: NodeJS.ProcessEnv;
}

/** Serves the files of a folder that `helm repo index` made. */
export async function serveHelmRepository(folder: string): Promise<ChartServer> {
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    const isKnown = /^[A-Za-z0-9.-]+\.(?:yaml|tgz)$/.test(name);
    response.statusCode = isKnown ? 200 : 404;
    response.end(isKnown ? readFileSync(join(folder, name)) : '');
  });
  return listening(server, (port) => `http://127.0.0.1:${port}`, {});
}

/** Serves one packaged chart as an OCI registry does. Helm asks registries by TLS alone; `folder` takes the certificate. */
export async function serveOciRegistry(folder: string, chart: string, version: string): Promise<ChartServer> {
  const archive = readFileSync(join(folder, `${chart}-${version}.tgz`));
  const config = Buffer.from(JSON.stringify({ apiVersion: 'v2', name: chart, version }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor('application/vnd.cncf.helm.config.v1+json', config),
      layers: [descriptor('application/vnd.cncf.helm.chart.content.v1.tar+gzip', archive)],
    }),
  );
  const blobs = new Map([archive, config, manifest].map((blob) => [digestOf(blob), blob]));
  const answer: RequestListener = (request, response) => {
    const [, kind, reference] = /^\/v2\/charts\/[a-z]+\/(manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? [];
    const blob = kind === 'manifests' && reference === version ? manifest : blobs.get(reference ?? '');
    if (blob === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = kind === 'manifests' ? 'application/vnd.oci.image.manifest.v1+json' : 'application/octet-stream';
    response.writeHead(200, {
      'content-type': type,
      'content-length': blob.length,
      'docker-content-digest': digestOf(blob),
    });
    response.end(request.method === 'HEAD' ? undefined : blob);
  };
  const root = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim();
  const generator = join(root, 'src/crypto/tls/generate_cert.go');
  execFileSync('go', ['run', generator, '--ca', '--host', '127.0.0.1', '--duration', '24h'], {
    cwd: folder,
    stdio: 'pipe',
  });
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name)));
  const server = createSecureServer({ cert, key }, answer);
  const env = { SSL_CERT_FILE: join(folder, 'cert.pem') };
  return listening(server, (port) => `oci://127.0.0.1:${port}/charts`, env);
}

function digestOf(blob: Buffer): string {
  return `sha256:${createHash('sha256').update(blob).digest('hex')}`;
}

function descriptor(mediaType: string, blob: Buffer): object {
  return { mediaType, digest: digestOf(blob), size: blob.length };
}

async function listening(server: Server, url: (port: number) => string, env: NodeJS.ProcessEnv): Promise<ChartServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    repoURL: url((server.address() as AddressInfo).port),
    env,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A chart that does nothing but print the values that it was given. */
export function writeEchoChart(folder: string): void {
  writeFileSync(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: echo\nversion: 1.0.0\n');
  const template = [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    '  name: echo',
    'data:',
    '  values: {{ .Values | toJson | b64enc | quote }}',
  ];
  writeFileSync(join(folder, 'templates', 'values.yaml'), `${template.join('\n')}\n`);
}
