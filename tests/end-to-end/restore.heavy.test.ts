import type { CaelusEvent, DriftKind, FindingKind, Instance, RemedyName } from '@caelus/core';
import type { Finding } from '@caelus/engine';
import { describe, expect, it } from 'vitest';
import { fsck, git, temporaryDirectory } from '../../packages/git-store/test/git-command.ts';
import { serverUrl } from '../../packages/sql-repo/test/postgres-database.ts';
import { type BackedUpDatabase, copiedDatabase, dumpedDatabase, movedDatabase, sqliteFile } from './backup.ts';
import { createSite, history, openStack, type Site, type Stack } from './stack.ts';

const CHANGED = 8;
const DELETED = 3;
const CREATED = 4;

/** Who is in which part of the story. */
interface Cast {
  readonly changed: readonly Instance[];
  readonly deleted: readonly Instance[];
  readonly created: readonly Instance[];
  readonly untouched: Instance;
}

const open = (site: Site, database: BackedUpDatabase) =>
  openStack({
    store: site.storeOf('host'),
    database: database.url,
    cluster: { directory: site.bare },
    // Also what fails is looked at again while the test looks.
    timings: { retry: 1, retryLimit: 1 },
  });

const tipOf = async ({ bare }: Site) => (await git(bare, ['rev-parse', 'main'])).trim();
const create = (stack: Stack, count: number, name: string) =>
  Promise.all(Array.from({ length: count }, (_, index) => stack.create({ values: { title: `${name} ${index}` } })));

async function eventsAfter({ repository }: Stack, after?: string): Promise<readonly CaelusEvent[]> {
  const events: CaelusEvent[] = [];
  for (;;) {
    const page = await repository.listEvents({ limit: 500, after: events.at(-1)?.cursor ?? after });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

async function driftOf({ repository }: Stack): Promise<Readonly<Record<string, DriftKind>>> {
  const { items } = await repository.listDrift({ limit: 500 });
  return Object.fromEntries(items.map(({ instanceId, kind }) => [instanceId, kind]));
}

async function findingsOf({ caelus }: Stack): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of caelus.inspect()) findings.push(finding);
  return findings;
}

/** Instances are made, a backup is taken, and then things go on; at the end the database is the backup again. */
async function goBack(site: Site, database: BackedUpDatabase): Promise<Cast> {
  const before = await (async () => {
    await using stack = await open(site, database);
    const changed = await create(stack, CHANGED, 'changed');
    const deleted = await create(stack, DELETED, 'deleted');
    const [untouched] = await create(stack, 1, 'untouched');
    if (untouched === undefined) throw new Error('There is nobody.');
    await stack.converge();
    return { changed, deleted, untouched };
  })();
  await database.backUp();
  const created = await (async () => {
    await using stack = await open(site, database);
    const { instances } = stack.caelus;
    for (const title of ['later', 'latest']) {
      for (const { id } of before.changed) await instances.update(id, { values: { title } });
      await stack.converge();
    }
    for (const { id } of before.deleted) await instances.delete(id);
    const made = await create(stack, CREATED, 'created');
    await stack.converge();
    return made;
  })();
  await database.restore();
  return { ...before, created };
}

function flagsOf({ changed, deleted, created }: Cast): Readonly<Record<string, DriftKind>> {
  const all = (instances: readonly Instance[], kind: DriftKind) => instances.map(({ id }) => [id, kind] as const);
  return Object.fromEntries([
    ...all(changed, 'database-behind'),
    ...all(deleted, 'deleted-in-git'),
    ...all(created, 'orphan'),
  ]);
}

type Outcome = Readonly<Record<string, string>>;

const outcomeOf = (instances: readonly Instance[], says: string | ((instance: Instance) => string)): Outcome =>
  Object.fromEntries(instances.map((one) => [one.id, typeof says === 'string' ? says : says(one)]));
const asCreated = ({ userValues }: Instance) => `Running ${userValues.title}`;

const whatGitHas = ({ changed, deleted, created, untouched }: Cast): Outcome => ({
  ...outcomeOf(changed, 'Running latest'),
  ...outcomeOf(deleted, 'Deleted'),
  ...outcomeOf([...created, untouched], asCreated),
});

const whatTheBackupHas = ({ changed, deleted, created, untouched }: Cast): Outcome => ({
  ...outcomeOf([...changed, ...deleted, untouched], asCreated),
  ...outcomeOf(created, 'Deleted'),
});

const places: readonly (readonly [string, (directory: string) => Promise<BackedUpDatabase>])[] = [
  ['an SQLite file, from VACUUM INTO', sqliteFile],
  ...(serverUrl === null
    ? []
    : ([
        ['PostgreSQL, from pg_dump', dumpedDatabase],
        ['PostgreSQL, from a copy of the database', copiedDatabase],
        ['PostgreSQL on another server, from pg_dump', movedDatabase],
      ] as const)),
];

