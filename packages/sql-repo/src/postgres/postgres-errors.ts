import { CaelusError, isCaelusError } from '@caelus/core';
import { corrupt, unavailable } from '../sql-errors.ts';
import { SqlConstraintError } from '../sql-session.ts';

/**
 * What is kept of a driver's error. Its message, detail and statement quote values, and so do the messages of the query
 * builders that wrap it: none of that may reach a log.
 */
export class PostgresError extends Error {
  override readonly name: string = 'PostgresError';
  /** The SQLSTATE, or the code of the socket's error. */
  readonly code: string | undefined;
  readonly constraint: string | undefined;

  constructor(code: string | undefined, constraint?: string) {
    super([code ?? 'an error without a code', constraint].filter((part) => part !== undefined).join(', '));
    this.code = code;
    this.constraint = constraint;
  }
}

interface Found {
  readonly code: string | undefined;
  readonly constraint: string | undefined;
  readonly messages: readonly string[];
}

/** Not the codes of sockets such as `EPIPE`: each SQLSTATE has a digit. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;
const SOCKET = /^E[A-Z_]{3,}$/;
const DEPTH = 5;
/** What pg, its pool, knex and PGlite say where no code says it. */
const LOST =
  /connection (?:terminated|ended|error)|terminat(?:ed|ing) connection|timeout exceeded when trying to connect|acquiring a connection|not queryable|pool (?:after calling end|is (?:draining|closed))|client was closed|PGlite is clos|unable to acquire a connection/i;

/** Looks through what query builders wrap around a driver's error. */
function find(error: unknown): Found {
  const messages: string[] = [];
  let socket: string | undefined;
  let inner: unknown = error;
  for (let depth = 0; depth < DEPTH && inner instanceof Error; depth++) {
    const { code, constraint, driverError } = inner as { code?: unknown; constraint?: unknown; driverError?: unknown };
    if (typeof code === 'string' && SQLSTATE.test(code)) {
      return { code, constraint: typeof constraint === 'string' ? constraint : undefined, messages };
    }
    if (typeof code === 'string' && SOCKET.test(code)) socket ??= code;
    messages.push(inner.message);
    inner = driverError ?? inner.cause;
  }
  return { code: socket, constraint: undefined, messages };
}

/** The SQLSTATE of a driver's error, or of what a query builder has wrapped around one. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = error instanceof PostgresError ? error.code : find(error).code;
  return code !== undefined && SQLSTATE.test(code) ? code : undefined;
}

/** Whether PostgreSQL asks for the whole transaction to be run again: a serialization failure, or a deadlock. */
export function asksForRepetition(error: unknown): boolean {
  const state = sqlStateOf(isCaelusError(error) ? error.cause : error);
  return state === '40001' || state === '40P01';
}

/** What is wrong, and what to do, by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const passing: readonly (readonly [states: RegExp, advice: string])[] = [
  [/^08/, 'The connection was lost. Check the network and the server, and try again.'],
  [/^57P0/, 'The server is stopping or starting, or has ended the connection. Try again.'],
  [/^53/, 'The server lacks connections, memory or disk. Try again later, or give it more.'],
  [/^57014$/, 'The statement was cancelled, by a timeout or by an operator. Try again.'],
  [/^55P03$/, 'Another transaction holds a lock for longer than lock_timeout. Try again.'],
  [/^25P03$|^25P04$/, 'The server ended a transaction that took too long. Try again.'],
  [/^40/, 'The transaction met others too often. Try again.'],
  [/^25006$/, 'The database takes no writes: it is a standby, or read-only. Connect to the primary.'],
];

const remedies: readonly (readonly [states: RegExp, advice: string])[] = [
  [/^42501$/, 'The role lacks a privilege. Grant it what the README lists.'],
  [/^28/, 'The server refused the role or its password. Check the settings of the connection.'],
  [/^3D000$/, 'The database does not exist. Check the settings of the connection.'],
  [
    /^(?:42P01|42703|42883|3F000)$/,
    'A table, column or function is missing. Apply the migrations that printMigrations gives.',
  ],
  [/^25P02$/, 'A statement before it failed, and the transaction cannot go on. Roll it back.'],
  [/^54/, 'A value is longer than PostgreSQL takes. Make it shorter.'],
];

/** What a driver's error means to a caller. What Caelus itself has thrown stays as it is. */
export function translatePostgresError(error: unknown, what: string): unknown {
  if (isCaelusError(error) || error instanceof SqlConstraintError || !(error instanceof Error)) return error;
  const { code, constraint, messages } = find(error);
  const cause = new PostgresError(code, constraint);
  if (code === undefined || !SQLSTATE.test(code)) {
    if (code !== undefined || messages.some((message) => LOST.test(message))) {
      return unavailable(what, 'The connection failed. Check the network and the server, and try again.', cause, true);
    }
    return statementFailed(what, null, 'The driver gave no SQLSTATE: check that the executor works.', cause);
  }
  if (code.startsWith('23')) return new SqlConstraintError('A constraint refused the statement.', { cause });
  if (code === 'XX001' || code === 'XX002') return corrupt(what, cause);
  const advice = adviceOf(passing, code);
  if (advice !== undefined) return unavailable(what, advice, cause, code !== '25006');
  const remedy = adviceOf(remedies, code) ?? 'Look the code up in PostgreSQL’s manual, and in the log of the server.';
  return statementFailed(what, code, remedy, cause);
}

const adviceOf = (table: typeof passing, code: string) => table.find(([states]) => states.test(code))?.[1];

function statementFailed(what: string, sqlState: string | null, advice: string, cause: Error): CaelusError {
  const named = sqlState === null ? '' : ` with SQLSTATE ${sqlState}`;
  return new CaelusError({
    code: 'SQL_STATEMENT_FAILED',
    message: `${what} refused a statement${named}. ${advice}`,
    details: { what, sqlState },
    cause,
  });
}
