import { type CaelusEvent, parseMarker, parseTombstone, parseValues } from '@caelus/core';
import { expect } from 'vitest';
import { fsck, treeOf } from '../../packages/git-store/test/git-command.ts';
import { loadSqliteDriver } from '../../packages/sql-repo/src/sqlite/sqlite-driver.ts';
import { expectedOf } from './command-stream.ts';
import { history, openStack, type Site, type Stack } from './stack.ts';

/** A host that knows nothing of the others brings everything to rest; then all of it has to be right. */
export async function proveConverged(site: Site, counts: Readonly<Record<string, number>>): Promise<void> {
  const { bare, database } = site;
  await using stack = await openStack({ store: site.storeOf('last'), database, cluster: { directory: bare } });
  await stack.converge();
  await proveRows(stack, counts);
  await proveTree(stack, site);
  await proveHistory(stack, site);
  await proveEvents(stack);
  await fsck(bare);
  if (!database.startsWith('postgres:')) await proveIntegrity(database);
}

async function proveIntegrity(file: string): Promise<void> {
  const connection = (await loadSqliteDriver()).open(file);
  try {
    expect(connection.query('PRAGMA integrity_check').rows).toEqual([{ integrity_check: 'ok' }]);
  } finally {
    connection.close();
  }
}

async function rowsOf({ repository }: Stack) {
  const rows = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await repository.listInstances({}, { limit: 500, cursor });
    rows.push(...page.items);
    cursor = page.nextCursor;
  }
  return rows;
}

/** Every acknowledged command has happened, once, and nothing else has. */
async function proveRows(stack: Stack, counts: Readonly<Record<string, number>>): Promise<void> {
  const rows = await rowsOf(stack);
  const found = rows.map(({ id, generation, status, desiredTemplateVersionId, userValues }) => [
    id,
    {
      generation,
      isDeleted: status === 'Deleted',
      version: desiredTemplateVersionId === stack.v2.id ? 'v2' : 'v1',
      title: userValues.title,
    },
  ]);
  expect(Object.fromEntries(found)).toEqual(expectedOf(counts));
  expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(['Running', 'Deleted']));
  expect((await stack.repository.listDrift()).items).toEqual([]);
}

/** Git has what the rows want: nothing is missing, stray, or of an older generation. */
async function proveTree(stack: Stack, { bare }: Site): Promise<void> {
  const rows = await rowsOf(stack);
  const files = await treeOf(bare, 'refs/heads/main');
  const paths = new Map<string, Uint8Array>(files);
  const idsIn = (pattern: RegExp) =>
    [...new Set([...paths.keys()].map((path) => pattern.exec(path)?.[1]).filter(Boolean))].toSorted();
  const idsOf = (isDeleted: boolean) =>
    rows.filter(({ status }) => (status === 'Deleted') === isDeleted).map(({ id }) => id);
  const wanted = idsOf(false).toSorted();
  expect(idsIn(/^instances\/([^/]+)\//)).toEqual(wanted);
  expect(idsIn(/^argo-cd\/applications\/([^/]+)\.yaml$/)).toEqual(wanted);
  expect(idsIn(/^\.caelus\/tombstones\/([^/]+)\.yaml$/)).toEqual(idsOf(true).toSorted());
  for (const { id, generation, changeId, status } of rows) {
    const [path, parse] =
      status === 'Deleted'
        ? ([`.caelus/tombstones/${id}.yaml`, parseTombstone] as const)
        : ([`instances/${id}/instance.yaml`, parseMarker] as const);
    expect(parse(paths.get(path) ?? new Uint8Array())).toMatchObject({ id, generation, changeId });
  }
  for (const { id, userValues, desiredTemplateVersionId } of rows.filter(({ status }) => status !== 'Deleted')) {
    const tag = desiredTemplateVersionId === stack.v2.id ? '2.0.0' : '1.0.0';
    const values = { image: { tag }, title: 'Wiki', ...userValues };
    const text = new TextDecoder().decode(paths.get(`instances/${id}/values.yaml`));
    expect(parseValues(text), id).toEqual(values);
  }
}

/** No change is written twice, but the last one of each instance is; and no instance goes back to an older generation. */
async function proveHistory(stack: Stack, { bare }: Site): Promise<void> {
  const written = new Map<string, { generation: number; changeId: string }[]>();
  for (const { changes } of await history(bare)) {
    for (const change of changes) {
      const [id = '', generation, changeId = ''] = change.split(' ');
      written.set(id, [...(written.get(id) ?? []), { generation: Number(generation), changeId }]);
    }
  }
  for (const { id, status, generation, changeId } of await rowsOf(stack)) {
    const own = written.get(id) ?? [];
    const last = own.filter((change) => change.changeId === changeId);
    const earlier = own.filter((change) => change.changeId !== changeId);
    // A deletion has a second phase where there was a directory to remove.
    expect(last.length, id).toBe(status === 'Deleted' && earlier.length > 0 ? 2 : 1);
    expect(new Set(earlier.map((change) => change.changeId)).size, id).toBe(earlier.length);
    const generations = own.map((change) => change.generation);
    expect(generations, id).toEqual(generations.toSorted((a, b) => a - b));
    expect(generations.at(-1)).toBe(generation);
  }
}

const commands = ['instance-created', 'instance-updated', 'instance-upgraded', 'instance-delete-requested'];

/** Each command is told of once, and each of its commits too. */
async function proveEvents(stack: Stack): Promise<void> {
  const events: CaelusEvent[] = [];
  for (;;) {
    const page = await stack.repository.listEvents({ limit: 500, after: events.at(-1)?.cursor });
    if (page.length === 0) break;
    events.push(...page);
  }
  const of = new Map<string, CaelusEvent[]>();
  for (const event of events) {
    if (event.instanceId === null) continue;
    const own = of.get(event.instanceId) ?? [];
    own.push(event);
    of.set(event.instanceId, own);
  }
  for (const { id, generation, changeId, status } of await rowsOf(stack)) {
    const own = of.get(id) ?? [];
    const asked = own.filter(({ type }) => commands.includes(type));
    expect(
      asked.map((event) => event.generation),
      id,
    ).toEqual(Array.from({ length: generation }, (_, at) => at + 1));
    const committed = own.filter(({ type }) => type === 'instance-committed');
    expect(
      committed.map((event) => event.changeId),
      id,
    ).toContain(changeId);
    // Both phases of a deletion may be found in one commit, where there was no directory to remove.
    const single = committed.filter((event) => status !== 'Deleted' || event.changeId !== changeId);
    const commits = single.map((event) => event.changeId);
    expect(new Set(commits).size, id).toBe(commits.length);
    expect(committed.length - single.length, id).toBeLessThanOrEqual(2);
    expect(
      own.filter(({ type }) => type === 'instance-deleted'),
      id,
    ).toHaveLength(status === 'Deleted' ? 1 : 0);
  }
}
