import type { Migration } from './migration.ts';

// A migration that was released never changes: its checksum is recorded in every database. Add another one instead.
// Tables are named without their schema, which the translator adds (postgres/postgres-statement.ts).

/** Names and keys compare byte by byte, whatever the database's locale. */
const KEY = 'text COLLATE "C"';
/** To the millisecond, as everywhere else, so that an instant that was read finds its row again. */
const INSTANT = 'timestamptz(3)';

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
  'attached_row',
  'attached_inbox',
  'attached_column',
];

/** The schema in PostgreSQL, step by step. The columns are those of the SQLite schema, with PostgreSQL's own types. */
export const postgresMigrations: readonly Migration[] = [
  {
    version: 1,
    name: 'initial',
    up: [
      `CREATE TABLE meta (
  key ${KEY} NOT NULL PRIMARY KEY,
  value text NOT NULL
)`,
      // Added to the numbers of transactions, which start anew where a dump is restored into another cluster.
      `INSERT INTO meta (key, value) VALUES ('event_offset', '0')`,
      // Up to here events were pruned: not beyond the place before the first one.
      `INSERT INTO meta (key, value) VALUES ('event_horizon', '000000000000000000-000000000000000000.000000000000')`,

      `CREATE TABLE product (
  id ${KEY} NOT NULL PRIMARY KEY,
  slug ${KEY} NOT NULL UNIQUE,
  name text NOT NULL,
  created_at ${INSTANT} NOT NULL
)`,
      'CREATE INDEX product_by_age ON product (created_at, id)',

      `CREATE TABLE product_template_version (
  id ${KEY} NOT NULL PRIMARY KEY,
  product_id ${KEY} NOT NULL REFERENCES product (id),
  version ${KEY} NOT NULL,
  chart json NOT NULL,
  helm_chart_repo_url text,
  chart_version text NOT NULL,
  default_values json NOT NULL,
  values_schema json,
  locked_values json NOT NULL,
  capabilities json NOT NULL,
  created_at ${INSTANT} NOT NULL,
  deprecated_at ${INSTANT},
  UNIQUE (product_id, version)
)`,
      'CREATE INDEX product_template_version_by_age ON product_template_version (created_at, id)',
      'CREATE INDEX product_template_version_by_product ON product_template_version (product_id, created_at, id)',

      `CREATE TABLE deployment (
  id ${KEY} NOT NULL PRIMARY KEY,
  product_id ${KEY} NOT NULL REFERENCES product (id),
  tenant ${KEY} NOT NULL,
  tier ${KEY} NOT NULL,
  destination jsonb NOT NULL,
  namespace ${KEY} NOT NULL,
  argo_app_name ${KEY} NOT NULL,
  release_name text NOT NULL,
  git_path text NOT NULL,
  desired_template_version_id ${KEY} NOT NULL REFERENCES product_template_version (id),
  applied_template_version_id ${KEY} REFERENCES product_template_version (id),
  user_values json NOT NULL,
  platform_values json NOT NULL,
  hostname ${KEY},
  labels json NOT NULL,
  deletion_policy text NOT NULL,
  generation bigint NOT NULL CHECK (generation >= 1),
  observed_generation bigint NOT NULL CHECK (observed_generation >= 0),
  change_id ${KEY} NOT NULL,
  changed_by json,
  status ${KEY} NOT NULL CHECK (status IN ('Pending', 'Running', 'Failed', 'Deleting', 'Deleted')),
  status_reason text NOT NULL,
  sync_status ${KEY} CHECK (sync_status IN ('Synced', 'OutOfSync', 'Error')),
  health_status text,
  last_synced_at ${INSTANT},
  last_error text,
  created_at ${INSTANT} NOT NULL,
  updated_at ${INSTANT} NOT NULL,
  deleted_at ${INSTANT}
)`,
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
  deployment_id ${KEY} NOT NULL,
  change_id ${KEY} NOT NULL,
  PRIMARY KEY (deployment_id, change_id)
)`,

      `CREATE TABLE work (
  deployment_id ${KEY} NOT NULL PRIMARY KEY,
  tenant ${KEY} NOT NULL DEFAULT '',
  turn bigint,
  served_turn bigint,
  requested bigint NOT NULL,
  done bigint NOT NULL CHECK (done <= requested),
  reason text NOT NULL,
  requested_at ${INSTANT} NOT NULL,
  requested_since_claim_at ${INSTANT},
  available_at ${INSTANT} NOT NULL,
  attempts integer NOT NULL,
  last_error text,
  dead_at ${INSTANT},
  lease_owner text,
  lease_token text,
  lease_until ${INSTANT}
)`,
      `CREATE INDEX work_due ON work (turn, tenant, requested_at, deployment_id)
WHERE requested > done AND turn IS NOT NULL`,
      `CREATE INDEX work_waiting ON work (available_at, deployment_id)
WHERE requested > done AND turn IS NULL AND dead_at IS NULL`,
      'CREATE INDEX work_open ON work (deployment_id) WHERE requested > done',
      'CREATE INDEX work_by_tenant ON work (tenant, turn)',
      'CREATE INDEX work_served ON work (served_turn, tenant) WHERE served_turn IS NOT NULL',
      'CREATE INDEX work_served_by_tenant ON work (tenant, served_turn)',

      `CREATE TABLE lease (
  name ${KEY} NOT NULL PRIMARY KEY,
  owner text NOT NULL,
  token ${KEY} NOT NULL,
  beat bigint NOT NULL,
  renewed_at ${INSTANT} NOT NULL
)`,

      `CREATE TABLE git_state (
  deployment_id ${KEY} NOT NULL PRIMARY KEY,
  generation bigint NOT NULL,
  change_id text NOT NULL,
  content_hash text NOT NULL,
  spec_hash text NOT NULL,
  commit_id text NOT NULL,
  phase text NOT NULL CHECK (phase IN ('present', 'application-removed', 'removed')),
  written_at ${INSTANT} NOT NULL
)`,

      `CREATE TABLE drift (
  deployment_id ${KEY} NOT NULL PRIMARY KEY,
  kind text NOT NULL,
  detected_at ${INSTANT} NOT NULL
)`,

      `CREATE TABLE event (
  seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  position bigint NOT NULL,
  cursor ${KEY} NOT NULL UNIQUE,
  at ${INSTANT} NOT NULL,
  type ${KEY} NOT NULL,
  deployment_id ${KEY},
  generation bigint,
  change_id ${KEY},
  commit_id text,
  actor json,
  data json NOT NULL
)`,
      'CREATE INDEX event_by_deployment ON event (deployment_id, cursor)',
      'CREATE INDEX event_by_type ON event (type, cursor)',

      `CREATE TABLE idempotency (
  scope ${KEY} NOT NULL,
  key ${KEY} NOT NULL,
  request_hash text NOT NULL,
  response json,
  expires_at ${INSTANT} NOT NULL,
  PRIMARY KEY (scope, key)
)`,
      'CREATE INDEX idempotency_expiry ON idempotency (expires_at)',

      // Attached mode; empty where Caelus owns the rows. Keys of the host's are text, and refer to nothing.
      `CREATE TABLE attached_row (
  kind ${KEY} NOT NULL CHECK (kind IN ('product', 'template-version', 'deployment')),
  id ${KEY} NOT NULL,
  host_id ${KEY} NOT NULL,
  fingerprint text,
  problem text,
  problem_at ${INSTANT},
  is_gone boolean NOT NULL DEFAULT false,
  actor text,
  mirror_due boolean NOT NULL DEFAULT false,
  PRIMARY KEY (kind, id),
  UNIQUE (kind, host_id)
)`,
      `CREATE INDEX attached_row_with_problem ON attached_row (kind, id) WHERE problem IS NOT NULL`,
      `CREATE INDEX attached_row_to_mirror ON attached_row (id) WHERE mirror_due`,
      `CREATE TABLE attached_inbox (
  seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  host_id ${KEY} NOT NULL,
  is_gone boolean NOT NULL,
  actor text,
  at ${INSTANT} NOT NULL DEFAULT now()
)`,
      `CREATE TABLE attached_column (
  table_schema text NOT NULL,
  table_name text NOT NULL,
  column_name text NOT NULL,
  PRIMARY KEY (table_schema, table_name, column_name)
)`,
    ],
    down: [
      // The host may have moved or dropped them meanwhile.
      `DO $$ DECLARE added record; BEGIN
  FOR added IN SELECT * FROM attached_column LOOP
    IF to_regclass(format('%I.%I', added.table_schema, added.table_name)) IS NOT NULL THEN
      EXECUTE format('ALTER TABLE %I.%I DROP COLUMN IF EXISTS %I', added.table_schema, added.table_name, added.column_name);
    END IF;
  END LOOP;
END $$`,
      ...TABLES.toReversed().map((table) => `DROP TABLE ${table}`),
    ],
    loses: [...TABLES, 'the columns that Caelus has added to a host’s tables'],
  },
];
