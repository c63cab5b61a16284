import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  instanceFiles,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  renderInstance,
  type Values,
} from '@caelus/core';
import { arbitraryValues } from '@caelus/core/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { inputOf, type Sample } from '../render-samples.ts';
import { writeEchoChart } from './chart-servers.ts';
import {
  chartsFolder,
  checkOut,
  helmTemplate,
  manifestsOf,
  nameOf,
  TemporaryFolder,
  valuesFileIn,
} from './checkout.ts';
import { execute, goTool } from './go-tools.ts';

let helm: string;
let kustomize: string;
beforeAll(async () => {
  helm = await goTool('helm');
  kustomize = await goTool('kustomize');
}, 1_200_000);

const versions = readdirSync(chartsFolder).flatMap((name) =>
  readdirSync(join(chartsFolder, name)).map((version) => ({
    name,
    version,
    folder: join(chartsFolder, name, version),
  })),
);

/** An instance of one of our charts, with a hostname and, where the chart has a volume, its data retained. */
function sampleOf(
  { name, version }: { readonly name: string; readonly version: string },
  userValues: Values = {},
): Sample {
  const hasVolume = name === 'notes';
  return {
    chart: { type: 'git', path: `charts/${name}/${version}` },
    defaultValues: { ingress: { enabled: true } },
    capabilities: {
      hostname: '/ingress/host',
      ...(hasVolume && { volumes: { annotations: ['/persistence/annotations'] } }),
    },
    instance: { userValues, hostname: 'own.example.com', deletionPolicy: hasVolume ? 'retain' : 'delete' },
  };
}

describe.each(versions)('chart $name $version', (chart) => {
  it('is linted clean with the values that Caelus renders', async () => {
    const input = inputOf(sampleOf(chart));
    using clone = checkOut(renderInstance(input).tree);
    const output = await execute(helm, ['lint', '--strict', chart.folder, '--values', valuesFileIn(clone, input)]);
    expect(output).toContain('1 chart(s) linted, 0 chart(s) failed');
    expect(output).not.toMatch(/\[(?:WARNING|ERROR)\]/);
  });

  it('takes the hostname and the volume annotations, and renders the same each time', async () => {
    const input = inputOf(sampleOf(chart));
    const output = await helmTemplate(helm, input, chart.folder);
    expect(await helmTemplate(helm, input, chart.folder)).toBe(output);
    const manifests = manifestsOf(output);
    const byKind = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);
    expect(byKind('Ingress')[0]).toMatchObject({ spec: { rules: [{ host: 'own.example.com' }] } });
    for (const claim of byKind('PersistentVolumeClaim')) {
      const annotations = { 'argocd.argoproj.io/sync-options': 'Delete=false,Prune=false' };
      expect(claim.metadata).toMatchObject({ annotations });
    }
    expect(byKind('PersistentVolumeClaim')).toHaveLength(chart.name === 'notes' ? 1 : 0);
    for (const { metadata } of manifests) expect((metadata as JsonObject).namespace).toBe(input.instance.namespace);
  });

  it('asks nothing of chance, time or the cluster', () => {
    const templates = readdirSync(join(chart.folder, 'templates'));
    const text = templates.map((name) => readFileSync(join(chart.folder, 'templates', name), 'utf8')).join('\n');
    expect(text).not.toMatch(
      /\b(?:rand\w*|uuidv4|now|date\w*|lookup|genCA|gen\w*Cert|genPrivateKey|htpasswd|bcrypt|tpl)\b/,
    );
  });

  it('has pods that the Pod Security level restricted lets in', async () => {
    const manifests = manifestsOf(await helmTemplate(helm, inputOf(sampleOf(chart)), chart.folder));
    const pods = manifests.flatMap(
      ({ spec }) => ((spec as JsonObject | undefined)?.template as JsonObject | undefined)?.spec ?? [],
    );
    expect(pods).toHaveLength(1);
    for (const pod of pods as JsonObject[]) {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod[key]).toBeUndefined();
      for (const container of pod.containers as JsonObject[]) {
        const capabilities = { drop: ['ALL'] };
        expect(container.securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities });
        expect(container).toMatchObject({ readinessProbe: {}, livenessProbe: {}, resources: { limits: {} } });
      }
      const allowed = ['configMap', 'emptyDir', 'persistentVolumeClaim', 'secret'];
      for (const { name: _, ...volume } of pod.volumes as JsonObject[])
        expect(allowed).toContain(Object.keys(volume)[0]);
    }
  });

  it('refuses values that its schema does not know', async () => {
    await expect(helmTemplate(helm, inputOf(sampleOf(chart, { nothing: 1 })), chart.folder)).rejects.toThrow(/nothing/);
  });
});

