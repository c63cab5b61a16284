import type { MigrationPlan, RepeatableMigration } from '../migrations/migration.ts';
import { postgresPlan } from '../migrations/postgres-plan.ts';
import { type HostMapping, type HostTable, literal, quoted } from './host-mapping.ts';

// What Caelus puts into a host's tables: columns, and row triggers that read the row as JSON. Nothing there depends on a column by
// its number or type, so that the host's later migrations may change and drop any of them. Raise the revision of what you change.

/**
 * In the `RETURNING` of a statement that writes one row of the host's: the trigger need not tell us of what we write. The trigger, which
 * runs after it, takes it back.
 */
export const QUIETLY = `set_config('caelus.quiet', 'on', true) AS quiet`;

/** The functions that tell whether a row is to be looked at, by kind. */
export const fingerprintFunction = (schema: string, { kind }: Pick<HostTable, 'kind'>): string =>
  `${quoted(schema)}.host_${kind.replace('-', '_')}_fingerprint`;

/** The migrations of a schema that is attached to a host's tables. */
export function attachedPlan(schema: string, mapping: HostMapping): MigrationPlan {
  const plan = postgresPlan(schema);
  return {
    ...plan,
    repeatables: [
      ...plan.repeatables,
      hostColumns(schema, mapping),
      hostFingerprints(schema, mapping),
      hostTriggers(schema, mapping),
    ],
  };
}

/** Added where they are missing, and kept in mind, so that only what Caelus has added is ever dropped. */
function hostColumns(schema: string, mapping: HostMapping): RepeatableMigration {
  const add = (table: HostTable) =>
    Object.entries(table.added).map(([column, type]) => {
      const key = [mapping.schema, table.name, column].map(literal).join(', ');
      return `DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = ${literal(table.sql)}::regclass AND attname = ${literal(column)} AND NOT attisdropped) THEN
    ALTER TABLE ${table.sql} ADD COLUMN ${quoted(column)} ${type};
    INSERT INTO ${quoted(schema)}.attached_column VALUES (${key}) ON CONFLICT DO NOTHING;
  END IF;
END $$`;
    });
  return { name: 'host_columns', revision: 1, up: Object.values(mapping.tables).flatMap(add), down: [] };
}

/**
 * What cannot be made `jsonb`: U+0000, and halves of surrogate pairs. A host's `json` column may hold both as escapes. The pairs that
 * are whole are taken away first.
 */
const isOdd = (row: string) =>
  `(strpos(${row}, '\\u') > 0 AND regexp_replace(${row}, '\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}', '', 'g') ~ '\\\\u(0000|[dD][89a-fA-F])')`;

/**
 * One text for all that makes a row worth a look. `jsonb` makes no difference of spaces, the order of keys, and JSON's null and
 * SQL's. An odd row is looked at after every change.
 */
function hostFingerprints(schema: string, mapping: HostMapping): RepeatableMigration {
  const { status, deletedAt } = mapping;
  const words = (wanted: (word: string) => boolean) =>
    [...status.meaning.keys()].filter(wanted).map(literal).join(', ');
  const unwanted = words((word) => ['Deleting', 'Deleted'].includes(status.meaning.get(word) ?? ''));
  const held = [...status.held].map(literal).join(', ');
  const word = `host ->> ${literal(status.column)}`;
  const lifecycle = [
    'CASE',
    ...(held === '' ? [] : [`WHEN ${word} IN (${held}) THEN 'held'`]),
    `WHEN ${word} IN (${unwanted})${deletedAt === undefined ? '' : ` OR host ->> ${literal(deletedAt)} IS NOT NULL`} THEN 'unwanted'`,
    `ELSE 'wanted' END`,
  ].join(' ');
  const tables = Object.values(mapping.tables);
  return {
    name: 'host_fingerprints',
    revision: 1,
    up: tables.map((table) => {
      const parts = table.watched.map((column) => `host -> ${literal(column)}`);
      if (table.kind === 'deployment') parts.push(`host -> ${literal(table.id)}`, `to_jsonb(${lifecycle})`);
      if (parts.length === 0) parts.push(`'null'::jsonb`);
      return `CREATE OR REPLACE FUNCTION ${fingerprintFunction(schema, table)}(host_row text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE host jsonb;
BEGIN
  IF ${isOdd('host_row')} THEN RETURN md5(host_row); END IF;
  host := host_row::jsonb;
  RETURN md5(jsonb_build_array(${parts.join(', ')})::text);
END $$`;
    }),
    down: tables.toReversed().map((table) => `DROP FUNCTION ${fingerprintFunction(schema, table)}(text)`),
  };
}

