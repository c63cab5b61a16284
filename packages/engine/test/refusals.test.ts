import { inspect } from 'node:util';
import { createStaticChartResolver } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { chart, createWorld, type World } from './world.ts';

/** What must not have moved when something was refused. */
async function fingerprint(world: World): Promise<string> {
  const commits: string[] = [];
  for await (const { commit } of world.store.log()) commits.push(commit);
  const { items } = await world.caelus.instances.list();
  const { pending } = await world.repository.workBacklog();
  return JSON.stringify([commits, items, pending, (await world.events()).length]);
}

async function expectRefused(world: World, code: string, call: () => Promise<unknown>): Promise<void> {
  const before = await fingerprint(world);
  await expect(call()).rejects.toMatchObject({ name: 'CaelusError', code });
  expect(await fingerprint(world)).toBe(before);
}

const UUID = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

describe('a refused create', () => {
  type Case = [string, string, object];
  const cases: Case[] = [
    ['an unknown template version', 'TEMPLATE_VERSION_UNKNOWN', { templateVersionId: 'nothing' }],
    ['an unknown product', 'PRODUCT_UNKNOWN', { productId: 'nothing' }],
    ['an unknown tier', 'TIER_UNKNOWN', { tier: 'gold' }],
    ['values against the schema', 'VALUES_INVALID', { values: { replicas: 9 } }],
    ['values that are no YAML', 'VALUES_NOT_YAML', { values: 'a: [' }],
    ['values that are too deep', 'VALUES_TOO_DEEP', { values: `${'{a: '.repeat(100)}1${'}'.repeat(100)}` }],
    ['values that are too large', 'VALUES_TOO_LARGE', { values: { title: 'x'.repeat(300_000) } }],
    [
      'an alias bomb',
      'VALUES_ALIAS_LIMIT',
      {
        values: `a: &a [1,1,1,1,1,1,1,1,1]\n${[...'bcdefghi'].map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[i]}`)}]`).join('\n')}`,
      },
    ],
    ['duplicate keys', 'VALUES_DUPLICATE_KEY', { values: 'title: a\ntitle: b' }],
    ['an ambiguous scalar', 'VALUES_AMBIGUOUS_SCALAR', { values: 'title: yes' }],
    ['a forbidden key', 'VALUES_KEY_FORBIDDEN', { values: '{"__proto__": {"admin": true}}' }],
    ['a locked value', 'VALUES_LOCKED', { values: { image: { tag: 'evil' } } }],
    ['the platform key', 'VALUES_LOCKED', { values: { caelus: { plan: 'gold' } } }],
    ['a secret', 'VALUES_SECRET_REFUSED', { values: { adminPassword: 'hunter2' } }],
    ['an empty tenant', 'ID_INVALID', { tenant: '' }],
    ['a tenant with a slash', 'ID_INVALID', { tenant: 'a/b' }],
    ['a tenant that climbs', 'ID_INVALID', { tenant: '..' }],
    ['a tenant of look-alikes', 'ID_INVALID', { tenant: 'аcme' }],
    ['a tenant that is too long', 'ID_INVALID', { tenant: 'a'.repeat(64) }],
    ['an id that is no UUID under UUID naming', 'ID_INVALID', { id: 'kube-system' }],
    ['an id that is .git', 'ID_INVALID', { id: '.git' }],
    ['an id with a line break', 'ID_INVALID', { id: `${UUID}\n` }],
    ['a hostname with a control character', 'HOSTNAME_INVALID', { hostname: 'a\u0000.example.com' }],
    ['a hostname of look-alikes', 'HOSTNAME_INVALID', { hostname: 'раураl.example.com' }],
    ['a hostname with a line break', 'HOSTNAME_INVALID', { hostname: 'a.example.com\n' }],
    ['a hostname the chart has no place for', 'HOSTNAME_UNSUPPORTED', { hostname: 'a.example.com' }],
    ['a label that poses as another', 'LABEL_INVALID', { labels: { 'argocd.argoproj.io/instance': 'x' } }],
    ['a label value with a line break', 'LABEL_INVALID', { labels: { team: 'a\nb: c' } }],
    ['data that cannot be retained', 'DELETION_POLICY_UNSUPPORTED', { deletionPolicy: 'retain' }],
    ['a field that does not exist', 'INVALID_INPUT', { namespace: 'kube-system' }],
  ];

  it.each(cases)('%s: %s', async (_, code, input) => {
    await using world = await createWorld();
    await expectRefused(world, code, () => world.create(input));
  });

  it('lists every violation of the schema, and never a value', async () => {
    await using world = await createWorld();
    const canary = 'correct-horse';
    const values = { replicas: canary, title: '', nonsense: canary };
    const error = await world.create({ values }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'VALUES_INVALID',
      details: {
        layer: 'user',
        violations: [
          { path: '/nonsense' },
          { path: '/replicas', keyword: 'type' },
          { path: '/title', keyword: 'minLength' },
        ],
      },
    });
    expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(canary);
  });

  it('a template version of another product', async () => {
    await using world = await createWorld();
    const other = await world.caelus.products.create({ slug: 'forum', name: 'Forum' });
    await expectRefused(world, 'TEMPLATE_VERSION_OF_OTHER_PRODUCT', () => world.create({ productId: other.id }));
  });

  it('a deprecated template version', async () => {
    await using world = await createWorld();
    await world.caelus.templateVersions.deprecate(world.v1.id);
    await expectRefused(world, 'TEMPLATE_VERSION_DEPRECATED', () => world.create());
  });

  it('an id that exists, and a hostname that is taken', async () => {
    await using world = await createWorld();
    const version = await world.caelus.templateVersions.publish({
      productId: world.product.id,
      version: '4.0',
      chart: { ...chart, version: '4.0.0' },
      capabilities: { hostname: '/ingress/host' },
    });
    const input = { templateVersionId: version.id, hostname: 'a.example.com' };
    await world.create({ ...input, id: UUID });
    await expectRefused(world, 'INSTANCE_EXISTS', () => world.create({ id: UUID }));
    await expectRefused(world, 'HOSTNAME_TAKEN', () => world.create(input));
    const named = { ...input, hostname: 'b.example.com', values: { ingress: { host: 'a.example.com' } } };
    await expectRefused(world, 'VALUES_LOCKED', () => world.create(named));
  });
});

