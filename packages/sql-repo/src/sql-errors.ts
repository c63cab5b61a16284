import { CaelusError, type ErrorCode } from '@caelus/core';

declare module '@caelus/core' {
  interface ErrorDetails {
    /** No SQLite driver can be loaded, or not the one that was asked for. */
    readonly SQL_DRIVER_MISSING: { readonly tried: readonly string[] };
    /** The file, or the schema, is one of another application. */
    readonly SQL_DATABASE_FOREIGN: { readonly what: string };
    /** A migration that was applied has other statements now. */
    readonly SQL_MIGRATION_CHANGED: { readonly version: number; readonly name: string };
    /** The database has a migration that this version of the package does not know. */
    readonly SQL_MIGRATION_UNKNOWN: { readonly version: number };
    /** Migrations are to be applied, and `migrate: false` says that somebody else does it. */
    readonly SQL_MIGRATION_PENDING: { readonly versions: readonly number[]; readonly repeatables: readonly string[] };
    /** Another transaction held a lock for longer than a migration waits. */
    readonly SQL_MIGRATION_BLOCKED: { readonly what: string };
    /** Undoing migrations loses rows, and the caller has not said that it may. */
    readonly SQL_REVERT_UNCONFIRMED: {
      readonly storeId: string;
      readonly versions: readonly number[];
      readonly loses: readonly string[];
    };
    /** The database or its server lacks what Caelus needs of it. */
    readonly SQL_DATABASE_UNSUPPORTED: { readonly what: string; readonly found: string };
    /** PostgreSQL refused a statement for a reason that is neither a constraint nor passing. */
    readonly SQL_STATEMENT_FAILED: { readonly what: string; readonly sqlState: string | null };
    /** `in` was given an executor without an open transaction, so nothing would be joined. */
    readonly SQL_TRANSACTION_MISSING: { readonly what: string };
    /** The host's tables are not what the mapping of attached mode says. */
    readonly SQL_HOST_MISMATCH: { readonly schema: string; readonly missing: readonly string[] };
    /** Only the host inserts rows into its tables. */
    readonly SQL_HOST_ROW_MISSING: { readonly table: string; readonly id: string };
    /** The host's own constraints or triggers refuse what Caelus writes. */
    readonly SQL_HOST_ROW_REFUSED: { readonly table: string; readonly id: string };
    /** A field that a function reads from the host's row cannot be written. */
    readonly SQL_HOST_FIELD_READ_ONLY: { readonly field: string };
    /** A row of the host's cannot be followed to the key that was given. */
    readonly SQL_HOST_REKEY_REFUSED: { readonly kind: string; readonly from: string; readonly to: string };
    /** A transaction was asked for inside the body of another one, which it would wait for without end. */
    readonly SQL_TRANSACTION_NESTED: { readonly what: string };
  }
}

/** The codes that this package adds to `ErrorDetails`. Exporting it also carries the addition into the built types. */
export type SqlErrorCode = Extract<ErrorCode, `SQL_${string}`>;

export function unavailable(what: string, advice: string, cause?: unknown, retryable: boolean = false): CaelusError {
  return new CaelusError({
    code: 'UNAVAILABLE',
    message: `${what} cannot be used. ${advice}`,
    details: { what },
    retryable,
    cause,
  });
}

/** What lies in the database cannot be read. `what` names the table and the row, never what is in it. */
export function corrupt(what: string, cause?: unknown): CaelusError {
  return new CaelusError({
    code: 'STORE_CORRUPT',
    message: `${what} cannot be read as what it should be. Restore the database from a backup, or repair it by hand.`,
    details: { what },
    cause,
  });
}

export const disposed = (what: string): CaelusError =>
  unavailable(what, 'The repository was disposed. Create another one.');

export const transactionEnded = (): CaelusError =>
  unavailable('The transaction', 'It has ended. Use it only inside the body it was given to.');

export function transactionNested(what: string): CaelusError {
  return new CaelusError({
    code: 'SQL_TRANSACTION_NESTED',
    message: 'A transaction cannot start inside the body of another one. Use the transaction that the body was given.',
    details: { what },
  });
}