describe.each(places)('a database that is restored older than Git: %s', (_, openDatabase) => {
  const story = async (body: (site: Site, database: BackedUpDatabase) => Promise<void>) => {
    await using directory = await temporaryDirectory();
    await using database = await openDatabase(directory.path);
    await using site = await createSite('a directory', database.url);
    await body(site, database);
    await fsck(site.bare);
  };

  it('is flagged, instance by instance, and writes nothing until somebody decides', () =>
    story(async (site, database) => {
      const cast = await goBack(site, database);
      const tip = await tipOf(site);
      await using stack = await open(site, database);
      for (let pass = 0; pass < 3; pass++) {
        expect(await stack.caelus.runOnce()).toMatchObject({ written: 0, failed: 0 });
        await stack.argoCd.reconcile();
      }
      expect(await driftOf(stack)).toEqual(flagsOf(cast));
      // Nor by a command on what is flagged: the row has another past than Git.
      const [first] = cast.changed;
      await stack.caelus.instances.update(first?.id ?? '', { values: { title: 'anew' } });
      await stack.caelus.instances.delete(cast.deleted[0]?.id ?? '');
      expect(await stack.caelus.runOnce()).toMatchObject({ written: 0, failed: 0 });
      expect(await driftOf(stack)).toEqual(flagsOf(cast));
      expect(await tipOf(site)).toBe(tip);

      // All others go on.
      const { id } = cast.untouched;
      const { changeId } = await stack.caelus.instances.update(id, { values: { title: 'goes on' } });
      const [made] = await create(stack, 1, 'new');
      expect(await stack.caelus.runOnce()).toMatchObject({ written: 2, failed: 0 });
      const changes = (await history(site.bare)).at(-1)?.changes;
      expect(changes?.toSorted()).toEqual([`${id} 2 ${changeId}`, `${made?.id} 1 ${made?.changeId}`].toSorted());
      const paths = await git(site.bare, ['diff', '--name-only', tip, 'main']);
      const foreign = paths
        .split('\n')
        .filter((path) => path !== '' && !path.includes(id) && !path.includes(`${made?.id}`));
      expect(foreign).toEqual([]);
    }));

  it.each<[string, Readonly<Partial<Record<FindingKind, RemedyName>>>, typeof whatGitHas]>([
    ['as Git has it', { 'database-behind': 'git-wins', 'deleted-in-git': 'git-wins', orphan: 'git-wins' }, whatGitHas],
    [
      'as the backup has it',
      { 'database-behind': 'database-wins', 'deleted-in-git': 'database-wins', orphan: 'delete' },
      whatTheBackupHas,
    ],
  ])('is settled %s, and then nothing is left to settle', (_direction, remedies, expected) =>
    story(async (site, database) => {
      const cast = await goBack(site, database);
      await using stack = await open(site, database);
      const { caelus } = stack;
      const findings = await findingsOf(stack);
      expect(
        Object.fromEntries(findings.map(({ kind, subject }) => ['id' in subject ? subject.id : '', kind])),
      ).toEqual(flagsOf(cast));
      for (const finding of findings) {
        await caelus.resolve(finding, remedies[finding.kind] ?? 'reconcile', { actor: { name: 'Ada' } });
      }
      await stack.converge();
      expect(await findingsOf(stack)).toEqual([]);
      expect(await driftOf(stack)).toEqual({});
      const { items } = await caelus.instances.list({}, { limit: 500 });
      const found = items.map(({ id, status, userValues }) => [
        id,
        status === 'Deleted' ? status : `${status} ${userValues.title}`,
      ]);
      expect(Object.fromEntries(found)).toEqual(expected(cast));
      const tip = await tipOf(site);
      expect(await caelus.runOnce()).toMatchObject({ written: 0, failed: 0, flagged: 0 });
      expect(await tipOf(site)).toBe(tip);
    }),
  );

  it('tells of new events after those that the backup had, to whoever reads on', () =>
    story(async (site, database) => {
      const cast = await goBack(site, database);
      await using stack = await open(site, database);
      const kept = await eventsAfter(stack);
      const { id } = cast.untouched;
      for (const title of ['one', 'two']) await stack.caelus.instances.update(id, { values: { title } });
      const news = await eventsAfter(stack, kept.at(-1)?.cursor);
      expect(news.map(({ instanceId, type, generation }) => [instanceId, type, generation])).toEqual([
        [id, 'instance-updated', 2],
        [id, 'instance-updated', 3],
      ]);
      expect((await eventsAfter(stack)).map(({ cursor }) => cursor)).toEqual(
        [...kept, ...news].map(({ cursor }) => cursor),
      );
    }));
});
