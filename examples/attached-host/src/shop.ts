// A backend that was there before Caelus, with tables and words of its own. It may be written in any language: it speaks SQL.
import type { AttachOptions } from '@caelus/sql-repo';

/** What the shop's own migrations have made. */
export const SCHEMA = `
CREATE TABLE product (
  id integer PRIMARY KEY, slug text NOT NULL UNIQUE, name text NOT NULL
);
CREATE TABLE template (
  id integer PRIMARY KEY, product_id integer NOT NULL REFERENCES product (id), chart_ref text, chart_version text,
  values_schema json, deleted_at timestamp
);
CREATE TABLE deployment (
  id integer PRIMARY KEY, user_id integer NOT NULL, desired_template_id integer NOT NULL REFERENCES template (id),
  user_values json, status text NOT NULL DEFAULT 'pending', last_error text, deleted_at timestamp,
  created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc')
);
INSERT INTO product VALUES (1, 'wiki', 'Wiki');
INSERT INTO template VALUES (1, 1, 'https://charts.example.com/wiki', '1.0.0', NULL, NULL);
INSERT INTO template VALUES (2, 1, 'https://charts.example.com/wiki', '1.1.0', NULL, NULL);
`;

/** How they are Caelus's. */
export const attach: AttachOptions = {
  templateVersion: { table: 'template', valuesSchema: 'values_schema', deprecatedAt: 'deleted_at' },
  deployment: {
    desiredTemplateVersionId: 'desired_template_id',
    tenant: { columns: ['user_id'], read: ({ user_id }) => `user-${user_id}` },
    tier: { value: 'stable' },
    status: {
      words: { Pending: 'provisioning', Running: 'ready', Failed: 'error', Deleting: 'deleting', Deleted: 'deleted' },
      // Not paid for yet.
      held: ['pending'],
    },
    lastError: 'last_error',
    createdAt: 'created_at',
    deletedAt: 'deleted_at',
  },
  triggers: 'install',
};
