import {
  assertKustomizable,
  CaelusError,
  type CallOptions,
  compileValuesSchema,
  type JsonObject,
  type NewTemplateVersion,
  type Page,
  type PageRequest,
  parseChartSource,
  parseProductId,
  parseTemplateVersion,
  parseTemplateVersionId,
  parseValues,
  repoPath,
  type TemplateVersion,
  type TemplateVersionId,
} from '@caelus/core';
import { findAnswer, keepAnswer } from './answer-once.ts';
import { type CommandOptions, parseCommandOptions } from './command-options.ts';
import { type EngineContext, timestamp } from './engine-context.ts';
import { productUnknown } from './products.ts';

/** Commands and queries on template versions. A published version never changes. */
export interface TemplateVersions {
  /**
   * Publishes a version of a product. A chart version that is a range or left out is pinned by the chart resolver, if
   * there is one.
   * @throws {CaelusError} `PRODUCT_UNKNOWN`, `TEMPLATE_VERSION_EXISTS`, `CHART_VERSION_FLOATING`, `CHART_UNKNOWN`,
   * `KUSTOMIZE_UNSUPPORTED`, `REPOSITORY_URL_INVALID`, `REPOSITORY_URL_CREDENTIALS`, `PATH_INVALID`, `NAME_INVALID`,
   * `VALUES_SCHEMA_INVALID`, and the codes of `parseValues`
   */
  publish(templateVersion: NewTemplateVersion, options?: CommandOptions): Promise<TemplateVersion>;
  /** @throws {CaelusError} `TEMPLATE_VERSION_UNKNOWN`, `ID_INVALID` */
  get(id: string, options?: CallOptions): Promise<TemplateVersion>;
  /** Newest first. @throws {CaelusError} `CURSOR_INVALID`, `ID_INVALID` */
  list(
    filter?: { readonly productId?: string | undefined; readonly includeDeprecated?: boolean | undefined },
    page?: PageRequest,
    options?: CallOptions,
  ): Promise<Page<TemplateVersion>>;
  /** Takes a version out of use for new instances and upgrades; instances that run it stay. @throws {CaelusError} `TEMPLATE_VERSION_UNKNOWN` */
  deprecate(id: string, options?: CommandOptions): Promise<TemplateVersion>;
}

export function createTemplateVersions(context: EngineContext): TemplateVersions {
  const { repository, ids, observe } = context;

  async function get(id: string, options: CallOptions = {}): Promise<TemplateVersion> {
    const templateVersionId = parseTemplateVersionId(id);
    const found = await repository.findTemplateVersion(templateVersionId, options);
    if (found !== undefined) return found;
    throw templateVersionUnknown(templateVersionId);
  }

  return {
    get,
    list: ({ productId, includeDeprecated } = {}, page, options) =>
      repository.listTemplateVersions(
        { productId: productId === undefined ? undefined : parseProductId(productId), includeDeprecated },
        page,
        options,
      ),
    publish: (input, options = {}) =>
      observe('template-version-publish', {}, async () => {
        const { actor, idempotencyKey: key } = parseCommandOptions(options);
        const templateVersion = await toTemplateVersion(context, input, options);
        const { id, createdAt, ...content } = templateVersion;
        const request = { scope: 'template-version-publish', key, input: content as unknown as JsonObject };
        const known = await repository.transaction(async (transaction) => {
          const answer = (await findAnswer(context, transaction, request)) as JsonObject | undefined;
          if (answer !== undefined) return answer.id as TemplateVersionId;
          const product = await transaction.findProduct(templateVersion.productId);
          if (product === undefined) throw productUnknown(templateVersion.productId);
          await transaction.insertTemplateVersion(templateVersion);
          const data = { productId: product.id, templateVersionId: id, version: templateVersion.version };
          const event = { at: createdAt, instanceId: null, generation: null, changeId: null, actor, data };
          await transaction.appendEvent({ ...event, type: 'template-version-published' });
          await keepAnswer(context, transaction, request, { id });
          return undefined;
        }, options);
        return known === undefined ? templateVersion : get(known, options);
      }),
    deprecate: (id, options = {}) =>
      observe('template-version-deprecate', {}, async () => {
        const { actor } = parseCommandOptions(options);
        const templateVersionId = parseTemplateVersionId(id);
        await repository.transaction(async (transaction) => {
          const found = await transaction.findTemplateVersion(templateVersionId);
          if (found === undefined) throw templateVersionUnknown(templateVersionId);
          if (found.deprecatedAt !== null) return;
          const at = timestamp(context);
          await transaction.deprecateTemplateVersion(templateVersionId, at);
          const data = { productId: found.productId, templateVersionId, version: found.version };
          const event = { at, instanceId: null, generation: null, changeId: null, actor, data };
          await transaction.appendEvent({ ...event, type: 'template-version-deprecated' });
        }, options);
        return get(templateVersionId, options);
      }),
  };

  /** The record that a host's input comes to, with everything checked that can be checked without an instance. */
  async function toTemplateVersion(
    { charts }: EngineContext,
    input: NewTemplateVersion,
    options: CallOptions,
  ): Promise<TemplateVersion> {
    const chart = charts ? await charts.resolve(input.chart, options) : parseChartSource(input.chart);
    const valuesSchema =
      input.valuesSchema === undefined || input.valuesSchema === null
        ? null
        : parseValues(input.valuesSchema, { what: 'The values schema' });
    compileValuesSchema(valuesSchema);
    const templateVersion = parseTemplateVersion({
      id: ids.uuid(),
      productId: input.productId,
      version: input.version,
      chart,
      defaultValues: parseValues(input.defaultValues ?? {}, { what: 'The default values' }),
      valuesSchema,
      lockedValues: input.lockedValues ?? [],
      capabilities: input.capabilities ?? {},
      createdAt: timestamp(context),
      deprecatedAt: null,
    });
    await assertUsable(context, templateVersion, options);
    return templateVersion;
  }
}

/** Refuses what no instance could ever use. */
async function assertUsable(
  { store }: EngineContext,
  { chart, capabilities }: TemplateVersion,
  options: CallOptions,
): Promise<void> {
  if (capabilities.kustomize) assertKustomizable(chart);
  if (chart.type !== 'git' || chart.repoURL !== undefined) return;
  const snapshot = await store.snapshot(options);
  const file = repoPath(...chart.path.split('/'), 'Chart.yaml');
  if ((await snapshot.readFile(file, options)) !== undefined) return;
  throw new CaelusError({
    code: 'CHART_UNKNOWN',
    message: `The GitOps repository has no chart in ${chart.path}. Publish the chart first.`,
    details: { path: chart.path },
  });
}

/** The error for a template version that is not there. */
export function templateVersionUnknown(templateVersionId: TemplateVersionId): CaelusError {
  const message = `There is no template version ${templateVersionId}. Publish it first.`;
  return new CaelusError({ code: 'TEMPLATE_VERSION_UNKNOWN', message, details: { templateVersionId } });
}
