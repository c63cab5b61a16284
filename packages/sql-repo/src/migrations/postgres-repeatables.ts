import type { RepeatableMigration } from './migration.ts';

// What the database itself refuses, records and announces, whoever writes. Raise the revision of what you change. Tables and
// functions are named without their schema, which the translator adds (postgres/postgres-statement.ts).

interface Routines {
  /** What follows `CREATE FUNCTION <name>()`, by name. */
  readonly functions?: Readonly<Record<string, string>>;
  /** When it fires, on which table, and the rest of `CREATE TRIGGER <name>`, by name. */
  readonly triggers?: Readonly<Record<string, readonly [when: string, table: string, rest: string]>>;
}

function routines(name: string, revision: number, { functions = {}, triggers = {} }: Routines): RepeatableMigration {
  const madeTriggers = Object.entries(triggers);
  const madeFunctions = Object.entries(functions);
  return {
    name,
    revision,
    // Replaced in place: a trigger that is dropped first takes a lock that readers wait for.
    up: [
      ...madeFunctions.map(([routine, definition]) => `CREATE OR REPLACE FUNCTION ${routine}() ${definition}`),
      ...madeTriggers.map(
        ([trigger, [when, table, rest]]) => `CREATE OR REPLACE TRIGGER ${trigger} ${when} ON ${table} ${rest}`,
      ),
    ],
    down: [
      ...madeTriggers.toReversed().map(([trigger, [, table]]) => `DROP TRIGGER ${trigger} ON ${table}`),
      ...madeFunctions.toReversed().map(([routine]) => `DROP FUNCTION ${routine}()`),
    ],
  };
}

/** What a template version is: these columns never change. */
const IMMUTABLE = [
  'id',
  'product_id',
  'version',
  'chart::text',
  'helm_chart_repo_url',
  'chart_version',
  'default_values::text',
  'values_schema::text',
  'locked_values::text',
  'capabilities::text',
  'created_at',
];
const columns = (row: string) => IMMUTABLE.map((column) => `${row}.${column}`).join(', ');

const plpgsql = (body: string) => `RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
${body}
END $$`;
const refuse = (reason: string) => `EXECUTE FUNCTION refuse('${reason}')`;
const immutable = refuse('a template version is immutable');
const appendOnly = refuse('events are append-only');
const staysKnown = refuse('a change stays known');

