import type { RepoTree } from '../layout/repo-tree.ts';
import type { Instance } from '../model/instance.ts';
import type { Product } from '../model/product.ts';
import type { TemplateVersion } from '../model/template-version.ts';
import type { Tier } from '../model/tier.ts';
import type { Values } from '../values/values.ts';
import type { Marker } from './marker.ts';
import type { RenderContext } from './render-context.ts';
import type { ValuesLayer } from './values-layers.ts';

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
  readonly contentHash: string;
  /** Hash of the Application's spec, as its annotation `caelus.dev/spec-hash` carries it. */
  readonly specHash: string;
  /** What the layers come to. */
  readonly values: Values;
  readonly layers: readonly ValuesLayer[];
}

export function renderInstance(_input: RenderInstanceInput): RenderedInstance {
  throw new Error('Not written yet.');
}
