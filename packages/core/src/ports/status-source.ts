import type { CallOptions } from '../call-options.ts';
import type { Application } from '../status/application.ts';
import type { LiveResource } from '../status/diagnose-deletion.ts';
import type { ApplicationControl } from './application-control.ts';

/** Where Argo CD's view of the Applications comes from: its REST API, the Kubernetes API, or a simulation. */
export interface StatusSource extends AsyncDisposable {
  /** For logs and errors, without credentials. */
  readonly name: string;
  /** The Application as it is now; `undefined` only where it surely does not exist. @throws {CaelusError} `UNAVAILABLE` */
  get(name: string, options?: CallOptions): Promise<Application | undefined>;
  /** Every Application that Caelus manages. */
  list(options?: CallOptions): AsyncIterable<Application>;
  /**
   * Every Application that exists, then `synced`, then each that changes, for as long as the caller iterates. May skip
   * intermediate states of one Application, never its last one.
   */
  watch(options?: CallOptions): AsyncIterable<ApplicationEvent>;
  /**
   * The resources of an Application that are still there, as they live, `LIVE_RESOURCES_LIMIT` at most, so that it can be found out what
   * holds up a deletion. Empty where there is no such Application. Left out where the source cannot look into the cluster.
   * @throws {CaelusError} `UNAVAILABLE`
   */
  findLiveResources?(name: string, options?: CallOptions): Promise<readonly LiveResource[]>;
  /** What Argo CD can be told. Left out where the source can only read. */
  readonly control?: ApplicationControl;
}

export type ApplicationEvent =
  | { readonly type: 'present'; readonly application: Application }
  | { readonly type: 'absent'; readonly name: string }
  | { readonly type: 'synced' };
