import type { InstanceStatus, JsonValue, LayoutName, NamingStrategy } from '@caelus/core';

/** The columns of a host's row that a field is read from, as PostgreSQL writes them as text. */
export type HostValues = Readonly<Record<string, string | null>>;

/**
 * Where a field comes from. A text names a column of the host's; JSON columns and columns of text are read as JSON, or as YAML where
 * the field is values. `value` is one value for every row. `read` makes the field of the columns that are named; it must be pure, and
 * a command cannot change such a field.
 */
export type HostField =
  | string
  | { readonly value: JsonValue }
  | { readonly columns: readonly string[]; readonly read: (row: HostValues) => unknown };

/** The host's table of products. */
export interface HostProducts {
  /** Default `product`. */
  readonly table?: string | undefined;
  /** The column of its key. Default `id`. */
  readonly id?: string | undefined;
  /** Default: the column `slug`. */
  readonly slug?: HostField | undefined;
  /** Default: the column `name`. */
  readonly name?: HostField | undefined;
  /** The column of when it was made. Default: when Caelus first saw it. */
  readonly createdAt?: string | undefined;
}

/** The host's table of the versions of its products. */
export interface HostTemplateVersions {
  /** Default `product_template_version`. */
  readonly table?: string | undefined;
  /** The column of its key. Default `id`. */
  readonly id?: string | undefined;
  /** The column of its product. Default `product_id`. */
  readonly productId?: string | undefined;
  /** Its name for people. Default: its key. */
  readonly version?: HostField | undefined;
  /** Added where it is missing. Default `helm_chart_repo_url`. */
  readonly helmChartRepoUrl?: string | undefined;
  /** Added where it is missing. Default `chart_version`. */
  readonly chartVersion?: string | undefined;
  /** Added where it is missing. Default `default_values`. */
  readonly defaultValues?: string | undefined;
  /** The chart's name in its repository. Default: the product's slug. */
  readonly chartName?: HostField | undefined;
  /** The whole chart source, where the three fields above are not how the host keeps it. */
  readonly chart?: HostField | undefined;
  readonly valuesSchema?: HostField | undefined;
  readonly lockedValues?: HostField | undefined;
  readonly capabilities?: HostField | undefined;
  /** The column of when it was made. Default: when Caelus first saw it. */
  readonly createdAt?: string | undefined;
  /** The column of when it was taken out of use, by which a host deletes softly. Free to change. */
  readonly deprecatedAt?: string | undefined;
}

/** The host's words for what an instance is doing. */
export interface HostStatus {
  /** Added where it is missing. Default `status`. */
  readonly column?: string | undefined;
  /** The word that Caelus writes for each status. Default: the status itself. No two are the same. */
  readonly words?: Partial<Record<InstanceStatus, string>> | undefined;
  /** Further words that the host writes, and the status that each of them means. */
  readonly alsoRead?: Readonly<Record<string, InstanceStatus>> | undefined;
  /** Words of rows that Caelus leaves alone, such as those that are not paid for. */
  readonly held?: readonly string[] | undefined;
}

/** The host's table of deployments. Fields without a column are kept by Caelus. */
export interface HostDeployments {
  /** Default `deployment`. */
  readonly table?: string | undefined;
  /** The column of its key. Default `id`. */
  readonly id?: string | undefined;
  /** Default `desired_template_version_id`. */
  readonly desiredTemplateVersionId?: string | undefined;
  readonly appliedTemplateVersionId?: string | undefined;
  /** An RFC 1123 label. */
  readonly tenant: HostField;
  /** The name of a tier that `createCaelus` knows. */
  readonly tier: HostField;
  /** Default: the cluster that Argo CD runs in. */
  readonly destination?: HostField | undefined;
  /** Default: the column `user_values`. */
  readonly userValues?: HostField | undefined;
  readonly platformValues?: HostField | undefined;
  readonly hostname?: HostField | undefined;
  readonly labels?: HostField | undefined;
  readonly deletionPolicy?: HostField | undefined;
  /** The column of a number that the host raises with its changes. */
  readonly generation?: string | undefined;
  /** The column of a namespace that the host has chosen; where it has not, the naming strategy does. */
  readonly namespace?: string | undefined;
  readonly releaseName?: string | undefined;
  /** Added where it is missing. Default `git_path`. */
  readonly gitPath?: string | undefined;
  /** Added where it is missing. Default `argo_app_name`. */
  readonly argoAppName?: string | undefined;
  readonly status?: HostStatus | undefined;
  /** Added where it is missing. Default `sync_status`. */
  readonly syncStatus?: string | undefined;
  /** Added where it is missing. Default `last_synced_at`. */
  readonly lastSyncedAt?: string | undefined;
  readonly statusReason?: string | undefined;
  readonly healthStatus?: string | undefined;
  readonly lastError?: string | undefined;
  readonly observedGeneration?: string | undefined;
  readonly createdAt?: string | undefined;
  /** Where the host deletes softly: a row that has an instant here is to be deleted. */
  readonly deletedAt?: string | undefined;
}

/**
 * How a host's own tables are Caelus's. Names are 1 to 63 letters, digits and underscores, not beginning with a digit; words of
 * statuses 1 to 64 letters, digits, spaces, dots, hyphens and underscores.
 */
export interface AttachOptions {
  /** The schema of the host's tables. Default `public`. */
  readonly schema?: string | undefined;
  readonly product?: HostProducts | undefined;
  readonly templateVersion?: HostTemplateVersions | undefined;
  readonly deployment: HostDeployments;
  /** The one that `createCaelus` is given. Default `slugNaming`, which names every kind of id. */
  readonly naming?: NamingStrategy | undefined;
  /** The one that `createCaelus` is given. Default `flat`. */
  readonly layout?: LayoutName | undefined;
  /**
   * `install`: a trigger on the host's table tells Caelus of every change in the transaction that makes it, whoever writes, and another
   * keeps template versions as they are. `none`: the host tells (`repository.in(transaction).host.requestInstance(id)`), or the
   * sweeper finds out.
   */
  readonly triggers: 'install' | 'none';
  /** The zone of the host's columns without one (`timestamp`), as PostgreSQL knows it. Default `UTC`. */
  readonly timeZone?: string | undefined;
  /**
   * Whether Caelus may insert rows into the host's tables, which then need a default for every column that is not mapped. Default
   * `false`: only the host inserts, and Caelus takes up what it finds.
   */
  readonly insert?: boolean | undefined;
}
