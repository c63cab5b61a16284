import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventCursor, isCaelusError, type Repository, type Timestamp } from '../src/index.ts';
import { createMemoryRepository, sampleInstance } from '../src/testing/index.ts';

// Events are appended and pruned, a database is restored from a backup, and readers stop and go on at random: each sees exactly
// the events after its cursor, or is told that it cannot.

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString() as Timestamp;

interface Event {
  readonly number: number;
  readonly second: number;
}

/** What there should be: an independent account of it, in plain lists. */
interface Expected {
  /** All that this database ever had, in order. */
  history: readonly Event[];
  /** How many of them were pruned. */
  pruned: number;
}

interface Reader {
  /** What it has seen last, and all that came before it in the database that it read. */
  cursor: string | undefined;
  seen: readonly Event[];
}

const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      seconds: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('prune' as const),
      before: fc.option(fc.nat({ max: 30 }), { nil: undefined }),
      keep: fc.nat({ max: 6 }),
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      reader: fc.nat({ max: 2 }),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back up' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const) }) },
);

const startsWith = (all: readonly Event[], part: readonly Event[]) =>
  part.every((event, index) => all[index] === event);

describe('the stream of events', () => {
  it('gives every reader exactly what follows its cursor, or refuses it', async () => {
    let refused = { pruned: 0, restored: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60, size: 'max' }), async (operations) => {
        const memory = createMemoryRepository();
        let repository: Repository & { copy(): Repository } = memory;
        let expected: Expected = { history: [], pruned: 0 };
        let backup: { readonly repository: typeof memory; readonly expected: Expected } | undefined;
        const readers: Reader[] = [0, 1, 2].map(() => ({ cursor: undefined, seen: [] }));
        let count = 0;

        for (const step of operations) {
          switch (step.kind) {
            case 'append': {
              const events = step.seconds.map((second) => ({ number: ++count, second }));
              await repository.transaction(async (transaction) => {
                for (const { number, second } of events) {
                  await transaction.appendEvent({
                    at: at(second),
                    type: 'instance-updated',
                    instanceId: sampleInstance(number).id,
                    generation: number,
                    changeId: sampleInstance(number).changeId,
                    actor: null,
                    data: { number },
                  });
                }
              });
              expected = { ...expected, history: [...expected.history, ...events] };
              break;
            }
            case 'prune': {
              const { before, keep, limit } = step;
              const pruning = { keep, limit, before: before === undefined ? undefined : at(before) };
              const pruned = await repository.transaction((transaction) => transaction.pruneEvents(pruning));
              const left = expected.history.slice(expected.pruned);
              let most = 0;
              while (
                most < limit &&
                left.length - most > keep &&
                (left[most]?.second ?? 0) < (before ?? Number.POSITIVE_INFINITY)
              )
                most += 1;
              expect(pruned).toBe(most);
              expected = { ...expected, pruned: expected.pruned + most };
              break;
            }
            case 'read': {
              const reader = readers[step.reader] as Reader;
              const { history, pruned } = expected;
              const page = await repository.listEvents({ after: reader.cursor, limit: step.limit }).catch((error) => {
                if (isCaelusError(error, 'CURSOR_EXPIRED')) return error;
                throw error;
              });
              const from = reader.cursor === undefined ? pruned : reader.seen.length;
              const isOurs = startsWith(history, reader.seen);
              if (reader.cursor !== undefined && (!isOurs || from < pruned)) {
                const { reason } = isCaelusError(page, 'CURSOR_EXPIRED') ? page.details : { reason: undefined };
                expect(reason, 'refused').toBeDefined();
                if (isOurs) expect(reason).toBe('pruned');
                refused = { ...refused, [reason as 'pruned']: refused[reason as 'pruned'] + 1 };
                reader.cursor = undefined;
                reader.seen = [];
                break;
              }
              if (isCaelusError(page)) throw page;
              const following = history.slice(from, from + step.limit);
              expect(page.map(({ data }) => data.number)).toEqual(following.map(({ number }) => number));
              if (page.length > 0) {
                reader.cursor = page.at(-1)?.cursor;
                reader.seen = history.slice(0, from + page.length);
              }
              break;
            }
            case 'back up':
              backup = { repository: (repository as typeof memory).copy(), expected };
              break;
            case 'restore':
              if (backup === undefined) break;
              ({ expected } = backup);
              repository = backup.repository.copy() as typeof memory;
              break;
          }
        }
        // Whatever was pruned or restored, every change of the present history is known.
        for (const { number } of expected.history) {
          const { id, changeId } = sampleInstance(number);
          expect(await repository.hasChange(id, changeId)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
    // Both ways of being refused were met.
    expect(refused.pruned).toBeGreaterThan(20);
    expect(refused.restored).toBeGreaterThan(20);
  });

  it('names an event by its place and what it is', () => {
    const event = {
      at: at(1),
      type: 'instance-created',
      instanceId: null,
      generation: 1,
      changeId: null,
      actor: null,
      data: {},
    } as const;
    expect(eventCursor('001', event)).toBe(
      eventCursor('001', { ...event, actor: { name: 'a' }, data: { later: 'added' } }),
    );
    const others = [
      { ...event, at: at(2) },
      { ...event, generation: 2 },
      { ...event, type: 'instance-updated' as const },
    ];
    expect(new Set([event, ...others].map((each) => eventCursor('001', each))).size).toBe(4);
  });
});
