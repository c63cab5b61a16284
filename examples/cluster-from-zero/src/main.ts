// npm run demo:cluster: from an empty cluster with a plain Argo CD to an instance that runs, a change of it, and its end. Nothing is
// simulated. Each step checks what it claims; the first that fails ends the program with an error. See README.md.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createArgoCdClient, createArgoCdStatusSource, createArgoCdWebhookNotifier } from '@caelus/argocd-client';
import { createLayout, createRenderContext, type Instance, parseTier, renderPlan, uuidNaming } from '@caelus/core';
import { type Caelus, createCaelus } from '@caelus/engine';
import { createGitStore } from '@caelus/git-store';
import {
  bootstrap,
  createKubernetesClient,
  kubeconfigConnection,
  planBootstrap,
  renderBootstrapPlan,
  verify,
} from '@caelus/kubernetes';
import { createSqlRepository } from '@caelus/sql-repo';
import { readChart } from './chart.ts';
import { findCluster } from './cluster.ts';
import { heading, say, show } from './terminal.ts';

const { values: flags } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const started = performance.now();
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => interrupted.abort(new Error(`Ended by ${name}.`)));

heading('A cluster with a plain Argo CD, and an empty Git repository');
await using cluster = await findCluster(flags.keep);
const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(600_000)]);
const argoCd = createArgoCdClient(cluster.argoCd);
await using kubernetes = createKubernetesClient(await kubeconfigConnection({ path: cluster.kubeconfig }));
const { Version: version } = await argoCd.version({ signal });
say(cluster.description);
say(`Argo CD ${version} at ${argoCd.server}`);
say(cluster.git.url);

// The rows first: their database has an id, and everything in Git and in the cluster will say that it belongs to it.
await using repository = await createSqlRepository({ file: join(cluster.folder, 'caelus.sqlite') });
const gitOps = { repoURL: cluster.git.url };
const tiers = [parseTier({ name: 'stable', resourceQuota: { 'limits.memory': '1Gi' } })];
const { storeId } = repository;

heading('What the cluster needs, as a plan');
// It goes into argocd-secret, and signs what Caelus tells Argo CD. A backend keeps it where it keeps its other secrets.
const webhookSecret = randomBytes(24).toString('base64url');
const input = {
  context: createRenderContext({ storeId, layout: createLayout('flat'), naming: uuidNaming, gitOps }),
  tiers,
  // Argo CD only reads: outside of a demo, give it a token that cannot write.
  repository: { username: cluster.git.username, token: cluster.git.password },
  // Caelus follows Argo CD by its own API here, so that it needs no rights in the cluster.
  serviceAccount: false as const,
  webhook: { secret: webhookSecret },
};
const plan = planBootstrap(input);
show(renderBootstrapPlan(plan));
assert.ok(!renderBootstrapPlan(plan).includes(webhookSecret), 'the plan shows a secret');

heading('Bootstrap: tried first, then applied');
const tried = await bootstrap(kubernetes, plan, { dryRun: true, signal });
const { objects } = await bootstrap(kubernetes, plan, { signal });
for (const { object, outcome } of objects) say(`${outcome.padEnd(10)} ${object}`);
assert.equal(tried.objects.length, objects.length);
const again = await bootstrap(kubernetes, plan, { signal });
assert.ok(again.objects.every(({ outcome }) => outcome === 'unchanged' || outcome === 'kept'));
say('Once more: nothing to change.');

heading('Verify: what is still missing, wrong or too permissive');
const findings = await verify(kubernetes, input, { signal });
for (const { severity, where, what } of findings) say(`${severity.padEnd(8)} ${where}: ${what}`);
assert.deepEqual(
  findings.filter(({ rule }) => rule.startsWith('object-')),
  [],
  'bootstrap has left something to do',
);

heading('Caelus, with its four adapters');
await using store = await createGitStore({
  directory: join(cluster.folder, 'gitops.git'),
  remote: {
    url: cluster.git.url,
    credentials: () => ({ username: cluster.git.username, password: cluster.git.password }),
  },
});
await using status = createArgoCdStatusSource({ client: argoCd, projects: ['caelus-stable'] });
const notifier = createArgoCdWebhookNotifier({
  baseUrl: argoCd.server,
  repository: { url: cluster.git.url },
  secret: webhookSecret,
  fallback: { client: argoCd, projects: ['caelus-stable'] },
  fetch: cluster.argoCd.fetch,
});
const caelus = createCaelus({ repository, store, status, notifier, gitOps, tiers });
await using _worker = caelus.start({ signal });
say('rows      SQLite');
say('store     Git over HTTP');
say('status    what Argo CD says, watched');
say('notifier  a signed webhook call to Argo CD for each push');

