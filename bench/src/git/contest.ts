import { type StartedProcess, startProcess } from '../process-calls.ts';
import type { ArmSettings } from './arm.ts';
import type { ArmProcess } from './arm-process.ts';
import { git } from './git-command.ts';
import type { Place } from './place.ts';
import { filesOf } from './workload.ts';

/** An arm in its process. */
export interface Contestant {
  readonly label: string;
  /** The repository that shows what it has written; `null` where it writes none. */
  readonly repository: string | null;
  readonly settings: ArmSettings;
  readonly warmUp: number;
  readonly rounds: number;
}

/** Arms that write the same changes to repositories of their own, which began the same. */
export interface Contest extends AsyncDisposable {
  enter(contestant: Contestant): Promise<StartedProcess<ArmProcess>>;
  /**
   * Each round is the same change for all, so that the noise of the machine meets all of them, in another order each time.
   * Returns each one's milliseconds by its label.
   * @throws {Error} where two that have written the same did not end on the same tree
   */
  compete(): Promise<(label: string) => readonly number[]>;
  assertSameTree(): Promise<void>;
}

/** `name` makes the content of its changes another one than that of other contests. */
export function createContest(name: string, { programs, layout, size }: Place): Contest {
  const entered: (Contestant & { readonly process: StartedProcess<ArmProcess> })[] = [];

  async function assertSameTree(contestants: readonly Contestant[]): Promise<void> {
    const repositories = contestants.flatMap(({ repository }) => repository ?? []);
    const trees = await Promise.all(repositories.map((each) => git(each, ['rev-parse', 'main^{tree}'])));
    if (new Set(trees).size > 1) throw new Error(`the arms did not end on the same tree: ${repositories.join(', ')}`);
  }

  return {
    async enter(contestant) {
      const process = startProcess<ArmProcess>(programs.arm);
      entered.push({ ...contestant, process });
      await process.call('open', contestant.settings);
      return process;
    },

    async compete() {
      const samples = new Map(entered.map(({ label }) => [label, [] as number[]]));
      const all = Math.max(...entered.map(({ warmUp, rounds }) => warmUp + rounds));
      for (let round = 0; round < all; round += 1) {
        const present = entered.filter(({ warmUp, rounds }) => round < warmUp + rounds);
        const first = round % present.length;
        const files = filesOf(layout, (round * 7) % size, `${name} ${round}`);
        for (const { label, process, warmUp } of [...present.slice(first), ...present.slice(0, first)]) {
          const milliseconds = await process.call('write', files);
          if (round >= warmUp) samples.get(label)?.push(milliseconds);
        }
        if (present.some(({ warmUp, rounds }) => round + 1 === warmUp + rounds)) await assertSameTree(present);
      }
      return (label) => samples.get(label) ?? [];
    },

    assertSameTree: () => assertSameTree(entered),

    async [Symbol.asyncDispose]() {
      for (const { process } of entered) {
        await process.call('close').finally(() => process[Symbol.asyncDispose]());
      }
    },
  };
}
