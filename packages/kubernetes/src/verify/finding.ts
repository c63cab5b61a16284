/** What is missing, wrong or too permissive in an installation. */
export interface Finding {
  /** Stable, for those who want to accept some: `default-project-open`. */
  readonly rule: FindingRule;
  /**
   * `error`: something does not work, or a tenant or a stranger can do what he must not. `warning`: it works, but is weaker
   * than it could be, or could not be checked. `info`: worth a decision.
   */
  readonly severity: 'error' | 'warning' | 'info';
  /** The object, and the field where there is one. */
  readonly where: string;
  readonly what: string;
  readonly remedy: string;
}

/** Every rule that `verify` knows. */
export type FindingRule =
  | 'admin-password-initial'
  | 'anonymous-access'
  | 'applications-anywhere'
  | 'argo-cd-older'
  | 'authentication-off'
  | 'caelus-too-permissive'
  | 'controller-unknown'
  | 'default-project-open'
  | 'default-role-wide'
  | 'deletion-hooks-skipped'
  | 'exec-enabled'
  | 'impersonation-off'
  | 'impersonation-without-account'
  | 'instance-isolation-off'
  | 'kustomize-unrestricted'
  | 'object-being-deleted'
  | 'object-differs'
  | 'object-foreign'
  | 'object-missing'
  | 'polling-default'
  | 'polling-frequent'
  | 'polling-off'
  | 'polling-rare'
  | 'project-any-cluster'
  | 'project-any-source'
  | 'project-reaches-argo-cd'
  | 'project-without-cluster'
  | 'repository-project-scoped'
  | 'repository-unknown'
  | 'repository-unverified'
  | 'root-fails'
  | 'root-out-of-sync'
  | 'ssh-host-unknown'
  | 'sync-timeout-off'
  | 'sync-wave-delay-default'
  | 'tls-off'
  | 'tracking-by-label'
  | 'unreadable'
  | 'webhook-unsigned';
