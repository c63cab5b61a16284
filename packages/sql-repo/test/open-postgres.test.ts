import { describe, expect, it } from 'vitest';
import { createSqlRepository, printMigrations, type SqlExecutor, type SqlRepositoryOptions } from '../src/index.ts';

/** An executor of a server that says this of itself, and knows nothing else. */
function serverOf(version: string, encoding: string): SqlExecutor {
  const unknown = Object.assign(new Error('relation does not exist'), { code: '42P01' });
  return {
    dialect: 'postgres',
    async query(sql) {
      if (sql.includes('server_version_num')) return { rows: [{ version, encoding }], affected: 0 };
      throw unknown;
    },
    transaction: () => Promise.reject(unknown),
  };
}

describe('createSqlRepository on an executor', () => {
  it('refuses options that it cannot take, all at once', async () => {
    const sqlite: SqlExecutor = { ...serverOf('150000', 'UTF8'), dialect: 'sqlite' };
    const options = { executor: sqlite, schema: 'Mine', file: 'x.db' } as SqlRepositoryOptions;
    await expect(createSqlRepository(options)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { issues: [{ path: '/executor' }, { path: '/schema' }, { path: '/file' }] },
    });
    for (const executor of [undefined, null]) {
      const without = { executor } as unknown as SqlRepositoryOptions;
      await expect(createSqlRepository(without)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it.each(['', '1a', 'pg_mine', 'a-b', 'a"b', 'a b', 'A', 'é', 'a'.repeat(51)])(
    'refuses the schema %o',
    async (schema) => {
      const executor = serverOf('150000', 'UTF8');
      await expect(createSqlRepository({ executor, schema })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      expect(() => printMigrations('postgres', { schema })).toThrowError(
        expect.objectContaining({ code: 'INVALID_INPUT' }),
      );
    },
  );

  it.each(['a', '_', 'a1', 'a'.repeat(49), 'a'.repeat(50)])('takes the schema %o', (schema) => {
    expect(printMigrations('postgres', { schema })).toContain(`"${schema}".deployment`);
  });

  it.each([
    ['130099', 'UTF8', 'PostgreSQL 13'],
    ['150000', 'SQL_ASCII', 'encoding SQL_ASCII'],
  ])('refuses a server of version %s and encoding %s', async (version, encoding, found) => {
    await expect(createSqlRepository({ executor: serverOf(version, encoding) })).rejects.toMatchObject({
      code: 'SQL_DATABASE_UNSUPPORTED',
      details: { what: 'postgres:caelus', found },
    });
  });

  it.each(['140000', '150018', '180006'])('goes on with a server of version %s', async (version) => {
    await expect(createSqlRepository({ executor: serverOf(version, 'UTF8') })).rejects.toMatchObject({
      code: 'SQL_STATEMENT_FAILED',
    });
  });
});

describe('a repository in SQLite', () => {
  it('cannot join a transaction of a host, and cannot tell of work', async () => {
    await using repository = await createSqlRepository({ file: ':memory:' });
    expect(() => repository.in(serverOf('150000', 'UTF8'))).toThrowError(
      expect.objectContaining({ code: 'SQL_DATABASE_UNSUPPORTED' }),
    );
    expect(repository.onNews).toBeUndefined();
  });
});

describe('printMigrations of PostgreSQL', () => {
  it('prints one transaction that names its schema everywhere', () => {
    const script = printMigrations('postgres');
    expect(script).toBe(printMigrations('postgres', { schema: 'caelus' }));
    expect(script).toMatch(/^BEGIN;\n-- .*\nSET LOCAL lock_timeout = /);
    expect(script).toMatch(/\nCOMMIT;\n$/);
    expect(script).toContain('CREATE SCHEMA "caelus";');
    expect(script).not.toMatch(/CREATE TABLE (?!(?:IF NOT EXISTS )?"caelus"\.)/);
    expect(script).not.toMatch(/(?:REPLACE|EXECUTE) FUNCTION (?!"caelus"\.)/);
    expect(script).not.toMatch(/[?]|\$\d/);
    expect(printMigrations('postgres', { after: 1 })).not.toMatch(/CREATE TABLE "caelus"|INTO "caelus"\.migration/);
  });
});
