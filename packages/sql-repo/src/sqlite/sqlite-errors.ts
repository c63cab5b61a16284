import { corrupt, unavailable } from '../sql-errors.ts';
import { SqlConstraintError } from '../sql-session.ts';

/** The names of SQLite's primary result codes that are told apart here (https://www.sqlite.org/rescode.html). */
const names: Readonly<Record<number, string>> = {
  3: 'PERM',
  5: 'BUSY',
  6: 'LOCKED',
  7: 'NOMEM',
  8: 'READONLY',
  10: 'IOERR',
  11: 'CORRUPT',
  13: 'FULL',
  14: 'CANTOPEN',
  15: 'PROTOCOL',
  19: 'CONSTRAINT',
  26: 'NOTADB',
};

const advice: Readonly<Record<string, string>> = {
  BUSY: 'Another process has held it for longer than the busy timeout. Try again.',
  LOCKED: 'Another connection holds a lock. Try again.',
  PROTOCOL: 'Too many processes open it at once. Try again.',
  NOMEM: 'There is no memory left.',
  PERM: 'Check the permissions of the file and its directory.',
  READONLY: 'Check the permissions of the file and its directory.',
  CANTOPEN: 'Check that its directory exists and may be written.',
  IOERR: 'The disk reports an error.',
  FULL: 'The disk is full. Free some space.',
};

const passing: readonly (string | undefined)[] = ['BUSY', 'LOCKED', 'PROTOCOL'];

/** Tells whether the same statement may succeed in a moment. */
export function isBusy(error: unknown): boolean {
  return passing.includes(resultCode(error));
}

/** What a driver's error means to a caller. An error of none of the known kinds stays what it is. */
export function translateSqliteError(error: unknown, what: string): unknown {
  const code = resultCode(error);
  if (code === 'CONSTRAINT') return new SqlConstraintError('A constraint refused the statement.', { cause: error });
  if (code === 'CORRUPT' || code === 'NOTADB') return corrupt(what, error);
  const remedy = code === undefined ? undefined : advice[code];
  return remedy === undefined ? error : unavailable(what, remedy, error, passing.includes(code));
}

/** node:sqlite has a number in `errcode`, libsql in `rawCode`, better-sqlite3 a name in `code`; extended codes in all. */
function resultCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode, rawCode } = error as { code?: unknown; errcode?: unknown; rawCode?: unknown };
  const number = errcode ?? rawCode;
  if (typeof number === 'number') return names[number & 0xff];
  if (typeof code === 'string') return /^SQLITE_([A-Z]+)/.exec(code)?.[1];
  // libsql gives the result code of a failed open in its message alone.
  return /^ConnectionFailed/.test(error.message) ? 'CANTOPEN' : undefined;
}