describe('a refused template version', () => {
  const cases: [string, string, object][] = [
    ['no version', 'CHART_VERSION_FLOATING', { chart: { type: 'helm', repoURL: chart.repoURL, chart: 'wiki' } }],
    ...['latest', '*', '1', '1.2', '^1.0.0', '1.x', '>=1.0.0', ''].map((version): [string, string, object] => [
      `the version "${version}"`,
      'CHART_VERSION_FLOATING',
      { chart: { ...chart, version } },
    ]),
    [
      'credentials',
      'REPOSITORY_URL_CREDENTIALS',
      { chart: { ...chart, repoURL: 'https://me:hunter2@charts.example.com' } },
    ],
    ['a file URL', 'REPOSITORY_URL_INVALID', { chart: { ...chart, repoURL: 'file:///etc' } }],
    ['a transport helper', 'REPOSITORY_URL_INVALID', { chart: { type: 'git', repoURL: 'ext::sh -c id', path: 'x' } }],
    [
      'a branch',
      'CHART_VERSION_FLOATING',
      { chart: { type: 'git', repoURL: 'https://git.example.com/x.git', path: 'chart', revision: 'main' } },
    ],
    ['a chart that is not there', 'CHART_UNKNOWN', { chart: { type: 'git', path: 'charts/wiki/1.0.0' } }],
    ['a path that climbs', 'PATH_INVALID', { chart: { type: 'git', path: '../../etc' } }],
    [
      'an overlay over a chart of another repository',
      'KUSTOMIZE_UNSUPPORTED',
      {
        chart: { type: 'git', repoURL: 'https://git.example.com/x.git', path: 'chart', revision: 'refs/tags/v1.0.0' },
        capabilities: { kustomize: true },
      },
    ],
    ['a schema that is none', 'VALUES_SCHEMA_INVALID', { valuesSchema: { type: 'nonsense' } }],
    ['a version that exists', 'TEMPLATE_VERSION_EXISTS', { version: '1.0' }],
    ['an unknown product', 'PRODUCT_UNKNOWN', { productId: 'nothing' }],
  ];

  it.each(cases)('%s: %s', async (_, code, input) => {
    await using world = await createWorld();
    const whole = { productId: world.product.id, version: '9.0', chart: { ...chart, version: '9.0.0' }, ...input };
    await expectRefused(world, code, () => world.caelus.templateVersions.publish(whole as never));
  });

  it('never shows the credentials of a URL', async () => {
    await using world = await createWorld();
    const input = {
      productId: world.product.id,
      version: '9.0',
      chart: { ...chart, repoURL: 'https://me:hunter2@x.example.com' },
    };
    const error = await world.caelus.templateVersions.publish(input).catch((caught: unknown) => caught);
    expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain('hunter2');
  });

  it('is pinned instead, where a resolver can', async () => {
    await using world = await createWorld({ charts: createStaticChartResolver({ wiki: ['1.0.0', '1.4.2', '2.0.0'] }) });
    const { version: _, ...unpinned } = chart;
    const publish = (version: string, source: object) =>
      world.caelus.templateVersions.publish({ productId: world.product.id, version, chart: source as never });
    expect((await publish('8.0', unpinned)).chart).toMatchObject({ version: '2.0.0' });
    expect((await publish('8.1', { ...chart, version: '1.x' })).chart).toMatchObject({ version: '1.4.2' });
  });
});

