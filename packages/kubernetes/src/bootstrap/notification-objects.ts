import type { RenderContext } from '@caelus/core';
import { stringify } from 'yaml';
import type { NotificationOptions } from './bootstrap-input.ts';
import { argoCdObject } from './credential-objects.ts';
import type { PlannedObject } from './planned-object.ts';

/** The service, the template and the trigger in Argo CD's notifications, and its key in their Secret. */
const NAME = 'caelus';
const TOKEN_KEY = 'caelus-token';

/**
 * Argo CD's notifications to Caelus: what happened to which Application. They are hints; whoever gets one reads the state anew,
 * so nothing of it is in them.
 */
export function notificationObjects(
  { argoCd }: RenderContext,
  { url, token }: NotificationOptions,
): readonly PlannedObject[] {
  const { namespace } = argoCd;
  const data = {
    [`service.webhook.${NAME}`]: yaml({ url, headers: headers() }),
    [`template.${NAME}`]: yaml({ webhook: { [NAME]: { method: 'POST', body: BODY } } }),
    [`trigger.${NAME}`]: yaml(TRIGGER),
    // By label, and not by an annotation of each Application, which everybody who may read the repository would see.
    subscriptions: yaml([{ recipients: [NAME], triggers: [NAME], selector: 'app.kubernetes.io/managed-by=caelus' }]),
  };
  return [
    {
      ownership: 'shared',
      reason: 'The token that Argo CD sends with its notifications to Caelus.',
      manifest: argoCdObject('Secret', 'argocd-notifications-secret', namespace),
      secrets: { [TOKEN_KEY]: () => token },
    },
    {
      ownership: 'shared',
      reason: 'Argo CD tells Caelus when a sync ends, the health of an Application changes, or it is deleted.',
      manifest: { ...argoCdObject('ConfigMap', 'argocd-notifications-cm', namespace), data },
    },
  ];
}

const BODY = '{"app":"{{.app.metadata.name}}","ns":"{{.app.metadata.namespace}}"}';

/** Each condition is told once for each value of `oncePer`, and without it each time that it becomes true. */
const TRIGGER: readonly { readonly when: string; readonly oncePer?: string; readonly send: readonly string[] }[] = [
  {
    when: "app.status?.operationState?.phase in ['Succeeded', 'Failed', 'Error']",
    oncePer: 'app.status?.operationState?.finishedAt',
    send: [NAME],
  },
  { when: "app.status?.health?.status == 'Healthy'", send: [NAME] },
  { when: "app.status?.health?.status == 'Degraded'", send: [NAME] },
  { when: 'app.metadata.deletionTimestamp != nil', send: [NAME] },
];

function headers(): readonly object[] {
  return [
    { name: 'Authorization', value: `Bearer $${TOKEN_KEY}` },
    { name: 'Content-Type', value: 'application/json' },
  ];
}

function yaml(value: unknown): string {
  return stringify(value, { lineWidth: 0 });
}
