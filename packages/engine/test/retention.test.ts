import { isCaelusError, type RepoPath } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { createCaelus, type EventRetention } from '../src/index.ts';
import { createWorld } from './world.ts';

const HOUR = 3_600_000;

describe('the retention of events', () => {
  it('keeps everything where nothing is said', async () => {
    await using world = await createWorld();
    await world.create();
    await world.converge();
    const before = await world.events();
    world.clock.advance(1000 * HOUR);
    await world.caelus.runOnce();
    expect(await world.events()).toEqual(before);
  });

  it('lets the sweep forget what is old, but for the newest, and the lineage holds', async () => {
    await using world = await createWorld({ retention: { events: { olderThan: 24 * HOUR, keep: 3 } } });
    const { id } = await world.create();
    await world.converge();
    const before = await world.events();
    expect(before.length).toBeGreaterThan(5);
    world.clock.advance(23 * HOUR);
    await world.caelus.runOnce();
    expect(await world.events()).toEqual(before);

    world.clock.advance(2 * HOUR);
    await world.caelus.runOnce();
    expect(await world.events()).toEqual(before.slice(-3));
    await expect(world.repository.listEvents({ after: before[0]?.cursor })).rejects.toMatchObject({
      code: 'CURSOR_EXPIRED',
    });

    // Git still carries a change whose events are gone: nothing is flagged, and the next change is written.
    expect((await world.repository.listDrift()).items).toEqual([]);
    await world.caelus.instances.update(id, { values: { title: 'After' } });
    await world.converge();
    expect(await world.readText(`instances/${id}/values.yaml` as RepoPath)).toContain('After');
    await world.caelus.instances.delete(id);
    await world.converge();
    world.clock.advance(48 * HOUR);
    await world.caelus.runOnce();
    await world.converge();
    expect(await world.events()).toHaveLength(3);
    expect((await world.repository.listDrift()).items).toEqual([]);
    expect(await world.repository.findInstance(id)).toMatchObject({ status: 'Deleted' });
  });

  it('prunes more than one batch in a sweep', async () => {
    await using world = await createWorld({ retention: { events: { keep: 1 } } });
    await world.repository.transaction(async (transaction) => {
      const at = world.clock.now().toISOString() as never;
      const event = { at, instanceId: null, generation: null, changeId: null, actor: null, data: {} };
      for (let number = 0; number < 2500; number++) {
        await transaction.appendEvent({ ...event, type: 'product-created' });
      }
    });
    await world.caelus.runOnce();
    expect(await world.events()).toHaveLength(1);
  });

  it('tells a stream that has fallen behind, and spares one that only found little', async () => {
    await using world = await createWorld({ retention: { events: { olderThan: HOUR } } });
    const { caelus, clock } = world;
    const { id } = await world.create();
    await world.converge();
    const quiet = caelus.events({ types: ['template-version-deprecated'] })[Symbol.asyncIterator]();
    const waiting = quiet.next();
    const slow = caelus.events()[Symbol.asyncIterator]();
    const first = await slow.next();
    expect(first.done).toBe(false);
    // What the slow one has read ahead is its own; it looks again only after these.
    const buffered = (await world.events()).length - 1;
    for (let number = 0; number < buffered; number++) await slow.next();

    await caelus.instances.update(id, { values: { title: 'Two' } });
    await world.converge();
    clock.advance(2 * HOUR);
    await caelus.runOnce();
    const behind = await slow.next().catch((error: unknown) => error);
    expect(isCaelusError(behind, 'CURSOR_EXPIRED')).toBe(true);

    await caelus.templateVersions.deprecate(world.v1.id);
    clock.advance(1000);
    expect((await waiting).value).toMatchObject({ type: 'template-version-deprecated' });
    await quiet.return?.(undefined);
  });

  it('has limits', async () => {
    await using world = await createWorld();
    const open = (events: EventRetention) => createCaelus({ ...world.options, retention: { events } });
    for (const events of [
      {},
      { olderThan: HOUR - 1 },
      { olderThan: 100 * 365 * 24 * HOUR + 1 },
      { olderThan: HOUR + 0.5 },
      { keep: -1 },
      { keep: 0.5 },
    ]) {
      expect(() => open(events), JSON.stringify(events)).toThrow('The retention cannot be accepted');
    }
    for (const events of [{ olderThan: HOUR }, { olderThan: 100 * 365 * 24 * HOUR }, { keep: 0 }]) open(events);
  });

  it('says for each event which commit carries it', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.converge();
    await world.caelus.instances.delete(id);
    await world.converge();
    const events = (await world.events()).filter((event) => event.instanceId === id);
    const written = events.filter(({ type }) => type === 'instance-committed' || type === 'instance-deleted');
    expect(written.length).toBeGreaterThan(2);
    for (const { commit } of written) expect(commit).toMatch(/^[0-9a-f]{40,64}$/);
    for (const event of events.filter((each) => !written.includes(each))) expect(event.commit, event.type).toBeNull();
  });
});
