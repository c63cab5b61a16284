import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a host of today has. Another list gets another folder. */
const PACKAGES = ['alembic==1.20.1', 'sqlalchemy==2.1.9', 'psycopg[binary]==3.3.9'];
const FOLDER = 'alembic-1.20.1-2.1.9-3.3.9';

/**
 * A Python that has Alembic, in the user's cache folder. `undefined` where there is no Python 3 with `venv`.
 * @throws Where the packages cannot be installed.
 */
export async function findAlembic(): Promise<string | undefined> {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'caelus-tests', FOLDER);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return python;
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  try {
    await run('python3', ['-m', 'venv', unfinished]);
  } catch {
    await rm(unfinished, { recursive: true, force: true });
    return undefined;
  }
  await run(join(unfinished, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--no-input', ...PACKAGES]);
  // Whole or not at all; where another one was faster, its folder is as good.
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true, force: true }));
  return python;
}

const ENV = `
import os
from alembic import context
from sqlalchemy import create_engine, pool

if context.is_offline_mode():
    context.configure(url=os.environ["DATABASE_URL"], literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
`;

/** A host's directory of revisions. */
export interface AlembicProject extends AsyncDisposable {
  /** Adds a revision file. */
  add(name: string, text: string): Promise<void>;
  /** Runs a command such as `upgrade head` on a database, and gives what it prints. */
  run(databaseUrl: string, ...command: readonly string[]): Promise<string>;
}

export async function alembicProject(python: string): Promise<AlembicProject> {
  const folder = await mkdtemp(join(tmpdir(), 'caelus-alembic-'));
  await mkdir(join(folder, 'host', 'versions'), { recursive: true });
  await writeFile(join(folder, 'alembic.ini'), '[alembic]\nscript_location = host\n');
  await writeFile(join(folder, 'host', 'env.py'), ENV);
  return {
    add: (name, text) => writeFile(join(folder, 'host', 'versions', `${name}.py`), text),
    async run(databaseUrl, ...command) {
      const env = { ...process.env, DATABASE_URL: databaseUrl.replace(/^postgres:/, 'postgresql+psycopg:') };
      return (await run(python, ['-m', 'alembic', ...command], { cwd: folder, env })).stdout;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
