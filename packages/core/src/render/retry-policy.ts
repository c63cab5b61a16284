import { argoCdFeatures } from './argo-cd-version.ts';
import type { ManifestDraft } from './manifest.ts';
import type { RenderContext } from './render-context.ts';

/** How Argo CD retries a sync that failed: five times within some minutes. A retry without end would block deletion. */
export function retryPolicy({ argoCd }: RenderContext): ManifestDraft {
  return {
    limit: 5,
    refresh: argoCdFeatures(argoCd.version).retryRefresh ? true : undefined,
    backoff: { duration: '5s', factor: 2, maxDuration: '3m' },
  };
}
