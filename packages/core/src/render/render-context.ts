import * as z from 'zod';
import type { Layout } from '../layout/layout.ts';
import { parseRepoPath, type RepoPath } from '../layout/repo-path.ts';
import { gitRepositorySchema } from '../model/chart-source.ts';
import { type StoreId, storeIdSchema } from '../model/identifier.ts';
import type { NamingStrategy } from '../naming/naming-strategy.ts';
import { DNS_LABEL } from '../schema/identifier-schema.ts';
import { issue, parseInput } from '../schema/parse-input.ts';
import { type ArgoCdVersion, argoCdVersionSchema, DEFAULT_ARGO_CD_VERSION } from './argo-cd-version.ts';

/** What every file of one GitOps repository has in common. */
export interface RenderContext {
  readonly storeId: StoreId;
  readonly layout: Layout;
  readonly naming: NamingStrategy;
  /** The GitOps repository as Argo CD reaches it. */
  readonly gitOps: {
    readonly repoURL: string;
    /** Short name: `main`. */
    readonly branch: string;
    /** The directory of the repository that everything lies in; `null`: its root. */
    readonly pathPrefix: RepoPath | null;
  };
  readonly argoCd: {
    /** Where the Applications and the AppProjects live. */
    readonly namespace: string;
    readonly version: ArgoCdVersion;
    /**
     * The repositories that charts may come from, as a {@link ChartSource} names them; `*` and `**` are Argo CD's globs. Any
     * where it is left out, because hosts publish charts while Caelus runs. The GitOps repository is always one of them.
     */
    readonly sourceRepos?: readonly string[] | undefined;
  };
}

/** What a host says of a {@link RenderContext}. */
export interface RenderContextOptions {
  readonly storeId: StoreId;
  readonly layout: Layout;
  readonly naming: NamingStrategy;
  readonly gitOps: {
    /** `https://`, `http://` or `ssh://` URL, or `user@host:path`, without credentials. */
    readonly repoURL: string;
    /** Default `main`. */
    readonly branch?: string | undefined;
    /** The directory that everything lies in: the `pathPrefix` of the {@link StateStore}. Default: the root. */
    readonly pathPrefix?: string | null | undefined;
  };
  readonly argoCd?:
    | {
        /** Default `argocd`. */
        readonly namespace?: string | undefined;
        /** Default {@link DEFAULT_ARGO_CD_VERSION}. */
        readonly version?: ArgoCdVersion | undefined;
        /** Default: any. */
        readonly sourceRepos?: readonly string[] | undefined;
      }
    | undefined;
}

/** The subset of Git's rules for branch names that needs no quoting anywhere. */
const BRANCH = /^(?![./-])(?!.*(?:\.\.|\/\/|\/\.|\.lock(?:\/|$)))[A-Za-z0-9._/-]{1,200}(?<![./])$/;

const optionsSchema = z.strictObject({
  storeId: storeIdSchema,
  layout: z.custom<Layout>((value) => typeof value === 'object' && value !== null, 'Give what createLayout returns.'),
  naming: z.custom<NamingStrategy>((value) => typeof value === 'object' && value !== null, 'Give a naming strategy.'),
  gitOps: z.strictObject({
    repoURL: gitRepositorySchema,
    branch: z.string().regex(BRANCH, 'Use the short name of a branch, such as main.').default('main'),
    pathPrefix: z.string().transform(parseRepoPath).nullable().default(null),
  }),
  argoCd: z
    .strictObject({
      namespace: z
        .string()
        .refine((text) => DNS_LABEL.test(text), issue('NAME_INVALID', 'Use the name of a namespace.'))
        .default('argocd'),
      version: argoCdVersionSchema.default(DEFAULT_ARGO_CD_VERSION),
      // A leading ! would deny in place of allowing.
      sourceRepos: z
        .array(z.string().regex(/^[^!\s]\S{0,511}$/, 'Use a repository URL, or a glob of them.'))
        .optional(),
    })
    .prefault({}),
});

/**
 * Checks what a host says of its repository and of its Argo CD, and fills in the defaults.
 * @throws {CaelusError} `REPOSITORY_URL_INVALID`, `REPOSITORY_URL_CREDENTIALS`, `ID_INVALID`, `NAME_INVALID`, `INVALID_INPUT`
 */
export function createRenderContext(options: RenderContextOptions): RenderContext {
  return parseInput(optionsSchema, options, 'The render context');
}
