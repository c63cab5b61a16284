import * as z from 'zod';
import { DNS_LABEL } from '../schema/identifier-schema.ts';
import { issue, parseInput } from '../schema/parse-input.ts';
import { type Values, valuesSchema } from '../values/values.ts';
import { type Destination, destinationSchema } from './destination.ts';
import { type TierName, tierNameSchema } from './identifier.ts';
import type { PodSecurityLevel } from './template-version.ts';

/** When Argo CD may sync the instances of a tier (`AppProject.spec.syncWindows`). */
export interface SyncWindow {
  readonly kind: 'allow' | 'deny';
  /** Cron expression of five fields: when the window opens. */
  readonly schedule: string;
  /** How long it stays open, as a Go duration: `30m`, `2h`. */
  readonly duration: string;
  /** IANA time zone. Default UTC. */
  readonly timeZone?: string | undefined;
  /** Whether a sync that somebody asks for by hand may run all the same. Default `false`. */
  readonly manualSync?: boolean | undefined;
}

/** Kubernetes resource names to quantities: `{ 'requests.cpu': '2', 'limits.memory': '4Gi' }`. */
export type ResourceQuantities = Readonly<Record<string, string>>;

/** A class of instances that are released, limited and gated alike; an AppProject in Argo CD. */
export interface Tier {
  readonly name: TierName;
  /** Values that the platform sets for every instance of the tier; they win over the user's and are locked. */
  readonly values?: Values | undefined;
  readonly syncWindows?: readonly SyncWindow[] | undefined;
  /** Hard limits of each instance's namespace (`ResourceQuota.spec.hard`). */
  readonly resourceQuota?: ResourceQuantities | undefined;
  /** What a container gets that does not say (`LimitRange`, type `Container`). */
  readonly limitRange?:
    | { readonly default?: ResourceQuantities | undefined; readonly defaultRequest?: ResourceQuantities | undefined }
    | undefined;
  /** `default-deny` isolates each namespace: traffic within it, DNS, and what `networkAllow` names. Default `none`. */
  readonly networkPolicy?: 'default-deny' | 'none' | undefined;
  /** What `default-deny` lets through besides. Without it nothing outside reaches the instance, an ingress controller neither. */
  readonly networkAllow?:
    | {
        /** Namespaces whose pods may call the instance's, such as the ingress controller's. */
        readonly ingressFromNamespaces?: readonly string[] | undefined;
        /** Address ranges that the instance's pods may call, such as `203.0.113.0/24`. */
        readonly egressToCidrs?: readonly string[] | undefined;
      }
    | undefined;
  /** The clusters that instances of the tier may run in. Default: any that Argo CD knows. */
  readonly destinations?: readonly Destination[] | undefined;
  /** The strictest Pod Security level of the tier; a template that needs more than this is refused. Default `baseline`. */
  readonly podSecurity?: PodSecurityLevel | undefined;
  /** Whether Argo CD undoes changes made in the cluster. Default `true`. */
  readonly selfHeal?: boolean | undefined;
}

const text = z.string().min(1).max(100);
const quantities: z.ZodType<ResourceQuantities> = z.record(
  z.string().regex(/^[a-z0-9](?:[a-z0-9./-]{0,251}[a-z0-9])?$/, 'Use the name of a Kubernetes resource.'),
  z.string().regex(/^\d+(?:\.\d+)?(?:m|k|[KMGTPE]i?)?$/, 'Use a Kubernetes quantity such as 500m or 2Gi.'),
);

const tierSchema: z.ZodType<Tier> = z.strictObject({
  name: tierNameSchema,
  values: valuesSchema.optional(),
  syncWindows: z
    .array(
      z.strictObject({
        kind: z.enum(['allow', 'deny']),
        schedule: z
          .string()
          .refine(
            (cron) => /^\S+(?: \S+){4}$/.test(cron) && cron.length <= 100,
            issue('INVALID_INPUT', 'Use a cron expression of five fields.'),
          ),
        duration: z.string().regex(/^(?:\d+(?:h|m|s))+$/, 'Use a Go duration such as 2h or 30m.'),
        timeZone: text.regex(/^[A-Za-z0-9_+/-]+$/, 'Use an IANA time zone.').optional(),
        manualSync: z.boolean().optional(),
      }),
    )
    .optional(),
  resourceQuota: quantities.optional(),
  limitRange: z.strictObject({ default: quantities.optional(), defaultRequest: quantities.optional() }).optional(),
  networkPolicy: z.enum(['default-deny', 'none']).optional(),
  networkAllow: z
    .strictObject({
      ingressFromNamespaces: z.array(z.string().regex(DNS_LABEL, 'Use the name of a namespace.')).max(64).optional(),
      egressToCidrs: z
        .array(z.union([z.cidrv4(), z.cidrv6()]))
        .max(64)
        .optional(),
    })
    .optional(),
  destinations: z.array(destinationSchema).min(1).max(64).optional(),
  podSecurity: z.enum(['restricted', 'baseline', 'privileged']).optional(),
  selfHeal: z.boolean().optional(),
});

/** Parses a tier. @throws {CaelusError} `NAME_INVALID`, `INVALID_INPUT` */
export function parseTier(input: unknown): Tier {
  return parseInput(tierSchema, input, 'The tier');
}
