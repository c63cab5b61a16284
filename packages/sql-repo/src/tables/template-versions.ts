import {
  CaelusError,
  type CallOptions,
  chartVersionOf,
  type Page,
  type PageRequest,
  parseTemplateVersion,
  parseTimestamp,
  type TemplateVersion,
  type TemplateVersionFilter,
  type TemplateVersionId,
  type Timestamp,
} from '@caelus/core';
import { type Condition, listPage } from '../ordered-page.ts';
import { findRecord, insertion, lockOf, type RecordTable, toColumns } from '../record-table.ts';
import { SqlConstraintError, type SqlSession } from '../sql-session.ts';
import { productUnknown, templateVersionUnknown } from './unknown.ts';

const table: RecordTable<TemplateVersion> = {
  name: 'product_template_version',
  columns: {
    id: 'id',
    productId: 'product_id',
    version: 'version',
    chart: 'chart',
    defaultValues: 'default_values',
    valuesSchema: 'values_schema',
    lockedValues: 'locked_values',
    capabilities: 'capabilities',
    createdAt: 'created_at',
    deprecatedAt: 'deprecated_at',
  },
  json: ['chart', 'defaultValues', 'valuesSchema', 'lockedValues', 'capabilities'],
  instants: ['createdAt', 'deprecatedAt'],
  parse: parseTemplateVersion,
};

export async function findTemplateVersion(
  session: SqlSession,
  id: TemplateVersionId,
  options?: CallOptions,
): Promise<TemplateVersion | undefined> {
  return findRecord(session, table, `id = ?${lockOf(session)}`, [id], options);
}

export function listTemplateVersions(
  session: SqlSession,
  { productId, includeDeprecated = true }: TemplateVersionFilter = {},
  page?: PageRequest,
  options?: CallOptions,
): Promise<Page<TemplateVersion>> {
  const leading: Condition | null = productId === undefined ? null : { column: 'product_id', values: [productId] };
  const current: Condition = { column: 'deprecated_at', values: [null] };
  return listPage(
    session,
    {
      name: 'template-version',
      table,
      key: ['created_at', 'id'],
      direction: 'DESC',
      index: leading === null ? 'product_template_version_by_age' : 'product_template_version_by_product',
      leading,
      filters: includeDeprecated ? [] : [current],
      keyOf: ({ createdAt, id }) => [createdAt, id],
    },
    page,
    options,
  );
}

export async function insertTemplateVersion(session: SqlSession, input: TemplateVersion): Promise<void> {
  const templateVersion = parseTemplateVersion(input);
  const { chart } = templateVersion;
  try {
    await session.attempt(
      ...insertion(table.name, [
        ...toColumns(table, templateVersion),
        // For people and their queries; `chart` is what is read back.
        ['helm_chart_repo_url', chart.repoURL ?? null],
        ['chart_version', chartVersionOf(chart)],
      ]),
    );
  } catch (error) {
    throw error instanceof SqlConstraintError ? await refusal(session, templateVersion, error) : error;
  }
}

/** Why the database did not take a template version. */
async function refusal(session: SqlSession, templateVersion: TemplateVersion, cause: unknown): Promise<CaelusError> {
  const { id: templateVersionId, productId, version } = templateVersion;
  const named = await session.query('SELECT 1 FROM product_template_version WHERE product_id = ? AND version = ?', [
    productId,
    version,
  ]);
  if (named.rows.length > 0) {
    return new CaelusError({
      code: 'TEMPLATE_VERSION_EXISTS',
      message: `The product ${productId} has a template version ${version} already. It never changes: publish another one.`,
      details: { productId, version },
      cause,
    });
  }
  if ((await findTemplateVersion(session, templateVersionId)) === undefined) return productUnknown(productId, cause);
  return new CaelusError({
    code: 'TEMPLATE_VERSION_IMMUTABLE',
    message: `There is another template version with the id ${templateVersionId}. It never changes: use another id.`,
    details: { templateVersionId },
    cause,
  });
}

export async function deprecateTemplateVersion(
  session: SqlSession,
  id: TemplateVersionId,
  at: Timestamp,
): Promise<void> {
  const { affected } = await session.query(
    'UPDATE product_template_version SET deprecated_at = COALESCE(deprecated_at, ?) WHERE id = ?',
    [parseTimestamp(at), id],
  );
  if (affected === 0) throw templateVersionUnknown(id);
}
