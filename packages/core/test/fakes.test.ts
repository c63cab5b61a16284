import { describe, expect, it } from 'vitest';
import { changeNotifierContract } from '../src/testing/change-notifier-contract.ts';
import { chartResolverContract } from '../src/testing/chart-resolver-contract.ts';
import { clockContract } from '../src/testing/clock-contract.ts';
import { createApplicationFeed } from '../src/testing/fakes/application-feed.ts';
import { createManualClock } from '../src/testing/fakes/manual-clock.ts';
import { createRecordingNotifier } from '../src/testing/fakes/recording-notifier.ts';
import { createReferenceSecretBackend } from '../src/testing/fakes/reference-secret-backend.ts';
import { createSerialIds } from '../src/testing/fakes/serial-ids.ts';
import { createStaticChartResolver } from '../src/testing/fakes/static-chart-resolver.ts';
import { idSourceContract } from '../src/testing/id-source-contract.ts';
import { secretBackendContract } from '../src/testing/secret-backend-contract.ts';
import { statusSourceContract } from '../src/testing/status-source-contract.ts';

statusSourceContract(
  { describe, it },
  {
    name: 'application feed',
    async create() {
      const feed = createApplicationFeed('feed');
      return {
        source: feed.source,
        async put(name, revision) {
          feed.put({ metadata: { name }, spec: {}, status: { sync: { status: 'Synced', revision } } });
        },
        async remove(name) {
          feed.remove(name);
        },
        async [Symbol.asyncDispose]() {},
      };
    },
  },
);

const wiki = { type: 'helm', repoURL: 'https://charts.example.com', chart: 'wiki' } as const;
chartResolverContract(
  { describe, it },
  {
    name: 'static',
    create: async () => createStaticChartResolver({ wiki: ['1.0.0', '1.4.2', '2.0.0'] }),
    known: [
      { given: wiki, pinned: { ...wiki, version: '2.0.0' } },
      { given: { ...wiki, version: '^1' }, pinned: { ...wiki, version: '1.4.2' } },
      { given: { ...wiki, version: '1.x' }, pinned: { ...wiki, version: '1.4.2' } },
    ],
    unknown: { ...wiki, chart: 'nothing' },
  },
);

changeNotifierContract(
  { describe, it },
  {
    name: 'recording',
    async create() {
      const notifier = createRecordingNotifier();
      return {
        notifier,
        received: async () =>
          notifier.notifications.map(({ commit, edits }) => ({ commit, paths: edits.map(({ path }) => path) })),
        async [Symbol.asyncDispose]() {},
      };
    },
  },
);

clockContract(
  { describe, it },
  {
    name: 'manual',
    create() {
      const clock = createManualClock();
      return { clock, advance: clock.advance };
    },
  },
);

idSourceContract({ describe, it }, { name: 'serial', create: createSerialIds });

secretBackendContract({ describe, it }, { name: 'reference', create: async () => createReferenceSecretBackend() });

describe('the manual clock', () => {
  it('wakes sleepers when their time has come, in order', async () => {
    const clock = createManualClock();
    const woken: number[] = [];
    const sleepers = [300, 100, 200].map((ms) => clock.sleep(ms).then(() => woken.push(ms)));
    clock.advance(200);
    await Promise.all(sleepers.slice(1));
    expect(woken).toEqual([100, 200]);
    expect(clock.now().toISOString()).toBe('2026-01-01T00:00:00.200Z');
    clock.advance(100);
    await sleepers[0];
    expect(woken).toEqual([100, 200, 300]);
  });
});

describe('serial ids', () => {
  it('count up as UUIDs, apart for each seed', () => {
    const [a, b] = [createSerialIds(1), createSerialIds(2)];
    const ids = [a.uuid(), a.uuid(), b.uuid(), b.uuid()];
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
