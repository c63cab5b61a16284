import { parseTier } from '@caelus/core';
import { createSimulatedArgoCd } from '@caelus/core/testing';
import { createCaelus } from '@caelus/engine';
import { createGitStore } from '@caelus/git-store';
import { createSqlRepository } from '@caelus/sql-repo';

await using store = await createGitStore({ directory: 'gitops.git' });
await using repository = await createSqlRepository({ file: 'caelus.sqlite' });
const argoCd = createSimulatedArgoCd({ store });

const caelus = createCaelus({
  repository,
  store,
  status: argoCd,
  gitOps: { repoURL: 'https://git.example.com/gitops.git' },
  tiers: [parseTier({ name: 'stable' })],
});

const product = await caelus.products.create({ slug: 'nextcloud', name: 'Nextcloud' });
const version = await caelus.templateVersions.publish({
  productId: product.id,
  version: '6.6.3',
  chart: { type: 'helm', repoURL: 'https://nextcloud.github.io/helm', chart: 'nextcloud', version: '6.6.3' },
  defaultValues: 'persistence: { enabled: true, size: 8Gi }',
});
const instance = await caelus.instances.create({
  productId: product.id,
  templateVersionId: version.id,
  tenant: 'acme',
  values: { persistence: { size: '20Gi' } },
});

await using _worker = caelus.start();
const timer = setInterval(() => void argoCd.reconcile(), 50);
const { outcome } = await caelus.settled(instance.id, { signal: AbortSignal.timeout(30_000) });
clearInterval(timer);
console.log(`${instance.id} of ${instance.tenant}: ${outcome}`);
