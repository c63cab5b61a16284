import assert from 'node:assert/strict';
import { kindsOf } from './findings.ts';
import { createPlace, openHost } from './host.ts';

/** The database is gone, and so are its backups. Every row comes back from Git. */
export async function loseDatabase(): Promise<string> {
  await using place = await createPlace();
  let kept: unknown;
  let tip: unknown;
  const rowsOf = async (caelus: Awaited<ReturnType<typeof openHost>>['caelus']) =>
    (await caelus.instances.list()).items.map(({ id, status, userValues, generation, changeId }) =>
      status === 'Deleted' ? { id, status, generation, changeId } : { id, status, userValues, generation, changeId },
    );
  {
    await using before = await openHost(place, 'caelus.db', 'gitops.git');
    const created = [];
    for (const title of ['One', 'Two', 'Three']) created.push(await before.createInstance('acme', title));
    await before.settle();
    await before.caelus.instances.update(created[0]?.id as string, { values: { title: 'One more' } });
    await before.caelus.instances.delete(created[1]?.id as string);
    await before.settle();
    kept = await rowsOf(before.caelus);
    tip = (await before.store.snapshot()).commit;
  }

  await using rebuilt = await openHost(place, 'another.db', 'gitops.git', true);
  const report = await rebuilt.caelus.rebuildFromGit({ actor: { name: 'Ada' } });
  assert.deepEqual(report, { products: 1, templateVersions: 1, instances: 3, foreign: 0, unresolved: [] });
  assert.deepEqual(await kindsOf(rebuilt.caelus), []);
  await rebuilt.settle();
  assert.deepEqual(await rowsOf(rebuilt.caelus), kept);
  assert.equal((await rebuilt.store.snapshot()).commit, tip, 'Nothing was written.');
  return 'lose-database: 3 instances rebuilt from Git, without a commit';
}
