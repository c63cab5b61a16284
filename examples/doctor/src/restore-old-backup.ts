import assert from 'node:assert/strict';
import { findingsOf, kindsOf } from './findings.ts';
import { createPlace, openHost } from './host.ts';

/** The database is restored from the backup of last night. Git knows of everything since; nothing of it is overwritten. */
export async function restoreOldBackup(): Promise<string> {
  await using place = await createPlace();
  const ids: Record<string, string> = {};
  {
    await using before = await openHost(place, 'caelus.db', 'gitops.git');
    for (const title of ['Changed', 'Deleted']) ids[title] = (await before.createInstance('acme', title)).id;
    await before.settle();
  }
  await place.copy('caelus.db', 'backup.db');
  {
    await using day = await openHost(place, 'caelus.db', 'gitops.git');
    await day.caelus.instances.update(ids.Changed as string, { values: { title: 'Changed since' } });
    await day.caelus.instances.delete(ids.Deleted as string);
    ids.Created = (await day.createInstance('acme', 'Created')).id;
    await day.settle();
  }

  await using restored = await openHost(place, 'backup.db', 'gitops.git');
  const { caelus } = restored;
  await restored.settle();
  assert.deepEqual(await kindsOf(caelus), ['database-behind', 'deleted-in-git', 'orphan']);
  for (const finding of await findingsOf(caelus)) {
    // Git is right about all of it: the backup is what is old.
    const choice = finding.remedies.find(({ name }) => name === 'git-wins');
    assert.ok(choice, `${finding.message} There is no way to believe Git.`);
    await caelus.resolve(finding, choice.name, { actor: { name: 'Ada' } });
  }
  await restored.settle();
  assert.deepEqual(await kindsOf(caelus), []);
  const statusOf = async (title: string) => (await caelus.instances.get(ids[title] as string)).status;
  assert.deepEqual(
    [await statusOf('Changed'), await statusOf('Deleted'), await statusOf('Created')],
    ['Running', 'Deleted', 'Running'],
  );
  assert.deepEqual((await caelus.instances.get(ids.Changed as string)).userValues, { title: 'Changed since' });
  return 'restore-old-backup: 3 disagreements found, none written over, all settled for Git';
}
