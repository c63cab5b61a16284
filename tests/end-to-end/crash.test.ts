import { describe, expect, it } from 'vitest';
import { startProgram } from '../../packages/sql-repo/test/child-process.ts';
import { SHARED } from './command-stream.ts';
import { crashPoints } from './crash-point.ts';
import type { HostTask } from './host-program.ts';
import { proveConverged } from './prove-converged.ts';
import { createSite, type Kind, openStack, type Site } from './stack.ts';

// Many more of each by `npm run test:heavy`.
const factor = Number(process.env.CAELUS_CRASH_FACTOR ?? 1);
const timeout = 240_000 * factor + 60_000;
const streams = ['a', 'b'] as const;

const program = new URL('./host-program.ts', import.meta.url).href;

function startHost(site: Site, task: Omit<HostTask, 'store' | 'database'>) {
  const { database } = site;
  return startProgram(program, JSON.stringify({ ...task, store: site.storeOf(task.stream), database }));
}

/** Two hosts, each with a stream, that are killed again and again and go on where they were. */
class Hosts {
  readonly #site: Site;
  readonly acknowledged: Record<string, number> = { a: 0, b: 0 };
  kills = 0;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Starts both; `end` of them is told to end each. Returns when both are gone. */
  async run(
    taskOf: (stream: string, index: number) => Partial<HostTask>,
    end: (child: ReturnType<typeof startHost>) => Promise<void> = async () => {},
  ): Promise<void> {
    await Promise.all(
      streams.map(async (stream, index) => {
        const first = this.acknowledged[stream] ?? 0;
        const child = startHost(this.#site, {
          stream,
          first,
          end: 1_000_000,
          pause: 5,
          works: true,
          ...taskOf(stream, index),
        });
        await end(child);
        const code = await child.ended;
        if (code === 'SIGKILL') this.kills += 1;
        else expect(code).toBe(0);
        this.acknowledged[stream] = first + child.lines.length;
      }),
    );
  }
}

/** Between 0 and 80 ms after its first acknowledgement: in the middle of anything. */
async function killSoon(child: ReturnType<typeof startHost>): Promise<void> {
  await child.printed(1);
  const until = performance.now() + Math.random() * 80;
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
  child.kill();
}

async function begin(site: Site): Promise<void> {
  await using stack = await openStack({ store: site.storeOf('first'), database: site.database });
  await stack.create({ id: SHARED });
}

describe('hosts that are killed', () => {
  it('at every point between a command and its record', { timeout }, async () => {
    await using site = await createSite('a directory');
    await begin(site);
    const hosts = new Hosts(site);
    for (let round = 0; round < factor * crashPoints.length; round++) {
      // Each at another point, so that the survivor meets what the other has left.
      await hosts.run((_, index) => {
        const point = crashPoints[(round + 3 * index) % crashPoints.length] ?? 'write-due';
        return { crash: { point, nth: 1 + (round % 2) } };
      });
    }
    expect(hosts.kills).toBe(2 * factor * crashPoints.length);
    await proveFinished(site, hosts);
  });

  it.each<[Kind, number]>([
    ['a directory', 1],
    ['an HTTP remote', 1],
  ])('at any moment, over %s', { timeout }, async (kind, rounds) => {
    await using site = await createSite(kind);
    await begin(site);
    const hosts = new Hosts(site);
    for (let round = 0; round < factor * rounds; round++) await hosts.run(() => ({}), killSoon);
    expect(hosts.kills).toBe(2 * factor * rounds);
    await proveFinished(site, hosts);
  });

  /** The commands that nobody acknowledged are asked again, and some more, deletions among them; then all has to be right. */
  async function proveFinished(site: Site, hosts: Hosts): Promise<void> {
    const ends = Object.fromEntries(
      streams.map((stream) => [stream, Math.max(30, (hosts.acknowledged[stream] ?? 0) + 5)]),
    );
    await hosts.run((stream) => ({ end: ends[stream] ?? 0 }));
    expect(hosts.acknowledged).toEqual(ends);
    await proveConverged(site, ends);
  }
});

describe('two hosts on one database and one branch', () => {
  const count = 50 * factor;

  it(`lose and double nothing of ${count} commands each`, { timeout }, async () => {
    await using site = await createSite('a directory');
    await begin(site);
    const hosts = new Hosts(site);
    await hosts.run(() => ({ end: count }));
    expect(hosts.acknowledged).toEqual({ a: count, b: count });
    await proveConverged(site, hosts.acknowledged);
  });
});
