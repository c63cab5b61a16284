/** One thing that is wrong with an input: where (JSON pointer, `''` for the whole) and what to do about it. */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
}

/** One violation of a values schema. It names the place and the rule, never the value that was found there. */
export interface SchemaViolation {
  /** JSON pointer into the values. */
  readonly path: string;
  /** The JSON Schema keyword that failed, for example `minimum`. */
  readonly keyword: string;
  readonly message: string;
}

interface Issues {
  readonly issues: readonly InputIssue[];
}

interface ValuesLimit {
  readonly limit: number;
  /** JSON pointer of the first place past the limit, where there is one. */
  readonly path?: string;
}

interface TextPlace {
  /** 1-based line in the text that was given. */
  readonly line: number;
}

/**
 * Every code that `@caelus/core` and the engine throw, with the shape of its `details`.
 * An adapter adds its own by `declare module '@caelus/core' { interface ErrorDetails { … } }`.
 */
export interface ErrorDetails {
  /** An input does not have the shape that the function takes. */
  readonly INVALID_INPUT: Issues;
  readonly ID_INVALID: Issues;
  readonly NAME_INVALID: Issues;
  readonly LABEL_INVALID: Issues;
  readonly HOSTNAME_INVALID: Issues;
  readonly PATH_INVALID: Issues;
  readonly REPOSITORY_URL_INVALID: Issues;
  readonly REPOSITORY_URL_CREDENTIALS: Issues;
  readonly CHART_VERSION_FLOATING: Issues;

  readonly VALUES_NOT_YAML: TextPlace;
  readonly VALUES_DUPLICATE_KEY: TextPlace;
  readonly VALUES_AMBIGUOUS_SCALAR: TextPlace;
  readonly VALUES_ALIAS_LIMIT: ValuesLimit;
  readonly VALUES_TOO_DEEP: ValuesLimit;
  readonly VALUES_TOO_LARGE: ValuesLimit;
  readonly VALUES_NOT_JSON: Issues;
  readonly VALUES_KEY_FORBIDDEN: Issues;
  readonly VALUES_LOCKED: Issues;
  readonly VALUES_SECRET_REFUSED: Issues;
  readonly VALUES_SCHEMA_INVALID: Issues;
  readonly VALUES_INVALID: { readonly layer: 'user' | 'merged'; readonly violations: readonly SchemaViolation[] };

  readonly KUSTOMIZE_UNSUPPORTED: { readonly chartType: string };
  readonly DELETION_POLICY_UNSUPPORTED: { readonly deletionPolicy: string };
  readonly HOSTNAME_UNSUPPORTED: { readonly templateVersionId: string };
  readonly POD_SECURITY_UNSUPPORTED: { readonly tier: string; readonly required: string; readonly allowed: string };

  readonly TIER_UNKNOWN: { readonly tier: string };
  readonly PRODUCT_UNKNOWN: { readonly product: string };
  readonly PRODUCT_EXISTS: { readonly slug: string };
  readonly TEMPLATE_VERSION_UNKNOWN: { readonly templateVersionId: string };
  readonly TEMPLATE_VERSION_EXISTS: { readonly productId: string; readonly version: string };
  readonly TEMPLATE_VERSION_DEPRECATED: { readonly templateVersionId: string };
  readonly TEMPLATE_VERSION_OF_OTHER_PRODUCT: { readonly templateVersionId: string; readonly productId: string };
  readonly TEMPLATE_VERSION_IMMUTABLE: { readonly templateVersionId: string };
  readonly UPGRADE_ACROSS_PRODUCTS: { readonly instanceId: string; readonly templateVersionId: string };
  readonly CHART_UNKNOWN: { readonly path: string };
  readonly CHART_VERSION_IMMUTABLE: { readonly path: string };

  readonly INSTANCE_UNKNOWN: { readonly instanceId: string };
  readonly INSTANCE_EXISTS: { readonly instanceId: string };
  readonly INSTANCE_DELETED: { readonly instanceId: string; readonly status: string };
  readonly INSTANCE_NAME_TAKEN: { readonly name: string };
  readonly INSTANCE_NOT_SYNCED: { readonly instanceId: string; readonly generation: number };
  /** Git does not have the instance as Caelus wrote it at that generation or commit. */
  readonly INSTANCE_STATE_UNKNOWN: { readonly instanceId: string; readonly what: string };
  readonly HOSTNAME_TAKEN: { readonly hostname: string };
  readonly GENERATION_STALE: { readonly instanceId: string; readonly expected: number; readonly actual: number };
  /** What was found is no longer what is there: the row or Git has changed since. */
  readonly FINDING_STALE: { readonly kind: string; readonly subject: string };
  readonly REMEDY_UNAVAILABLE: { readonly kind: string; readonly remedy: string };
  readonly REBUILD_REFUSED: { readonly reason: 'database-not-empty' | 'repository-not-set-up' | 'rows-of-the-host' };
  readonly IDEMPOTENCY_KEY_REUSED: { readonly scope: string; readonly key: string };
  readonly CURSOR_INVALID: { readonly cursor: string };
  /** Events after the cursor are not there any more, or never were in this database. */
  readonly CURSOR_EXPIRED: { readonly cursor: string; readonly reason: 'pruned' | 'restored' };

  /** Argo CD has no such Application, or has none yet. */
  readonly APPLICATION_UNKNOWN: { readonly application: string };
  readonly APPLICATION_DELETING: { readonly application: string };
  /** Another sync of the Application still runs. */
  readonly OPERATION_RUNNING: { readonly application: string };
  readonly SYNC_WINDOW_CLOSED: { readonly application: string };
  /** The status source can only read. */
  readonly CONTROL_UNSUPPORTED: { readonly source: string };

  /** Another writer holds the branch, and kept moving it for longer than the retries allow. */
  readonly STORE_CONFLICT: { readonly attempts: number };
  /** What lies in the store cannot be read as what it says it is. */
  readonly STORE_CORRUPT: { readonly what: string };
  /** The GitOps repository belongs to another store (another database), or uses another layout. */
  readonly STORE_FOREIGN: { readonly expected: string; readonly actual: string };
  /** The store, database or status source cannot be reached now. */
  readonly UNAVAILABLE: { readonly what: string };
}

export type ErrorCode = keyof ErrorDetails;

export interface CaelusErrorInit<Code extends ErrorCode> {
  readonly code: Code;
  /** A sentence that says what failed and what to do. Never a secret, a credential or an excerpt of the input. */
  readonly message: string;
  readonly details: ErrorDetails[Code];
  /** Whether the same call may succeed later without a change of its input. Default `false`. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

const BRAND: symbol = Symbol.for('@caelus/core.CaelusError');

/**
 * The one error that Caelus throws on purpose. Branch on `code`; `message` is for people and may change.
 * Every code is described in `docs/errors.md`.
 */
export class CaelusError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = 'CaelusError';
  readonly code: Code;
  readonly details: ErrorDetails[Code];
  readonly retryable: boolean;

  constructor(init: CaelusErrorInit<Code>) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.details = init.details;
    this.retryable = init.retryable ?? false;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Tells whether a value is a {@link CaelusError}, optionally of one code. Works across copies of this package, where
 * `instanceof` does not.
 */
export function isCaelusError(value: unknown): value is CaelusError;
export function isCaelusError<Code extends ErrorCode>(value: unknown, code: Code): value is CaelusError<Code>;
export function isCaelusError(value: unknown, code?: ErrorCode): boolean {
  if (typeof value !== 'object' || value === null || !(BRAND in value)) return false;
  return code === undefined || (value as CaelusError).code === code;
}
