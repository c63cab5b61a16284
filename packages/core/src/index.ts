// The whole public API of @caelus/core: named re-exports only, one block a folder.

// adopt
export { type ExpressEditInput, type ExpressedEdit, expressEdit } from './adopt/express-edit.ts';
export { type InstanceOfContent, instanceOfContent } from './adopt/instance-of-content.ts';
export type { CallOptions } from './call-options.ts';
// catalogue
export {
  type CatalogueFile,
  type CatalogueRow,
  cataloguePath,
  catalogueRecord,
  parseCatalogueFile,
  productRow,
  renderCatalogueFile,
  templateVersionRow,
} from './catalogue/catalogue-file.ts';
export {
  type CatalogueDecision,
  type CatalogueDrift,
  type DecideCatalogueInput,
  decideCatalogue,
} from './catalogue/decide-catalogue.ts';
// commit
export {
  CHANGE_TRAILER,
  type ChangeReference,
  changeTrailer,
  parseChangeTrailer,
} from './commit/change-trailer.ts';
export {
  CAELUS_ACTOR,
  COMMIT_MESSAGE_LIMITS,
  checkTrailers,
  commitAuthor,
  parseTrailers,
  renderCommitMessage,
  signature,
} from './commit/commit-message.ts';
export {
  type Batch,
  type GatherBatchOptions,
  gatherBatch,
  type Tip,
  type TipEntry,
} from './commit/gather-batch.ts';
// decide
export {
  DEFAULT_DRIFT_POLICY,
  type DecideInput,
  type Decision,
  type DriftPolicy,
  decide,
  type GitContent,
  isRecorded,
  type RowState,
} from './decide/decide.ts';
export {
  explainFinding,
  type FindingKind,
  type Remedy,
  type RemedyFacts,
  type RemedyName,
  remediesOf,
} from './decide/remedies.ts';
export {
  CaelusError,
  type CaelusErrorInit,
  type ErrorCode,
  type ErrorDetails,
  type InputIssue,
  isCaelusError,
  type SchemaViolation,
} from './errors.ts';

