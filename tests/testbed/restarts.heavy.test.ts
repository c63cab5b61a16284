import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Instance } from '@caelus/core';
import { restartComponent } from '@caelus-testbed/testbed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, startProgram } from '../../packages/sql-repo/test/child-process.ts';
import type { StatusKind } from './live-host.ts';
import { type LiveStack, openLiveStack } from './live-stack.ts';
import { storyChart } from './story-chart.ts';

const PROGRAM = fileURLToPath(new URL('worker-program.ts', import.meta.url));
const CREATED = 30;
const SECONDS = 300;

/** Caelus' loops, in a process that can be killed. */
interface Loops {
  restart(): Promise<void>;
  kill(): Promise<void>;
}

function loopsOf(settings: string): Loops {
  let child: Child | undefined;
  const kill = async () => {
    child?.kill();
    await child?.ended;
  };
  return {
    kill,
    async restart() {
      await kill();
      child = startProgram(PROGRAM, settings);
      await child.printed(1);
    },
  };
}

describe.each<StatusKind>(['the Kubernetes API', 'Argo CD’s API'])('a hundred operations, followed by %s', (status) => {
  let stack: LiveStack;
  let loops: Loops;

  beforeAll(async () => {
    stack = await openLiveStack({ status, worker: false });
    const file = join(dirname(stack.settings.database), 'settings.json');
    // The worker has a cache of its own: two processes share none.
    const directory = join(dirname(file), 'worker.git');
    await writeFile(file, JSON.stringify({ ...stack.settings, directory }), { mode: 0o600 });
    loops = loopsOf(file);
    await loops.restart();
  });
  afterAll(async () => {
    await loops?.kill();
    await stack?.[Symbol.asyncDispose]();
  });

  it('all arrive, while everything is restarted in the middle of them', async () => {
    const { caelus, testbed } = stack;
    const product = await caelus.products.create({ slug: 'restarts', name: 'Restarts' });
    const v1 = await stack.publish(product, storyChart('restarts', '1.0.0'));
    const v2 = await stack.publish(product, storyChart('restarts', '2.0.0'));
    const restart = (component: string) => restartComponent(component, { name: testbed.name, kill: true });
    const restarts = [
      () => restart('application-controller'),
      () => loops.restart(),
      () => restart('argocd-server'),
      () => restart('redis'),
      () => restart('git-server'),
      () => restart('repo-server'),
      () => restart('kube-apiserver'),
      () => loops.restart(),
      () => restart('application-controller'),
    ];
    const instances: Instance[] = [];
    const at = (index: number) => instances[index] as Instance;
    const operations: (() => Promise<unknown>)[] = [
      ...Array.from({ length: CREATED }, (_, index) => async () => {
        const values = { message: `first ${index}` };
        const input = { productId: product.id, templateVersionId: v1.id, tenant: `tenant-${index % 5}`, values };
        instances[index] = await caelus.instances.create(input);
      }),
      ...Array.from({ length: CREATED }, (_, index) => async () => {
        await caelus.instances.update(at(index).id, { values: { message: `second ${index}` } });
      }),
      ...Array.from({ length: 20 }, (_, index) => async () => {
        await caelus.instances.upgrade(at(index).id, { templateVersionId: v2.id });
      }),
      ...Array.from({ length: 20 }, (_, index) => async () => {
        await caelus.instances.delete(at(CREATED - 1 - index).id);
      }),
    ];
    expect(operations).toHaveLength(100);
    let running: Promise<void> = Promise.resolve();
    for (const [index, operation] of operations.entries()) {
      await operation();
      const next = index % 12 === 11 ? restarts[(index - 11) / 12] : undefined;
      // One at a time, while the operations go on.
      if (next !== undefined) running = Promise.all([running, next()]).then(() => {});
      // Some of what was asked for has reached the cluster before the next is asked for, and some has not.
      if (index % 10 === 9)
        await stack.until('the loops go on', async () => (await caelus.work.backlog()).pending < 10);
    }
    await running;

    const signal = AbortSignal.timeout(SECONDS * 1000);
    for (const [index, { id }] of instances.entries()) {
      const { outcome, instance, reason, message } = await caelus.settled(id, { signal });
      const isDeleted = index >= CREATED - 20;
      expect({ outcome, reason, message }, `${index}`).toEqual(
        isDeleted
          ? { outcome: 'deleted', reason: 'Gone', message: null }
          : { outcome: 'running', reason: 'Running', message: null },
      );
      const { namespace } = instance;
      if (isDeleted) {
        expect(await stack.find('namespace', namespace), `${index}`).toBeUndefined();
        continue;
      }
      const settings = await stack.find('configmap', 'web', namespace);
      expect(settings?.data, `${index}`).toEqual({
        message: `second ${index}`,
        version: index < 20 ? '2.0.0' : '1.0.0',
      });
    }
    const applications = await stack.list('application', 'argocd');
    const named = applications.filter(({ metadata }) => metadata.labels?.['caelus.dev/instance'] !== undefined);
    expect(named.map(({ metadata }) => metadata.name).sort()).toEqual(
      instances
        .slice(0, CREATED - 20)
        .map(({ argoAppName }) => argoAppName)
        .sort(),
    );
    const findings = [];
    for await (const finding of caelus.inspect()) findings.push(finding);
    expect(findings).toEqual([]);
    expect(await caelus.work.backlog()).toMatchObject({ pending: 0, dead: 0 });
  }, 600_000);
});
