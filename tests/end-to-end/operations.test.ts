import { type InstanceId, parseMarker, parseTombstone } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { fsck, git, gitBytes, treeOf } from '../../packages/git-store/test/git-command.ts';
import { createSite, history, type Kind, openStack, type Site, type Stack, type StackOptions } from './stack.ts';

const ada = { name: 'Ada', email: 'ada@example.com' };
const kinds: readonly Kind[] = ['a directory', 'an HTTP remote'];

/** Runs `body`, and then proves what has to be true after every operation. */
async function inStack(
  kind: Kind,
  options: Partial<StackOptions>,
  body: (stack: Stack, site: Site) => Promise<void>,
): Promise<void> {
  await using site = await createSite(kind);
  await using stack = await openStack({ store: site.storeOf('host'), database: site.database, ...options });
  await body(stack, site);
  const tip = await git(site.bare, ['rev-parse', 'main']);
  await stack.converge();
  expect(await stack.caelus.runOnce()).toEqual({ written: 0, failed: 0, flagged: 0, observed: 0 });
  expect(await git(site.bare, ['rev-parse', 'main'])).toBe(tip);
  await fsck(site.bare);
}

const show = (site: Site, path: string) => git(site.bare, ['show', `main:${path}`]);
const pathsOf = async (site: Site, id: InstanceId) =>
  [...(await treeOf(site.bare, 'refs/heads/main')).keys()].filter((path) => path.includes(id)).toSorted();

