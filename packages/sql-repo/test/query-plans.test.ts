import type { EventQuery, InstanceFilter, TemplateVersionFilter } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { migrate } from '../src/migrations/migrate.ts';
import { sqlitePlan } from '../src/migrations/sqlite-plan.ts';
import type { SqlSession } from '../src/sql-session.ts';
import { openSqliteDatabase } from '../src/sqlite/sqlite-database.ts';
import { loadSqliteDriver } from '../src/sqlite/sqlite-driver.ts';
import { findDrift, listDrift } from '../src/tables/drift.ts';
import { eventHead, hasChange, listEvents } from '../src/tables/events.ts';
import { findGitStates } from '../src/tables/git-states.ts';
import { purgeIdempotencyRecords } from '../src/tables/idempotency-records.ts';
import {
  findInstanceByArgoAppName,
  findInstances,
  findInstancesByArgoAppNames,
  listInstances,
} from '../src/tables/instances.ts';
import { findLease } from '../src/tables/leases.ts';
import { findProductBySlug, listProducts } from '../src/tables/products.ts';
import { pruneEvents } from '../src/tables/pruned-events.ts';
import { listTemplateVersions } from '../src/tables/template-versions.ts';
import { completeWork, completeWorkMany, findWork, listWork, requestWork, workBacklog } from '../src/tables/work.ts';
import { claimWork, renewWork } from '../src/tables/work-claims.ts';

/** The cursor that every event comes after. */
const FIRST = `${'0'.repeat(15)}.${'0'.repeat(12)}`;

/** The steps of SQLite's plan for each statement that `call` runs. */
async function plansOf(call: (session: SqlSession) => Promise<unknown>): Promise<readonly string[]> {
  const driver = await loadSqliteDriver();
  const executor = await openSqliteDatabase({ file: ':memory:', name: 'test', driver, busyTimeoutMilliseconds: 0 });
  try {
    await migrate(executor, sqlitePlan, () => '2026-01-01T00:00:00.000Z' as never);
    const steps: string[] = [];
    const query: SqlSession['query'] = async (sql, parameters) => {
      const { rows } = await executor.query(`EXPLAIN QUERY PLAN ${sql}`, parameters);
      steps.push(...rows.map(({ detail }) => String(detail)));
      return { rows: sql.includes('event_horizon') ? [{ horizon: FIRST, value: FIRST, seq: null }] : [], affected: 0 };
    };
    await call({ dialect: 'sqlite', isTransaction: true, query, attempt: query });
    return steps;
  } finally {
    await executor[Symbol.asyncDispose]();
  }
}

/** What a statement has made for itself, and no table. */
const OWN = 'CONSTANT ROW|asked|ready|placed|served|held|\\(subquery';
const SCAN = new RegExp(`^SCAN (?!${OWN}|.*USING (?:COVERING )?INDEX)`);

/** A step that costs what the table holds: a sort, or a scan that is not in the order of an index. */
const expensive = (steps: readonly string[]) =>
  steps.filter((step) => /TEMP B-TREE|AUTOMATIC/.test(step) || SCAN.test(step));

const cursorOf = (...key: readonly string[]) => Buffer.from(JSON.stringify(key)).toString('base64url');
const pages = (listing: string) => [{}, { cursor: cursorOf(listing, '2026-01-01T00:00:00.000Z', 'x') }];

const uuid = '00000000-0000-4000-8000-000000000000' as never;
const now = '2026-01-01T00:00:00.000Z' as never;
const item = { instanceId: uuid, requested: 1, attempts: 0, reason: '', leaseToken: 't' };
const whole = (session: SqlSession) => ({
  ...session,
  transaction: <T>(body: (inside: SqlSession) => Promise<T>) => body(session),
  [Symbol.asyncDispose]: async () => {},
});

const filters = [
  {},
  { tenant: 'acme' },
  { productId: 'p' },
  { templateVersionId: 't' },
  { tier: 'gold' },
  { status: ['Running'] },
  { status: ['Failed', 'Deleting'] },
  { status: ['Pending', 'Running', 'Failed', 'Deleting'] },
  { syncStatus: ['OutOfSync', 'Error'] },
  { tenant: 'acme', status: ['Pending', 'Running'], syncStatus: ['Synced', 'Error'] },
  { productId: 'p', tier: 'gold', templateVersionId: 't' },
  { status: ['Running', 'Failed'], syncStatus: ['Synced', 'Error'] },
] as unknown as readonly InstanceFilter[];

