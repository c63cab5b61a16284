import { CaelusError } from '../errors.ts';

/** How much {@link parseValues} accepts; past a limit it throws, before anything is written. */
export interface ValuesLimits {
  /** UTF-8 bytes of a YAML or JSON text, comments and white space included. */
  readonly textBytes: number;
  /** UTF-8 bytes of the values as canonical JSON. */
  readonly bytes: number;
  /** Objects and lists inside each other; the root object is 1. At most 128. */
  readonly depth: number;
  /** Objects, lists and scalars together, the root and what YAML aliases expand to included. */
  readonly nodes: number;
  /** UTF-16 code units of one key. */
  readonly keyLength: number;
  /** YAML aliases in one text. */
  readonly aliases: number;
}

/**
 * The limits of values. 256 KiB is a quarter of what a Kubernetes object (and so a Helm release's ConfigMap) may be, and
 * some ten times the largest `values.yaml` that one instance needs. A key may be as long as the longest annotation name
 * (253 + `/` + 63), since charts take annotations from values.
 */
export const VALUES_LIMITS: ValuesLimits = {
  textBytes: 262_144,
  bytes: 262_144,
  depth: 32,
  nodes: 20_000,
  keyLength: 317,
  aliases: 64,
};

/** The limits of a values schema: it nests two or three levels for each one of the values, and carries prose. */
export const VALUES_SCHEMA_LIMITS: ValuesLimits = {
  ...VALUES_LIMITS,
  textBytes: 1_048_576,
  bytes: 1_048_576,
  depth: 96,
};

/** What the recursive readers bear on any stack; a caller cannot ask for more. */
const DEEPEST = 128;

export function completeLimits(limits: Partial<ValuesLimits> = {}): ValuesLimits {
  const complete = { ...VALUES_LIMITS, ...limits };
  const issues = Object.entries(complete).flatMap(([name, limit]: [string, unknown]) => {
    const greatest = name === 'depth' ? DEEPEST : Number.MAX_SAFE_INTEGER;
    if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 1 && limit <= greatest) return [];
    return [{ path: `/limits/${name}`, message: `Give a whole number from 1 to ${greatest}.` }];
  });
  if (issues.length === 0) return complete;
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The limits of the values cannot be used. ${issues.map(({ path, message }) => `${path}: ${message}`).join(' ')}`,
    details: { issues },
  });
}