describe.each(kinds)('in %s, an instance', (kind) => {
  it('is created', () =>
    inStack(kind, {}, async (stack, site) => {
      const { id } = await stack.create({ values: { title: 'Team wiki' } }, { actor: ada });
      await stack.converge();
      const instance = await stack.caelus.instances.get(id);
      expect(instance).toMatchObject({ status: 'Running', syncStatus: 'Synced', observedGeneration: 1 });
      expect(await pathsOf(site, id)).toEqual([
        `argo-cd/applications/${id}.yaml`,
        `instances/${id}/instance.yaml`,
        `instances/${id}/manifests/namespace.yaml`,
        `instances/${id}/values.yaml`,
      ]);
      expect(await show(site, `instances/${id}/values.yaml`)).toBe('image:\n  tag: "1.0.0"\ntitle: Team wiki\n');
      const marker = parseMarker(await gitBytes(site.bare, ['show', `main:instances/${id}/instance.yaml`]));
      expect(marker).toMatchObject({
        id,
        generation: 1,
        changeId: instance.changeId,
        userValues: { title: 'Team wiki' },
      });
      expect((await history(site.bare)).at(-1)).toEqual({
        author: 'Ada <ada@example.com>',
        subject: 'create wiki of acme',
        changes: [`${id} 1 ${instance.changeId}`],
      });
    }));

  it('gets other values: two files of it change, and nothing else', () =>
    inStack(kind, {}, async (stack, site) => {
      const [{ id }] = [await stack.create(), await stack.create({ tenant: 'other' })];
      await stack.converge();
      const { changeId } = await stack.caelus.instances.update(id, { values: { replicas: 3 } });
      await stack.converge();
      expect(await stack.caelus.instances.get(id)).toMatchObject({ status: 'Running', observedGeneration: 2 });
      expect(await show(site, `instances/${id}/values.yaml`)).toBe(
        'image:\n  tag: "1.0.0"\nreplicas: 3\ntitle: Wiki\n',
      );
      const changed = await git(site.bare, ['diff', '--name-status', 'main~1', 'main']);
      expect(changed).toBe(`M\tinstances/${id}/instance.yaml\nM\tinstances/${id}/values.yaml\n`);
      expect((await history(site.bare)).at(-1)?.changes).toEqual([`${id} 2 ${changeId}`]);
    }));

  it('is upgraded to another template version', () =>
    inStack(kind, {}, async (stack, site) => {
      const { id } = await stack.create({ values: { title: 'Mine' } });
      await stack.converge();
      await stack.caelus.instances.upgrade(id, { templateVersionId: stack.v2.id });
      await stack.converge();
      const instance = await stack.caelus.instances.get(id);
      expect(instance).toMatchObject({ status: 'Running', appliedTemplateVersionId: stack.v2.id });
      expect(await show(site, `instances/${id}/values.yaml`)).toBe('image:\n  tag: "2.0.0"\ntitle: Mine\n');
      expect(await show(site, `argo-cd/applications/${id}.yaml`)).toContain('targetRevision: "2.0.0"\n');
      expect(await git(site.bare, ['diff', '--name-only', 'main~1', 'main'])).toBe(
        `argo-cd/applications/${id}.yaml\ninstances/${id}/instance.yaml\ninstances/${id}/values.yaml\n`,
      );
    }));

  it('is deleted: its Application in one commit, its directory in a later one', () =>
    inStack(kind, {}, async (stack, site) => {
      const { id, namespace } = await stack.create();
      await stack.converge();
      const { changeId } = await stack.caelus.instances.delete(id);
      await stack.caelus.runOnce();
      expect(await git(site.bare, ['diff', '--name-status', 'main~1', 'main'])).toBe(
        `A\t.caelus/tombstones/${id}.yaml\nD\targo-cd/applications/${id}.yaml\n`,
      );
      expect(stack.argoCd.namespaces).toContain(namespace);
      await stack.converge();
      expect(await stack.caelus.instances.get(id)).toMatchObject({ status: 'Deleted', generation: 2 });
      expect(stack.argoCd.namespaces).not.toContain(namespace);
      expect(await pathsOf(site, id)).toEqual([`.caelus/tombstones/${id}.yaml`]);
      const tombstone = await gitBytes(site.bare, ['show', `main:.caelus/tombstones/${id}.yaml`]);
      expect(parseTombstone(tombstone)).toMatchObject({ id, generation: 2, changeId });
      const deletion = `${id} 2 ${changeId}`;
      expect((await history(site.bare)).slice(-2).map(({ changes }) => changes)).toEqual([[deletion], [deletion]]);
    }));

  it('that somebody edited with stock Git is reported, and written again where the policy says so', () =>
    inStack(kind, { driftPolicy: { manualEdit: 'report' } }, async (stack, site) => {
      const { id } = await stack.create();
      await stack.converge();
      const values = await show(site, `instances/${id}/values.yaml`);
      const tip = await editWithStockGit(site, `instances/${id}/values.yaml`, 'title: hacked\n');
      expect(await stack.caelus.runOnce()).toMatchObject({ written: 0, flagged: 1 });
      expect(await git(site.bare, ['rev-parse', 'main'])).toBe(tip);
      expect(await stack.caelus.settled(id)).toMatchObject({ outcome: 'blocked', reason: 'manual-edit' });

      await using repairing = await openStack({
        store: site.storeOf('repairing'),
        database: site.database,
        driftPolicy: { manualEdit: 'repair' },
      });
      await repairing.converge();
      expect(await show(site, `instances/${id}/values.yaml`)).toBe(values);
      expect(await git(site.bare, ['diff', '--name-only', `${tip.trim()}~1`, 'main'])).toBe('');
      await stack.converge();
      expect(await stack.caelus.settled(id)).toMatchObject({ outcome: 'running' });
    }));
});

/** A commit on the branch as somebody with a clone would push one. Returns the new tip. */
async function editWithStockGit({ bare }: Site, path: string, text: string): Promise<string> {
  const clone = `${bare}-clone`;
  await git(bare, ['clone', '-q', bare, clone]);
  const blob = await git(clone, ['hash-object', '-w', '--stdin'], text);
  await git(clone, ['update-index', '--cacheinfo', `100644,${blob.trim()},${path}`]);
  await git(clone, ['commit', '-q', '-m', 'edit by hand']);
  await git(clone, ['push', '-q', 'origin', 'main']);
  return git(bare, ['rev-parse', 'main']);
}
