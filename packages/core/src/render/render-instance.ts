import { CaelusError } from '../errors.ts';
import { canonicalJson } from '../json-value.ts';
import { instanceFiles } from '../layout/layout.ts';
import { below, type RepoPath } from '../layout/repo-path.ts';
import type { RepoTree } from '../layout/repo-tree.ts';
import type { Instance } from '../model/instance.ts';
import type { Product } from '../model/product.ts';
import type { TemplateVersion } from '../model/template-version.ts';
import type { Tier } from '../model/tier.ts';
import { mergeValues, type ValuesLayer } from '../values/merge-values.ts';
import type { Values } from '../values/values.ts';
import { renderApplication } from './application.ts';
import { instanceManifests } from './instance-manifests.ts';
import { kustomization } from './kustomization.ts';
import { toManifest } from './manifest.ts';
import { instanceHash, type Marker, type MarkerFacts, renderMarker } from './marker.ts';
import type { RenderContext } from './render-context.ts';
import { renderYaml } from './render-yaml.ts';
import { assertCanRetain } from './retain.ts';
import { isRootName } from './root-application.ts';
import { valuesLayers } from './values-layers.ts';

/** What an instance is rendered from: its row, and the product, template version and tier that the row names. */
export interface RenderInstanceInput {
  readonly context: RenderContext;
  readonly instance: Instance;
  readonly product: Product;
  readonly templateVersion: TemplateVersion;
  readonly tier: Tier;
}

/** One instance as it lies in Git. */
export interface RenderedInstance {
  /** Every file of the instance: `instances/<id>/**`, marker included, and the Application's file. */
  readonly tree: RepoTree;
  readonly marker: Marker;
  /** The marker's: over every other file of `tree` and over what the marker says of the instance. */
  readonly contentHash: string;
  /** Hash of the Application's spec, which its annotation `caelus.dev/spec-hash` carries. */
  readonly specHash: string;
  /** What the layers come to. */
  readonly values: Values;
  readonly layers: readonly ValuesLayer[];
}

/**
 * Renders one instance. Equal input gives equal bytes. Neither values nor labels are checked again: the commands that
 * stored them did.
 * @throws {CaelusError} `DELETION_POLICY_UNSUPPORTED`, `HOSTNAME_UNSUPPORTED`, `KUSTOMIZE_UNSUPPORTED`,
 * `POD_SECURITY_UNSUPPORTED`, `NAME_INVALID`, `INVALID_INPUT`
 */
export function renderInstance(input: RenderInstanceInput): RenderedInstance {
  const { context, instance, templateVersion, tier } = input;
  assertBelongTogether(input);
  assertOwnNames(instance, context);
  assertCanRetain(instance, templateVersion.capabilities);

  const layers = valuesLayers({ instance, templateVersion, tier });
  const values = mergeValues(layers);
  const application = renderApplication(input);
  const paths = instanceFiles(context.layout, instance.id);
  const files = new Map<RepoPath, Uint8Array>([
    [paths.values, renderYaml(values)],
    [paths.application, renderYaml(application.manifest)],
  ]);
  for (const [name, manifest] of instanceManifests(input))
    files.set(below(paths.manifests, name), renderYaml(manifest));
  if (templateVersion.capabilities.kustomize === true) files.set(paths.kustomization, renderYaml(kustomization(input)));

  const facts = markerFacts(input);
  const contentHash = instanceHash(files, facts);
  const { generation, changeId } = instance;
  const marker: Marker = { ...facts, storeId: context.storeId, generation, changeId, contentHash };
  files.set(paths.marker, renderMarker(marker));
  return { tree: files, marker, contentHash, specHash: application.specHash, values, layers };
}

function markerFacts({ instance, product, templateVersion }: RenderInstanceInput): MarkerFacts {
  const { id, tenant, tier, destination, namespace, argoAppName, releaseName } = instance;
  const { userValues, platformValues, hostname, labels, deletionPolicy, createdAt } = instance;
  return {
    id,
    tenant,
    tier,
    destination,
    names: { namespace, argoAppName, releaseName },
    product: { id: product.id, slug: product.slug },
    templateVersion: {
      id: templateVersion.id,
      version: templateVersion.version,
      // A chart in the GitOps repository may say `repoURL: undefined`; the schema that read it has checked the rest.
      chart: toManifest({ ...templateVersion.chart }) as unknown as TemplateVersion['chart'],
    },
    userValues,
    platformValues,
    hostname,
    labels,
    deletionPolicy,
    createdAt,
  };
}

function assertBelongTogether({ instance, product, templateVersion, tier }: RenderInstanceInput): void {
  const { destinations } = tier;
  const cluster = canonicalJson(instance.destination);
  const problems: readonly (readonly [isWrong: boolean, path: string, message: string])[] = [
    [instance.productId !== product.id, '/product', "Give the instance's own product."],
    [templateVersion.productId !== product.id, '/templateVersion', 'Give a template version of the product.'],
    [instance.tier !== tier.name, '/tier', "Give the instance's own tier."],
    [
      destinations?.every((allowed) => canonicalJson(allowed) !== cluster) === true,
      '/instance/destination',
      "Choose one of the tier's destinations, named as the tier names it.",
    ],
  ];
  const issues = problems.filter(([isWrong]) => isWrong).map(([, path, message]) => ({ path, message }));
  if (issues.length === 0) return;
  const list = issues.map(({ path, message }) => `${path}: ${message}`).join(' ');
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The instance cannot be rendered. ${list}`,
    details: { issues },
  });
}

const CLUSTER_NAMESPACES: readonly string[] = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/** Names come from rows, and a host's rows may say anything; a name that the cluster or Argo CD needs is never ours. */
function assertOwnNames({ namespace, argoAppName }: Instance, { argoCd }: RenderContext): void {
  const isReserved = namespace === argoCd.namespace || CLUSTER_NAMESPACES.includes(namespace);
  if (!isReserved && !isRootName(argoAppName)) return;
  const path = isReserved ? '/instance/namespace' : '/instance/argoAppName';
  const message = 'The name belongs to the cluster or to Argo CD. Correct the row.';
  throw new CaelusError({
    code: 'NAME_INVALID',
    message: `The instance cannot be rendered. ${path}: ${message}`,
    details: { issues: [{ path, message }] },
  });
}
