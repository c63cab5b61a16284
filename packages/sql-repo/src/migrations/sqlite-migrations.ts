import type { Migration } from './migration.ts';

// A migration that was released never changes: its checksum is recorded in every database. Add another one instead.

/** Marks the file as a Caelus database (`PRAGMA application_id`): the letters CAEL. */
export const APPLICATION_ID = 0x43_41_45_4c;

const TABLES = [
  'meta',
  'product',
  'product_template_version',
  'deployment',
  'deployment_change',
  'work',
  'lease',
  'git_state',
  'drift',
  'event',
  'idempotency',
];

/** The schema of the embedded SQLite database, step by step. */
export const sqliteMigrations: readonly Migration[] = [
  {
    version: 1,
    name: 'initial',
    up: [
      `PRAGMA application_id = ${APPLICATION_ID}`,

      `CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT`,

      // Up to here events were pruned: not beyond the place before the first one.
      `INSERT INTO meta (key, value) VALUES ('event_horizon', '000000000000000.000000000000')`,

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

      `CREATE TABLE deployment_change (
  deployment_id TEXT NOT NULL,
  change_id TEXT NOT NULL,
  PRIMARY KEY (deployment_id, change_id)
) STRICT, WITHOUT ROWID`,

      `CREATE TABLE work (
  deployment_id TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL DEFAULT '',
  turn INTEGER,
  served_turn INTEGER,
  requested INTEGER NOT NULL,
  done INTEGER NOT NULL CHECK (done <= requested),
  reason TEXT NOT NULL,
  requested_at TEXT NOT NULL,
  requested_since_claim_at TEXT,
  available_at TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  last_error TEXT,
  dead_at TEXT,
  lease_owner TEXT,
  lease_token TEXT,
  lease_until TEXT
) STRICT`,
      `CREATE INDEX work_due ON work (turn, tenant, requested_at, deployment_id)
WHERE requested > done AND turn IS NOT NULL`,
      `CREATE INDEX work_waiting ON work (available_at, deployment_id)
WHERE requested > done AND turn IS NULL AND dead_at IS NULL`,
      'CREATE INDEX work_open ON work (deployment_id) WHERE requested > done',
      'CREATE INDEX work_by_tenant ON work (tenant, turn)',
      'CREATE INDEX work_served ON work (served_turn, tenant) WHERE served_turn IS NOT NULL',
      'CREATE INDEX work_served_by_tenant ON work (tenant, served_turn)',

      `CREATE TABLE lease (
  name TEXT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL,
  token TEXT NOT NULL,
  beat INTEGER NOT NULL,
  renewed_at TEXT NOT NULL
) STRICT`,

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
  commit_id TEXT,
  actor TEXT,
  data TEXT NOT NULL
) STRICT`,
      'CREATE INDEX event_by_deployment ON event (deployment_id, seq)',
      'CREATE INDEX event_by_type ON event (type, seq)',

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
    down: [...TABLES.toReversed().map((table) => `DROP TABLE ${table}`), 'PRAGMA application_id = 0'],
    loses: TABLES,
  },
];
