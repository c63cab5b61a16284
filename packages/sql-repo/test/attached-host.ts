import type pg from 'pg';
import type { AttachOptions } from '../src/index.ts';

// A host in the style of a SQLAlchemy application: its own names, instants without a zone, `json` columns, soft deletes, words of
// its own for statuses, partial unique indexes.

/** The types that a host's keys may have. */
export type HostKey = 'integer' | 'bigint' | 'uuid' | 'text';

/** `k` is the n-th key of a table, as a literal of SQL. */
export function keyOf(type: HostKey, number: number): string {
  if (type === 'uuid') return `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
  return type === 'text' ? `key-${number}` : String(type === 'bigint' ? 2 ** 40 + number : number);
}

export const hostSchema = (key: HostKey): string => `
CREATE SCHEMA shop;
CREATE TABLE shop.product (
  id ${key} NOT NULL PRIMARY KEY,
  name varchar(100) NOT NULL,
  slug varchar(40) NOT NULL,
  created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
  deleted_at timestamp
);
CREATE UNIQUE INDEX uq_product_name ON shop.product (lower(name)) WHERE deleted_at IS NULL;
CREATE TABLE shop.template (
  id ${key} NOT NULL PRIMARY KEY,
  product_id ${key} NOT NULL REFERENCES shop.product (id),
  chart_ref text,
  chart_version text,
  values_schema_json json,
  created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
  deleted_at timestamp
);
CREATE TABLE shop.deployment (
  id ${key} NOT NULL CONSTRAINT deployment_pkey PRIMARY KEY,
  user_id integer NOT NULL,
  name text NOT NULL,
  desired_template_id ${key} NOT NULL REFERENCES shop.template (id),
  applied_template_id ${key} REFERENCES shop.template (id),
  user_values_json json,
  hostname text,
  status text NOT NULL DEFAULT 'pending',
  last_error text,
  generation integer NOT NULL DEFAULT 1,
  note text,
  created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
  deleted_at timestamp
);
CREATE UNIQUE INDEX uq_deployment_hostname ON shop.deployment (lower(hostname)) WHERE status <> 'deleted';
`;

export const attach: AttachOptions = {
  schema: 'shop',
  product: { createdAt: 'created_at' },
  templateVersion: {
    table: 'template',
    valuesSchema: 'values_schema_json',
    createdAt: 'created_at',
    deprecatedAt: 'deleted_at',
    capabilities: { value: { hostname: '/host' } },
  },
  deployment: {
    desiredTemplateVersionId: 'desired_template_id',
    appliedTemplateVersionId: 'applied_template_id',
    tenant: { columns: ['user_id'], read: ({ user_id }) => `user-${user_id}` },
    tier: { value: 'standard' },
    userValues: 'user_values_json',
    hostname: 'hostname',
    generation: 'generation',
    lastError: 'last_error',
    createdAt: 'created_at',
    deletedAt: 'deleted_at',
    status: {
      words: { Pending: 'provisioning', Running: 'ready', Failed: 'error', Deleting: 'deleting', Deleted: 'deleted' },
      held: ['pending'],
    },
  },
  triggers: 'install',
};

/** Inserts product and template versions 1 and 2, whose charts are set, as a host would after Caelus was attached. */
export async function insertCatalogue(pool: pg.Pool, key: HostKey): Promise<void> {
  await pool.query(`INSERT INTO shop.product (id, name, slug) VALUES ('${keyOf(key, 1)}', 'Next Cloud', 'cloud')`);
  for (const number of [1, 2]) {
    await pool.query(
      `INSERT INTO shop.template (id, product_id, helm_chart_repo_url, chart_version, default_values)
       VALUES ('${keyOf(key, number)}', '${keyOf(key, 1)}', 'https://charts.example.com', '1.${number}.0', 'replicas: 1')`,
    );
  }
}

/** Inserts a deployment as raw SQL would. */
export async function insertDeployment(
  client: Pick<pg.Pool, 'query'>,
  key: HostKey,
  number: number,
  other: { readonly status?: string; readonly values?: string | null; readonly hostname?: string | null } = {},
): Promise<string> {
  const id = keyOf(key, number);
  await client.query(
    `INSERT INTO shop.deployment (id, user_id, name, desired_template_id, user_values_json, hostname, status)
     VALUES ($1, 7, $2, $3, $4, $5, $6)`,
    [id, `d-${number}`, keyOf(key, 1), other.values ?? null, other.hostname ?? null, other.status ?? 'provisioning'],
  );
  return id;
}
