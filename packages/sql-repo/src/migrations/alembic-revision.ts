import { CaelusError, type InputIssue } from '@caelus/core';
import type { MigrationStep } from './migration-steps.ts';

/** Where a revision stands in a host's history. */
export interface AlembicIds {
  readonly revision: string;
  readonly downRevision: string | null;
}

interface AlembicParts {
  /** Run first, in both directions. */
  readonly begin: readonly string[];
  readonly up: readonly MigrationStep[];
  readonly down: readonly MigrationStep[];
}

/** Alembic refuses `@`, `+` and `-`, and its table has 32 characters for an id. */
const ID = /^[A-Za-z0-9_]{1,32}$/;
const ID_RULE = 'Use 1 to 32 letters, digits and underscores.';

/** @throws {CaelusError} `INVALID_INPUT` */
export function parseAlembicIds({ revision, downRevision }: AlembicIds): AlembicIds {
  const issues: InputIssue[] = [];
  if (typeof revision !== 'string' || !ID.test(revision)) issues.push({ path: '/revision', message: ID_RULE });
  if (downRevision !== null && (typeof downRevision !== 'string' || !ID.test(downRevision))) {
    issues.push({ path: '/downRevision', message: `${ID_RULE} Use null where there is none.` });
  }
  if (issues.length === 0) return { revision, downRevision };
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The revision cannot be printed. ${issues.map(({ path, message }) => `${path}: ${message}`).join(' ')}`,
    details: { issues },
  });
}

/**
 * A revision file. The revisions of a host that follow in the same transaction keep their own `lock_timeout`. Statements go
 * past SQLAlchemy's own syntax for parameters; drivers whose parameters begin with a percent sign want each of these twice.
 */
export function alembicRevision({ revision, downRevision }: AlembicIds, { begin, up, down }: AlembicParts): string {
  return `"""Caelus: the tables of @caelus/sql-repo. Made by printMigrations; do not edit.

Revision ID: ${revision}
Revises: ${downRevision ?? ''}
"""

from alembic import op

revision = "${revision}"
down_revision = ${downRevision === null ? 'None' : `"${downRevision}"`}
branch_labels = None
depends_on = None

BEGIN = ${tuple([{ title: 'only one at a time', statements: [KEEP_TIMEOUT, ...begin] }])}

UPGRADE = ${tuple(up)}

DOWNGRADE = ${tuple(down)}

END = ${tuple([{ title: 'what follows in this transaction waits as before', statements: [RESTORE_TIMEOUT] }])}


def upgrade() -> None:
    run(BEGIN + UPGRADE + END)


def downgrade() -> None:
    run(BEGIN + DOWNGRADE + END)


def run(statements) -> None:
    context = op.get_context()
    for statement in statements:
        if context.as_sql:
            context.impl.static_output(statement + ";")
        elif context.dialect.paramstyle in ("format", "pyformat"):
            context.connection.exec_driver_sql(statement.replace("%", "%%"))
        else:
            context.connection.exec_driver_sql(statement)
`;
}

const KEEP_TIMEOUT = `SELECT set_config('caelus.lock_timeout', current_setting('lock_timeout'), true)`;
const RESTORE_TIMEOUT = `SELECT set_config('lock_timeout', current_setting('caelus.lock_timeout'), true)`;

function tuple(steps: readonly MigrationStep[]): string {
  const lines = steps.flatMap(({ title, statements }) => [
    `    # ${title}`,
    ...statements.map((statement) => `    ${pythonString(statement)},`),
  ]);
  return `(\n${lines.join('\n')}\n)`;
}

/** As it is where Python reads it as it is; else with the escapes that JSON and Python have in common. */
function pythonString(text: string): string {
  return /\\|"""|"$|[^\n -~]/.test(text) ? JSON.stringify(text) : `"""${text}"""`;
}
