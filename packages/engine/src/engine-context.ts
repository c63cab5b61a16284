import {
  CaelusError,
  type ChangeNotifier,
  type ChartResolver,
  type Clock,
  createLayout,
  createRenderContext,
  DEFAULT_DRIFT_POLICY,
  type Destination,
  type DriftPolicy,
  type IdSource,
  IN_CLUSTER,
  type Logger,
  parseDestination,
  parseTier,
  type RenderContext,
  type Repository,
  type RepositoryNews,
  type StateStore,
  type StatusSource,
  silentLogger,
  type Tier,
  type TierName,
  type Timestamp,
  toTimestamp,
  uuidNaming,
} from '@caelus/core';
import { inputRefused, issueUnless, refuseInput } from '@caelus/core/adapter';
import { type Ancestry, createAncestry } from './ancestry.ts';
import { type CaelusOptions, DEFAULT_TIMINGS, type Timings } from './caelus-options.ts';
import { createGracePeriods, type GracePeriods } from './grace-periods.ts';
import { createNewsFeed, type NewsFeed } from './news-feed.ts';
import { createObserveOperation, type ObserveOperation } from './observe-operation.ts';
import { checkRetention, type Retention } from './retention.ts';
import { systemClock } from './system-clock.ts';
import { uuidSource } from './uuid-source.ts';
import { createWakeUp, type WakeUp } from './wake-up.ts';

/** The options with every default filled in and checked, and what the parts of one engine share. */
export interface EngineContext {
  readonly repository: Repository;
  readonly store: StateStore;
  readonly status: StatusSource;
  readonly render: RenderContext;
  readonly tiers: ReadonlyMap<TierName, Tier>;
  readonly defaultTier: Tier;
  readonly destination: Destination;
  readonly driftPolicy: DriftPolicy;
  readonly notifier: ChangeNotifier | undefined;
  readonly charts: ChartResolver | undefined;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly observe: ObserveOperation;
  readonly timings: Timings;
  readonly retention: Retention;
  readonly ancestry: Ancestry;
  readonly gracePeriods: GracePeriods;
  /** Rows or events have changed. */
  readonly changed: WakeUp;
  /** Work was requested. */
  readonly due: WakeUp;
  /** Whoever wrote the branch has resigned. */
  readonly vacated: WakeUp;
  /** Wakes the three when another process is the cause. */
  readonly news: NewsFeed;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** Checks the options. @throws {CaelusError} `INVALID_INPUT`, `NAME_INVALID`, `REPOSITORY_URL_INVALID`, `REPOSITORY_URL_CREDENTIALS` */
export function createEngineContext(options: CaelusOptions): EngineContext {
  const { repository, store, status, gitOps, argoCd, layout = 'flat', naming = uuidNaming } = options;
  const tiers = options.tiers.map(parseTier);
  const [defaultTier] = tiers;
  const byName = new Map(tiers.map((tier) => [tier.name, tier]));
  if (defaultTier === undefined || byName.size < tiers.length) {
    const message = 'Give at least one tier, and no two of the same name.';
    throw inputRefused('The configuration', [{ path: '/tiers', message }]);
  }
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const timings = checkTimings({ ...DEFAULT_TIMINGS, ...options.timings });
  const [changed, due, vacated] = [createWakeUp(clock), createWakeUp(clock), createWakeUp(clock)];
  const wakeUps = { work: due, lease: vacated, event: changed };
  const hear = (news: RepositoryNews) => wakeUps[news].wake();
  const onNews = options.listen === false ? undefined : repository.onNews?.bind(repository);
  return {
    repository,
    store,
    status,
    render: createRenderContext({
      storeId: repository.storeId,
      layout: createLayout(layout),
      naming,
      gitOps: { ...gitOps, pathPrefix: store.pathPrefix },
      argoCd,
    }),
    tiers: byName,
    defaultTier,
    destination: parseDestination(options.destination ?? IN_CLUSTER),
    driftPolicy: { ...DEFAULT_DRIFT_POLICY, ...options.driftPolicy },
    notifier: options.notifier,
    charts: options.charts,
    clock,
    ids: options.ids ?? uuidSource,
    logger,
    observe: createObserveOperation(clock, options.telemetry),
    timings,
    retention: checkRetention(options.retention ?? {}),
    ancestry: createAncestry(),
    gracePeriods: createGracePeriods(clock),
    changed,
    due,
    vacated,
    news: createNewsFeed({ onNews, clock, logger, timings, random: Math.random, hear }),
    random: Math.random,
  };
}

/** The present instant. */
export function timestamp({ clock }: Pick<EngineContext, 'clock'>): Timestamp {
  return toTimestamp(clock.now());
}

/** The instant that lies `milliseconds` ahead. */
export function timestampIn({ clock }: Pick<EngineContext, 'clock'>, milliseconds: number): Timestamp {
  return toTimestamp(new Date(clock.now().getTime() + milliseconds));
}

/** The tier of that name. @throws {CaelusError} `TIER_UNKNOWN` */
export function tierOf({ tiers }: Pick<EngineContext, 'tiers'>, name: TierName): Tier {
  const tier = tiers.get(name);
  if (tier !== undefined) return tier;
  throw new CaelusError({
    code: 'TIER_UNKNOWN',
    message: `There is no tier ${name}. Give it to createCaelus, or choose one of ${[...tiers.keys()].join(', ')}.`,
    details: { tier: name },
  });
}

function checkTimings(timings: Timings): Timings {
  const most = 2 ** 31 - 1;
  const isTiming = (value: number) => Number.isSafeInteger(value) && value >= 1 && value <= most;
  const issues = Object.entries(timings).flatMap(([name, value]) =>
    issueUnless(`/timings/${name}`, isTiming(value), `Use a whole number from 1 to ${most}.`),
  );
  refuseInput('The configuration', issues);
  return timings;
}
