import type { InputIssue, RenderContext, Tier } from '@caelus/core';
import { issueUnless, refuseInput, unknownKeys } from '@caelus/core/adapter';

/** What a cluster is to be prepared for. */
export interface BootstrapInput {
  /** What `createRenderContext` returned: the same that the engine renders with. */
  readonly context: RenderContext;
  readonly tiers: readonly Tier[];
  /** How Argo CD reads the GitOps repository. Left out where it needs no credentials, or has them already. */
  readonly repository?: RepositoryAccess | undefined;
  /** Who Caelus is in the cluster. `false`: it has a user of its own already. */
  readonly serviceAccount?: ServiceAccountOptions | false | undefined;
  /** Whether the API server keeps instances out of each other's namespaces. Default: yes. `false` leaves it to the charts. */
  readonly instanceIsolation?: InstanceIsolationOptions | false | undefined;
  /** Where Argo CD's notifications go. Left out: it sends none. */
  readonly notifications?: NotificationOptions | undefined;
  /** What Argo CD checks webhooks by. Left out: anybody may make it refresh. */
  readonly webhook?: WebhookOptions | undefined;
}

/** A token is sent as the password of `username`, by default `x-access-token`, which GitHub, GitLab and Gitea accept. */
export type RepositoryAccess =
  | { readonly token: string; readonly username?: string | undefined }
  | {
      /** A private key in PEM, that can read and not write. */
      readonly sshPrivateKey: string;
    };

export interface ServiceAccountOptions {
  /** Made where it is missing, unless it is Argo CD's own. Default `caelus`. */
  readonly namespace?: string | undefined;
  /** Default `caelus`. */
  readonly name?: string | undefined;
  /**
   * `observe`: Caelus sees Applications. `operate`: it may also change them, which the source's `control` and the ending of a sync that
   * blocks a deletion need; Kubernetes knows no smaller right for that. Default `operate`.
   */
  readonly rights?: 'observe' | 'operate' | undefined;
}

/** Needs Kubernetes 1.30 or newer (ValidatingAdmissionPolicy), and Argo CD's tracking by annotation, which is its default. */
export interface InstanceIsolationOptions {
  /**
   * The users as whom Argo CD's application controller writes into the cluster, at most 20. Default: its service account of the name that
   * Argo CD's own manifests and its Helm chart give it.
   */
  readonly controllers?: readonly string[] | undefined;
}

export interface NotificationOptions {
  /** Called by POST with `{"app": …, "ns": …}`. `https`, or `http` inside a cluster; without credentials. */
  readonly url: string;
  /** Sent as bearer token, so that the receiver knows who calls: 16 to 512 characters. */
  readonly token: string;
}

