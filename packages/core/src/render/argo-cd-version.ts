import * as z from 'zod';

/** The lines of Argo CD that Caelus renders for. Fields that a line does not know are left out for it. */
export type ArgoCdVersion = '2.14' | '3.3' | '3.4' | '3.5';

export const argoCdVersions: readonly ArgoCdVersion[] = ['2.14', '3.3', '3.4', '3.5'];

export const DEFAULT_ARGO_CD_VERSION: ArgoCdVersion = '3.5';

export const argoCdVersionSchema: z.ZodType<ArgoCdVersion> = z.enum(argoCdVersions as [ArgoCdVersion]);

/** What rendering uses that not every version of Argo CD has. */
export interface ArgoCdFeatures {
  /**
   * `syncPolicy.retry.refresh` (3.2): a retry takes up a newer commit. Without it, an instance whose sync fails is retried
   * at the old commit until the limit is reached, and only then at the commit that repairs it.
   */
  readonly retryRefresh: boolean;
  /**
   * `clusterResourceWhitelist[].name` (3.3): the only cluster-scoped objects of a tier are namespaces that the naming
   * strategy could have named. Without it, a chart of the tier may bring any Namespace object.
   */
  readonly clusterResourceNames: boolean;
  /**
   * Helm's pre-delete hooks run, and their finalizers are taken off again (3.3). Without it, a chart's pre-delete hooks do
   * not run; writing their finalizers all the same would leave every deleted Application behind.
   */
  readonly preDeleteHooks: boolean;
}

const FEATURES: Readonly<Record<ArgoCdVersion, ArgoCdFeatures>> = {
  '2.14': { retryRefresh: false, clusterResourceNames: false, preDeleteHooks: false },
  '3.3': { retryRefresh: true, clusterResourceNames: true, preDeleteHooks: true },
  '3.4': { retryRefresh: true, clusterResourceNames: true, preDeleteHooks: true },
  '3.5': { retryRefresh: true, clusterResourceNames: true, preDeleteHooks: true },
};

/** What a version of Argo CD has of that which rendering would use. */
export function argoCdFeatures(version: ArgoCdVersion): ArgoCdFeatures {
  return FEATURES[version];
}
