import { setTimeout as delay } from 'node:timers/promises';
import type { CallOptions } from '@caelus/core';
import type { KubernetesClient } from '../client/kubernetes-client.ts';
import { type KubernetesObject, RESOURCES } from '../client/resource.ts';
import { unavailable } from '../kubernetes-errors.ts';

/** As often as Argo CD's API server tries, and as long as it waits between two tries, in milliseconds. */
const TRIES = 10;
const PAUSE = 100;

/**
 * Asks Argo CD to end the sync of an Application, as its API server does: by writing the phase `Terminating` over `Running`.
 * The Application's CRD has no status subresource. Does nothing where no sync runs.
 * @throws {CaelusError} `UNAVAILABLE`, `KUBERNETES_ACCESS_DENIED`
 */
export async function terminateOperation(
  client: KubernetesClient,
  object: { readonly namespace: string; readonly name: string },
  options: CallOptions,
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await client.get(RESOURCES.Application, object, options);
    if (found === undefined || !isSyncing(found)) return;
    const { resourceVersion, uid } = found.metadata;
    // The version makes it a compare-and-swap: the sync that ended meanwhile, or the next one, is left alone.
    const metadata = { resourceVersion: String(resourceVersion), uid: String(uid) };
    const patch = { metadata, status: { operationState: { phase: 'Terminating' } } };
    const answer = await client.mergePatch(RESOURCES.Application, object, patch, options);
    if (answer.ok) return;
    const { code, reason } = answer.status;
    if (code === 404 && reason === 'NotFound') return;
    if (code !== 409) throw client.failure(`end the sync of Application ${object.name}`, answer.status);
    await delay(PAUSE, undefined, options).catch(() => options.signal?.throwIfAborted());
  }
  throw unavailable(client.name, `Application ${object.name} changed ${TRIES} times before its sync could be ended.`);
}

function isSyncing(application: KubernetesObject): boolean {
  const { operation, status } = application as {
    operation?: unknown;
    status?: { operationState?: { phase?: string } };
  };
  return operation !== undefined && operation !== null && status?.operationState?.phase === 'Running';
}
