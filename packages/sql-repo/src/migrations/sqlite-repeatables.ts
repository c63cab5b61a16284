import type { RepeatableMigration } from './migration.ts';

// What the database itself refuses and records, whoever writes. Raise the revision of what you change.

/** @param definitions What follows `CREATE TRIGGER <name>`, by name. */
function triggers(name: string, revision: number, definitions: Readonly<Record<string, string>>): RepeatableMigration {
  const names = Object.keys(definitions);
  return {
    name,
    revision,
    up: [
      ...names.map((trigger) => `DROP TRIGGER IF EXISTS ${trigger}`),
      ...Object.entries(definitions).map(([trigger, definition]) => `CREATE TRIGGER ${trigger} ${definition}`),
    ],
    down: names.map((trigger) => `DROP TRIGGER ${trigger}`),
  };
}

const refuse = (reason: string) => `BEGIN SELECT RAISE(ABORT, '${reason}'); END`;
const recordChange = (instance: string) =>
  `BEGIN INSERT INTO deployment_change VALUES (NEW.${instance}, NEW.change_id) ON CONFLICT DO NOTHING; END`;

/** The triggers of the SQLite schema. */
export const sqliteRepeatables: readonly RepeatableMigration[] = [
  triggers('template_version_guard', 1, {
    product_template_version_immutable: `BEFORE UPDATE ON product_template_version
WHEN NEW.id IS NOT OLD.id OR NEW.product_id IS NOT OLD.product_id OR NEW.version IS NOT OLD.version
  OR NEW.chart IS NOT OLD.chart OR NEW.helm_chart_repo_url IS NOT OLD.helm_chart_repo_url
  OR NEW.chart_version IS NOT OLD.chart_version OR NEW.default_values IS NOT OLD.default_values
  OR NEW.values_schema IS NOT OLD.values_schema OR NEW.locked_values IS NOT OLD.locked_values
  OR NEW.capabilities IS NOT OLD.capabilities OR NEW.created_at IS NOT OLD.created_at
  OR (OLD.deprecated_at IS NOT NULL AND NEW.deprecated_at IS NOT OLD.deprecated_at)
${refuse('a template version is immutable')}`,
    product_template_version_kept: `BEFORE DELETE ON product_template_version
${refuse('a template version is immutable')}`,
    // INSERT OR REPLACE removes the old row without asking the trigger above.
    product_template_version_not_replaced: `BEFORE INSERT ON product_template_version
WHEN EXISTS (SELECT 1 FROM product_template_version AS other
  WHERE other.id = NEW.id OR (other.product_id = NEW.product_id AND other.version = NEW.version))
${refuse('a template version is immutable')}`,
  }),
  triggers('deployment_guard', 1, {
    deployment_generation: `BEFORE UPDATE OF generation ON deployment WHEN NEW.generation < OLD.generation
${refuse('a generation never goes down')}`,
    deployment_deleted: `BEFORE UPDATE OF status ON deployment
WHEN OLD.status = 'Deleted' AND NEW.status <> 'Deleted'
${refuse('Deleted is final')}`,
  }),
  triggers('lineage', 1, {
    deployment_change_first: `AFTER INSERT ON deployment
${recordChange('id')}`,
    deployment_change_next: `AFTER UPDATE OF change_id ON deployment
${recordChange('id')}`,
    deployment_change_of_event: `AFTER INSERT ON event
WHEN NEW.deployment_id IS NOT NULL AND NEW.change_id IS NOT NULL
${recordChange('deployment_id')}`,
    deployment_change_kept: `BEFORE DELETE ON deployment_change ${refuse('a change stays known')}`,
  }),
  triggers('event_guard', 1, {
    event_unchanged: `BEFORE UPDATE ON event ${refuse('events are append-only')}`,
    // The one way past it is to say first how far events are pruned, which readers are told.
    event_kept: `BEFORE DELETE ON event
WHEN printf('%015d', OLD.seq) > substr((SELECT value FROM meta WHERE key = 'event_horizon'), 1, 15)
${refuse('events are append-only')}`,
    event_not_replaced: `BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE seq = NEW.seq)
${refuse('events are append-only')}`,
    event_horizon_kept: `BEFORE UPDATE ON meta
WHEN OLD.key = 'event_horizon' AND (NEW.key <> OLD.key OR NEW.value < OLD.value)
${refuse('the horizon of events never goes down')}`,
    event_horizon_not_deleted: `BEFORE DELETE ON meta WHEN OLD.key = 'event_horizon'
${refuse('the horizon of events never goes down')}`,
    event_horizon_not_replaced: `BEFORE INSERT ON meta
WHEN NEW.key = 'event_horizon' AND EXISTS (SELECT 1 FROM meta WHERE key = NEW.key)
${refuse('the horizon of events never goes down')}`,
  }),
];