// history
export { type Blame, type BlamedValue, type BlameOptions, blameValue } from './history/blame-value.ts';
export { HISTORY_LIMITS } from './history/history-limits.ts';
export { diffInstance, instanceAt } from './history/instance-at.ts';
export { type InstanceLogEntry, type InstanceLogOptions, instanceLog } from './history/instance-log.ts';
export { type InstanceContent, readInstance } from './history/read-instance.ts';
export { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';

// layout
export {
  type ApplicationDirectory,
  createLayout,
  type InstanceFiles,
  instanceFiles,
  instanceIdOf,
  type Layout,
  type LayoutName,
  productFile,
  projectFile,
  REPOSITORY_FILES,
  shardOf,
  templateVersionFile,
} from './layout/layout.ts';
export {
  below,
  isBelow,
  parseRepoPath,
  REPO_PATH_LIMITS,
  type RepoPath,
  repoPath,
  underPrefix,
} from './layout/repo-path.ts';
export { applyChange, bytesEqual, type Change, diffTrees, type Edit, type RepoTree } from './layout/repo-tree.ts';

// model
export { type Actor, parseActor } from './model/actor.ts';
export {
  type CaelusEvent,
  type CaelusEventType,
  eventTypes,
  type NewCaelusEvent,
  parseEvent,
  parseNewEvent,
} from './model/caelus-event.ts';
export {
  type ChartSource,
  chartVersionOf,
  type GitChartSource,
  type HelmChartSource,
  type OciChartSource,
  parseChartSource,
  parseGitRepositoryUrl,
  type UnpinnedChartSource,
} from './model/chart-source.ts';
export { type DeletionPolicy, parseDeletionPolicy } from './model/deletion-policy.ts';
export { type Destination, IN_CLUSTER, parseDestination } from './model/destination.ts';
export { type DriftKind, driftKinds, type GitState, parseDriftKind, parseGitState } from './model/git-state.ts';
export { type Hostname, parseHostname } from './model/hostname.ts';
export {
  type ChangeId,
  type CommitId,
  type InstanceId,
  type ProductId,
  parseChangeId,
  parseCommitId,
  parseInstanceId,
  parseProductId,
  parseSlug,
  parseStoreId,
  parseTemplateVersionId,
  parseTenantId,
  parseTierName,
  parseTimestamp,
  type Slug,
  type StoreId,
  type TemplateVersionId,
  type TenantId,
  type TierName,
  type Timestamp,
  toTimestamp,
} from './model/identifier.ts';
export {
  type HealthStatus,
  healthStatuses,
  type Instance,
  type InstanceDesired,
  type InstanceNames,
  type InstanceObserved,
  type InstanceStatus,
  instanceStatuses,
  isWanted,
  parseInstance,
  type SyncStatus,
  syncStatuses,
} from './model/instance.ts';
export {
  type InstanceChanges,
  type NewInstance,
  type ParsedInstanceChanges,
  type ParsedNewInstance,
  parseInstanceChanges,
  parseNewInstance,
} from './model/instance-command.ts';
export { LABELS_LIMIT, type Labels, parseLabels } from './model/labels.ts';
export { type NewProduct, type Product, parseNewProduct, parseProduct } from './model/product.ts';
export {
  type NewTemplateVersion,
  type PodSecurityLevel,
  parseTemplateVersion,
  type TemplateCapabilities,
  type TemplateVersion,
} from './model/template-version.ts';
export { parseTenant, type Tenant } from './model/tenant.ts';
export { parseTier, type ResourceQuantities, type SyncWindow, type Tier } from './model/tier.ts';

// naming
export { type NamingStrategy, type NamingSubject, slugNaming, uuidNaming } from './naming/naming-strategy.ts';

// plan
export { PLAN_LIMITS, type Plan, type PlannedFile, planChange } from './plan/plan-change.ts';
export { renderPlan } from './plan/render-plan.ts';

// ports
export {
  type ApplicationControl,
  type ApplicationRefreshOptions,
  type ApplicationSyncOptions,
  applicationDeleting,
  applicationUnknown,
  operationRunning,
  type SyncResource,
  syncWindowClosed,
} from './ports/application-control.ts';
export type { ChangeNotification, ChangeNotifier } from './ports/change-notifier.ts';
export type { ChartResolver } from './ports/chart-resolver.ts';
export type { Clock } from './ports/clock.ts';
export {
  assertResumable,
  type EventAnchor,
  eventCursor,
  firstEventCursor,
  PRUNING_LIMITS,
  parseEventPruning,
  placeOfEventCursor,
  prunableEvents,
} from './ports/event-stream.ts';
export type { IdSource } from './ports/id-source.ts';
export { type LogFields, type Logger, silentLogger } from './ports/logger.ts';
export {
  type BranchState,
  type DesiredUpdate,
  type Drift,
  type EventPruning,
  type EventQuery,
  type IdempotencyRecord,
  type InstanceFilter,
  type Lease,
  type ObservedUpdate,
  PAGE_LIMITS,
  type Page,
  type PageRequest,
  type RefreshReport,
  type Repository,
  type RepositoryCapabilities,
  type RepositoryNews,
  type RepositoryReader,
  type RepositoryTransaction,
  type TemplateVersionFilter,
  type WorkBacklog,
  type WorkBurial,
  type WorkClaim,
  type WorkFilter,
  type WorkItem,
  type WorkRecord,
  type WorkRetry,
  type WorkState,
  workStates,
} from './ports/repository.ts';
export {
  desiredChanges,
  isUnchanged,
  MATURED_AT_ONCE,
  nextTurn,
  type ObservedWrite,
  observedChanges,
  observedWrites,
  parseBranchState,
  parseKeys,
  parseLease,
  parsePageLimit,
  parseWorkClaim,
  parseWorkRenewal,
  workStateOf,
} from './ports/repository-rules.ts';
export type {
  SecretBackend,
  SecretBackendCapabilities,
  SecretEntry,
  SecretManifests,
  SecretSpec,
} from './ports/secret-backend.ts';
export type {
  CommitRecord,
  DirectoryEntry,
  LogOptions,
  Proposal,
  ProposedChange,
  Receipt,
  Snapshot,
  StateStore,
  StateStoreCapabilities,
  Trailer,
} from './ports/state-store.ts';
export type { ApplicationEvent, StatusSource } from './ports/status-source.ts';
export type { Operation, OperationOutcome, Telemetry } from './ports/telemetry.ts';

// render
export { projectName } from './render/app-project.ts';
export {
  type ArgoCdFeatures,
  type ArgoCdVersion,
  argoCdFeatures,
  argoCdVersions,
  DEFAULT_ARGO_CD_VERSION,
} from './render/argo-cd-version.ts';
export { checkUserValues } from './render/check-user-values.ts';
export { contentHash, hashJson } from './render/content-hash.ts';
export { assertKustomizable } from './render/kustomization.ts';
export {
  instanceHash,
  type Marker,
  type MarkerFacts,
  parseMarker,
  parseTombstone,
  renderMarker,
  renderTombstone,
  type Tombstone,
  tombstoneOf,
} from './render/marker.ts';
export { createRenderContext, type RenderContext, type RenderContextOptions } from './render/render-context.ts';
export { type RenderedInstance, type RenderInstanceInput, renderInstance } from './render/render-instance.ts';
export {
  assertRepositoryOwned,
  parseRepositoryLayout,
  type RepositoryLayout,
  readStoreId,
  renderRepository,
} from './render/render-repository.ts';
export { renderYaml } from './render/render-yaml.ts';
export { platformValues, type ValuesLayersInput, valuesLayers } from './render/values-layers.ts';
// status
export type {
  Application,
  ApplicationCondition,
  ApplicationResourceStatus,
  ApplicationSource,
  ApplicationStatus,
} from './status/application.ts';
export { type ApplicationResource, applicationResources, type ResourceName } from './status/application-resources.ts';
export {
  type DeletionBlocker,
  type DeletionDiagnosis,
  type DeletionInput,
  diagnoseDeletion,
  LIVE_RESOURCES_LIMIT,
  type LiveObject,
  type LiveResource,
} from './status/diagnose-deletion.ts';
export {
  type MappedStatus,
  mapStatus,
  revisionsToReach,
  SPEC_HASH_ANNOTATION,
  type StatusInput,
  type StatusReason,
} from './status/map-status.ts';

export { STATUS_MESSAGE_LIMIT } from './status/status-message.ts';

// values
export { explainValues, type LeafProvenance } from './values/explain-values.ts';
export { fromJsonPointer, toJsonPointer } from './values/json-pointer.ts';
export { PLATFORM_KEY } from './values/locked-values.ts';
export { mergeValues, type ValuesLayer, type ValuesLayerName } from './values/merge-values.ts';
export { type OverlayInput, overlayValues } from './values/overlay-values.ts';
export { type ParseValuesOptions, parseValues } from './values/parse-values.ts';
export type { Values } from './values/values.ts';
export { VALUES_LIMITS, VALUES_SCHEMA_LIMITS, type ValuesLimits } from './values/values-limits.ts';
export { assertNoSecrets, assertValuesValid, compileValuesSchema, type ValuesSchema } from './values/values-schema.ts';