describe('a refused change', () => {
  it('of a generation that is not the newest', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.caelus.instances.update(id, { values: { replicas: 2 } });
    const stale = { expectedGeneration: 1 };
    await expectRefused(world, 'GENERATION_STALE', () => world.caelus.instances.update(id, { values: {} }, stale));
    await expectRefused(world, 'GENERATION_STALE', () => world.caelus.instances.delete(id, stale));
    const { id: templateVersionId } = world.v2;
    await expectRefused(world, 'GENERATION_STALE', () =>
      world.caelus.instances.upgrade(id, { templateVersionId }, stale),
    );
  });

  it('of an instance that is being deleted, or gone', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.caelus.instances.delete(id);
    const write = () => world.caelus.instances.update(id, { values: { replicas: 2 } });
    const upgrade = () => world.caelus.instances.upgrade(id, { templateVersionId: world.v2.id });
    for (const call of [write, upgrade]) await expectRefused(world, 'INSTANCE_DELETED', call);
    await world.converge();
    for (const call of [write, upgrade]) await expectRefused(world, 'INSTANCE_DELETED', call);
    expect(await world.caelus.instances.delete(id)).toMatchObject({ status: 'Deleted', generation: 2 });
  });

  it('to another product', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    const forum = await world.caelus.products.create({ slug: 'forum', name: 'Forum' });
    const version = await world.caelus.templateVersions.publish({ productId: forum.id, version: '1.0', chart });
    await expectRefused(world, 'UPGRADE_ACROSS_PRODUCTS', () =>
      world.caelus.instances.upgrade(id, { templateVersionId: version.id }),
    );
  });

  it('to a version whose schema the values do not meet', async () => {
    await using world = await createWorld();
    const { id } = await world.create({ values: { replicas: 4 } });
    const version = await world.caelus.templateVersions.publish({
      productId: world.product.id,
      version: '5.0',
      chart: { ...chart, version: '5.0.0' },
      valuesSchema: { properties: { replicas: { maximum: 3 } } },
    });
    await expectRefused(world, 'VALUES_INVALID', () =>
      world.caelus.instances.upgrade(id, { templateVersionId: version.id }),
    );
    const upgraded = await world.caelus.instances.upgrade(id, {
      templateVersionId: version.id,
      values: { replicas: 3 },
    });
    expect(upgraded).toMatchObject({ generation: 2, userValues: { replicas: 3 } });
  });

  it('of an instance that does not exist', async () => {
    await using world = await createWorld();
    await expectRefused(world, 'INSTANCE_UNKNOWN', () => world.caelus.instances.get(UUID));
    await expectRefused(world, 'INSTANCE_UNKNOWN', () => world.caelus.instances.update(UUID, {}));
    await expectRefused(world, 'INSTANCE_UNKNOWN', () => world.caelus.instances.delete(UUID));
    await expectRefused(world, 'INSTANCE_UNKNOWN', () => world.caelus.settled(UUID));
    await expectRefused(world, 'ID_INVALID', () => world.caelus.instances.get('../etc'));
  });
});

