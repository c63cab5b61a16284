import { parseMarker, parseTombstone } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { fsck, treeOf } from '../../packages/git-store/test/git-command.ts';
import { loadSqliteDriver } from '../../packages/sql-repo/src/sqlite/sqlite-driver.ts';
import { startProgram } from '../../packages/sql-repo/test/child-process.ts';
import { expectedOf, SHARED } from './command-stream.ts';
import { crashPoints } from './crash-point.ts';
import type { HostTask } from './host-program.ts';
import { createSite, history, type Kind, openStack, type Site, type Stack } from './stack.ts';

// Many more of each by `npm run test:heavy`.
const factor = Number(process.env.CAELUS_CRASH_FACTOR ?? 1);
const timeout = 240_000 * factor + 60_000;
const streams = ['a', 'b'] as const;

const program = new URL('./host-program.ts', import.meta.url).href;

function startHost(site: Site, task: Omit<HostTask, 'store' | 'database'>) {
  const { database } = site;
  return startProgram(program, JSON.stringify({ ...task, store: site.storeOf(task.stream), database }));
}

/** Two hosts, each with a stream, that are killed again and again and go on where they were. */
class Hosts {
  readonly #site: Site;
  readonly acknowledged: Record<string, number> = { a: 0, b: 0 };
  kills = 0;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Starts both; `end` of them is told to end each. Returns when both are gone. */
  async run(
    taskOf: (stream: string, index: number) => Partial<HostTask>,
    end: (child: ReturnType<typeof startHost>) => Promise<void> = async () => {},
  ): Promise<void> {
    await Promise.all(
      streams.map(async (stream, index) => {
        const first = this.acknowledged[stream] ?? 0;
        const child = startHost(this.#site, { stream, first, end: 1_000_000, ...taskOf(stream, index) });
        await end(child);
        const code = await child.ended;
        if (code === 'SIGKILL') this.kills += 1;
        else expect(code).toBe(0);
        this.acknowledged[stream] = first + child.lines.length;
      }),
    );
  }
}

/** Between 0 and 80 ms after its first acknowledgement: in the middle of anything. */
async function killSoon(child: ReturnType<typeof startHost>): Promise<void> {
  await child.printed(1);
  const until = performance.now() + Math.random() * 80;
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
  child.kill();
}

async function begin(site: Site): Promise<void> {
  await using stack = await openStack({ store: site.storeOf('first'), database: site.database });
  await stack.create({ id: SHARED });
}

/** A host that knows nothing of the others brings everything to rest; then all of it has to be right. */
async function proveConverged(site: Site, counts: Readonly<Record<string, number>>): Promise<void> {
  await using stack = await openStack({ store: site.storeOf('last'), database: site.database });
  await stack.converge();
  await proveRows(stack, counts);
  await proveTree(stack, site);
  await proveHistory(stack, site);
  await fsck(site.bare);
  const connection = (await loadSqliteDriver()).open(site.database);
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

describe('hosts that are killed', () => {
  it('at every point between a command and its record', { timeout }, async () => {
    await using site = await createSite('a directory');
    await begin(site);
    const hosts = new Hosts(site);
    for (let round = 0; round < factor * crashPoints.length; round++) {
      // Each at another point, so that the survivor meets what the other has left.
      await hosts.run((_, index) => {
        const point = crashPoints[(round + 3 * index) % crashPoints.length] ?? 'write-due';
        return { crash: { point, nth: 1 + (round % 2) } };
      });
    }
    expect(hosts.kills).toBe(2 * factor * crashPoints.length);
    await proveFinished(site, hosts);
  });

  it.each<[Kind, number]>([
    ['a directory', 1],
    ['an HTTP remote', 1],
  ])('at any moment, over %s', { timeout }, async (kind, rounds) => {
    await using site = await createSite(kind);
    await begin(site);
    const hosts = new Hosts(site);
    for (let round = 0; round < factor * rounds; round++) await hosts.run(() => ({}), killSoon);
    expect(hosts.kills).toBe(2 * factor * rounds);
    await proveFinished(site, hosts);
  });

  /** The commands that nobody acknowledged are asked again, and some more, deletions among them; then all has to be right. */
  async function proveFinished(site: Site, hosts: Hosts): Promise<void> {
    const ends = Object.fromEntries(
      streams.map((stream) => [stream, Math.max(30, (hosts.acknowledged[stream] ?? 0) + 5)]),
    );
    await hosts.run((stream) => ({ end: ends[stream] ?? 0 }));
    expect(hosts.acknowledged).toEqual(ends);
    await proveConverged(site, ends);
  }
});

describe('two hosts on one database and one branch', () => {
  const count = 50 * factor;

  it(`lose and double nothing of ${count} commands each`, { timeout }, async () => {
    await using site = await createSite('a directory');
    await begin(site);
    const hosts = new Hosts(site);
    await hosts.run(() => ({ end: count }));
    expect(hosts.acknowledged).toEqual({ a: count, b: count });
    await proveConverged(site, hosts.acknowledged);
  });
});
