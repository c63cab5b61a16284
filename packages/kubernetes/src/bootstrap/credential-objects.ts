import type { JsonObject, RenderContext } from '@caelus/core';
import type { RepositoryAccess, WebhookOptions } from './bootstrap-input.ts';
import type { PlannedObject } from './planned-object.ts';

/** How Argo CD reads the GitOps repository. */
export function repositorySecret({ gitOps, argoCd }: RenderContext, access: RepositoryAccess): PlannedObject {
  const credentials: Readonly<Record<string, () => string>> =
    'sshPrivateKey' in access
      ? { sshPrivateKey: () => access.sshPrivateKey }
      : { password: () => access.token, username: () => access.username ?? 'x-access-token' };
  return {
    ownership: 'own',
    reason: 'How Argo CD reads the GitOps repository. The token or key should be able to read, and not to write.',
    manifest: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'caelus-gitops',
        namespace: argoCd.namespace,
        labels: { 'argocd.argoproj.io/secret-type': 'repository' },
      },
      type: 'Opaque',
    },
    secrets: {
      type: () => 'git',
      url: () => gitOps.repoURL,
      ...credentials,
      // Warming the cache fails for every Application with several sources, as ours are, after it has cost its price. Argo CD
      // before 3.5 does not know the key, and ignores it.
      webhookManifestCacheWarmDisabled: () => 'true',
    },
  };
}

/** What Argo CD checks webhooks by. */
export function webhookSecret(
  { argoCd }: RenderContext,
  { provider = 'github', secret }: WebhookOptions,
): PlannedObject {
  return {
    ownership: 'shared',
    reason: 'Argo CD refreshes on webhooks that are signed with this, and on no others of this format.',
    manifest: argoCdObject('Secret', 'argocd-secret', argoCd.namespace),
    secrets: { [`webhook.${provider}.secret`]: () => secret },
  };
}

/** An object of Argo CD's own. Argo CD looks for those with this label alone. */
export function argoCdObject(kind: 'ConfigMap' | 'Secret', name: string, namespace: string): JsonObject {
  const labels = { 'app.kubernetes.io/part-of': 'argocd' };
  return { apiVersion: 'v1', kind, metadata: { name, namespace, labels } };
}
