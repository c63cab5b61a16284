// A backend keeps its own tables. It writes rows, as it always has; Caelus takes them up, commits them, and writes into the same rows
// what Argo CD made of them, in the backend's words. PGlite stands for the backend's PostgreSQL, and Argo CD is simulated.
import assert from 'node:assert/strict';
import { parseRepoPath, parseTier, slugNaming } from '@caelus/core';
import { createSimulatedArgoCd } from '@caelus/core/testing';
import { createCaelus } from '@caelus/engine';
import { createGitStore } from '@caelus/git-store';
import { createSqlRepository, fromPglite } from '@caelus/sql-repo';
import { PGlite } from '@electric-sql/pglite';
import { attach, SCHEMA } from './shop.ts';

await using database = await PGlite.create();
await database.exec(SCHEMA);

await using repository = await createSqlRepository({ executor: fromPglite(database), attach });
await using store = await createGitStore({ directory: 'gitops.git' });
await using argoCd = createSimulatedArgoCd({ store });
const caelus = createCaelus({
  repository,
  store,
  status: argoCd,
  gitOps: { repoURL: 'https://git.example.com/platform/gitops.git' },
  tiers: [parseTier({ name: 'stable' })],
  naming: slugNaming,
  timings: { deletion: 1, grace: 1 },
});

/** Runs all loops, and Argo CD, until nothing moves. */
async function settle(): Promise<void> {
  for (;;) {
    const { written, observed } = await caelus.runOnce();
    const moved = await argoCd.reconcile();
    if (!moved && written === 0 && observed === 0 && (await repository.workBacklog()).pending === 0) return;
  }
}

async function row(): Promise<Record<string, unknown>> {
  return (await database.query<Record<string, unknown>>('SELECT * FROM deployment WHERE id = 17')).rows[0] ?? {};
}

const isInGit = async () => {
  const snapshot = await store.snapshot();
  return (await snapshot.listDirectory(parseRepoPath('instances'))).some(({ name }) => name === '17');
};

// Versions that were there before Caelus do not say yet where their chart lies.
const backfill = {
  columns: ['chart_ref', 'chart_version'],
  read({ chart_ref, chart_version }: Readonly<Record<string, string | null>>) {
    const [, helmChartRepoUrl, chartName] = /^(https:.*)\/([^/]+)$/.exec(chart_ref ?? '') ?? [];
    if (helmChartRepoUrl === undefined || chartName === undefined || !chart_version) return null;
    return { helmChartRepoUrl, chartName, chartVersion: chart_version };
  },
};
assert.equal((await repository.host.backfill(backfill)).set.length, 2, 'the dry run');
await repository.host.backfill({ ...backfill, dryRun: false });

// A customer orders, and has not paid yet.
await database.exec(
  `INSERT INTO deployment (id, user_id, desired_template_id, user_values) VALUES (17, 4, 1, '{"title": "Notes"}')`,
);
await settle();
assert.equal(await isInGit(), false, 'what is not paid for is left alone');

// Paid. The backend knows nothing of Caelus: it updates its row.
await database.exec(`UPDATE deployment SET status = 'provisioning' WHERE id = 17`);
await settle();
assert.equal(await isInGit(), true);
assert.deepEqual(
  [(await row()).status, (await row()).sync_status, (await row()).git_path],
  ['ready', 'Synced', 'instances/17'],
);
console.log('paid:     ', (await row()).status, (await row()).argo_app_name);

// The customer changes a value, and the shop upgrades.
await database.exec(
  `UPDATE deployment SET user_values = '{"title": "Cookbook"}', desired_template_id = 2 WHERE id = 17`,
);
await settle();
const instance = await caelus.instances.get('17');
assert.equal(instance.generation, 2);
assert.equal(instance.appliedTemplateVersionId, '2');
assert.equal((await row()).status, 'ready');
console.log('upgraded: ', (await row()).status, 'generation', instance.generation);

// A value that nobody may set: the row is the backend's to write, and the old state goes on.
await database.exec(`UPDATE deployment SET user_values = '{"caelus": {"plan": "gold"}}' WHERE id = 17`);
await settle();
const { items } = await repository.host.problems();
assert.match(items[0]?.problem ?? '', /^VALUES_LOCKED/);
assert.deepEqual((await caelus.instances.get('17')).userValues, { title: 'Cookbook' });
console.log('refused:  ', items[0]?.problem.split(':')[0]);

// Soft deletion, in the backend's words.
await database.exec(`UPDATE deployment SET status = 'deleting', deleted_at = now() WHERE id = 17`);
await settle();
assert.equal((await row()).status, 'deleted');
assert.equal(await isInGit(), false);
console.log('deleted:  ', (await row()).status);
