import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createKnownApplications,
  type KnownApplications,
  type VersionedApplication,
} from '../src/status/known-applications.ts';
import { compareVersions } from '../src/status/resource-version.ts';

type Step =
  | { readonly do: 'write'; readonly name: string }
  | { readonly do: 'delete'; readonly name: string }
  /** The stream brings its next events, or loses them. */
  | { readonly do: 'deliver'; readonly kept: readonly boolean[] }
  /** Another server takes over the stream, and is as far behind as it likes: first what it has, then what comes after. */
  | { readonly do: 'reconnect'; readonly behind: number }
  | { readonly do: 'list'; readonly behind: number };

const name = fc.constantFrom('one', 'two', 'three');
const behind = fc.nat(12);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), name }) },
  fc.record({ do: fc.constant('delete' as const), name }),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), kept: fc.array(fc.boolean(), { maxLength: 6 }) }),
  },
  fc.record({ do: fc.constant('reconnect' as const), behind }),
  fc.record({ do: fc.constant('list' as const), behind }),
);

interface Change {
  readonly name: string;
  readonly type: 'present' | 'deleted';
}

/** One store, whose revisions count everything that happens in it. */
function createStore() {
  const history: Change[] = [];
  const stateAt = (revision: number) => {
    const state = new Map<string, number>();
    history.slice(0, revision).forEach((change, index) => {
      if (change.type === 'present') state.set(change.name, index + 1);
      else state.delete(change.name);
    });
    return state;
  };
  return { history, stateAt };
}

const application = (of: string, revision: number): VersionedApplication => ({
  metadata: { name: of, resourceVersion: String(revision) },
  spec: {},
});

function run(steps: readonly Step[], known: KnownApplications): void {
  const { history, stateAt } = createStore();
  let cursor = 0;
  /** What somebody who only hears the events believes. */
  const told = new Map<string, string>();
  const last = new Map<string, string>();

  const tell = (event: ReturnType<KnownApplications['observe']>) => {
    if (event?.type === 'present') {
      const { name: of, resourceVersion = '' } = event.application.metadata as VersionedApplication['metadata'];
      // Nothing is told twice, and nothing older after something newer.
      expect(compareVersions(resourceVersion, last.get(of) ?? '0')).toBeGreaterThan(0);
      last.set(of, resourceVersion);
      told.set(of, resourceVersion);
    } else if (event?.type === 'absent') {
      const { name: of } = event;
      const since = Number(told.get(of));
      // What was told of was really deleted since.
      expect(history.some((change, index) => index >= since && change.name === of && change.type === 'deleted')).toBe(
        true,
      );
      told.delete(of);
    }
  };
  const snapshot = (revision: number) => [...stateAt(revision)].map(([of, at]) => application(of, at));
  const list = (revision: number) => {
    const { news, missing } = known.observeListing(snapshot(revision));
    news.forEach(tell);
    for (const of of missing) {
      const version = known.newest();
      const found = stateAt(history.length).get(of);
      tell(
        found === undefined
          ? known.observeAbsence(of, version)
          : known.observe('present', application(of, found), 'read'),
      );
    }
  };

  for (const now of steps) {
    if (now.do === 'write') history.push({ name: now.name, type: 'present' });
    else if (now.do === 'delete') {
      if (stateAt(history.length).has(now.name)) history.push({ name: now.name, type: 'deleted' });
    } else if (now.do === 'deliver') {
      for (const kept of now.kept) {
        const change = history[cursor];
        if (change === undefined) break;
        cursor += 1;
        if (kept) tell(known.observe(change.type, application(change.name, cursor), 'stream'));
      }
    } else if (now.do === 'reconnect') {
      cursor = Math.max(0, history.length - now.behind);
      for (const found of snapshot(cursor)) tell(known.observe('present', found, 'stream'));
    } else list(Math.max(0, history.length - now.behind));
  }

  list(history.length);
  const truth = [...stateAt(history.length)].map(([of, at]) => [of, String(at)] as const);
  expect(new Map(told)).toEqual(new Map(truth));
}

describe('what a watcher knows', () => {
  it('goes only forwards, invents no deletion, and is the truth after a listing that is', () => {
    const steps = fc.array(step, { size: 'max', maxLength: 60 });
    fc.assert(
      fc.property(steps, (all) => run(all, createKnownApplications())),
      { numRuns: 500 },
    );
  });

  it('counts what a listing had and the stream did not bring until the next one', () => {
    const known = createKnownApplications();
    known.observe('present', application('one', 1), 'stream');
    known.observe('present', application('two', 2), 'stream');
    expect(known.observeListing([application('one', 1), application('two', 2)]).lost).toBe(0);
    expect(known.observeListing([application('one', 3), application('two', 4)]).lost).toBe(0);
    known.observe('present', application('one', 3), 'stream');
    expect(known.observeListing([application('one', 3), application('two', 4)]).lost).toBe(1);
    expect(known.observeListing([application('one', 3), application('two', 4)]).lost).toBe(0);
  });

  it('remembers 10,000 deletions, and not more', () => {
    const known = createKnownApplications();
    const all = Array.from({ length: 10_001 }, (_, index) => `app-${index}`);
    for (const of of all) known.observe('present', application(of, 1), 'stream');
    for (const of of all) known.observe('deleted', application(of, 2), 'stream');
    expect(known.observeListing(all.map((of) => application(of, 1))).news).toEqual([
      { type: 'present', application: application('app-0', 1) },
    ]);
  });
});

describe('resource versions', () => {
  it('are ordered as whole numbers of any length', () => {
    const number = fc.bigInt({ min: 0n, max: 2n ** 80n });
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(Math.sign(compareVersions(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('that are no numbers are the same or newer', () => {
    expect([compareVersions('x', 'x'), compareVersions('x', '5'), compareVersions('x', 'y')]).toEqual([0, 1, 1]);
    expect([compareVersions('5', 'x'), compareVersions('', '0'), compareVersions('007', '8')]).toEqual([-1, 1, 1]);
  });
});
