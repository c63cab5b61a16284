import { CaelusError, type ErrorCode } from '@caelus/core';

declare module '@caelus/core' {
  interface ErrorDetails {
    /** No SQLite driver can be loaded, or not the one that was asked for. */
    readonly SQL_DRIVER_MISSING: { readonly tried: readonly string[] };
    /** The file is a database of another application. */
    readonly SQL_DATABASE_FOREIGN: { readonly what: string };
    /** A migration that was applied has other statements now. */
    readonly SQL_MIGRATION_CHANGED: { readonly version: number; readonly name: string };
    /** The database has a migration that this version of the package does not know. */
    readonly SQL_MIGRATION_UNKNOWN: { readonly version: number };
    /** Migrations are to be applied, and `migrate: false` says that somebody else does it. */
    readonly SQL_MIGRATION_PENDING: { readonly versions: readonly number[] };
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
