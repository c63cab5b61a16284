import {
  diffTrees,
  instanceFiles,
  instanceHash,
  isBelow,
  isCaelusError,
  type JsonObject,
  type JsonValue,
  type RenderInstanceInput,
  type RepoTree,
  renderInstance,
  type Values,
} from '@caelus/core';
import { arbitraryValues } from '@caelus/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { inputOf, SAMPLES, type Sample } from './render-samples.ts';

const samples = fc.constantFrom(...Object.values(SAMPLES));
const values = arbitraryValues(fc);

const texts = (tree: RepoTree) => new Map([...tree].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]));

function withInstance(sample: Sample, instance: Sample['instance']): RenderInstanceInput {
  return inputOf({ ...sample, instance: { ...sample.instance, ...instance } });
}

/** The same value with the keys of every object in another order. */
function reordered(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]): [string, JsonValue] => [key, reordered(member)]);
  return Object.fromEntries(entries.reverse());
}

function manifest(tree: RepoTree, path: Parameters<RepoTree['get']>[0]): JsonObject {
  const documents = parseAllDocuments(new TextDecoder().decode(tree.get(path)));
  expect(documents).toHaveLength(1);
  return documents[0]?.toJS() as JsonObject;
}

describe('rendering', () => {
  it('gives equal bytes for equal input, whatever the order of its keys', () => {
    fc.assert(
      fc.property(samples, values, values, (sample, userValues, platformValues) => {
        const input = withInstance(sample, { userValues, platformValues });
        const { context, ...rows } = input;
        const again = { context, ...(reordered(structuredClone(rows) as never) as unknown as typeof rows) };
        expect(texts(renderInstance(again).tree)).toEqual(texts(renderInstance(input).tree));
      }),
      { numRuns: 200 },
    );
  });

  it('writes a change of values into the values and the marker alone', () => {
    fc.assert(
      fc.property(samples, values, values, (sample, before, after) => {
        const input = withInstance(sample, { userValues: before });
        const first = renderInstance(input);
        const second = renderInstance({ ...input, instance: { ...input.instance, userValues: after, generation: 2 } });
        const files = instanceFiles(input.context.layout, input.instance.id);
        const changed = diffTrees(first.tree, second.tree).map(({ path }) => path);
        expect([files.marker, files.values]).toEqual(expect.arrayContaining(changed));
        expect(second.specHash).toBe(first.specHash);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps everything that a tenant can write out of what Argo CD and Kubernetes interpret', () => {
    const CANARY = 'canary7f3a';
    const hostile = fc.constantFrom(
      '$ARGOCD_APP_NAME',
      `\${ARGOCD_ENV_TOKEN}`,
      '{{ .Values.secret }}',
      '$values/../../x',
      '\n---\nkind: Namespace\nmetadata: {name: kube-system}\n',
      '"\n  project: default\n',
      '../../argo-cd/root.yaml',
      '&a *a !!binary <<',
      '# +argocd:skip-file-rendering',
      '\u2028project: default',
    );
    const tenantValues = fc
      .tuple(values, hostile, hostile)
      .map(([some, key, text]): Values => ({ ...some, [`${key}${CANARY}`]: { list: [`${text}${CANARY}`] } }));
    fc.assert(
      fc.property(samples, tenantValues, (sample, userValues) => {
        const input = withInstance(sample, { userValues });
        const { tree } = renderInstance(input);
        const files = instanceFiles(input.context.layout, input.instance.id);
        const carriers = [...texts(tree)].filter(([, text]) => text.includes(CANARY)).map(([path]) => path);
        expect(carriers.sort()).toEqual([files.marker, files.values]);
        expect(manifest(tree, files.values)).toMatchObject(JSON.parse(JSON.stringify(userValues)) as object);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses hostile ids, names, hosts and labels, or keeps them in their place', () => {
    const text = fc.oneof(
      fc.constantFrom(
        ...['..', '.', '../x', '/etc', '.git', 'a/b', 'a\\b', 'A', 'kube-system', 'argocd', 'default', 'caelus-root'],
        ...['-a', 'a-', 'a.b', 'a b', 'a\nb', 'a\0', 'é', '\u0430', 'a'.repeat(63), 'a'.repeat(64), '', 'con', 'nul'],
        ...['*', '????????', '!argocd', '$values', '{{a}}', 'a;b', 'xn--a', '0', '1e3', 'true', 'null', '0x1', 'yes'],
      ),
      fc.string({ unit: 'grapheme', maxLength: 64 }),
      fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/),
    );
    const attack: fc.Arbitrary<NonNullable<Sample['instance']>> = fc.oneof(
      ...(['id', 'tenant', 'namespace', 'argoAppName'] as const).map((field) =>
        text.map((value) => ({ [field]: value })),
      ),
      text.map((name) => ({ hostname: `${name}.example.com` })),
      fc.dictionary(text, text, { maxKeys: 1 }).map((labels) => ({ labels })),
    );
    let rendered = 0;
    fc.assert(
      fc.property(samples, attack, (sample, instance) => {
        const names = { namespace: 'acme-1', argoAppName: 'acme-1', releaseName: 'guestbook' };
        let input: RenderInstanceInput;
        let tree: RepoTree;
        try {
          input = withInstance({ ...sample, naming: 'slug' }, { ...names, ...instance });
          tree = renderInstance(input).tree;
        } catch (error) {
          expect(isCaelusError(error)).toBe(true);
          return;
        }
        rendered += 1;
        const { context, tier } = input;
        const files = instanceFiles(context.layout, input.instance.id);
        const { namespace, argoAppName } = input.instance;
        expect(['kube-system', 'default', 'argocd', '']).not.toContain(namespace);
        expect(argoAppName).not.toBe('caelus-root');
        for (const path of tree.keys()) expect(path === files.application || isBelow(path, files.directory)).toBe(true);
        for (const path of tree.keys()) expect(path).not.toMatch(/\.\.|\/\/|^\/|\\/);

        const application = manifest(tree, files.application);
        expect(application.metadata).toMatchObject({ name: argoAppName, namespace: 'argocd' });
        expect(application.spec).toMatchObject({ project: `caelus-${tier.name}`, destination: { namespace } });
        for (const path of [...tree.keys()].filter((path) => isBelow(path, files.manifests))) {
          const { kind, metadata } = manifest(tree, path) as { kind: string; metadata: JsonObject };
          expect(kind === 'Namespace' ? metadata.name : metadata.namespace).toBe(namespace);
          expect(Object.keys(metadata.labels as JsonObject).every((key) => OWN_LABELS.test(key))).toBe(true);
          expect(
            Object.keys((metadata.annotations ?? {}) as JsonObject).every((key) => OWN_ANNOTATIONS.test(key)),
          ).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    // Otherwise every attack was refused for another reason than the one it tries.
    expect(rendered).toBeGreaterThan(100);
  });

  it('gives different instances different files, whichever shard they share', () => {
    const ids = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/), {
      minLength: 2,
      maxLength: 2,
    });
    fc.assert(
      fc.property(samples, ids, (sample, [one = '', other = '']) => {
        const render = (id: string) =>
          renderInstance(inputOf({ ...sample, naming: 'slug', instance: { ...sample.instance, id } }));
        const [a, b] = [one, other].map((id) => withReserved(() => render(id)));
        if (a === undefined || b === undefined) return;
        expect([...a.tree.keys()].filter((path) => b.tree.has(path))).toEqual([]);
        expect(a.marker.names.namespace).not.toBe(b.marker.names.namespace);
        expect(a.marker.names.argoAppName).not.toBe(b.marker.names.argoAppName);
      }),
      { numRuns: 200 },
    );
  });

  it('covers every file but the marker by the content hash', () => {
    fc.assert(
      fc.property(samples, fc.nat(), (sample, pick) => {
        const input = inputOf(sample);
        const { tree, marker, contentHash } = renderInstance(input);
        const files = new Map(tree);
        files.delete(instanceFiles(input.context.layout, input.instance.id).marker);
        expect([marker.contentHash, instanceHash(files, marker)]).toEqual([contentHash, contentHash]);
        const [path, bytes] = [...files][pick % files.size] ?? expect.fail('no file');
        files.set(path, Uint8Array.of(...bytes, 0x0a));
        expect(instanceHash(files, marker)).not.toBe(contentHash);
      }),
      { numRuns: 50 },
    );
  });
});

const OWN_LABELS =
  /^(?:app\.kubernetes\.io\/managed-by|(?:label\.)?caelus\.dev\/[a-z0-9-]+|pod-security\.kubernetes\.io\/(?:audit|enforce|warn))$/;
const OWN_ANNOTATIONS = /^argocd\.argoproj\.io\/(?:sync-wave|sync-options|hook|hook-delete-policy)$/;

/** `undefined` for ids that Windows or Git reserves as file names. */
function withReserved<T>(render: () => T): T | undefined {
  try {
    return render();
  } catch (error) {
    if (isCaelusError(error, 'PATH_INVALID')) return undefined;
    throw error;
  }
}
