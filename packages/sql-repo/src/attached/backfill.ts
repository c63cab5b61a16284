import { CaelusError, type CallOptions, isCaelusError, parseChartSource, parseValues } from '@caelus/core';
import { SqlConstraintError, type SqlDatabase } from '../sql-session.ts';
import type { HostValues } from './attach-options.ts';
import { type HostBinding, rowRefused } from './host-binding.ts';
import { quoted } from './host-mapping.ts';
import { keyParameter } from './host-row.ts';
import { tryTakeUpTemplateVersion } from './take-up.ts';

/** What a version's own columns say of its chart. */
export interface BackfilledChart {
  /** `https://`, `http://` or `oci://`. */
  readonly helmChartRepoUrl: string;
  /** Exact. */
  readonly chartVersion: string;
  /** The chart's name in its repository: what the row will be read with. For the check alone. */
  readonly chartName: string;
  /** An object, or YAML or JSON text. Default: none. */
  readonly defaultValues?: unknown;
}

export interface BackfillOptions extends CallOptions {
  /** Whether only to say what would be set. Default `true`. */
  readonly dryRun?: boolean | undefined;
  /** The host's columns that `read` is given. */
  readonly columns: readonly string[];
  /** Reads them; `null` leaves the row alone. */
  readonly read: (row: HostValues) => BackfilledChart | null;
}

export interface BackfillReport {
  readonly dryRun: boolean;
  /** What was set, or would be. */
  readonly set: readonly {
    readonly hostId: string;
    readonly helmChartRepoUrl: string;
    readonly chartVersion: string;
  }[];
  /** Rows that `read` left alone. */
  readonly skipped: readonly string[];
  /** Rows that cannot be set, and why. */
  readonly refused: readonly { readonly hostId: string; readonly problem: string }[];
}

export async function backfill(
  binding: HostBinding,
  database: SqlDatabase,
  { dryRun = true, columns, read, signal }: BackfillOptions,
): Promise<BackfillReport> {
  const { mapping } = binding;
  const table = mapping.tables['template-version'];
  const of = mapping.templateVersion;
  const types = await binding.types(database);
  const missing = columns.filter((column) => !types['template-version'].has(column));
  if (missing.length > 0) {
    throw new CaelusError({
      code: 'SQL_HOST_MISMATCH',
      message:
        'The host’s table of template versions has not all of the columns that the back-fill reads. Correct them.',
      details: { schema: mapping.schema, missing: [table.name] },
    });
  }
  // The names are those of columns that are there, so that nothing else can stand in the statement.
  const wanted = [...new Set(columns)].map(
    (column) => `d."${column.replaceAll('"', '""')}"::text AS "${column.replaceAll('"', '""')}"`,
  );
  const sql = `SELECT ${[`d.${quoted(table.id)}::text AS "caelus key"`, ...wanted].join(', ')}
FROM ${table.sql} AS d WHERE d.${quoted(of.helmChartRepoUrl)} IS NULL ORDER BY d.${quoted(table.id)}`;
  const set: BackfillReport['set'][number][] = [];
  const skipped: string[] = [];
  const refused: BackfillReport['refused'][number][] = [];
  for (const row of (await database.query(sql, [], { signal })).rows) {
    const hostId = String(row['caelus key']);
    const values = Object.fromEntries(columns.map((column) => [column, row[column] as string | null]));
    const chart = chartOf(read, values);
    if (chart === null) skipped.push(hostId);
    else if (typeof chart === 'string') refused.push({ hostId, problem: chart });
    else {
      if (!dryRun) await write(binding, database, hostId, chart, signal);
      set.push({ hostId, helmChartRepoUrl: chart.helmChartRepoUrl, chartVersion: chart.chartVersion });
    }
  }
  return { dryRun, set, skipped, refused };
}

/** The chart, or why there is none. */
function chartOf(read: BackfillOptions['read'], values: HostValues): BackfilledChart | string | null {
  try {
    const chart = read(values);
    if (chart === null) return null;
    const { helmChartRepoUrl: repoURL, chartVersion: version, chartName } = chart;
    parseChartSource({ type: repoURL.startsWith('oci://') ? 'oci' : 'helm', repoURL, chart: chartName, version });
    return { ...chart, defaultValues: parseValues(chart.defaultValues, { what: 'The default values' }) };
  } catch (error) {
    // What the host's function throws may quote the row.
    return isCaelusError(error)
      ? `${error.code}: ${error.message}`
      : 'INVALID_INPUT: The function that reads the row failed.';
  }
}

async function write(
  binding: HostBinding,
  database: SqlDatabase,
  hostId: string,
  { helmChartRepoUrl, chartVersion, defaultValues }: BackfilledChart,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { mapping } = binding;
  const table = mapping.tables['template-version'];
  const of = mapping.templateVersion;
  await database.transaction(
    async (session) => {
      const types = await binding.types(session);
      const key = keyParameter(types, table, hostId);
      const column = (name: string) => {
        const type = types['template-version'].get(name)?.type ?? 'text';
        return `${quoted(name)} = COALESCE(${quoted(name)}, CAST(? AS ${type}))`;
      };
      const columns = [of.helmChartRepoUrl, of.chartVersion, of.defaultValues].map(column).join(', ');
      const sql = `UPDATE ${table.sql} SET ${columns} WHERE ${quoted(table.id)} = ${key} AND ${quoted(of.helmChartRepoUrl)} IS NULL`;
      const values = [helmChartRepoUrl, chartVersion, JSON.stringify(defaultValues), hostId];
      await session.attempt(sql, values).catch((error: unknown) => {
        throw error instanceof SqlConstraintError ? rowRefused(table.name, hostId, error) : error;
      });
      await tryTakeUpTemplateVersion(binding, session, hostId, true);
    },
    { signal },
  );
}