describe('an idempotency key', () => {
  const key = { idempotencyKey: 'order-4711' };

  it('answers the same request as before, and makes nothing twice', async () => {
    await using world = await createWorld();
    const input = {
      productId: world.product.id,
      templateVersionId: world.v1.id,
      tenant: 'acme',
      values: { replicas: 2 },
    };
    const first = await world.caelus.instances.create(input, key);
    const second = await world.caelus.instances.create({ ...input, values: 'replicas: 2' }, key);
    expect(second.id).toBe(first.id);
    await world.caelus.templateVersions.deprecate(world.v1.id);
    expect((await world.caelus.instances.create(input, key)).id).toBe(first.id);
    expect((await world.caelus.instances.list()).items).toHaveLength(1);
  });

  it('is refused with another body', async () => {
    await using world = await createWorld();
    const input = { productId: world.product.id, templateVersionId: world.v1.id, tenant: 'acme' };
    await world.caelus.instances.create(input, key);
    await expectRefused(world, 'IDEMPOTENCY_KEY_REUSED', () =>
      world.caelus.instances.create({ ...input, tenant: 'other' }, key),
    );
  });

  it('makes one of many at the same time', async () => {
    await using world = await createWorld();
    const input = { productId: world.product.id, templateVersionId: world.v1.id, tenant: 'acme' };
    const created = await Promise.all(Array.from({ length: 20 }, () => world.caelus.instances.create(input, key)));
    expect(new Set(created.map(({ id }) => id)).size).toBe(1);
    expect((await world.caelus.instances.list()).items).toHaveLength(1);
  });

  it('is forgotten after a day', async () => {
    await using world = await createWorld();
    const input = { productId: world.product.id, templateVersionId: world.v1.id, tenant: 'acme' };
    const first = await world.caelus.instances.create(input, key);
    world.clock.advance(86_400_000 - 1);
    expect((await world.caelus.instances.create(input, key)).id).toBe(first.id);
    world.clock.advance(1);
    expect((await world.caelus.instances.create(input, key)).id).not.toBe(first.id);
  });

  it.each(['', 'a b', 'ä', 'x'.repeat(256)])(
    'has to be printable ASCII of 1 to 255 characters: "%s"',
    async (idempotencyKey) => {
      await using world = await createWorld();
      await expectRefused(world, 'INVALID_INPUT', () =>
        world.caelus.products.create({ slug: 'forum', name: 'Forum' }, { idempotencyKey }),
      );
    },
  );

  it('may have 255 characters, and works for products and updates too', async () => {
    await using world = await createWorld();
    const long = { idempotencyKey: 'x'.repeat(255) };
    const forum = await world.caelus.products.create({ slug: 'forum', name: 'Forum' }, long);
    expect(await world.caelus.products.create({ slug: 'forum', name: 'Forum' }, long)).toEqual(forum);
    const { id } = await world.create();
    await world.caelus.instances.update(id, { values: { replicas: 2 } }, long);
    await world.caelus.instances.update(id, { values: { replicas: 3 } });
    const again = await world.caelus.instances.update(id, { values: { replicas: 2 } }, long);
    expect(again).toMatchObject({ generation: 3, userValues: { replicas: 3 } });
  });
});

describe('createCaelus', () => {
  it.each<[string, object]>([
    ['INVALID_INPUT', { tiers: [] }],
    ['INVALID_INPUT', { tiers: [{ name: 'a' }, { name: 'a' }] }],
    ['NAME_INVALID', { tiers: [{ name: 'root' }] }],
    ['REPOSITORY_URL_CREDENTIALS', { gitOps: { repoURL: 'https://token@git.example.com/x.git' } }],
    ['INVALID_INPUT', { gitOps: { repoURL: 'https://git.example.com/x.git', branch: '-x' } }],
    ['INVALID_INPUT', { timings: { poll: 0 } }],
    ['INVALID_INPUT', { argoCd: { version: '1.8' } }],
  ])('refuses with %s: %o', async (code, options) => {
    await expect(createWorld(options as never)).rejects.toMatchObject({ code });
  });
});
