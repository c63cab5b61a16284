import type { Migration, MigrationPlan } from './migration.ts';

// A migration that was released never changes: its checksum is recorded in every database. Add another one instead.

/** Marks the file as a Caelus database (`PRAGMA application_id`): the letters CAEL. */
export const APPLICATION_ID = 0x43_41_45_4c;

/** The schema of the embedded SQLite database, step by step. */
export const sqliteMigrations: readonly Migration[] = [
  {
    version: 1,
    name: 'initial',
    statements: [
      `PRAGMA application_id = ${APPLICATION_ID}`,

      `CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT`,

      `CREATE TABLE product (
  id TEXT NOT NULL PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT`,
      'CREATE INDEX product_by_age ON product (created_at, id)',

      `CREATE TABLE product_template_version (
  id TEXT NOT NULL PRIMARY KEY,
  product_id TEXT NOT NULL REFERENCES product (id),
  version TEXT NOT NULL,
  chart TEXT NOT NULL,
  helm_chart_repo_url TEXT,
  chart_version TEXT NOT NULL,
  default_values TEXT NOT NULL,
  values_schema TEXT,
  locked_values TEXT NOT NULL,
  capabilities TEXT NOT NULL,
  created_at TEXT NOT NULL,
  deprecated_at TEXT,
  UNIQUE (product_id, version)
) STRICT`,
      'CREATE INDEX product_template_version_by_age ON product_template_version (created_at, id)',
      'CREATE INDEX product_template_version_by_product ON product_template_version (product_id, created_at, id)',
      `CREATE TRIGGER product_template_version_immutable BEFORE UPDATE ON product_template_version
WHEN NEW.id IS NOT OLD.id OR NEW.product_id IS NOT OLD.product_id OR NEW.version IS NOT OLD.version
  OR NEW.chart IS NOT OLD.chart OR NEW.helm_chart_repo_url IS NOT OLD.helm_chart_repo_url
  OR NEW.chart_version IS NOT OLD.chart_version OR NEW.default_values IS NOT OLD.default_values
  OR NEW.values_schema IS NOT OLD.values_schema OR NEW.locked_values IS NOT OLD.locked_values
  OR NEW.capabilities IS NOT OLD.capabilities OR NEW.created_at IS NOT OLD.created_at
  OR (OLD.deprecated_at IS NOT NULL AND NEW.deprecated_at IS NOT OLD.deprecated_at)
BEGIN SELECT RAISE(ABORT, 'a template version is immutable'); END`,
      `CREATE TRIGGER product_template_version_kept BEFORE DELETE ON product_template_version
BEGIN SELECT RAISE(ABORT, 'a template version is immutable'); END`,
      // INSERT OR REPLACE removes the old row without asking the trigger above.
      `CREATE TRIGGER product_template_version_not_replaced BEFORE INSERT ON product_template_version
WHEN EXISTS (SELECT 1 FROM product_template_version AS other
  WHERE other.id = NEW.id OR (other.product_id = NEW.product_id AND other.version = NEW.version))
BEGIN SELECT RAISE(ABORT, 'a template version is immutable'); END`,

      `CREATE TABLE deployment (
  id TEXT NOT NULL PRIMARY KEY,
  product_id TEXT NOT NULL REFERENCES product (id),
  tenant TEXT NOT NULL,
  tier TEXT NOT NULL,
  destination TEXT NOT NULL,
  namespace TEXT NOT NULL,
  argo_app_name TEXT NOT NULL,
  release_name TEXT NOT NULL,
  git_path TEXT NOT NULL,
  desired_template_version_id TEXT NOT NULL REFERENCES product_template_version (id),
  applied_template_version_id TEXT REFERENCES product_template_version (id),
  user_values TEXT NOT NULL,
  platform_values TEXT NOT NULL,
  hostname TEXT,
  labels TEXT NOT NULL,
  deletion_policy TEXT NOT NULL,
  generation INTEGER NOT NULL CHECK (generation >= 1),
  observed_generation INTEGER NOT NULL CHECK (observed_generation >= 0),
  change_id TEXT NOT NULL,
  changed_by TEXT,
  status TEXT NOT NULL CHECK (status IN ('Pending', 'Running', 'Failed', 'Deleting', 'Deleted')),
  status_reason TEXT NOT NULL,
  sync_status TEXT CHECK (sync_status IN ('Synced', 'OutOfSync', 'Error')),
  health_status TEXT,
  last_synced_at TEXT,
  last_error TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted_at TEXT
) STRICT`,
      `CREATE UNIQUE INDEX deployment_argo_app_name ON deployment (argo_app_name) WHERE status <> 'Deleted'`,
      `CREATE UNIQUE INDEX deployment_namespace ON deployment (destination, namespace) WHERE status <> 'Deleted'`,
      `CREATE UNIQUE INDEX deployment_hostname ON deployment (hostname) WHERE status <> 'Deleted'`,
      'CREATE INDEX deployment_by_age ON deployment (created_at, id)',
      'CREATE INDEX deployment_by_tenant ON deployment (tenant, created_at, id)',
      'CREATE INDEX deployment_by_product ON deployment (product_id, created_at, id)',
      'CREATE INDEX deployment_by_template_version ON deployment (desired_template_version_id, created_at, id)',
      'CREATE INDEX deployment_by_tier ON deployment (tier, created_at, id)',
      'CREATE INDEX deployment_by_status ON deployment (status, created_at, id)',
      'CREATE INDEX deployment_by_sync_status ON deployment (sync_status, created_at, id)',
      `CREATE TRIGGER deployment_generation BEFORE UPDATE OF generation ON deployment WHEN NEW.generation < OLD.generation
BEGIN SELECT RAISE(ABORT, 'a generation never goes down'); END`,
      `CREATE TRIGGER deployment_deleted BEFORE UPDATE OF status ON deployment
WHEN OLD.status = 'Deleted' AND NEW.status <> 'Deleted'
BEGIN SELECT RAISE(ABORT, 'Deleted is final'); END`,

      `CREATE TABLE deployment_change (
  deployment_id TEXT NOT NULL,
  change_id TEXT NOT NULL,
  PRIMARY KEY (deployment_id, change_id)
) STRICT, WITHOUT ROWID`,
      `CREATE TRIGGER deployment_change_first AFTER INSERT ON deployment
BEGIN INSERT INTO deployment_change VALUES (NEW.id, NEW.change_id) ON CONFLICT DO NOTHING; END`,
      `CREATE TRIGGER deployment_change_next AFTER UPDATE OF change_id ON deployment
BEGIN INSERT INTO deployment_change VALUES (NEW.id, NEW.change_id) ON CONFLICT DO NOTHING; END`,

      `CREATE TABLE work (
  deployment_id TEXT NOT NULL PRIMARY KEY,
  requested INTEGER NOT NULL,
  done INTEGER NOT NULL CHECK (done <= requested),
  reason TEXT NOT NULL,
  requested_at TEXT NOT NULL,
  requested_since_claim_at TEXT,
  available_at TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  last_error TEXT,
  lease_owner TEXT,
  lease_token TEXT,
  lease_until TEXT
) STRICT`,
      'CREATE INDEX work_due ON work (requested_at, deployment_id) WHERE requested > done',

      `CREATE TABLE git_state (
  deployment_id TEXT NOT NULL PRIMARY KEY,
  generation INTEGER NOT NULL,
  change_id TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  spec_hash TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('present', 'application-removed', 'removed')),
  written_at TEXT NOT NULL
) STRICT`,

      `CREATE TABLE drift (
  deployment_id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  detected_at TEXT NOT NULL
) STRICT`,

      `CREATE TABLE event (
  seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  type TEXT NOT NULL,
  deployment_id TEXT,
  generation INTEGER,
  change_id TEXT,
  actor TEXT,
  data TEXT NOT NULL
) STRICT`,
      'CREATE INDEX event_by_deployment ON event (deployment_id, seq)',
      'CREATE INDEX event_by_type ON event (type, seq)',
      `CREATE TRIGGER event_unchanged BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END`,
      `CREATE TRIGGER event_kept BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END`,
      `CREATE TRIGGER event_not_replaced BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END`,
      `CREATE TRIGGER deployment_change_of_event AFTER INSERT ON event
WHEN NEW.deployment_id IS NOT NULL AND NEW.change_id IS NOT NULL
BEGIN INSERT INTO deployment_change VALUES (NEW.deployment_id, NEW.change_id) ON CONFLICT DO NOTHING; END`,

      `CREATE TABLE idempotency (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  response TEXT,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT`,
      'CREATE INDEX idempotency_expiry ON idempotency (expires_at)',
    ],
  },
];

export const sqlitePlan: MigrationPlan = {
  migrations: sqliteMigrations,
  table: `CREATE TABLE IF NOT EXISTS migration (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at TEXT NOT NULL
) STRICT`,
  tableQuery: `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'`,
  // There is one writer, so whoever has begun is alone.
  prepare: async () => {},
};
