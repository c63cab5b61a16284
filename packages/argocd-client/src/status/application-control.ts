import {
  type ApplicationControl,
  applicationDeleting,
  applicationUnknown,
  type CallOptions,
  isCaelusError,
  operationRunning,
  syncWindowClosed,
} from '@caelus/core';
import type { ApplicationAddress, ArgoCdApplications } from '../applications.ts';

/** Tells Argo CD what to do by its REST API, in the words of the port. */
export function createApplicationControl(
  applications: Pick<ArgoCdApplications, 'refresh' | 'sync' | 'terminateOperation'>,
  addressOf: (name: string, options: CallOptions) => Promise<ApplicationAddress | undefined>,
): ApplicationControl {
  return {
    async refresh(name, { hard = false, ...options } = {}) {
      const address = await addressOf(name, options);
      if (address === undefined) throw applicationUnknown(name);
      await applications.refresh(address, hard ? 'hard' : 'normal', options).catch((error: unknown) => {
        throw isCaelusError(error, 'ARGOCD_NOT_FOUND') ? applicationUnknown(name) : error;
      });
    },

    async sync(name, { prune = false, resources, ...options } = {}) {
      const address = await addressOf(name, options);
      if (address === undefined) throw applicationUnknown(name);
      const only = resources?.map(({ group = '', kind, name: resource, namespace }) => ({
        group,
        kind,
        name: resource,
        ...(namespace !== undefined && { namespace }),
      }));
      await applications.sync(address, { prune, resources: only }, options).catch((error: unknown) => {
        throw inWordsOfThePort(name, error);
      });
    },

    async terminateOperation(name, options = {}) {
      const address = await addressOf(name, options);
      if (address === undefined) return;
      await applications.terminateOperation(address, options).catch((error: unknown) => {
        const isOver =
          isCaelusError(error, 'ARGOCD_REQUEST_REFUSED') &&
          error.details.reason.includes('No operation is in progress');
        if (!isOver && !isCaelusError(error, 'ARGOCD_NOT_FOUND')) throw error;
      });
    },
  };
}

/** Argo CD says by its messages alone which refusal of a sync it is. */
function inWordsOfThePort(name: string, error: unknown): unknown {
  if (isCaelusError(error, 'ARGOCD_OPERATION_RUNNING')) return operationRunning(name);
  if (isCaelusError(error, 'ARGOCD_NOT_FOUND')) return applicationUnknown(name);
  if (isCaelusError(error, 'ARGOCD_REQUEST_REFUSED') && error.details.reason.includes('application is deleting')) {
    return applicationDeleting(name);
  }
  const isWindow =
    isCaelusError(error, 'ARGOCD_ACCESS_DENIED') && error.details.reason.includes('blocked by sync window');
  return isWindow ? syncWindowClosed(name) : error;
}
