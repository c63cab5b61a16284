import { join } from 'node:path';
import type { PullRequest } from '@caelus/git-store';
import { describe, expect, it } from 'vitest';
import { fsck, git } from '../../packages/git-store/test/git-command.ts';
import { createSite, type Kind, openStack, type Site } from './stack.ts';

const rows: readonly [Kind, 'merge' | 'squash'][] = [
  ['a directory', 'merge'],
  ['a directory', 'squash'],
  ['an HTTP remote', 'squash'],
];

describe.each(rows)('where people merge what Caelus proposes to %s by a %s, an instance', (kind, how) => {
  it('runs once its request is merged, and not before', async () => {
    await using site = await createSite(kind);
    await git(
      site.bare,
      ['fast-import', '--quiet'],
      'commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 4\nseed\n',
    );
    const requests: PullRequest[] = [];
    const host = { ensureOpen: async (request: PullRequest) => void requests.push(request) };
    await using stack = await openStack({
      store: { ...site.storeOf('host'), pullRequest: { host } },
      database: site.database,
    });
    const { id } = await stack.create();
    await stack.converge();
    expect((await stack.caelus.instances.get(id)).status).not.toBe('Running');
    expect(await git(site.bare, ['ls-tree', '-r', 'main'])).toBe('');

    await merge(site, how);
    await stack.converge();
    expect(await stack.caelus.instances.get(id)).toMatchObject({ status: 'Running', observedGeneration: 1 });

    await stack.caelus.instances.update(id, { values: { title: 'Another' } });
    await stack.converge();
    expect(await git(site.bare, ['show', `main:instances/${id}/values.yaml`])).not.toContain('Another');
    await merge(site, how);
    await stack.converge();
    expect(await stack.caelus.instances.get(id)).toMatchObject({ status: 'Running', observedGeneration: 2 });
    expect(await stack.caelus.runOnce()).toEqual({ written: 0, failed: 0, flagged: 0, observed: 0 });
    expect(requests.at(-1)?.title).toMatch(/^update wiki of acme/);
    await fsck(site.bare);
  });
});

async function merge({ bare }: Site, how: 'merge' | 'squash'): Promise<void> {
  const work = join(bare, `../work-${Math.random()}`);
  await git(join(bare, '..'), ['clone', '-q', bare, work]);
  await git(work, ['merge', '-q', how === 'merge' ? '--no-ff' : '--squash', 'origin/caelus/changes', '-m', 'Merge']);
  if (how === 'squash') await git(work, ['commit', '-q', '-m', 'Squash']);
  await git(work, ['push', '-q', 'origin', 'main']);
}
