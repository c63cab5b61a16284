import {
  type CallOptions,
  type Drift,
  type DriftKind,
  type InstanceId,
  type Page,
  type PageRequest,
  parseDriftKind,
  parseInstanceId,
  parseTimestamp,
  type Timestamp,
} from '@caelus/core';
import { listPage } from '../ordered-page.ts';
import { findRecord, insertion, type RecordTable, toColumns } from '../record-table.ts';
import type { SqlSession } from '../sql-session.ts';

const table: RecordTable<Drift> = {
  name: 'drift',
  columns: { instanceId: 'deployment_id', kind: 'kind', detectedAt: 'detected_at' },
  json: [],
  instants: ['detectedAt'],
  parse: (input) => parseDrift(input as Record<keyof Drift, unknown>),
};

function parseDrift({ instanceId, kind, detectedAt }: Readonly<Record<keyof Drift, unknown>>): Drift {
  return {
    instanceId: parseInstanceId(instanceId),
    kind: parseDriftKind(kind),
    detectedAt: parseTimestamp(detectedAt),
  };
}

export async function findDrift(
  session: SqlSession,
  id: InstanceId,
  options?: CallOptions,
): Promise<Drift | undefined> {
  return findRecord(session, table, 'deployment_id = ?', [id], options);
}

export function listDrift(session: SqlSession, page?: PageRequest, options?: CallOptions): Promise<Page<Drift>> {
  return listPage(
    session,
    {
      name: 'drift',
      table,
      key: ['deployment_id'],
      direction: 'ASC',
      index: null,
      leading: null,
      filters: [],
      keyOf: ({ instanceId }) => [instanceId],
    },
    page,
    options,
  );
}

export async function putDrift(
  session: SqlSession,
  instanceId: InstanceId,
  kind: DriftKind | null,
  at: Timestamp,
): Promise<void> {
  if (kind === null) {
    await session.query('DELETE FROM drift WHERE deployment_id = ?', [instanceId]);
    return;
  }
  const drift = parseDrift({ instanceId, kind, detectedAt: at });
  await session.query(
    ...insertion(
      table.name,
      toColumns(table, drift),
      `ON CONFLICT (deployment_id) DO UPDATE SET kind = excluded.kind, detected_at = excluded.detected_at
     WHERE drift.kind <> excluded.kind`,
    ),
  );
}
