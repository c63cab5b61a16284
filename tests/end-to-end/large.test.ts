import { parseMarker, parseValues, VALUES_LIMITS } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { fsck, git, gitBytes } from '../../packages/git-store/test/git-command.ts';
import { createSite, history, openStack, type Site, type Stack, type StackOptions } from './stack.ts';

async function inStack(
  body: (stack: Stack, site: Site) => Promise<void>,
  timings: StackOptions['timings'] = {},
): Promise<void> {
  await using site = await createSite('a directory');
  await using stack = await openStack({ store: site.storeOf('host'), database: site.database, timings });
  await body(stack, site);
  await fsck(site.bare);
}

/** Values of exactly so many bytes as canonical JSON: `{"title":"…"}`. */
const valuesOf = (bytes: number) => ({ title: 'x'.repeat(bytes - '{"title":""}'.length) });

describe('text in any language, and text that YAML misreads', () => {
  const titles = [
    'Zoë’s wiki 🦊',
    '王小明的百科',
    'ויקי של דנה',
    'e\u0301 is not \u00e9',
    'yes',
    'null',
    '~',
    '0x1f',
    '1_000',
    '12:30:45',
    '2001-01-01',
    'a: b # c',
    '- item',
    '{{ .Values.title }}',
    '$values/../../etc',
    '"quoted" \'twice\' \\n',
    ' outer spaces ',
    'two\nlines\n\n',
    'tab\there',
    '\u2028\u2029\u0085\ufeff',
    'Caelus-Change: forged',
    'https://example.com/?a=1&b=2#c',
  ];

  it('arrives in Git as it was given, and the author’s name too', () =>
    inStack(async (stack, site) => {
      const actor = { name: 'Zoë 🦊 王小明 דנה', email: 'zoe@example.com' };
      const values = Object.fromEntries(
        titles.flatMap((title, index) => [
          [`k${index}`, title],
          [title, index],
        ]),
      );
      const { id, changeId } = await stack.create({ values }, { actor });
      await stack.converge();
      expect(await stack.caelus.instances.get(id)).toMatchObject({ status: 'Running', userValues: values });
      const text = await git(site.bare, ['show', `main:instances/${id}/values.yaml`]);
      expect(parseValues(text)).toEqual({ image: { tag: '1.0.0' }, title: 'Wiki', ...values });
      const marker = await gitBytes(site.bare, ['show', `main:instances/${id}/instance.yaml`]);
      expect(parseMarker(marker).userValues).toEqual(values);
      expect((await history(site.bare)).at(-1)).toEqual({
        author: 'Zoë 🦊 王小明 דנה <zoe@example.com>',
        subject: 'create wiki of acme',
        changes: [`${id} 1 ${changeId}`],
      });
    }));

  it.each([
    ['NAME_INVALID', {}, { actor: { name: 'Ada\nCaelus-Change: forged' } }],
    ['NAME_INVALID', {}, { actor: { name: 'Ada> <mallory@example.com' } }],
    ['NAME_INVALID', {}, { actor: { name: '\u202eada' } }],
    ['ID_INVALID', { tenant: 'acme\nCaelus-Change: forged' }, {}],
    ['VALUES_TOO_LARGE', { values: valuesOf(VALUES_LIMITS.bytes + 1) }, {}],
    ['ID_INVALID', { id: '../../../etc/passwd' }, {}],
  ])('is refused with %s where it could deceive, and nothing is written', (code, input, options) =>
    inStack(async (stack, site) => {
      await stack.caelus.runOnce();
      const before = await history(site.bare);
      await expect(stack.create(input, options)).rejects.toMatchObject({ code });
      expect((await stack.caelus.instances.list()).items).toEqual([]);
      expect(await stack.caelus.runOnce()).toMatchObject({ written: 0 });
      expect(await history(site.bare)).toEqual(before);
    }),
  );
});

describe('values of the greatest size', () => {
  it('of more instances than one commit can hold are written all the same, and none is called failed', () =>
    inStack(
      async (stack, site) => {
        // In values.yaml and again in the marker: 140 of them are 70 MiB, and a commit holds at most 64.
        const values = valuesOf(VALUES_LIMITS.bytes);
        const created = await Promise.all(Array.from({ length: 140 }, () => stack.create({ values })));
        await stack.caelus.runOnce();
        const rows = await Promise.all(created.map(({ id }) => stack.caelus.instances.get(id)));
        expect(rows.filter(({ status, lastError }) => status === 'Failed' || lastError !== null)).toEqual([]);
        expect(await stack.repository.workBacklog()).toMatchObject({ pending: 0 });
        const changes = (await history(site.bare)).flatMap((commit) => commit.changes);
        expect(new Set(changes).size).toBe(140);
        expect(changes).toHaveLength(140);
        const { id } = created.at(-1) ?? {};
        const text = await git(site.bare, ['show', `main:instances/${id}/values.yaml`]);
        expect(text).toBe(`image:\n  tag: "1.0.0"\ntitle: ${values.title}\n`);
      },
      { retry: 3_600_000, retryLimit: 3_600_000 },
    ));
});

// Argo CD is simulated file by file, so it sees the thousand by `npm run test:heavy` alone.
const isHeavy = process.env.CAELUS_CRASH_FACTOR !== undefined;
const seen = isHeavy ? 1000 : 64;
const created = isHeavy ? 1000 : 480;

describe(`${created} instances`, () => {
  it(
    'that several callers create at once are written by one pass, in commits of a batch each',
    { timeout: 300_000 },
    () =>
      inStack(
        async (stack, site) => {
          await createMany(stack, created);
          expect(await stack.caelus.runOnce()).toMatchObject({ written: created, failed: 0, flagged: 0 });
          const batches = Array.from({ length: Math.ceil(created / 200) }, (_, batch) =>
            Math.min(200, created - batch * 200),
          );
          const commits = await history(site.bare);
          const written = commits.map(({ changes }) => changes.length).filter((count) => count > 0);
          expect(written).toEqual(batches);
          expect(await stack.caelus.runOnce()).toMatchObject({ written: 0, failed: 0, flagged: 0 });
          expect(await history(site.bare)).toEqual(commits);
        },
        { batch: 200 },
      ),
  );

  it(`converge: ${seen} of them`, { timeout: 600_000 }, () =>
    inStack(async (stack, site) => {
      await createMany(stack, seen);
      await stack.caelus.runOnce();
      await stack.argoCd.settle();
      const tip = await git(site.bare, ['rev-parse', 'main']);
      expect(await stack.caelus.runOnce()).toMatchObject({ written: 0, observed: seen });
      expect(await git(site.bare, ['rev-parse', 'main'])).toBe(tip);
      expect(stack.argoCd.namespaces.size).toBe(seen);
      const unsettled = await stack.caelus.instances.list({ status: ['Pending', 'Failed', 'Deleting'] });
      expect(unsettled.items).toEqual([]);
    }),
  );
});

/** Eight callers at once, each with its share. */
async function createMany(stack: Stack, count: number): Promise<void> {
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    for (let index = 0; index < count / 8; index++) {
      await stack.create({ tenant: `caller-${caller}`, values: { title: `${caller} ${index}` } });
    }
  });
  await Promise.all(callers);
}
