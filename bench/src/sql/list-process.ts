// Lists instances page by page, and as SQL is written by hand where OFFSET says how far.
import { parseTenantId } from '@caelus/core';
import { createMemoryStateStore, createSimulatedArgoCd } from '@caelus/core/testing';
import { timed } from '../bench-result.ts';
import { answerCalls } from '../process-calls.ts';
import { createFirst, type OpenRows, openRows } from './open-rows.ts';

let rows: OpenRows | undefined;

const opened = () => {
  if (rows === undefined) throw new Error('no database is open');
  return rows;
};

/** Copies a row, with an id and names of its own, whatever columns there are. */
const COPY = `INSERT INTO caelus.deployment SELECT (jsonb_populate_record(first.record, jsonb_build_object(
  'id', made.id, 'namespace', 'n-' || number, 'argo_app_name', 'a-' || number, 'change_id', made.id,
  'tenant', 'tenant-' || number % 100, 'created_at', (first.record).created_at + number * interval '1 second',
  'status', (ARRAY['Running', 'Running', 'Running', 'Pending', 'Failed'])[1 + number % 5],
  'sync_status', (ARRAY['Synced', 'OutOfSync'])[1 + (number % 20 = 0)::int]))).*
FROM (SELECT deployment AS record FROM caelus.deployment LIMIT 1) AS first, generate_series(1, $1::int) AS number,
  LATERAL (SELECT lpad(to_hex(number), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(number), 12, '0') AS id) AS made`;

type Filter = NonNullable<Parameters<OpenRows['repository']['listInstances']>[0]>;
export type FilterName = 'none' | 'tenant' | 'tenant and status' | 'two statuses' | 'rare sync status';

const tenant = parseTenantId('tenant-7');
const filters: Readonly<Record<FilterName, Filter>> = {
  none: {},
  tenant: { tenant },
  'tenant and status': { tenant, status: ['Failed'] },
  'two statuses': { status: ['Pending', 'Failed'] },
  'rare sync status': { syncStatus: ['OutOfSync'], status: ['Failed'] },
};

const handlers = {
  async open(url: string, instances: number): Promise<void> {
    rows = await openRows(url, 2);
    const store = createMemoryStateStore();
    await createFirst(rows.repository, { store, status: createSimulatedArgoCd({ store }) });
    await rows.pool.query(COPY, [instances - 1]);
    await rows.pool.query('VACUUM ANALYZE caelus.deployment');
  },
  /** Milliseconds of each page, from the newest on. */
  async pages(name: FilterName, most: number): Promise<readonly number[]> {
    const { repository } = opened();
    const times: number[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null && times.length < most) {
      times.push(
        await timed(async () => {
          cursor = (await repository.listInstances(filters[name], { limit: 50, cursor: cursor ?? undefined }))
            .nextCursor;
        }),
      );
    }
    return times;
  },
  /** Milliseconds of so many pages far from the newest: after a cursor, and by OFFSET. */
  async deep(distance: number, pages: number): Promise<{ readonly keyset: number[]; readonly offset: number[] }> {
    const { repository, pool } = opened();
    const keyset: number[] = [];
    const offset: number[] = [];
    let cursor: string | undefined;
    for (let passed = 0; passed < distance; passed += 500) {
      cursor = (await repository.listInstances({}, { limit: 500, cursor })).nextCursor ?? undefined;
    }
    const byOffset = `SELECT * FROM caelus.deployment ORDER BY created_at DESC, id DESC LIMIT 50 OFFSET $1`;
    for (let page = 0; page < pages; page += 1) {
      offset.push(await timed(() => pool.query(byOffset, [distance + 50 * page])));
      keyset.push(
        await timed(async () => {
          cursor = (await repository.listInstances({}, { limit: 50, cursor })).nextCursor ?? undefined;
        }),
      );
    }
    return { keyset, offset };
  },
  async close(): Promise<void> {
    await rows?.pool.end();
  },
};

export type ListProcess = typeof handlers;

answerCalls(handlers);
