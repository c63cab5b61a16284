import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { instanceFiles, type JsonObject, type RenderInstanceInput, renderInstance } from '@caelus/core';
import { arbitraryValues } from '@caelus/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inputOf, type Sample } from '../render-samples.ts';
import { type ChartServer, serveHelmRepository, serveOciRegistry, writeEchoChart } from './chart-servers.ts';
import { chartsFolder, checkOut, helmTemplate, manifestsOf, TemporaryFolder } from './checkout.ts';
import { execute, goTool } from './go-tools.ts';

let helm: string;
let kustomize: string;
let packages: TemporaryFolder;
let echo: TemporaryFolder;
const servers = new Map<string, ChartServer>();

beforeAll(async () => {
  helm = await goTool('helm');
  kustomize = await goTool('kustomize');
  packages = new TemporaryFolder();
  echo = new TemporaryFolder();
  echo.folder('templates');
  writeEchoChart(echo.path);
  const charts = ['notes/1.1.0', 'guestbook/1.0.0'].map((name) => join(chartsFolder, name));
  await execute(helm, ['package', '--destination', packages.path, ...charts]);
  await execute(helm, ['repo', 'index', packages.path]);
  servers.set('helm', await serveHelmRepository(packages.path));
  servers.set('oci', await serveOciRegistry(packages.path, 'notes', '1.1.0'));
}, 1_200_000);

afterAll(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]();
  packages?.[Symbol.dispose]();
  echo?.[Symbol.dispose]();
});

function chartOf(type: string): object {
  const server = servers.get(type);
  if (server === undefined) return { type: 'git', path: 'charts/notes/1.1.0' };
  return { type, repoURL: server.repoURL, chart: 'notes', version: '1.1.0' };
}

const NOTES: Sample = {
  defaultValues: { ingress: { enabled: true, host: 'own.example.com' }, persistence: { annotations: { team: 'a' } } },
  capabilities: { kustomize: true },
  instance: { userValues: { persistence: { size: '2Gi' } } },
};

/** What `kustomize build` makes of the instance's directory, in a clone of the repository. */
async function build(input: RenderInstanceInput, extraChart?: TemporaryFolder): Promise<readonly JsonObject[]> {
  using clone = checkOut(renderInstance(input).tree);
  if (extraChart !== undefined) cpSync(extraChart.path, clone.folder('charts', 'echo', '1.0.0'), { recursive: true });
  const { directory } = instanceFiles(input.context.layout, input.instance.id);
  const env = Object.assign({}, ...[...servers.values()].map((server) => server.env)) as NodeJS.ProcessEnv;
  const args = ['build', '--enable-helm', '--helm-command', helm, join(clone.path, directory)];
  return manifestsOf(await execute(kustomize, args, env));
}

/** What helm alone makes of the same chart and values. */
async function template(input: RenderInstanceInput, chart: string): Promise<readonly JsonObject[]> {
  return manifestsOf(await helmTemplate(helm, input, chart));
}

const notes = join(chartsFolder, 'notes/1.1.0');

describe.each(['helm', 'oci', 'git'])('the overlay over a chart of type %s', (type) => {
  it.each(['flat', 'sharded'] as const)('gives what helm gives, in the %s layout', async (layout) => {
    const input = inputOf({ ...NOTES, layout, chart: chartOf(type) });
    const built = await build(input);
    expect(built.map(({ kind }) => kind)).toEqual(['Deployment', 'Ingress', 'PersistentVolumeClaim', 'Service']);
    expect(built).toEqual(await template(input, notes));
  });

  it('marks every volume to be retained, and nothing else', async () => {
    const sample = { ...NOTES, chart: chartOf(type) };
    const input = inputOf({ ...sample, instance: { ...sample.instance, deletionPolicy: 'retain' } });
    const expected = (await template(input, notes)).map((manifest) => {
      if (manifest.kind !== 'PersistentVolumeClaim') return manifest;
      const metadata = manifest.metadata as JsonObject;
      const retained = { 'argocd.argoproj.io/sync-options': 'Delete=false,Prune=false' };
      return {
        ...manifest,
        metadata: { ...metadata, annotations: { ...(metadata.annotations as JsonObject), ...retained } },
      };
    });
    expect(await build(input)).toEqual(expected);
  });
});

describe('the overlay', () => {
  it('retains nothing where a chart has no volume', async () => {
    const input = inputOf({
      chart: { type: 'git', path: 'charts/guestbook/1.0.0' },
      defaultValues: {},
      capabilities: { kustomize: true },
      instance: { deletionPolicy: 'retain', userValues: { title: 'x' } },
    });
    expect(await build(input)).toEqual(await template(input, join(chartsFolder, 'guestbook/1.0.0')));
  });

  it('passes on any values as helm itself would read them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryValues(fc), { minLength: 30, maxLength: 60 }), async (list) => {
        const userValues = Object.fromEntries(list.map((values, index) => [`case-${index}`, values]));
        const chart = { type: 'git', path: 'charts/echo/1.0.0' };
        const input = inputOf({
          chart,
          defaultValues: {},
          capabilities: { kustomize: true },
          instance: { userValues },
        });
        expect(await build(input, echo)).toEqual(await template(input, echo.path));
      }),
      { numRuns: 10 },
    );
  });
});
