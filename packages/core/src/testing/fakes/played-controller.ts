import type { Application } from '../../status/application.ts';

const REFRESH = 'argocd.argoproj.io/refresh';

/**
 * What Argo CD's application controller makes of an Application that it was told something about, one step at a time: for fakes
 * of the APIs that it is told by. Returns the same object where there is nothing to do.
 * @param endless whether a sync that runs does not end by itself.
 */
export function playController(application: Application, at: string, endless: boolean): Application {
  const { [REFRESH]: refresh, ...annotations } = application.metadata.annotations ?? {};
  const { operation, ...idle } = application;
  const { operationState: state, ...status } = application.status ?? {};
  if (refresh !== undefined) {
    return {
      ...application,
      metadata: { ...application.metadata, annotations },
      status: { ...application.status, reconciledAt: at },
    };
  }
  if (operation === undefined || operation === null) return application;
  if (state === undefined || state === null) {
    return { ...application, status: { ...status, operationState: { phase: 'Running', startedAt: at } } };
  }
  if (state.phase === 'Running' && endless) return application;
  const isTerminated = state.phase === 'Terminating';
  const phase = isTerminated ? 'Failed' : 'Succeeded';
  const message = isTerminated ? 'Operation terminated' : 'successfully synced';
  const sync = isTerminated ? status.sync : { ...status.sync, status: 'Synced' };
  return { ...idle, status: { ...status, sync, operationState: { ...state, phase, message, finishedAt: at } } };
}
