import { type RepoPath, renderTombstone, tombstoneOf } from '@caelus/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createEngineContext } from '../src/engine-context.ts';
import { examineInstance } from '../src/examine-instance.ts';
import { liesAsRendered } from '../src/lies-as-rendered.ts';
import { createPartsCache } from '../src/parts-cache.ts';
import { createWorld } from './world.ts';

const edits = ['none', 'values', 'marker', 'application', 'extra', 'less', 'tombstone', 'gone'] as const;
const records = ['as written', 'none', 'of another change', 'of another content', 'application-removed'] as const;
const commands = ['none', 'values', 'same values', 'upgrade', 'delete'] as const;

it('says that nothing is to be done only where the whole examination says so, and says it of what is as it was written', async () => {
  const found = { short: 0, long: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...edits),
      fc.constantFrom(...records),
      fc.constantFrom(...commands),
      async (edit, record, command) => {
        await using world = await createWorld();
        const { repository, store, caelus, options } = world;
        const { id } = await world.create();
        await world.converge();
        if (command === 'values') await caelus.instances.update(id, { values: { title: 'Other' } });
        if (command === 'same values') await caelus.instances.update(id, { labels: { seen: 'yes' } });
        if (command === 'upgrade') await caelus.instances.upgrade(id, { templateVersionId: world.v2.id });
        if (command === 'delete') await caelus.instances.delete(id);
        const written = await repository.findGitState(id);
        const instance = await repository.findInstance(id);
        if (written === undefined || instance === undefined) throw new Error('The instance was not written.');
        const gitState = {
          'as written': written,
          none: undefined,
          'of another change': { ...written, changeId: world.product.id as unknown as typeof written.changeId },
          'of another content': { ...written, contentHash: '0'.repeat(64) },
          'application-removed': { ...written, phase: 'application-removed' as const },
        }[record];
        const places = world.places(id);
        const context = createEngineContext(options);
        const tombstone = new TextDecoder().decode(renderTombstone(tombstoneOf(instance, repository.storeId)));
        if (edit === 'values') await world.editByHand(places.values, 'title: edited\n');
        if (edit === 'marker') await world.editByHand(places.marker, `${await world.readText(places.marker)}# seen\n`);
        if (edit === 'application') await world.editByHand(places.application, null);
        if (edit === 'extra') await world.editByHand(`${places.directory}/notes.txt` as RepoPath, 'mine');
        if (edit === 'less') await world.editByHand(places.values, null);
        if (edit === 'tombstone') await world.editByHand(places.tombstone, tombstone);
        if (edit === 'gone') {
          for (const path of (await (await store.snapshot()).readTree(places.directory)).keys()) {
            await world.editByHand(path, null);
          }
        }
        const snapshot = await store.snapshot();
        const rows = { instance, gitState, parts: createPartsCache(repository) };
        const short = await liesAsRendered(context, snapshot, rows);
        const { decision } = await examineInstance(context, snapshot, id, {}, rows);
        found[short ? 'short' : 'long'] += 1;
        if (short) expect(decision).toEqual({ action: 'none' });
        if (edit === 'none' && record === 'as written' && command === 'none') expect(short).toBe(true);
      },
    ),
    {
      numRuns: 150,
      examples: [
        ['none', 'as written', 'none'],
        ...edits.map((edit) => [edit, 'as written', 'none'] as [typeof edit, 'as written', 'none']),
        ...records.map((record) => ['none', record, 'none'] as ['none', typeof record, 'none']),
        ...commands.map((command) => ['none', 'as written', command] as ['none', 'as written', typeof command]),
      ],
    },
  );
  expect(Math.min(found.short, found.long)).toBeGreaterThan(0);
});
