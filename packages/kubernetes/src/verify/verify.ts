import type { CallOptions } from '@caelus/core';
import type { BootstrapInput } from '../bootstrap/bootstrap-input.ts';
import type { KubernetesClient } from '../client/kubernetes-client.ts';
import { accessFindings } from './access-rules.ts';
import type { Finding } from './finding.ts';
import type { Installation } from './installation.ts';
import { plannedObjectFindings } from './planned-object-rules.ts';
import { projectFindings } from './project-rules.ts';
import { readInstallation } from './read-installation.ts';
import { settingsFindings } from './settings-rules.ts';

/**
 * Looks at an installation of Argo CD, and says what is missing, wrong or too permissive for Caelus: the gravest first. Reads only.
 * `input` is what bootstrap gets; where it has no secrets, theirs are not looked for.
 * @throws {CaelusError} `INVALID_INPUT`, `KUBERNETES_RESOURCE_UNKNOWN` where Argo CD is not installed, `KUBERNETES_AUTH_FAILED`,
 * `UNAVAILABLE`. What the caller may not read is a finding, not an error.
 */
export async function verify(
  client: KubernetesClient,
  input: BootstrapInput,
  options: CallOptions = {},
): Promise<readonly Finding[]> {
  return findingsOf(await readInstallation(client, input, options));
}

const ORDER: readonly Finding['severity'][] = ['error', 'warning', 'info'];

/** What the rules find in what was read; pure. */
export function findingsOf(installation: Installation): readonly Finding[] {
  const found = [
    ...installation.unreadable.map(unreadableFinding),
    ...plannedObjectFindings(installation),
    ...projectFindings(installation),
    ...settingsFindings(installation),
    ...accessFindings(installation),
  ];
  return found.toSorted((left, right) => ORDER.indexOf(left.severity) - ORDER.indexOf(right.severity));
}

function unreadableFinding({ what, reason }: Installation['unreadable'][number]): Finding {
  return {
    rule: 'unreadable',
    severity: 'warning',
    where: what,
    what: `It cannot be read (${reason}), so nothing is said about it.`,
    remedy: 'Run verify as a user who may read it.',
  };
}
