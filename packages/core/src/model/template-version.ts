import * as z from 'zod';
import { LABEL_VALUE } from '../schema/identifier-schema.ts';
import { issue, parseInput } from '../schema/parse-input.ts';
import { type Values, valuesSchema } from '../values/values.ts';
import { type ChartSource, chartSourceSchema, type UnpinnedChartSource } from './chart-source.ts';
import {
  type ProductId,
  productIdSchema,
  type TemplateVersionId,
  type Timestamp,
  templateVersionIdSchema,
  timestampSchema,
} from './identifier.ts';

/** The Pod Security level that a namespace enforces (Kubernetes' Pod Security Standards). */
export type PodSecurityLevel = 'restricted' | 'baseline' | 'privileged';

/** What a chart can do and needs, beyond what Helm's own metadata says. */
export interface TemplateCapabilities {
  /**
   * Render through a kustomize overlay over the chart. It needs `kustomize.buildOptions: --enable-helm` in Argo CD, and a
   * chart from a Helm repository, an OCI registry (both without credentials) or the GitOps repository. Default `false`.
   */
  readonly kustomize?: boolean | undefined;
  /** JSON pointer of the value that takes the instance's hostname. */
  readonly hostname?: string | undefined;
  /**
   * How the chart's volumes can be marked to outlive the instance: JSON pointers of the values that take a volume claim's
   * annotations, or `claim-templates` where all volumes come from StatefulSets (Argo CD does not track those claims).
   */
  readonly volumes?: 'claim-templates' | { readonly annotations: readonly string[] } | undefined;
  /**
   * The chart has Helm hooks that run at deletion; their finalizers then stand in Git, so that Argo CD and Git agree. A chart with
   * post-delete hooks has to say so: the namespace is made again for them, without which an instance is never deleted to the end.
   *
   * A hook that fails does not hold the deletion for sure: Argo CD 3.5 makes it again until it succeeds, and sometimes goes on without
   * (ADR 0032). What must not be lost wants `deletionPolicy: 'retain'`.
   */
  readonly deleteHooks?: readonly ('pre-delete' | 'post-delete')[] | undefined;
  /** The Pod Security level that the chart's pods need. Default `restricted`. */
  readonly podSecurity?: PodSecurityLevel | undefined;
}

/** An immutable chart reference with the default values and the values schema of one version of a product. */
export interface TemplateVersion {
  readonly id: TemplateVersionId;
  readonly productId: ProductId;
  /** For people, unique within the product: 1 to 63 letters, digits, dots, underscores and hyphens. */
  readonly version: string;
  readonly chart: ChartSource;
  readonly defaultValues: Values;
  /** JSON Schema (2020-12, or draft-07 where `$schema` says so) of the values a user may set; `null` accepts any. */
  readonly valuesSchema: Values | null;
  /** JSON pointers of values that users cannot set, beside the platform's own. */
  readonly lockedValues: readonly string[];
  readonly capabilities: TemplateCapabilities;
  readonly createdAt: Timestamp;
  /** Set once the version takes no new instances; those that run it stay. */
  readonly deprecatedAt: Timestamp | null;
}

/** What a host says of a new template version. */
export interface NewTemplateVersion {
  readonly productId: string;
  readonly version: string;
  readonly chart: UnpinnedChartSource;
  /** An object, or YAML or JSON text. Default: no values. */
  readonly defaultValues?: unknown;
  /** An object, or YAML or JSON text. */
  readonly valuesSchema?: unknown;
  readonly lockedValues?: readonly string[] | undefined;
  readonly capabilities?: TemplateCapabilities | undefined;
}

const pointer = z
  .string()
  .refine(
    (text) => text.length <= 512 && /^(?:\/(?:[^/~]|~[01])+)+$/.test(text),
    issue('INVALID_INPUT', 'Use a JSON pointer such as /ingress/host.'),
  );

export const capabilitiesSchema: z.ZodType<TemplateCapabilities> = z.strictObject({
  kustomize: z.boolean().optional(),
  hostname: pointer.optional(),
  volumes: z
    .union([z.literal('claim-templates'), z.strictObject({ annotations: z.array(pointer).min(1).max(16) })])
    .optional(),
  deleteHooks: z.array(z.enum(['pre-delete', 'post-delete'])).optional(),
  podSecurity: z.enum(['restricted', 'baseline', 'privileged']).optional(),
});

export const versionNameSchema: z.ZodType<string> = z
  .string()
  .refine(
    (text) => LABEL_VALUE.test(text),
    issue(
      'NAME_INVALID',
      'Use 1 to 63 letters, digits, dots, underscores and hyphens, starting and ending with a letter or digit.',
    ),
  );

const lockedValues = z.array(pointer).max(256);

const templateVersionSchema: z.ZodType<TemplateVersion> = z.strictObject({
  id: templateVersionIdSchema,
  productId: productIdSchema,
  version: versionNameSchema,
  chart: chartSourceSchema,
  defaultValues: valuesSchema,
  valuesSchema: valuesSchema.nullable(),
  lockedValues,
  capabilities: capabilitiesSchema,
  createdAt: timestampSchema,
  deprecatedAt: timestampSchema.nullable(),
});

/** Parses a stored template version. @throws {CaelusError} the codes of {@link parseChartSource}, of `parseValues`, and `INVALID_INPUT` */
export function parseTemplateVersion(input: unknown): TemplateVersion {
  return parseInput(templateVersionSchema, input, 'The template version');
}