describe('the plan of a listing reads one index in its order', () => {
  it.each(filters.flatMap((filter) => pages('instance').map((page) => ({ filter, page }))))(
    'listInstances $filter $page',
    async ({ filter, page }) => {
      const steps = await plansOf((session) => listInstances(session, filter, page));
      expect(expensive(steps)).toEqual([]);
      expect(steps.join()).toContain('INDEX deployment_by_');
    },
  );

  it.each([{}, { productId: 'p' }, { productId: 'p', includeDeprecated: false }] as TemplateVersionFilter[])(
    'listTemplateVersions %o',
    async (filter) => {
      for (const page of pages('template-version')) {
        expect(expensive(await plansOf((session) => listTemplateVersions(session, filter, page)))).toEqual([]);
      }
    },
  );

  it.each([
    { after: FIRST },
    { after: FIRST, instanceId: 'i' },
    { after: FIRST, types: ['instance-created'] },
    { after: FIRST, types: ['instance-created', 'instance-deleted', 'drift-detected'] },
    { after: FIRST, instanceId: 'i', types: ['instance-created', 'instance-deleted'] },
  ] as EventQuery[])('listEvents %o', async (query) => {
    expect(expensive(await plansOf((session) => listEvents(session, query)))).toEqual([]);
  });

  it.each<readonly [string, (session: SqlSession) => Promise<unknown>]>([
    ['listProducts', (session) => listProducts(session, pages('product')[1])],
    ['listDrift', (session) => listDrift(session, { cursor: cursorOf('drift', 'x') })],
    ['findProductBySlug', (session) => findProductBySlug(session, 'x' as never)],
    ['findInstanceByArgoAppName', (session) => findInstanceByArgoAppName(session, 'x')],
    ['findInstances', (session) => findInstances(session, ['x', 'y'] as never)],
    ['findInstancesByArgoAppNames', (session) => findInstancesByArgoAppNames(session, ['x', 'y'])],
    ['findGitStates', (session) => findGitStates(session, ['x', 'y'] as never)],
    ['findDrift', (session) => findDrift(session, 'x' as never)],
    ['hasChange', (session) => hasChange(session, 'x' as never, 'y' as never)],
    ['workBacklog', (session) => workBacklog(session)],
    ['purgeIdempotencyRecords', (session) => purgeIdempotencyRecords(session, '2026-01-01T00:00:00.000Z' as never)],
    ['requestWork', (session) => requestWork(session, uuid, 'r', '2026-01-01T00:00:00.000Z' as never)],
    ['completeWork', (session) => completeWork(session, item)],
    ['completeWorkMany', (session) => completeWorkMany(session, [item])],
    ['renewWork', (session) => renewWork(whole(session), [item], { leaseMilliseconds: 1, now })],
    ['findWork', (session) => findWork(session, 'x' as never)],
    ['findLease', (session) => findLease(session, 'x')],
    ...([undefined, 'dead', 'leased', 'failing', 'pending'] as const).map(
      (state) =>
        [
          `listWork ${state}`,
          (session: SqlSession) => listWork(session, { state }, { cursor: cursorOf('work', 'x') }),
        ] as const,
    ),
  ])('%s', async (_, call) => {
    const steps = await plansOf(call);
    expect(steps.length).toBeGreaterThan(0);
    expect(expensive(steps)).toEqual([]);
  });

  it('claimWork, which sorts by tenant what it admits and nothing else', async () => {
    const claim = { owner: 'o', limit: 5, leaseMilliseconds: 1, now };
    const steps = await plansOf((session) => claimWork(whole(session), { uuid: () => '' }, claim));
    expect(expensive(steps)).toEqual(['USE TEMP B-TREE FOR ORDER BY']);
    expect(steps.join()).toMatch(/work USING (COVERING )?INDEX work_waiting.*work USING (COVERING )?INDEX work_due/s);
  });

  it.each<readonly [string, (session: SqlSession) => Promise<unknown>]>([
    ['eventHead', (session) => eventHead(session)],
    ['pruneEvents', (session) => pruneEvents(session, { before: '2026-01-01T00:00:00.000Z' as never, keep: 5 })],
  ])('%s reads events in the order of their rows, as far as it has to', async (_, call) => {
    const steps = await plansOf(call);
    expect(steps.filter((step) => step.includes('event'))).not.toEqual([]);
    expect(steps.filter((step) => /TEMP B-TREE|AUTOMATIC/.test(step))).toEqual([]);
  });
});
