import { parseGoDuration } from './duration.ts';
import type { Finding, FindingRule } from './finding.ts';
import type { Installation, SettingsName } from './installation.ts';
import { IMPERSONATION } from './project-rules.ts';

/** Settings of Argo CD that are weaker or slower than they could be. */
export function settingsFindings(installation: Installation): readonly Finding[] {
  const { settings, context, hasInitialPassword } = installation;
  const found: Finding[] = [];
  const namespace = context.argoCd.namespace;

  /** Looks at one setting; nothing is found where it could not be read. */
  function look(
    name: SettingsName,
    key: string,
    isWrong: (value: string | undefined) => boolean,
    finding: {
      readonly rule: FindingRule;
      readonly severity: Finding['severity'];
      readonly what: string;
      readonly remedy: string;
    },
  ): void {
    const data = settings[name];
    if (data === undefined || !isWrong(data[key])) return;
    found.push({ ...finding, where: `ConfigMap ${namespace}/${name}, .data.${key}` });
  }
  const isTrue = (value: string | undefined) => value === 'true';

  look('argocd-cm', IMPERSONATION, (value) => value !== 'true', {
    rule: 'impersonation-off',
    severity: 'warning',
    what: "Argo CD syncs every Application with its own rights, which most often are a cluster administrator's.",
    remedy:
      'Turn impersonation on (3.5), and name service accounts in the AppProjects. Until then the AppProjects alone limit charts.',
  });
  look('argocd-cm', 'users.anonymous.enabled', isTrue, {
    rule: 'anonymous-access',
    severity: 'error',
    what: 'Anybody who reaches Argo CD is a user of it.',
    remedy: 'Set it to false.',
  });
  look('argocd-cm', 'exec.enabled', isTrue, {
    rule: 'exec-enabled',
    severity: 'warning',
    what: 'Users with the right `exec` get a terminal in the pods of instances.',
    remedy: 'Leave it out, unless somebody needs it.',
  });
  look('argocd-cm', 'kustomize.buildOptions', (value) => UNRESTRICTED.test(value ?? ''), {
    rule: 'kustomize-unrestricted',
    severity: 'warning',
    what: 'A kustomization may run programs, or read files outside of its directory, in the repository server of Argo CD.',
    remedy: 'Leave out --enable-exec, --enable-alpha-plugins and --load-restrictor LoadRestrictionsNone.',
  });
  // Before 3.0 the label is what is used where nothing is said.
  const isByLabel = (value: string | undefined) =>
    value === 'label' || (value === undefined && context.argoCd.version === '2.14');
  look('argocd-cm', 'application.resourceTrackingMethod', isByLabel, {
    rule: 'tracking-by-label',
    severity: 'error',
    what: 'Argo CD knows its objects by a label that charts set as well, and that releases of one product share.',
    remedy: 'Set it to annotation.',
  });
  polling(look);
  look('argocd-rbac-cm', 'policy.default', (value) => value === 'role:admin' || value === 'role:readonly', {
    rule: 'default-role-wide',
    severity: settings['argocd-rbac-cm']?.['policy.default'] === 'role:admin' ? 'error' : 'warning',
    what: 'Every user of Argo CD has this role, whatever else he may do.',
    remedy: 'Leave it empty, and give roles to groups.',
  });
  look('argocd-cmd-params-cm', 'server.disable.auth', isTrue, {
    rule: 'authentication-off',
    severity: 'error',
    what: 'Anybody who reaches Argo CD is its administrator.',
    remedy: 'Set it to false.',
  });
  look('argocd-cmd-params-cm', 'server.insecure', isTrue, {
    rule: 'tls-off',
    severity: 'warning',
    what: 'The API server of Argo CD speaks HTTP without TLS, so tokens pass in the clear behind whatever ends TLS.',
    remedy: 'Set it to false, or see to it that only the proxy before it can reach it.',
  });
  look('argocd-cmd-params-cm', 'application.namespaces', (value) => /(?:^|,)\s*\*+\s*(?:,|$)/.test(value ?? ''), {
    rule: 'applications-anywhere',
    severity: 'error',
    what: 'Argo CD takes Applications from every namespace, so those of instances too.',
    remedy: 'Name the namespaces, and none that the naming strategy could make.',
  });
  look('argocd-cmd-params-cm', 'controller.sync.timeout.seconds', (value) => value === undefined || value === '0', {
    rule: 'sync-timeout-off',
    severity: 'info',
    what: 'A sync that waits for something that never comes does not end by itself. It blocks the next one, and deletion.',
    remedy: 'Set it to more than the slowest sync takes, for example 1800.',
  });
  look('argocd-cmd-params-cm', 'controller.sync.wave.delay.seconds', (value) => value === undefined, {
    rule: 'sync-wave-delay-default',
    severity: 'info',
    what: 'Argo CD waits two seconds between the waves of a sync. A namespace is one of its own, so each change of an instance takes them.',
    remedy: 'Set it to 0, unless a chart of yours relies on the wait.',
  });
  look('argocd-cmd-params-cm', 'controller.cluster.cache.batch.events.processing', (value) => value !== 'false', {
    rule: 'deletion-hooks-skipped',
    severity: 'info',
    what: 'Argo CD sees what it has made up to 100 ms late, and so now and then takes a pre-delete hook for done that has just begun.',
    remedy: 'Set it to false where charts have such hooks, or keep what must not be lost by deletionPolicy retain.',
  });
  if (hasInitialPassword === true && settings['argocd-cm']?.['admin.enabled'] !== 'false') {
    found.push({
      rule: 'admin-password-initial',
      severity: 'warning',
      where: `Secret ${namespace}/argocd-initial-admin-secret`,
      what: 'The password that the installation made for the administrator still lies in the cluster.',
      remedy: 'Change it and delete the Secret, or turn the account off (admin.enabled: "false").',
    });
  }
  return found;
}

