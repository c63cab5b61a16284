import { describe, expect, it } from 'vitest';
import { fsck, git } from '../../packages/git-store/test/git-command.ts';
import { createSite, type Kind, openStack } from './stack.ts';

const kinds: readonly Kind[] = ['a directory', 'an HTTP remote'];

describe.each(kinds)('two databases, each with a directory of one repository in %s,', (kind) => {
  it('run their instances beside each other, and beside the files of others', async () => {
    await using site = await createSite(kind);
    await seed(site.bare);
    const stackOf = (pathPrefix: string, database: string) =>
      openStack({ store: { ...site.storeOf(database), pathPrefix }, database: `${site.database}-${database}` });
    await using eu = await stackOf('clusters/eu', 'eu');
    await using us = await stackOf('clusters/us', 'us');
    const [first, second] = await Promise.all([eu.create(), us.create({ tenant: 'globex' })]);
    await Promise.all([eu.converge(), us.converge()]);
    expect(await eu.caelus.instances.get(first.id)).toMatchObject({ status: 'Running', syncStatus: 'Synced' });
    expect(await us.caelus.instances.get(second.id)).toMatchObject({ status: 'Running', syncStatus: 'Synced' });

    const files = (await git(site.bare, ['ls-tree', '-r', '--name-only', 'main'])).trim().split('\n');
    const others = files.filter((path) => !/^clusters\/(?:eu|us)\/(?:\.caelus|argo-cd|instances)\//.test(path));
    expect(others).toEqual(['README.md', 'clusters/README.md']);
    expect(files).toContain(`clusters/eu/instances/${first.id}/values.yaml`);
    expect(files).toContain(`clusters/us/argo-cd/applications/${second.id}.yaml`);
    expect(files.filter((path) => path.includes(first.id) && !path.startsWith('clusters/eu/'))).toEqual([]);
    const application = await git(site.bare, ['show', `main:clusters/eu/argo-cd/applications/${first.id}.yaml`]);
    expect(application).toContain(`$values/clusters/eu/instances/${first.id}/values.yaml`);

    await eu.caelus.instances.delete(first.id);
    await eu.converge();
    await us.converge();
    expect(await eu.caelus.instances.get(first.id)).toMatchObject({ status: 'Deleted' });
    expect(await us.caelus.instances.get(second.id)).toMatchObject({ status: 'Running' });
    await fsck(site.bare);
  });
});

/** What people have in a repository that Caelus gets a part of. */
async function seed(bare: string): Promise<void> {
  const stream = ['README.md', 'clusters/README.md']
    .map((path) => `M 100644 inline ${path}\ndata 5\nhand\n\n`)
    .join('');
  await git(
    bare,
    ['fast-import', '--quiet'],
    `commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 4\nseed\n${stream}`,
  );
}
