import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLayout, instanceFiles, instanceIdOf, shardOf } from '../src/layout/layout.ts';
import { isBelow } from '../src/layout/repo-path.ts';
import { type InstanceId, parseInstanceId, parseSlug, type Slug } from '../src/model/identifier.ts';
import { slugNaming, uuidNaming } from '../src/naming/naming-strategy.ts';

const label = (max: number) => fc.stringMatching(new RegExp(`^[a-z0-9]([a-z0-9-]{0,${max - 2}}[a-z0-9])?$`));
const slug = label(40).map(parseSlug);
const uuid = fc.uuid().map(parseInstanceId);
// Windows cannot hold files of these names, so no path is made of them.
const anyId = fc.oneof(
  uuid,
  label(63)
    .filter((id) => !/^(con|prn|aux|nul|com\d|lpt\d)$/.test(id))
    .map(parseInstanceId),
);

const RELEASE = /^[a-z]([a-z0-9-]{0,51}[a-z0-9])?$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** What `*`, `?` and `[0-9]` mean in Argo CD's globs. */
function globToRegExp(glob: string): RegExp {
  return new RegExp(
    `^${glob
      .replaceAll(/[.+^$(){}|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
}

describe.each([
  ['uuid', uuidNaming, uuid],
  ['slug', slugNaming, anyId],
] as const)('%s naming', (_, strategy, ids) => {
  it('gives names that Kubernetes, Helm and Argo CD accept, and that its own pattern matches', () => {
    fc.assert(
      fc.property(ids as fc.Arbitrary<InstanceId>, slug, (id, productSlug) => {
        const names = strategy.names({ id, slug: productSlug });
        expect(names.namespace).toMatch(LABEL);
        expect(names.argoAppName).toMatch(LABEL);
        expect(names.releaseName).toMatch(RELEASE);
        expect(names.namespace).toMatch(globToRegExp(strategy.namespacePattern));
        expect(strategy.names({ id, slug: productSlug })).toEqual(names);
      }),
      { numRuns: 2000 },
    );
  });

  it('never matches a namespace that belongs to the cluster', () => {
    const pattern = globToRegExp(strategy.namespacePattern);
    const others = [
      'default',
      'kube-system',
      'kube-public',
      'kube-node-lease',
      'argocd',
      'argo-rollouts',
      'cert-manager',
    ];
    for (const namespace of [...others, 'external-secrets', 'ingress-nginx', 'kubernetes-dashboard', 'monitoring']) {
      expect(namespace).not.toMatch(pattern);
    }
  });
});

describe('uuid naming', () => {
  it('names namespace and Application by the UUID, and the release by the product', () => {
    const id = parseInstanceId('1f0e8400-e29b-41d4-a716-446655440000');
    const nextcloud = parseSlug('nextcloud');
    expect(uuidNaming.names({ id, slug: nextcloud })).toEqual({
      namespace: id,
      argoAppName: id,
      releaseName: 'nextcloud',
    });
  });

  it.each(['kube-system', 'default', 'argocd', '42'])('refuses the id %s, which might be a foreign namespace', (id) => {
    const name = () => uuidNaming.names({ id: parseInstanceId(id), slug: parseSlug('nextcloud') });
    expect(name).toThrow(expect.objectContaining({ code: 'ID_INVALID' }));
  });

  it('lets a release start with a letter where the product does not', () => {
    const id = parseInstanceId('1f0e8400-e29b-41d4-a716-446655440000');
    expect(uuidNaming.names({ id, slug: '2048' as Slug }).releaseName).toBe('r-2048');
  });
});

describe('slug naming', () => {
  it('tells instances of one product apart', () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => parseInstanceId(String(index)));
    const names = ids.map((id) => slugNaming.names({ id, slug: parseSlug('wiki') }).argoAppName);
    expect(new Set(names).size).toBe(ids.length);
  });
});

describe.each(['flat', 'sharded'] as const)('the %s layout', (name) => {
  const layout = createLayout(name);

  it('keeps every file of an instance in its own places', () => {
    fc.assert(
      fc.property(anyId, anyId, (id, other) => {
        const files = instanceFiles(layout, id);
        for (const path of [files.marker, files.values, files.manifests, files.kustomization]) {
          expect(isBelow(path, files.directory)).toBe(true);
        }
        expect(layout.instanceParents.some((parent) => files.directory === `${parent}/${id}`)).toBe(true);
        expect(layout.applicationDirectories.some(({ path }) => files.application === `${path}/${id}.yaml`)).toBe(true);
        if (other === id) return;
        const others = instanceFiles(layout, other);
        expect(new Set([...Object.values(files), ...Object.values(others)]).size).toBe(14);
        expect(isBelow(others.directory, files.directory)).toBe(false);
      }),
    );
  });

  it('reads an instance id back from its directory, and from nothing else', () => {
    fc.assert(
      fc.property(anyId, (id) => {
        expect(instanceIdOf(id)).toBe(id);
      }),
    );
    for (const name of ['.gitkeep', 'README.md', 'Foo', '..', '', 'a_b', 'x'.repeat(64)]) {
      expect(instanceIdOf(name)).toBeUndefined();
    }
  });
});

describe('shardOf', () => {
  it('takes the last two digits of a UUID', () => {
    expect(shardOf(parseInstanceId('1f0e8400-e29b-41d4-a716-4466554400ab'))).toBe('ab');
  });

  it('spreads serial numbers', () => {
    const shards = Array.from({ length: 2560 }, (_, index) => shardOf(parseInstanceId(String(index))));
    const sizes = Object.values(
      Object.fromEntries(shards.map((shard) => [shard, shards.filter((s) => s === shard).length])),
    );
    expect(sizes.length).toBe(256);
    expect(Math.max(...sizes)).toBeLessThan(30);
  });
});
