import { CaelusError } from '../errors.ts';
import type { Instance } from '../model/instance.ts';
import type { TemplateCapabilities } from '../model/template-version.ts';

/**
 * Keeps an object when it goes from Git (`Prune=false`) and when its Application is deleted (`Delete=false`). Argo CD
 * heeds each of the two in one case only, so both are needed. Helm's `resource-policy: keep` is ignored when pruning.
 */
export const RETAIN_ANNOTATIONS: { readonly 'argocd.argoproj.io/sync-options': string } = {
  'argocd.argoproj.io/sync-options': 'Delete=false,Prune=false',
};

/** @throws {CaelusError} `DELETION_POLICY_UNSUPPORTED` when volumes of the chart would go with the instance */
export function assertCanRetain(instance: Pick<Instance, 'deletionPolicy'>, capabilities: TemplateCapabilities): void {
  if (instance.deletionPolicy !== 'retain') return;
  if (capabilities.volumes !== undefined || capabilities.kustomize === true) return;
  throw new CaelusError({
    code: 'DELETION_POLICY_UNSUPPORTED',
    message:
      'The template version does not say how its volumes can be marked to be retained. Use the deletion policy delete, or publish a version with capabilities.volumes.',
    details: { deletionPolicy: instance.deletionPolicy },
  });
}
