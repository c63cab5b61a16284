import { type CallOptions, type GitState, type InstanceId, parseGitState, parseKeys } from '@caelus/core';
import { findRecord, findRecords, type RecordTable, toColumns, upsertRow } from '../record-table.ts';
import type { SqlSession } from '../sql-session.ts';

const table: RecordTable<GitState> = {
  name: 'git_state',
  columns: {
    instanceId: 'deployment_id',
    generation: 'generation',
    changeId: 'change_id',
    contentHash: 'content_hash',
    specHash: 'spec_hash',
    commit: 'commit_id',
    phase: 'phase',
    writtenAt: 'written_at',
  },
  json: [],
  integers: ['generation'],
  instants: ['writtenAt'],
  parse: parseGitState,
};

export async function findGitState(
  session: SqlSession,
  id: InstanceId,
  options?: CallOptions,
): Promise<GitState | undefined> {
  return findRecord(session, table, 'deployment_id = ?', [id], options);
}

export async function findGitStates(
  session: SqlSession,
  ids: readonly InstanceId[],
  options?: CallOptions,
): Promise<readonly GitState[]> {
  return findRecords(session, table, 'deployment_id', parseKeys(ids), { options });
}

export async function putGitState(session: SqlSession, state: GitState): Promise<void> {
  await upsertRow(session, 'git_state', toColumns(table, parseGitState(state)), ['deployment_id']);
}