function hostTriggers(schema: string, mapping: HostMapping): RepeatableMigration {
  const { deployment, 'template-version': version } = mapping.tables;
  const enqueue = `${quoted(schema)}.enqueue_host_row`;
  const guard = `${quoted(schema)}.guard_host_template_version`;
  const enqueueTrigger = quoted(`${schema}_enqueue`);
  const guardTrigger = quoted(`${schema}_immutable`);
  const fingerprint = fingerprintFunction(schema, deployment);
  const fixed = version.watched.filter((column) => version.added[column] === undefined);
  const given = Object.keys(version.added);
  const functions = [
    // With the rights of who made it, so that the host's roles need none here; and into a table that nobody else updates, so that the
    // host's transaction waits for nothing of ours.
    `CREATE OR REPLACE FUNCTION ${enqueue}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  host_row text := CASE WHEN TG_OP = 'DELETE' THEN row_to_json(OLD)::text ELSE row_to_json(NEW)::text END;
  earlier text;
  key text;
BEGIN
  IF current_setting('caelus.quiet', true) = 'on' THEN
    PERFORM set_config('caelus.quiet', '', true);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    earlier := row_to_json(OLD)::text;
    IF earlier = host_row OR ${fingerprint}(earlier) = ${fingerprint}(host_row) THEN RETURN NULL; END IF;
  END IF;
  IF ${isOdd('host_row')} THEN
    IF TG_OP = 'DELETE' THEN
      EXECUTE 'SELECT ($1).${quoted(deployment.id)}::text' INTO key USING OLD;
    ELSE
      EXECUTE 'SELECT ($1).${quoted(deployment.id)}::text' INTO key USING NEW;
    END IF;
  ELSE
    key := host_row::jsonb ->> ${literal(deployment.id)};
  END IF;
  IF key IS NULL THEN RETURN NULL; END IF;
  INSERT INTO ${quoted(schema)}.attached_inbox (host_id, is_gone, actor)
  VALUES (key, TG_OP = 'DELETE', nullif(current_setting('caelus.actor', true), ''));
  PERFORM pg_notify(${literal(`${schema}_news`)}, 'work');
  RETURN NULL;
END $$`,
    `CREATE OR REPLACE FUNCTION ${guard}() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  earlier text := row_to_json(OLD)::text;
  later text := row_to_json(NEW)::text;
  was jsonb;
  host jsonb;
BEGIN
  IF ${isOdd('earlier')} OR ${isOdd('later')} THEN RETURN NEW; END IF;
  was := earlier::jsonb;
  host := later::jsonb;
  IF ${[
    ...fixed.map((column) => `was -> ${literal(column)} IS DISTINCT FROM host -> ${literal(column)}`),
    ...given.map(
      (column) =>
        `(was ->> ${literal(column)} IS NOT NULL AND was -> ${literal(column)} IS DISTINCT FROM host -> ${literal(column)})`,
    ),
  ].join('\n    OR ')} THEN
    RAISE EXCEPTION USING MESSAGE = 'a template version is immutable', ERRCODE = 'restrict_violation',
      TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$`,
  ];
  const triggers = [
    `CREATE OR REPLACE TRIGGER ${enqueueTrigger} AFTER INSERT OR UPDATE OR DELETE ON ${deployment.sql}
FOR EACH ROW EXECUTE FUNCTION ${enqueue}()`,
    `CREATE OR REPLACE TRIGGER ${guardTrigger} BEFORE UPDATE ON ${version.sql}
FOR EACH ROW EXECUTE FUNCTION ${guard}()`,
  ];
  const remove = [
    [enqueueTrigger, deployment],
    [guardTrigger, version],
  ] as const;
  // Asked for first: dropping takes a privilege that is not needed where nothing is there.
  const removal = remove.map(
    ([trigger, table]) => `DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(${literal(table.sql)}) AND tgname = ${literal(trigger.slice(1, -1))}) THEN
    DROP TRIGGER ${trigger} ON ${table.sql};
  END IF;
END $$`,
  );
  return {
    name: 'host_triggers',
    revision: 1,
    up: [...functions, ...(mapping.installsTriggers ? triggers : removal)],
    down: [...removal, `DROP FUNCTION ${guard}()`, `DROP FUNCTION ${enqueue}()`],
  };
}
