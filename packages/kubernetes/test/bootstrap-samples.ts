import {
  createLayout,
  createRenderContext,
  parseStoreId,
  parseTier,
  type RenderContext,
  uuidNaming,
} from '@caelus/core';
import type { BootstrapInput } from '../src/bootstrap/bootstrap-input.ts';

export const STORE = '11111111-2222-4333-8444-555555555555';
export const OTHER_STORE = '99999999-2222-4333-8444-555555555555';

/** Every secret that the samples give. */
export const SECRETS = {
  token: 'ghp-SECRET-token-of-the-repository',
  sshPrivateKey:
    '-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET-key-of-the-repository\n-----END OPENSSH PRIVATE KEY-----\n',
  notifications: 'SECRET-token-of-the-notifications',
  webhook: 'SECRET-of-the-webhook',
};

export function contextFor(
  repoURL: string,
  more: { layout?: 'sharded'; storeId?: string; namespace?: string; sourceRepos?: readonly string[] } = {},
): RenderContext {
  return createRenderContext({
    storeId: parseStoreId(more.storeId ?? STORE),
    layout: createLayout(more.layout ?? 'flat'),
    naming: uuidNaming,
    gitOps: { repoURL },
    argoCd: { namespace: more.namespace, sourceRepos: more.sourceRepos },
  });
}

const tiers = [
  parseTier({ name: 'stable' }),
  parseTier({
    name: 'beta',
    destinations: [{ name: 'eu-1' }],
    syncWindows: [{ kind: 'allow', schedule: '0 8 * * *', duration: '8h' }],
  }),
];

/** Everything, by HTTP. */
export const FULL: BootstrapInput = {
  context: contextFor('https://git.example.com/platform/gitops.git'),
  tiers,
  repository: { token: SECRETS.token },
  notifications: { url: 'https://shop.example.com/hooks/argo-cd', token: SECRETS.notifications },
  webhook: { secret: SECRETS.webhook },
};

export const PLANS: Readonly<Record<string, BootstrapInput>> = {
  full: FULL,
  'ssh-sharded-observe': {
    context: contextFor('ssh://git@git.example.com/platform/gitops.git', { layout: 'sharded', namespace: 'gitops' }),
    tiers,
    repository: { sshPrivateKey: SECRETS.sshPrivateKey },
    serviceAccount: { namespace: 'gitops', name: 'shop', rights: 'observe' },
    webhook: { provider: 'gitlab', secret: SECRETS.webhook },
  },
  smallest: {
    context: contextFor('https://git.example.com/public/gitops.git'),
    tiers: [],
    serviceAccount: false,
    instanceIsolation: false,
  },
};
