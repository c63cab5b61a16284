import { describe, expect, it } from 'vitest';
import { createPostgresTranslator } from './postgres-statement.ts';

const translate = createPostgresTranslator('mine');

describe('createPostgresTranslator', () => {
  it.each([
    ['SELECT * FROM work WHERE a = ? AND b IN (?, ?)', 'SELECT * FROM "mine".work WHERE a = $1 AND b IN ($2, $3)'],
    ['INSERT INTO event (at) VALUES (?)', 'INSERT INTO "mine".event (at) VALUES ($1)'],
    ['UPDATE product_template_version SET x = ?', 'UPDATE "mine".product_template_version SET x = $1'],
    ['DELETE FROM drift', 'DELETE FROM "mine".drift'],
    ['CREATE TABLE IF NOT EXISTS migration (a text)', 'CREATE TABLE IF NOT EXISTS "mine".migration (a text)'],
    ['a text REFERENCES product (id)', 'a text REFERENCES "mine".product (id)'],
    ['CREATE INDEX work_due ON work (a)', 'CREATE INDEX work_due ON "mine".work (a)'],
    ['FROM due JOIN deployment AS i ON i.id = due.id', 'FROM due JOIN "mine".deployment AS i ON i.id = due.id'],
    ['EXECUTE FUNCTION record_change_of_event()', 'EXECUTE FUNCTION "mine".record_change_of_event()'],
  ])('numbers parameters and names the schema: %s', (statement, expected) => {
    expect(translate(statement)).toBe(expected);
    expect(translate(statement)).toBe(expected);
  });

  it.each([
    'ON CONFLICT (id) DO UPDATE SET requested = work.requested + 1',
    'SELECT relname FROM pg_class',
    'SELECT value FROM metadata',
    `SELECT x FROM due ORDER BY page.created_at FOR UPDATE SKIP LOCKED`,
    'BEFORE UPDATE OF generation',
  ])('leaves alone what is not a table of ours: %s', (statement) => {
    expect(translate(statement)).toBe(statement);
  });

  it('keeps what it knows right beyond the number of statements that it keeps', () => {
    for (let number = 0; number < 1200; number++) {
      expect(translate(`SELECT ${number} FROM work WHERE a = ?`)).toBe(
        `SELECT ${number} FROM "mine".work WHERE a = $1`,
      );
    }
  });
});