export interface WebhookOptions {
  /** Whose format the calls have. Default `github`. */
  readonly provider?: 'github' | 'gitlab' | 'gogs' | 'bitbucketserver' | undefined;
  /** 16 to 512 characters. */
  readonly secret: string;
}

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Without what a header, a line of YAML or a reference to a secret (`$name`) could be broken by. */
const SECRET = /^[\x21-\x7e]{16,512}$/;
/** Visible characters without quotes and backslashes: it stands in an expression. */
const USER = /^(?:(?!["'`\\])[\x21-\x7e]){1,320}$/;
const PROVIDERS: readonly string[] = ['github', 'gitlab', 'gogs', 'bitbucketserver'];

/** @throws {CaelusError} `INVALID_INPUT` */
export function checkBootstrapInput(input: BootstrapInput): void {
  const { context, tiers, repository, serviceAccount, instanceIsolation, notifications, webhook } = input;
  refuseInput('The input of bootstrap', [
    ...unknownKeys('', input, [
      'context',
      'tiers',
      'repository',
      'serviceAccount',
      'instanceIsolation',
      'notifications',
      'webhook',
    ]),
    ...issueUnless('/context', typeof context?.storeId === 'string', 'Give what createRenderContext returns.'),
    ...issueUnless('/tiers', Array.isArray(tiers) && tiers.length <= 1000, 'Give a list of at most 1,000 tiers.'),
    ...(repository === undefined ? [] : repositoryIssues(repository, context?.gitOps?.repoURL)),
    ...(serviceAccount === undefined || serviceAccount === false ? [] : serviceAccountIssues(serviceAccount)),
    ...(instanceIsolation === undefined || instanceIsolation === false
      ? []
      : instanceIsolationIssues('/instanceIsolation', instanceIsolation)),
    ...(notifications === undefined ? [] : notificationIssues(notifications)),
    ...(webhook === undefined ? [] : webhookIssues(webhook)),
  ]);
}

function repositoryIssues(repository: RepositoryAccess, repoURL: string | undefined): readonly InputIssue[] {
  const isHttp = /^https?:/.test(repoURL ?? '');
  if ('sshPrivateKey' in repository) {
    const { sshPrivateKey } = repository;
    const isKey = typeof sshPrivateKey === 'string' && /^-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n/.test(sshPrivateKey);
    return [
      ...unknownKeys('/repository', repository, ['sshPrivateKey']),
      ...issueUnless('/repository/sshPrivateKey', isKey, 'Give a private key in PEM.'),
      ...issueUnless('/repository', !isHttp, 'The repository is reached by HTTP, so give a token.'),
    ];
  }
  const { token, username } = repository;
  return [
    ...unknownKeys('/repository', repository, ['token', 'username']),
    ...issueUnless(
      '/repository/token',
      typeof token === 'string' && /^[\x21-\x7e]{1,4096}$/.test(token),
      'Give a token.',
    ),
    ...issueUnless(
      '/repository/username',
      username === undefined || (typeof username === 'string' && /^[\x21-\x39\x3b-\x7e]{1,256}$/.test(username)),
      'Give a name without a colon or spaces.',
    ),
    ...issueUnless('/repository', isHttp, 'The repository is reached by SSH, so give a private key.'),
  ];
}

function serviceAccountIssues({ namespace = 'x', name = 'x', rights, ...rest }: ServiceAccountOptions) {
  return [
    ...unknownKeys('/serviceAccount', rest, []),
    ...issueUnless('/serviceAccount/namespace', NAME.test(namespace), 'Use the name of a namespace.'),
    ...issueUnless('/serviceAccount/name', NAME.test(name), 'Use the name of a service account.'),
    ...issueUnless(
      '/serviceAccount/rights',
      rights === undefined || ['observe', 'operate'].includes(rights),
      "Use 'observe' or 'operate'.",
    ),
  ];
}

/** What is wrong with options that are found at `path`. */
export function instanceIsolationIssues(
  path: string,
  { controllers, ...rest }: InstanceIsolationOptions,
): readonly InputIssue[] {
  const isUser = (user: unknown) => typeof user === 'string' && USER.test(user);
  const areUsers =
    controllers === undefined ||
    (Array.isArray(controllers) && controllers.length > 0 && controllers.length <= 20 && controllers.every(isUser));
  return [
    ...unknownKeys(path, rest, []),
    ...issueUnless(`${path}/controllers`, areUsers, 'Give 1 to 20 names of users of the cluster.'),
  ];
}

function notificationIssues({ url, token, ...rest }: NotificationOptions): readonly InputIssue[] {
  const parsed = typeof url === 'string' && url.length <= 2048 && URL.canParse(url) ? new URL(url) : undefined;
  const isPlain = parsed !== undefined && /^https?:$/.test(parsed.protocol) && parsed.username + parsed.password === '';
  return [
    ...unknownKeys('/notifications', rest, []),
    ...issueUnless(
      '/notifications/url',
      isPlain && !/[$\s{}]/.test(url),
      'Give an https URL without credentials, $ or {}.',
    ),
    ...issueUnless(
      '/notifications/token',
      typeof token === 'string' && SECRET.test(token),
      'Use 16 to 512 visible characters.',
    ),
  ];
}

function webhookIssues({ provider = 'github', secret, ...rest }: WebhookOptions): readonly InputIssue[] {
  return [
    ...unknownKeys('/webhook', rest, []),
    ...issueUnless('/webhook/provider', PROVIDERS.includes(provider), `Use one of ${PROVIDERS.join(', ')}.`),
    ...issueUnless(
      '/webhook/secret',
      typeof secret === 'string' && SECRET.test(secret),
      'Use 16 to 512 visible characters.',
    ),
  ];
}
