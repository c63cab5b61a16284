import { createSite, openStack } from './stack.ts';

await using site = await createSite('a directory');
await using stack = await openStack({ store: site.storeOf('host'), database: site.database });
const t = (l: string) => process.stderr.write(`${l} ${Math.round(performance.now())}\n`);
t('start');
const N = Number(process.argv[2]);
await Promise.all(
  Array.from({ length: 8 }, async (_, c) => {
    for (let i = 0; i < N / 8; i++) await stack.create({ tenant: `caller-${c}` });
  }),
);
t('created');
await stack.caelus.runOnce({ onProgress: (r) => t(JSON.stringify(r)) });
t('ran');
await stack.argoCd.settle();
for (let i = 0; i < 2; i++) {
  const m = await stack.argoCd.reconcile();
  t(`reconciled ${m}`);
  await stack.caelus.runOnce();
  t('ran');
}
