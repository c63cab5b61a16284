import { setTimeout as delay } from 'node:timers/promises';
import {
  type Application,
  type ApplicationControl,
  applicationDeleting,
  applicationUnknown,
  type CallOptions,
  type JsonObject,
  operationRunning,
} from '@caelus/core';
import type { KubernetesClient } from '../client/kubernetes-client.ts';
import { RESOURCES } from '../client/resource.ts';
import { unavailable } from '../kubernetes-errors.ts';
import { toApplication } from './managed-applications.ts';

/** As often as Argo CD's API server tries, and as long as it waits between two tries, in milliseconds. */
const TRIES = 10;
const PAUSE = 100;

/**
 * Tells Argo CD what to do by writing what its own API server writes: the Application's CRD has no status subresource, and the
 * application controller looks at nothing else.
 */
export function createApplicationControl(client: KubernetesClient, namespace: string): ApplicationControl {
  /**
   * Writes the patch of what the Application is now, by compare-and-swap: what changed meanwhile is looked at again. Returns
   * whether there is such an Application.
   */
  async function change(
    what: string,
    name: string,
    patchOf: (application: Application) => JsonObject | undefined,
    options: CallOptions,
  ): Promise<boolean> {
    const object = { namespace, name };
    for (let tries = 0; tries < TRIES; tries += 1) {
      const found = await client.get(RESOURCES.Application, object, options);
      if (found === undefined) return false;
      const patch = patchOf(toApplication(found));
      if (patch === undefined) return true;
      const { resourceVersion, uid } = found.metadata;
      const metadata = { resourceVersion: String(resourceVersion), uid: String(uid) };
      const answer = await client.mergePatch(RESOURCES.Application, object, { ...patch, metadata }, options);
      if (answer.ok) return true;
      const { code, reason } = answer.status;
      if (code === 404 && reason === 'NotFound') return false;
      if (code !== 409) throw client.failure(`${what} Application ${name}`, answer.status);
      await delay(PAUSE, undefined, options).catch(() => options.signal?.throwIfAborted());
    }
    throw unavailable(client.name, `Application ${name} changed ${TRIES} times before it could be changed (${what}).`);
  }

  return {
    async refresh(name, { hard = false, ...options } = {}) {
      const annotations = { 'argocd.argoproj.io/refresh': hard ? 'hard' : 'normal' };
      const patch = { metadata: { annotations } };
      const answer = await client.mergePatch(RESOURCES.Application, { namespace, name }, patch, options);
      if (answer.ok) return;
      const { code, reason } = answer.status;
      if (code === 404 && reason === 'NotFound') throw applicationUnknown(name);
      throw client.failure(`refresh Application ${name}`, answer.status);
    },

    async sync(name, { prune = false, resources, ...options } = {}) {
      const patchOf = ({ metadata, operation, spec }: Application): JsonObject => {
        if (metadata.deletionTimestamp !== undefined) throw applicationDeleting(name);
        if (operation !== undefined && operation !== null) throw operationRunning(name);
        const { source, sources, syncPolicy } = spec as JsonObject;
        const { syncOptions, retry } = (syncPolicy ?? {}) as JsonObject;
        const sync = {
          prune,
          ...(sources ? { sources } : { source }),
          ...(syncOptions && { syncOptions }),
          ...(resources && { resources: resources.map((resource) => ({ group: '', ...resource })) }),
        };
        return {
          operation: { initiatedBy: { username: 'caelus' }, sync, ...(retry && { retry }) } as JsonObject,
          // What is left of the operation before would be taken for this one's.
          status: { operationState: null },
        };
      };
      if (!(await change('sync', name, patchOf, options))) throw applicationUnknown(name);
    },

    async terminateOperation(name, options = {}) {
      const patchOf = ({ operation, status }: Application) =>
        operation && status?.operationState?.phase === 'Running'
          ? { status: { operationState: { phase: 'Terminating' } } }
          : undefined;
      await change('end the sync of', name, patchOf, options);
    },
  };
}