describe('our charts', () => {
  it.each(['guestbook', 'notes'])('show that %s was upgraded', async (name) => {
    const images = await Promise.all(
      versions
        .filter((chart) => chart.name === name)
        .map((chart) => helmTemplate(helm, inputOf(sampleOf(chart)), chart.folder)),
    );
    expect(new Set(images.map((output) => /image: (.*)/.exec(output)?.[1])).size).toBe(2);
  });

  it('print what people type as text', async () => {
    const chart =
      versions.find(({ name, version }) => name === 'guestbook' && version === '1.1.0') ?? expect.fail('no chart');
    const expected = manifestsOf(await helmTemplate(helm, inputOf(sampleOf(chart)), chart.folder)).map(nameOf);
    const hostile = [
      '</h1><script>alert(1)</script>',
      'a"\n---\nkind: Secret\nmetadata: {name: x}\n',
      '\r\u2028\u0085kind: x',
      '{{ .Release }}',
    ];
    for (const text of hostile) {
      const output = await helmTemplate(helm, inputOf(sampleOf(chart, { title: text, message: text })), chart.folder);
      const manifests = manifestsOf(output);
      expect(manifests.map(nameOf)).toEqual(expected);
      expect(output).not.toContain('<script>');
    }
  });
});

describe('helm', () => {
  it('reads the values file as exactly the values that were merged', async () => {
    using folder = new TemporaryFolder();
    folder.folder('templates');
    writeEchoChart(folder.path);
    // Many values go into one file, because starting helm costs more than reading it.
    const cases = fc.array(arbitraryValues(fc), { minLength: 50, maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(cases, async (list) => {
        const userValues = Object.fromEntries(list.map((values, index) => [`case-${index}`, values]));
        const input = inputOf({ defaultValues: {}, capabilities: {}, instance: { userValues } });
        const [manifest] = manifestsOf(await helmTemplate(helm, input, folder.path));
        const { values } = (manifest?.data ?? expect.fail('no manifest')) as { values: string };
        const read = JSON.parse(Buffer.from(values, 'base64').toString()) as JsonValue;
        expect(withoutNulls(read)).toEqual(
          withoutNulls(JSON.parse(JSON.stringify(renderInstance(input).values)) as JsonValue),
        );
      }),
      { numRuns: 20 },
    );
  });
});

describe('the plain manifests', () => {
  it('are read by kustomize as the objects that were rendered', async () => {
    const input = inputOf({
      tier: {
        resourceQuota: { 'requests.cpu': '2' },
        limitRange: { default: { memory: '1Gi' } },
        networkPolicy: 'default-deny',
      },
    });
    const { tree } = renderInstance(input);
    using clone = checkOut(tree);
    const folder = join(clone.path, instanceFiles(input.context.layout, input.instance.id).manifests);
    const names = readdirSync(folder);
    await execute(kustomize, ['create', '--resources', names.join(',')], {}, folder);
    const built = manifestsOf(await execute(kustomize, ['build', folder]));
    const rendered = manifestsOf(names.map((name) => readFileSync(join(folder, name), 'utf8')).join('---\n'));
    expect(built).toEqual(rendered);
    expect(built.map(({ kind }) => kind)).toEqual(['LimitRange', 'Namespace', 'NetworkPolicy', 'ResourceQuota']);
  });
});

/** Helm drops keys whose value is null, which is what a user means by it. */
function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([key, member]) => [key, withoutNulls(member)]));
}
