import type { CallOptions } from '../call-options.ts';
import { CaelusError } from '../errors.ts';

/** What Argo CD can be told about one Application. */
export interface ApplicationControl {
  /**
   * Has the Application compared with Git and the cluster anew. Resolves at the latest when that has begun.
   * @throws {CaelusError} `APPLICATION_UNKNOWN`, `UNAVAILABLE`
   */
  refresh(name: string, options?: ApplicationRefreshOptions): Promise<void>;
  /**
   * Starts a sync to what the Application asks for; another revision cannot be given, because Argo CD refuses that where syncs
   * are automatic. Resolves once it is asked for; what becomes of it is in the Application.
   *
   * Where a sync window forbids it, Argo CD's own API refuses. By the Kubernetes API nobody asks the windows, and the sync waits
   * for one: the instance is `Pending`, `WindowBlocked`, and cannot be deleted until then.
   * @throws {CaelusError} `APPLICATION_UNKNOWN`, `APPLICATION_DELETING`, `OPERATION_RUNNING`, `SYNC_WINDOW_CLOSED`, `UNAVAILABLE`
   */
  sync(name: string, options?: ApplicationSyncOptions): Promise<void>;
  /** Stops the operation that runs, so that a deletion can go on. Does nothing where none runs. @throws {CaelusError} `UNAVAILABLE` */
  terminateOperation(name: string, options?: CallOptions): Promise<void>;
}

export interface ApplicationRefreshOptions extends CallOptions {
  /** Renders the manifests anew, too, instead of taking them from the cache. Default `false`. */
  readonly hard?: boolean | undefined;
}

export interface ApplicationSyncOptions extends CallOptions {
  /** Deletes what Git no longer has. Default `false`. */
  readonly prune?: boolean | undefined;
  /** Syncs only these, without hooks, and leaves no entry in the history: at most 100. Default: everything. */
  readonly resources?: readonly SyncResource[] | undefined;
}

/** A resource of an Application, as a sync is limited to it. */
export interface SyncResource {
  /** Default `''`: the core group. */
  readonly group?: string | undefined;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

export function applicationUnknown(application: string): CaelusError<'APPLICATION_UNKNOWN'> {
  return new CaelusError({
    code: 'APPLICATION_UNKNOWN',
    message: `Argo CD has no Application ${application}. It makes one once it has read the commit of the instance.`,
    details: { application },
    retryable: true,
  });
}

export function applicationDeleting(application: string): CaelusError<'APPLICATION_DELETING'> {
  return new CaelusError({
    code: 'APPLICATION_DELETING',
    message: `The Application ${application} is being deleted, and is not synced any more.`,
    details: { application },
  });
}

export function operationRunning(application: string): CaelusError<'OPERATION_RUNNING'> {
  return new CaelusError({
    code: 'OPERATION_RUNNING',
    message: `An operation of the Application ${application} still runs. Wait for its end, or terminate it.`,
    details: { application },
    retryable: true,
  });
}

export function syncWindowClosed(application: string): CaelusError<'SYNC_WINDOW_CLOSED'> {
  return new CaelusError({
    code: 'SYNC_WINDOW_CLOSED',
    message: `A sync window of its project does not let the Application ${application} be synced now. Wait for the window, or change it.`,
    details: { application },
    retryable: true,
  });
}
