// npm run demo: the whole product in one process, on a real Git repository and a real database. Argo CD is simulated.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type CommitRecord,
  createLayout,
  type Instance,
  instanceFiles,
  parseTier,
  renderPlan,
  repoPath,
} from '@caelus/core';
import { createSimulatedArgoCd } from '@caelus/core/testing';
import { createCaelus, systemClock } from '@caelus/engine';
import { createGitStore } from '@caelus/git-store';
import { createSqlRepository } from '@caelus/sql-repo';
import { readChart, textOf } from './read-chart.ts';
import { createTerminal } from './terminal.ts';

const { values: flags } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const terminal = createTerminal({ json: flags.json });
const started = performance.now();
const signal = AbortSignal.timeout(60_000);
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

// --- Adapters: a bare Git repository, SQLite, and Argo CD, which is simulated here and reads the Git tree by itself.
const directory = await mkdtemp(join(tmpdir(), 'caelus-demo-'));
const gitDirectory = join(directory, 'gitops.git');
await using store = await createGitStore({ directory: gitDirectory });
await using repository = await createSqlRepository({ file: join(directory, 'caelus.sqlite') });
await using argoCd = createSimulatedArgoCd({ store, now: () => new Date() });

const caelus = createCaelus({
  repository,
  store,
  status: argoCd,
  gitOps: { repoURL: 'https://git.example.com/platform/gitops.git' },
  tiers: [parseTier({ name: 'stable', networkPolicy: 'default-deny', resourceQuota: { 'limits.memory': '1Gi' } })],
  // A manual edit in Git is overwritten here; the default is to report it.
  driftPolicy: { manualEdit: 'repair' },
  timings: { poll: 50, deletion: 50 },
});
await using _worker = caelus.start();
await using _argoCd = keepReconciling();

terminal.heading('Publish two versions of two products');
const charts = [
  readChart('guestbook', '1.0.0'),
  readChart('guestbook', '1.1.0'),
  readChart('notes', '1.0.0'),
  readChart('notes', '1.1.0'),
];
const products = new Map<string, string>();
const versions = new Map<string, string>();
for (const chart of charts) {
  const { name, version } = chart;
  const productId = products.get(name) ?? (await caelus.products.create({ slug: name, name: `Our ${name}` })).id;
  products.set(name, productId);
  const published = await caelus.templateVersions.publish({
    productId,
    version,
    chart: await caelus.charts.publish(chart),
    defaultValues: textOf(chart, 'values.yaml'),
    valuesSchema: textOf(chart, 'values.schema.json'),
    lockedValues: ['/image', '/resources'],
    capabilities: {
      hostname: '/ingress/host',
      ...(name === 'notes' && { volumes: { annotations: ['/persistence/annotations'] } }),
    },
  });
  versions.set(`${name} ${version}`, published.id);
  terminal.say(`${name} ${version} from ${chart.files.size} chart files`);
}

terminal.heading('Tenants click: four instances');
const [acmeBook, acmeNotes, globexBook, initechNotes] = await Promise.all([
  create('acme', 'guestbook', { title: 'Acme guestbook' }),
  create('acme', 'notes', { persistence: { size: '5Gi' } }),
  create('globex', 'guestbook', 'title: Globex\nmessage: |\n  Sign here.\n  Be kind.\n'),
  create('initech', 'notes'),
]);
for (const instance of [acmeBook, acmeNotes, globexBook, initechNotes]) await untilRunning(instance);

terminal.heading('A tenant changes values, and one that the chart does not know is refused');
const update = { values: { title: 'Acme says hello', replicas: 2 } };
terminal.show(renderPlan(await caelus.instances.planUpdate(acmeBook.id, update)));
await untilRunning(
  await caelus.instances.update(acmeBook.id, update, { actor: { name: 'Ada of Acme', email: 'ada@acme.example' } }),
);
const refused = await caelus.instances
  .update(acmeBook.id, { values: { replicas: 50, titel: 'typo' } })
  .catch((error: unknown) => error);
assert.ok(refused instanceof Error);
terminal.show(refused.message);

terminal.heading('The platform upgrades an instance to the next version');
const upgrade = { templateVersionId: versionId('guestbook 1.1.0') };
await untilRunning(await caelus.instances.upgrade(globexBook.id, upgrade, { actor: { name: 'Platform team' } }));

terminal.heading('A tenant leaves: deleted in two phases, the directory last');
await caelus.instances.delete(initechNotes.id);
const deletion = await caelus.settled(initechNotes.id, { signal });
assert.equal(deletion.outcome, 'deleted');
terminal.say(`${initechNotes.id} is ${deletion.instance.status}; what stays in Git is its tombstone`);