/** The functions and triggers in PostgreSQL. */
export const postgresRepeatables: readonly RepeatableMigration[] = [
  routines('refuse', 1, {
    functions: {
      refuse: plpgsql(
        `  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;`,
      ),
    },
  }),
  routines('template_version_guard', 1, {
    triggers: {
      product_template_version_immutable: [
        'BEFORE UPDATE',
        'product_template_version',
        `FOR EACH ROW
WHEN ((${columns('OLD')}) IS DISTINCT FROM (${columns('NEW')})
  OR (OLD.deprecated_at IS NOT NULL AND NEW.deprecated_at IS DISTINCT FROM OLD.deprecated_at))
${immutable}`,
      ],
      product_template_version_kept: ['BEFORE DELETE', 'product_template_version', `FOR EACH ROW ${immutable}`],
      // TRUNCATE asks no trigger of a row.
      product_template_version_not_truncated: [
        'BEFORE TRUNCATE',
        'product_template_version',
        `FOR EACH STATEMENT ${immutable}`,
      ],
    },
  }),
  routines('deployment_guard', 1, {
    triggers: {
      deployment_generation: [
        'BEFORE UPDATE',
        'deployment',
        `FOR EACH ROW WHEN (NEW.generation < OLD.generation) ${refuse('a generation never goes down')}`,
      ],
      deployment_deleted: [
        'BEFORE UPDATE',
        'deployment',
        `FOR EACH ROW WHEN (OLD.status = 'Deleted' AND NEW.status <> 'Deleted') ${refuse('Deleted is final')}`,
      ],
    },
  }),
  routines('lineage', 1, {
    functions: {
      record_change: plpgsql(`  INSERT INTO deployment_change VALUES (NEW.id, NEW.change_id) ON CONFLICT DO NOTHING;
  RETURN NULL;`),
      record_change_of_event:
        plpgsql(`  INSERT INTO deployment_change VALUES (NEW.deployment_id, NEW.change_id) ON CONFLICT DO NOTHING;
  RETURN NULL;`),
    },
    triggers: {
      deployment_change_first: ['AFTER INSERT', 'deployment', 'FOR EACH ROW EXECUTE FUNCTION record_change()'],
      deployment_change_next: [
        'AFTER UPDATE',
        'deployment',
        `FOR EACH ROW
WHEN (NEW.change_id IS DISTINCT FROM OLD.change_id) EXECUTE FUNCTION record_change()`,
      ],
      deployment_change_of_event: [
        'AFTER INSERT',
        'event',
        `FOR EACH ROW
WHEN (NEW.deployment_id IS NOT NULL AND NEW.change_id IS NOT NULL) EXECUTE FUNCTION record_change_of_event()`,
      ],
      deployment_change_kept: ['BEFORE DELETE', 'deployment_change', `FOR EACH ROW ${staysKnown}`],
      deployment_change_not_truncated: ['BEFORE TRUNCATE', 'deployment_change', `FOR EACH STATEMENT ${staysKnown}`],
    },
  }),
  routines('announcement', 1, {
    functions: {
      // Comes with the commit, once for each kind of news and transaction, whoever writes.
      announce: plpgsql(`  PERFORM pg_notify(TG_TABLE_SCHEMA || '_news', TG_ARGV[0]);
  RETURN NULL;`),
    },
    triggers: {
      work_first: ['AFTER INSERT', 'work', `FOR EACH ROW EXECUTE FUNCTION announce('work')`],
      work_again: [
        'AFTER UPDATE',
        'work',
        `FOR EACH ROW
WHEN (NEW.requested > OLD.requested) EXECUTE FUNCTION announce('work')`,
      ],
      lease_given_back: ['AFTER DELETE', 'lease', `FOR EACH ROW EXECUTE FUNCTION announce('lease')`],
      event_announced: ['AFTER INSERT', 'event', `FOR EACH STATEMENT EXECUTE FUNCTION announce('event')`],
    },
  }),
  routines('event_order', 1, {
    functions: {
      place_event:
        plpgsql(`  NEW.position := pg_current_xact_id()::text::bigint + (SELECT value::bigint FROM meta WHERE key = 'event_offset');
  NEW.cursor := lpad(NEW.position::text, 18, '0') || '-' || lpad(NEW.seq::text, 18, '0');
  RETURN NEW;`),
    },
    triggers: { event_placed: ['BEFORE INSERT', 'event', 'FOR EACH ROW EXECUTE FUNCTION place_event()'] },
  }),
  routines('event_guard', 1, {
    functions: {
      // The one way past it is to say first how far events are pruned, which readers are told.
      keep_event: plpgsql(`  IF OLD.cursor <= left((SELECT value FROM meta WHERE key = 'event_horizon'), 37) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION USING MESSAGE = 'events are append-only', ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;`),
    },
    triggers: {
      event_unchanged: ['BEFORE UPDATE', 'event', `FOR EACH ROW ${appendOnly}`],
      event_kept: ['BEFORE DELETE', 'event', 'FOR EACH ROW EXECUTE FUNCTION keep_event()'],
      event_not_truncated: ['BEFORE TRUNCATE', 'event', `FOR EACH STATEMENT ${appendOnly}`],
      event_horizon_kept: [
        'BEFORE UPDATE',
        'meta',
        `FOR EACH ROW
WHEN (OLD.key = 'event_horizon' AND (NEW.key <> OLD.key OR NEW.value COLLATE "C" < OLD.value))
${refuse('the horizon of events never goes down')}`,
      ],
      event_horizon_not_deleted: [
        'BEFORE DELETE',
        'meta',
        `FOR EACH ROW WHEN (OLD.key = 'event_horizon') ${refuse('the horizon of events never goes down')}`,
      ],
    },
  }),
];
