/**
 * The part of Argo CD's Application that Caelus reads, tolerant of what is missing. The shape is that of
 * `argoproj.io/v1alpha1`.
 */
export interface Application {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly finalizers?: readonly string[] | undefined;
    readonly deletionTimestamp?: string | undefined;
  };
  readonly spec: {
    readonly project?: string | undefined;
    readonly source?: ApplicationSource | undefined;
    readonly sources?: readonly ApplicationSource[] | undefined;
    readonly syncPolicy?:
      | {
          readonly automated?:
            | ({ readonly enabled?: boolean | undefined; readonly selfHeal?: boolean | undefined } & object)
            | null
            | undefined;
        }
      | undefined;
  };
  readonly operation?: object | undefined;
  readonly status?: ApplicationStatus | undefined;
}

export interface ApplicationSource {
  readonly repoURL: string;
  readonly path?: string | undefined;
  readonly chart?: string | undefined;
  readonly targetRevision?: string | undefined;
  readonly ref?: string | undefined;
}

export interface ApplicationStatus {
  readonly sync?:
    | {
        readonly status?: string | undefined;
        readonly revision?: string | undefined;
        readonly revisions?: readonly string[] | undefined;
        readonly comparedTo?:
          | {
              readonly source?: ApplicationSource | undefined;
              readonly sources?: readonly ApplicationSource[] | undefined;
            }
          | undefined;
      }
    | undefined;
  readonly health?:
    | {
        readonly status?: string | undefined;
        readonly message?: string | undefined;
        readonly lastTransitionTime?: string | undefined;
      }
    | undefined;
  readonly conditions?: readonly ApplicationCondition[] | undefined;
  readonly operationState?:
    | {
        readonly phase?: string | undefined;
        readonly message?: string | undefined;
        readonly startedAt?: string | undefined;
        readonly finishedAt?: string | undefined;
        readonly retryCount?: number | undefined;
        readonly syncResult?:
          | { readonly revision?: string | undefined; readonly revisions?: readonly string[] | undefined }
          | undefined;
      }
    | undefined;
  readonly history?:
    | readonly {
        readonly deployedAt?: string | undefined;
        readonly revision?: string | undefined;
        readonly revisions?: readonly string[] | undefined;
      }[]
    | undefined;
  readonly reconciledAt?: string | undefined;
  readonly resources?: readonly ApplicationResourceStatus[] | undefined;
}

/** A resource that Argo CD manages for an Application, in its own words. */
export interface ApplicationResourceStatus {
  readonly group?: string | undefined;
  readonly version?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly status?: string | undefined;
  /** In what Argo CD's own API answers; not in the Application that lies in the cluster. */
  readonly health?: { readonly status?: string | undefined; readonly message?: string | undefined } | undefined;
  readonly hook?: boolean | undefined;
  readonly requiresPruning?: boolean | undefined;
  readonly requiresDeletionConfirmation?: boolean | undefined;
}

export interface ApplicationCondition {
  readonly type: string;
  readonly message: string;
  readonly lastTransitionTime?: string | undefined;
}
