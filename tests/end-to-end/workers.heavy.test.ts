import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Child } from '../../packages/sql-repo/test/child-process.ts';
import { createDatabase, describeWithServer } from '../../packages/sql-repo/test/postgres-database.ts';
import { type BundledProgram, bundleProgram } from './bundled-program.ts';
import { SHARED } from './command-stream.ts';
import { type CrashPoint, workerCrashPoints } from './crash-point.ts';
import type { HostTask } from './host-program.ts';
import { proveConverged } from './prove-converged.ts';
import { createSite, openStack, type Site } from './stack.ts';
import type { WorkerTask } from './worker-program.ts';

const WORKERS = 3;
/** 201 kills: half of them at each of the points in turn, half of them at any moment. */
const ROUNDS = 67;
const LEAST_COMMANDS = 500;
/** Milliseconds that a worker has to come to its point. */
const PATIENCE = 20_000;

/** The processes of one test, which end with it. */
class Processes implements AsyncDisposable {
  readonly #site: Site;
  readonly #programs: Readonly<Record<'host' | 'worker', BundledProgram>>;
  readonly #running = new Set<Child>();

  constructor(site: Site, programs: Readonly<Record<'host' | 'worker', BundledProgram>>) {
    this.#site = site;
    this.#programs = programs;
  }

  /** Carries out the commands, and nothing else. */
  startCommander(task: Pick<HostTask, 'first' | 'end'>): Child {
    const { database } = this.#site;
    const store = this.#site.storeOf('commander');
    const whole: HostTask = { ...task, stream: 'c', pause: 20, backlog: 60, works: false, database, store };
    return this.#watch(this.#programs.host.start(JSON.stringify(whole)));
  }

  startWorker(place: number, crash?: WorkerTask['crash']): Child {
    const { database, bare } = this.#site;
    const store = this.#site.storeOf(`worker-${place}`);
    const task: WorkerTask = { database, store, cluster: { directory: bare }, crash };
    return this.#watch(this.#programs.worker.start(JSON.stringify(task)));
  }

  #watch(child: Child): Child {
    this.#running.add(child);
    void child.ended.finally(() => this.#running.delete(child));
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const children = [...this.#running];
    for (const child of children) child.kill();
    await Promise.all(children.map(({ ended }) => ended));
  }
}

/** Kills the process once `moment` has come, if it has not ended itself by then. Returns whether it had. */
async function killAt(child: Child, moment: Promise<unknown>): Promise<boolean> {
  await child.printed(1);
  const first = await Promise.race([child.ended, moment.then(() => 'late')]);
  child.kill();
  expect(await child.ended).toBe('SIGKILL');
  return first !== 'late';
}

/** Any moment. Half of them after a batch: were none finished, nothing would go on. */
async function someMoment(child: Child, afterBatch: boolean): Promise<void> {
  if (afterBatch) await Promise.race([child.printed(2), sleep(PATIENCE, undefined, { ref: false })]);
  await sleep(Math.random() * 300);
}

describeWithServer('three workers on PostgreSQL and a remote over HTTP', () => {
  it(`lose and double nothing in ${WORKERS * ROUNDS} kills`, { timeout: 1_800_000 }, async () => {
    await using database = await createDatabase();
    await using site = await createSite('an HTTP remote', database.url);
    await using host = await bundleProgram('./host-program.ts');
    await using worker = await bundleProgram('./worker-program.ts');
    await using processes = new Processes(site, { host, worker });
    {
      await using stack = await openStack({ store: site.storeOf('first'), database: site.database });
      await stack.create({ id: SHARED });
    }
    const commander = processes.startCommander({ first: 0, end: 1_000_000 });
    const reached: CrashPoint[] = [];
    let kills = 0;
    await Promise.all(
      Array.from({ length: WORKERS }, async (_, place) => {
        for (let round = 0; round < ROUNDS; round++) {
          const turn = Math.floor(round / 2);
          const point = workerCrashPoints[(turn + 4 * place) % workerCrashPoints.length] ?? 'claim-due';
          // Nobody is elected twice.
          const nth = point.startsWith('election') ? 1 : 1 + (Math.floor(turn / workerCrashPoints.length) % 2);
          const child = processes.startWorker(place, round % 2 === 0 ? { point, nth } : undefined);
          const moment =
            round % 2 === 0 ? sleep(PATIENCE, undefined, { ref: false }) : someMoment(child, round % 4 === 1);
          if ((await killAt(child, moment)) && round % 2 === 0) reached.push(point);
          kills += 1;
        }
      }),
    );
    commander.kill();
    await commander.ended;
    const acknowledged = commander.lines.length;
    // A worker that others leave nothing to do is killed at any moment too, so not every kill is where it was meant.
    expect(new Set(reached)).toEqual(new Set(workerCrashPoints));
    expect(kills).toBe(WORKERS * ROUNDS);

    // What nobody acknowledged is asked again, and some more; meanwhile workers go on that nobody kills.
    const end = Math.max(LEAST_COMMANDS, acknowledged + 5);
    const living = Array.from({ length: WORKERS }, (_, place) => processes.startWorker(place));
    const last = processes.startCommander({ first: acknowledged, end });
    expect(await last.ended).toBe(0);
    expect(acknowledged + last.lines.length).toBe(end);
    for (const child of living) child.kill();
    await Promise.all(living.map((child) => child.ended));
    await proveConverged(site, { c: end });
  });
});
