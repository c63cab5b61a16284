import type { ChartSource, JsonObject, Product, TemplateVersion } from '@caelus/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LiveStack, openLiveStack } from './live-stack.ts';
import { storyChart } from './story-chart.ts';

const SOUND = storyChart('wiki', '1.0.0');

/** A chart whose values say what is to go wrong with it. */
const FRAGILE = storyChart('fragile', '1.0.0', {
  'values.schema.json': JSON.stringify({ properties: { size: { type: 'string', pattern: '^[0-9]+Gi$' } } }),
  'templates/mood.yaml': '{{- if .Values.mood }}{{ fail "Moods are happy or sad" }}{{ end }}\n',
  'templates/reference.yaml': '{{- with .Values.reference }}{{ .nothing.here }}{{ end }}\n',
  'templates/malformed.yaml': '{{- if .Values.malformed }}kind: [{{ end }}\n',
  'templates/unknown.yaml': `{{- if .Values.unknown }}
apiVersion: example.com/v1
kind: Gadget
metadata: {name: gadget}
{{- end }}
`,
});

/** How long a user waits at most to be told, and for the fix of it. */
const SECONDS = 60;

let stack: LiveStack;
let product: Product;
let sound: TemplateVersion;
let fragile: TemplateVersion;

beforeAll(async () => {
  stack = await openLiveStack();
  product = await stack.caelus.products.create({ slug: 'wiki', name: 'Wiki' });
  sound = await stack.publish(product, SOUND);
  fragile = await stack.publish(product, FRAGILE, { version: 'fragile' });
});
afterAll(() => stack?.[Symbol.asyncDispose]());

/** The id of a new instance, once it has failed in time, and why. */
async function failing({ id: templateVersionId }: TemplateVersion, values: JsonObject = {}) {
  const started = performance.now();
  const wanted = { productId: product.id, templateVersionId, tenant: 'acme', values };
  const instance = await stack.caelus.instances.create(wanted);
  const { outcome, instance: row, message } = await stack.settled(instance);
  expect({ outcome, status: row.status }).toEqual({ outcome: 'failed', status: 'Failed' });
  expect(performance.now() - started).toBeLessThan(SECONDS * 1000);
  return { id: instance.id, message };
}

async function recovers(change: ReturnType<LiveStack['caelus']['instances']['update']>): Promise<void> {
  const started = performance.now();
  const { outcome, message } = await stack.settled(await change);
  expect({ outcome, message }).toEqual({ outcome: 'running', message: null });
  expect(performance.now() - started).toBeLessThan(SECONDS * 1000);
}

it('an instance whose chart cannot be had fails, and recovers', async () => {
  const charts = { helm: await stack.publishChart('helm', SOUND), oci: await stack.publishChart('oci', SOUND) };
  const unreachable = { type: 'helm', repoURL: 'http://127.0.0.1:1/charts', chart: 'x', version: '1.0.0' } as const;
  const cases: readonly (readonly [chart: object, why: RegExp])[] = [
    [{ ...charts.helm, version: '9.9.9' }, /^chart "\S+" version "9\.9\.9" not found in \S+ repository$/],
    [{ ...charts.helm, chart: 'nowhere' }, /^chart "nowhere" version "1\.0\.0" not found in \S+ repository$/],
    [{ ...charts.oci, version: '9.9.9' }, /\/charts\/\S+:9\.9\.9: not found$/],
    [{ ...charts.oci, chart: 'nowhere' }, /\/charts\/nowhere:1\.0\.0: not found$/],
    [unreachable, /^looks like "http:\S+" is not a valid chart repository or cannot be reached: /],
  ];
  await Promise.all(
    cases.map(async ([chart, why], index) => {
      const version = await stack.publish(product, SOUND, { version: `wrong-${index}`, chart: chart as ChartSource });
      const { id, message } = await failing(version);
      expect(message).toMatch(why);
      await recovers(stack.caelus.instances.upgrade(id, { templateVersionId: sound.id }));
    }),
  );
});

it('an instance whose chart cannot be rendered or applied fails, and recovers', async () => {
  const cases: readonly (readonly [values: JsonObject, why: RegExp])[] = [
    [{ size: 'large' }, /'large' does not match pattern/],
    [{ mood: 'odd' }, /^execution error at \S+: Moods are happy or sad$/],
    [{ reference: 'x' }, /can't evaluate field nothing in type string$/],
    [{ malformed: true }, /^YAML parse error on \S+\/templates\/malformed\.yaml: /],
    [{ unknown: true }, / server resources for group version example\.com\/v1: /],
    [{ replicas: -1 }, /^Deployment\.apps "web" is invalid: spec\.replicas: /],
    [{ health: 'degraded' }, /^A resource of the instance is degraded\.$/],
  ];
  await Promise.all(
    cases.map(async ([values, why]) => {
      const { id, message } = await failing(fragile, values);
      expect(message).toMatch(why);
      await recovers(stack.caelus.instances.update(id, { values: {} }));
    }),
  );
});

it('an instance recovers though the fix comes between two tries of Argo CD', async () => {
  const wanted = { productId: product.id, templateVersionId: fragile.id, tenant: 'acme', values: { replicas: -1 } };
  const { id, argoAppName } = await stack.caelus.instances.create(wanted);
  await stack.until('Argo CD to wait for the third try', async () => {
    const { phase, finishedAt, retryCount } = (await stack.status.get(argoAppName))?.status?.operationState ?? {};
    return phase === 'Running' && finishedAt !== undefined && retryCount === 3;
  });
  // The wait is 20 s long.
  const started = performance.now();
  await recovers(stack.caelus.instances.update(id, { values: {} }));
  expect(performance.now() - started).toBeLessThan(15_000);
});