const UNRESTRICTED =
  /--enable-exec|--enable-alpha-plugins|--enable_alpha_plugins|load[_-]restrictor[ =]*(?:none|LoadRestrictionsNone)/i;

const POLLING = 'timeout.reconciliation';

function polling(look: (...parameters: LookParameters) => void): void {
  const isSeconds = (accept: (seconds: number) => boolean) => (value: string | undefined) => {
    const seconds = value === undefined ? undefined : parseGoDuration(value);
    return seconds !== undefined && accept(seconds);
  };
  look('argocd-cm', POLLING, (value) => value === undefined, {
    rule: 'polling-default',
    severity: 'info',
    what: 'Argo CD compares every Application with Git every two or three minutes, which with many instances is most of its work.',
    remedy: 'Where Caelus notifies it of each push, set it to 10m to 30m.',
  });
  look(
    'argocd-cm',
    POLLING,
    isSeconds((seconds) => seconds === 0),
    {
      rule: 'polling-off',
      severity: 'warning',
      what: 'Argo CD looks into Git on notice alone: a notice that is lost is never made good.',
      remedy: 'Set it to 10m to 30m.',
    },
  );
  look(
    'argocd-cm',
    POLLING,
    isSeconds((seconds) => seconds > 0 && seconds < 60),
    {
      rule: 'polling-frequent',
      severity: 'warning',
      what: 'Argo CD compares every Application with Git more than once a minute.',
      remedy: 'Let Caelus notify it of each push, and set it to 10m to 30m.',
    },
  );
  look(
    'argocd-cm',
    POLLING,
    isSeconds((seconds) => seconds > 3600),
    {
      rule: 'polling-rare',
      severity: 'info',
      what: 'A notice of a push that is lost is made good after more than an hour.',
      remedy: 'Set it to 10m to 30m.',
    },
  );
}

type LookParameters = [
  name: SettingsName,
  key: string,
  isWrong: (value: string | undefined) => boolean,
  finding: Omit<Finding, 'where'>,
];
