/** A program that runs as long as the testbed does. */
export interface Component {
  readonly name: string;
  /** The name of a program in the testbed's `bin`. */
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ready: Probe;
}

/** What tells that a component is ready. */
export type Probe =
  | { readonly kind: 'http'; readonly port: number; readonly path: string }
  /** Asked with the testbed's CA and, where a user is named, that user's certificate. */
  | { readonly kind: 'https'; readonly port: number; readonly path: string; readonly user?: string }
  | { readonly kind: 'redis'; readonly port: number };
