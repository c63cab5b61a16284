import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseInstanceId, parseTimestamp } from '@caelus/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqlRepository, fromPgPool, printMigrations } from '../src/index.ts';
import { type AlembicProject, alembicProject, findAlembic } from './alembic-project.ts';
import { attach, hostSchema, insertCatalogue } from './attached-host.ts';
import { createDatabase, serverUrl, type TestDatabase } from './postgres-database.ts';

// A host in Python: its ORM writes, and its Alembic compares its models with what Caelus has added.

const run = promisify(execFile);
const python = serverUrl === null ? undefined : await findAlembic();
if (python === undefined && process.env.CI !== undefined) throw new Error('Python 3 with venv is not installed.');
if (python === undefined) process.stderr.write('Python 3 or PostgreSQL is not installed here. Alembic is left out.\n');

const MODELS = `
from datetime import datetime
from sqlalchemy import JSON, ForeignKey, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    metadata = MetaData(schema="shop")

class Deployment(Base):
    __tablename__ = "deployment"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    name: Mapped[str]
    desired_template_id: Mapped[int]
    user_values_json: Mapped[dict | None] = mapped_column(JSON)
    status: Mapped[str]
    deleted_at: Mapped[datetime | None]
`;

const WRITER = `
import os, sys
from models import Deployment
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
with Session(create_engine(os.environ["DATABASE_URL"])) as session:
    if sys.argv[1] == "insert":
        session.add(Deployment(id=5, user_id=7, name="a", desired_template_id=1, user_values_json={"title": "\\U0001f600"}, status="provisioning"))
    elif sys.argv[1] == "null":
        session.get(Deployment, 5).user_values_json = None
    else:
        session.get(Deployment, 5).status = "deleting"
    session.commit()
`;

/** What autogenerate would do to the table of deployments, one operation a line. */
const COMPARE = `
import os, sys
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from models import Base
from sqlalchemy import create_engine
options = {"include_schemas": True, "include_name": lambda name, type_, parents: type_ != "schema" or name in ("shop", "caelus")}
if sys.argv[1] == "with":
    from caelus_alembic import caelus_include_object
    columns = {"template": {"helm_chart_repo_url", "chart_version", "default_values"},
        "deployment": {"git_path", "argo_app_name", "last_synced_at", "sync_status"}}
    options["include_object"] = caelus_include_object(columns=columns)
with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
    for step in compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata):
        for one in step if isinstance(step, list) else [step]:
            what = one[1] if isinstance(one[1], str) or one[1] is None else getattr(one[1], "table", one[1]).schema
            print(one[0], what, getattr(one[-1], "name", ""))
`;

describe.skipIf(python === undefined)('a host in Python', () => {
  let database: TestDatabase;
  let folder: string;
  let project: AlembicProject;
  beforeEach(async () => {
    database = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'caelus-python-host-'));
    project = await alembicProject(python ?? '');
    await writeFile(join(folder, 'models.py'), MODELS);
    await writeFile(join(folder, 'writer.py'), WRITER);
    await writeFile(join(folder, 'compare.py'), COMPARE);
    await copyFile(
      fileURLToPath(new URL('../python/caelus_alembic.py', import.meta.url)),
      join(folder, 'caelus_alembic.py'),
    );
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
    await project[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  async function runPython(...command: readonly string[]): Promise<string> {
    const env = { ...process.env, DATABASE_URL: database.url.replace(/^postgres:/, 'postgresql+psycopg:') };
    return (await run(python ?? '', [...command], { cwd: folder, env })).stdout;
  }

  it('attaches by an Alembic revision, and is heard when its ORM writes', async () => {
    const pool = database.pool();
    await pool.query(hostSchema('integer'));
    const revision = { format: 'alembic', revision: 'caelus_1', downRevision: null } as const;
    await project.add('caelus_1', printMigrations('postgres', { ...revision, attach }));
    await project.run(database.url, 'upgrade', 'head');
    await using repository = await createSqlRepository({ executor: fromPgPool(pool), attach, migrate: false });
    await insertCatalogue(pool, 'integer');
    const claim = async () => {
      const now = parseTimestamp(new Date().toISOString());
      const items = await repository.claimWork({ owner: 'test', limit: 9, leaseMilliseconds: 60_000, now });
      for (const item of items) await repository.transaction((transaction) => transaction.completeWork(item));
      return items.length;
    };
    const id = parseInstanceId('5');
    await runPython('writer.py', 'insert');
    expect(await claim()).toBe(1);
    expect(await repository.findInstance(id)).toMatchObject({ userValues: { title: '😀' }, generation: 1 });
    // None is JSON's null to SQLAlchemy.
    await runPython('writer.py', 'null');
    expect(await claim()).toBe(1);
    expect(await repository.findInstance(id)).toMatchObject({ userValues: {}, generation: 2 });
    await runPython('writer.py', 'delete');
    expect(await claim()).toBe(1);
    expect(await repository.findInstance(id)).toMatchObject({ status: 'Deleting', generation: 3 });
    await project.run(database.url, 'downgrade', 'base');
    const { rows } = await pool.query(`SELECT to_regnamespace('caelus') AS schema`);
    expect(rows).toEqual([{ schema: null }]);
  });

  it('is kept from dropping what Caelus has added', async () => {
    const pool = database.pool();
    await pool.query(hostSchema('integer'));
    // Sets in Python have no order.
    const compare = async (how: string) => (await runPython('compare.py', how)).split('\n').toSorted();
    const before = await compare('without');
    await using _ = await createSqlRepository({ executor: fromPgPool(pool), attach });
    const dropped = await compare('without');
    expect(dropped).toContain('remove_column shop git_path');
    expect(await compare('with')).toEqual(before);
  });
});