terminal.heading('Somebody edits Git by hand: found and repaired');
const { values: editedFile } = instanceFiles(createLayout('flat'), acmeNotes.id);
const before = text(await (await store.snapshot()).readFile(editedFile));
await editByHand(before.replace('5Gi', '500Gi'));
terminal.show('-  size: 5Gi\n+  size: 500Gi');
await caelus.runOnce({ signal });
await untilCommitted(acmeNotes, 2);
const repairedBytes = await (await store.snapshot()).readFile(editedFile);
assert.equal(text(repairedBytes), before, 'the manual edit was not repaired');
await untilRunning(acmeNotes);

// --- What there is now.
const snapshot = await store.snapshot();
const commits: CommitRecord[] = [];
for await (const commit of store.log()) commits.push(commit);
const paths: string[] = [];
for (const top of ['argo-cd', 'instances', '.caelus']) paths.push(...(await snapshot.readTree(repoPath(top))).keys());
const { items } = await caelus.instances.list();
const { application } = instanceFiles(createLayout('flat'), globexBook.id);
const fsck = spawnSync('git', ['fsck', '--strict'], { cwd: gitDirectory, encoding: 'utf8' });

terminal.heading('The commits, newest first');
for (const { commit, author, message } of commits) {
  terminal.say(`${commit.slice(0, 8)}  ${message.split('\n')[0]?.padEnd(44)}  ${author.name}`);
}
terminal.heading('The tree (beside charts/)');
terminal.show(paths.join('\n'));
terminal.heading('One Application');
terminal.show(text(await snapshot.readFile(application)));
terminal.heading('The instances');
terminal.table(items.map(toRow));

terminal.say('');
assert.equal(items.filter(({ status }) => status === 'Running').length, 3);
assert.ok(fsck.error !== undefined || fsck.status === 0, `git fsck --strict: ${fsck.stderr}`);
terminal.say(
  fsck.error ? 'git is not installed here, so git fsck was not run.' : 'git fsck --strict finds nothing wrong.',
);
terminal.say(`Look around: git -C ${gitDirectory} log -p`);
terminal.say(`Database:    ${join(directory, 'caelus.sqlite')}`);
terminal.say(`Git and SQL are real; Argo CD was simulated. ${((performance.now() - started) / 1000).toFixed(1)} s.`);

if (flags.json) {
  const result = {
    directory,
    commits,
    paths,
    instances: items,
    gitFsck: fsck.error ? 'not run' : 'clean',
    argoCd: 'simulated',
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

function versionId(name: string): string {
  const id = versions.get(name);
  assert.ok(id !== undefined, `there is no version ${name}`);
  return id;
}

async function create(tenant: string, product: string, values: unknown = {}): Promise<Instance> {
  return caelus.instances.create(
    {
      productId: products.get(product) ?? '',
      templateVersionId: versionId(`${product} 1.0.0`),
      tenant,
      hostname: `${product}.${tenant}.example.com`,
      values,
    },
    { actor: { name: `Somebody at ${tenant}` }, idempotencyKey: `${tenant}-${product}` },
  );
}

async function untilRunning({ id, tenant, releaseName, generation }: Instance): Promise<void> {
  const { outcome, message, instance } = await caelus.settled(id, { generation, signal });
  assert.equal(outcome, 'running', message ?? outcome);
  terminal.say(
    `${releaseName} of ${tenant}: ${instance.status}, ${instance.syncStatus}, generation ${instance.observedGeneration}`,
  );
}

/** Waits for the instance's commit of that number: the repair may be written by the worker, or by `runOnce`. */
async function untilCommitted({ id: instanceId }: Instance, number: number): Promise<void> {
  let seen = 0;
  for await (const _ of caelus.events({ instanceId, types: ['instance-committed'], signal }))
    if (++seen === number) return;
}

/** As a person with a clone would, through another handle on the same repository. */
async function editByHand(content: string): Promise<void> {
  await using clone = await createGitStore({
    directory: gitDirectory,
    committer: { name: 'Mallory', email: 'mallory@example.com' },
  });
  const edits = [{ path: editedFile, bytes: new TextEncoder().encode(content) }];
  const proposal = { edits, summary: 'give us more space', trailers: [], actor: null };
  const [receipt] = await clone.write([{ subject: 'by hand', propose: async () => proposal }]);
  assert.equal(receipt?.outcome, 'written');
}

function toRow(instance: Instance): Record<string, string> {
  const { tenant, releaseName, status, syncStatus, healthStatus, generation, id } = instance;
  return {
    tenant,
    product: releaseName,
    status,
    sync: syncStatus ?? '-',
    health: healthStatus ?? '-',
    generation: String(generation),
    id,
  };
}

/** Argo CD's own loop: every few milliseconds here, every few minutes or at a webhook in a cluster. */
function keepReconciling(): AsyncDisposable {
  const stop = new AbortController();
  const loop = (async () => {
    while (!stop.signal.aborted) {
      await argoCd.reconcile();
      await systemClock.sleep(10, { signal: stop.signal }).catch(() => {});
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await loop;
    },
  };
}
