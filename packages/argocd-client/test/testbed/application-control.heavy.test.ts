import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { diagnoseDeletion, toTimestamp } from '@caelus/core';
import { applicationControlContract } from '@caelus/core/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startTestbed, stopTestbed } from '../../../../testbed/src/index.ts';
import {
  type ControlledApplications,
  createControlledApplications,
  HOLD,
} from '../../../../testbed/test/controlled-applications.ts';
import { type ArgoCdClient, createArgoCdClient, createArgoCdStatusSource } from '../../src/index.ts';
import { createNodeFetch, type NodeFetch } from '../../src/node/index.ts';

/** One of its own, so that nothing is left of an earlier run. */
const NAME = `argocd-control-${process.pid}`;

let applications: ControlledApplications;
let admin: ArgoCdClient;
let fetch: NodeFetch;
let url = '';

beforeAll(async () => {
  const testbed = await startTestbed({ name: NAME });
  applications = await createControlledApplications(testbed);
  fetch = createNodeFetch({ ca: readFileSync(testbed.caFile, 'utf8') });
  const { username, password } = testbed.argocd;
  url = testbed.argocd.url;
  admin = createArgoCdClient({ baseUrl: url, login: { username, password }, fetch });
});
afterAll(async () => {
  fetch?.[Symbol.dispose]();
  await stopTestbed(NAME, { purge: true });
});

/** By an account that has the rights that the documentation asks for, and no more. */
async function createSubject() {
  const { project } = applications;
  const found = await admin.projects.get(project);
  const may = (action: string) => `p, proj:${project}:caelus, applications, ${action}, ${project}/*, allow`;
  const role = { name: 'caelus', policies: [may('get'), may('sync')] };
  await admin.projects.update({ ...found, spec: { ...found.spec, roles: [role] } });
  const token = await admin.projects.createToken({ project, role: 'caelus' }, { expiresIn: 3600 });
  const client = createArgoCdClient({ baseUrl: url, token, fetch });
  const source = createArgoCdStatusSource({ client, projects: [project] });
  return {
    source,
    put: async (name: string, state: Parameters<ControlledApplications['put']>[1]) =>
      void (await applications.put(name, state)),
    turn: () => wait(100),
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await applications.remove('one');
    },
  };
}

applicationControlContract({ describe, it }, { name: 'a real Argo CD, by its REST API', create: createSubject });

describe('a real Argo CD, by its REST API', () => {
  it('refuses a sync while a window forbids it', async () => {
    await using subject = await createSubject();
    await subject.put('one', 'synced');
    await applications.setWindowClosed(true);
    try {
      const deadline = performance.now() + 60_000;
      for (;;) {
        // The API server reads projects from a cache.
        const code = await subject.source.control.sync('one').then(
          () => 'started',
          (error: { code: string }) => error.code,
        );
        if (code === 'SYNC_WINDOW_CLOSED') break;
        if (performance.now() > deadline) throw new Error(`The window did not close: ${code}.`);
        await wait(500);
      }
    } finally {
      await applications.setWindowClosed(false);
    }
  });

  it('lets it be read what holds up a deletion', async () => {
    await using subject = await createSubject();
    const namespace = await applications.put('one', 'deleting');
    const deadline = performance.now() + 60_000;
    for (;;) {
      const resources = await subject.source.findLiveResources('one');
      const application = await subject.source.get('one');
      if (application === undefined) throw new Error('The Application is gone.');
      const now = toTimestamp(new Date());
      const { message } = diagnoseDeletion({ application, resources, now, graceMilliseconds: 0 });
      if (message === `ConfigMap ${namespace}/data waits for its finalizer ${HOLD}.`) break;
      if (performance.now() > deadline) throw new Error(`It says: ${message}, ${JSON.stringify(resources)}`);
      await wait(500);
    }
  });
});
