import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RemedyName } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { fsck, git, treeOf } from '../../packages/git-store/test/git-command.ts';
import { createSite, type Kind, openStack, type Site, type Stack } from './stack.ts';

// The table of failures once more, over an SQLite file and a branch that stock Git reads and forces.

const kinds: readonly Kind[] = ['a directory', 'an HTTP remote'];
const tipOf = (site: Site) => git(site.bare, ['rev-parse', 'main']);
const backupOf = (site: Site) => join(site.bare, '..', 'backup.db');

async function findingsOf({ caelus }: Stack) {
  const findings = [];
  for await (const finding of caelus.inspect()) findings.push(finding);
  return findings;
}
const kindsOf = async (stack: Stack) => (await findingsOf(stack)).map(({ kind }) => kind).toSorted();

/** Converges although something is flagged, which leaves no work but is not settled. */
async function settle(stack: Stack): Promise<void> {
  await stack.converge();
}

async function resolveAll(stack: Stack, choose: (names: readonly RemedyName[]) => RemedyName | undefined) {
  for (const finding of await findingsOf(stack)) {
    const remedy = choose(finding.remedies.map(({ name }) => name));
    if (remedy) await stack.caelus.resolve(finding, remedy, { actor: { name: 'Ada' } });
  }
  await settle(stack);
}

describe.each(kinds)('with %s', (kind) => {
  it.each<RemedyName>(['git-wins', 'database-wins'])(
    'a database that was restored writes nothing until %s',
    async (winner) => {
      await using site = await createSite(kind);
      let changed = '';
      {
        await using stack = await openStack({ store: site.storeOf('host'), database: site.database });
        const [first, gone] = [await stack.create(), await stack.create()];
        changed = first.id;
        await settle(stack);
        // A backup as SQLite makes one: whole, while the database is in use.
        await stack.repository[Symbol.asyncDispose]();
        await copyFile(site.database, backupOf(site));
        await using day = await openStack({ store: site.storeOf('host'), database: site.database });
        await day.caelus.instances.update(changed, { values: { replicas: 3 } });
        await day.caelus.instances.delete(gone.id);
        await day.create({ tenant: 'globex' });
        await settle(day);
      }
      await using restored = await openStack({ store: site.storeOf('host'), database: backupOf(site) });
      const tip = await tipOf(site);
      await settle(restored);
      expect(await tipOf(site)).toBe(tip);
      expect(await kindsOf(restored)).toEqual(['database-behind', 'deleted-in-git', 'orphan']);
      await resolveAll(restored, (names) =>
        names.includes(winner) ? winner : names.includes('delete') ? 'delete' : names[0],
      );
      expect(await kindsOf(restored)).toEqual([]);
      const settled = await tipOf(site);
      await settle(restored);
      expect(await tipOf(site)).toBe(settled);
      const { items } = await restored.caelus.instances.list();
      // Git: one changed, one deleted, one created since. The database: two that run, and what it never had is deleted.
      expect(items.map(({ status }) => status).toSorted()).toEqual(['Deleted', 'Running', 'Running']);
      const { userValues } = await restored.caelus.instances.get(changed);
      expect(userValues).toEqual(winner === 'git-wins' ? { replicas: 3 } : {});
      await fsck(site.bare);
    },
  );

  it('a branch that is forced back gets back what it lost', async () => {
    await using site = await createSite(kind);
    await using stack = await openStack({ store: site.storeOf('host'), database: site.database });
    const [changed, gone] = [await stack.create(), await stack.create()];
    await settle(stack);
    const early = (await tipOf(site)).trim();
    await stack.caelus.instances.update(changed.id, { values: { replicas: 3 } });
    await stack.caelus.instances.delete(gone.id);
    await settle(stack);
    const before = await treeOf(site.bare, 'refs/heads/main');
    await git(site.bare, ['update-ref', 'refs/heads/main', early]);
    expect((await kindsOf(stack)).includes('git-rewound')).toBe(true);
    await settle(stack);
    expect(await treeOf(site.bare, 'refs/heads/main')).toEqual(before);
    expect(await kindsOf(stack)).toEqual([]);
    const rewound = await stack.repository.listEvents({ types: ['git-rewound'] });
    expect(rewound.map(({ data }) => data.to)).toHaveLength(1);
  });

  it('either side is rebuilt from the other', async () => {
    await using site = await createSite(kind);
    await using stack = await openStack({ store: site.storeOf('host'), database: site.database });
    const [changed, gone] = [await stack.create(), await stack.create(), await stack.create({ tenant: 'globex' })];
    await settle(stack);
    await stack.caelus.instances.upgrade(changed.id, { templateVersionId: stack.v2.id });
    await stack.caelus.instances.delete(gone.id);
    await settle(stack);
    const rows = (await stack.caelus.instances.list()).items.map(({ id, generation, status }) => [
      id,
      generation,
      status,
    ]);
    const tip = await tipOf(site);
    {
      const database = join(site.bare, '..', 'rebuilt.db');
      await using rebuilt = await openStack({ store: site.storeOf('other'), database, rebuild: true });
      expect(await kindsOf(rebuilt)).toEqual([]);
      await settle(rebuilt);
      expect(await tipOf(site)).toBe(tip);
      const { items } = await rebuilt.caelus.instances.list();
      expect(items.map(({ id, generation, status }) => [id, generation, status])).toEqual(rows);
    }
    const before = await treeOf(site.bare, 'refs/heads/main');
    await git(site.bare, ['update-ref', '-d', 'refs/heads/main']);
    await stack.caelus.rebuildGit();
    expect(await treeOf(site.bare, 'refs/heads/main')).toEqual(before);
    await settle(stack);
    expect(await kindsOf(stack)).toEqual([]);
    await fsck(site.bare);
  });
});