heading('Publish a product: a chart, and what users may set of it');
const { productId, templateVersionId } = await publish(caelus);

heading('A tenant clicks');
const created = await caelus.instances.create({
  productId,
  templateVersionId,
  tenant: 'acme',
  values: { title: 'Hello from zero', replicas: 2 },
});
const { namespace, releaseName, argoAppName } = created;
say(`${created.id}, in the namespace ${namespace}`);
await untilRunning(created);

heading('What kubectl sees');
show(await cluster.kubectl('get', 'applications.argoproj.io', '--namespace=argocd'));
show(await cluster.kubectl('get', 'deployments,pods,services,resourcequotas', `--namespace=${namespace}`));
assert.match(await pageOf(releaseName), /<h1>Hello from zero<\/h1>/);
assert.equal(await jsonPath('deployment', releaseName, '{.status.readyReplicas}'), '2');

heading('The tenant changes a value');
const changes = { values: { title: 'Still here', replicas: 2 } };
show(renderPlan(await caelus.instances.planUpdate(created.id, changes)));
await untilRunning(await caelus.instances.update(created.id, changes));
assert.match(await pageOf(releaseName), /<h1>Still here<\/h1>/);
say(`The page now says: ${/<h1>.*<\/h1>/.exec(await pageOf(releaseName))}`);

heading('The tenant leaves');
await caelus.instances.delete(created.id);
const { outcome } = await caelus.settled(created.id, { signal, onProgress: createProgress() });
assert.equal(outcome, 'deleted');
const left = ['--ignore-not-found', '--output=name'];
assert.equal(await cluster.kubectl('get', 'namespace', namespace, ...left), '');
assert.equal(await cluster.kubectl('get', 'applications.argoproj.io', argoAppName, '--namespace=argocd', ...left), '');
say('The namespace and the Application are gone.');

say('');
say(`Nothing was simulated. ${((performance.now() - started) / 1000).toFixed(1)} s.`);

/** The product of the story, made where an earlier run has not. */
async function publish({ products, templateVersions, charts }: Caelus) {
  const chart = readChart();
  const { name, version } = chart;
  const known = (await products.list()).items.find(({ slug }) => slug === name);
  const { id: productId } = known ?? (await products.create({ slug: name, name: 'Guestbook' }));
  const [published] = (await templateVersions.list({ productId })).items;
  const source = cluster.charts
    ? ({ type: 'helm', repoURL: cluster.charts, chart: name, version } as const)
    : await charts.publish(chart);
  const text = (path: string) => new TextDecoder().decode(chart.files.get(path));
  const { id: templateVersionId } =
    published ??
    (await templateVersions.publish({
      productId,
      version,
      chart: source,
      defaultValues: text('values.yaml'),
      valuesSchema: text('values.schema.json'),
      lockedValues: ['/image', '/resources'],
    }));
  say(`${name} ${version} from ${cluster.charts ?? 'the GitOps repository itself'}`);
  return { productId, templateVersionId };
}

async function untilRunning({ id, generation }: Instance): Promise<void> {
  const asked = performance.now();
  const { outcome, message } = await caelus.settled(id, { generation, signal, onProgress: createProgress() });
  assert.equal(outcome, 'running', message ?? outcome);
  say(`Running ${((performance.now() - asked) / 1000).toFixed(1)} s after the click.`);
}

/** Says where an instance is, where that is news. */
function createProgress() {
  let last = '';
  return ({ status, statusReason, syncStatus, healthStatus }: Instance) => {
    const argoCdSays = [syncStatus, healthStatus].filter((word) => word !== null).join(', ');
    const line = `… ${status} (${statusReason})${argoCdSays && `; Argo CD: ${argoCdSays}`}`;
    if (line !== last) say(line);
    last = line;
  };
}

async function jsonPath(kind: string, name: string, path: string): Promise<string> {
  return cluster.kubectl('get', kind, name, `--namespace=${namespace}`, `--output=jsonpath=${path}`);
}

function pageOf(release: string): Promise<string> {
  return jsonPath('configmap', `${release}-page`, '{.data.index\\.html}');
}
