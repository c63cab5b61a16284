import { type BenchResult, median, percentile } from '../bench-result.ts';
import { startProcess } from '../process-calls.ts';
import type { SqlPlace } from './sql-place.ts';
import { wakeTarget } from './targets.ts';
import type { WakeProcess } from './wake-process.ts';

/** How long a worker sleeps by default where nobody wakes it. */
const POLL_MILLISECONDS = 1000;

/** From the call that asks for work in one process until another one is awake, and until it has claimed it. */
export async function benchWakeUps({ programs, createDatabase, short }: SqlPlace): Promise<readonly BenchResult[]> {
  const rounds = short ? 3 : 200;
  const slow = short ? 1 : 10;
  const url = await createDatabase('wake');
  await using asking = startProcess<WakeProcess>(programs.wake);
  await using claiming = startProcess<WakeProcess>(programs.wake);
  await asking.call('open', url);
  await claiming.call('open', url);
  let index = 0;
  const wake = async () => {
    index += 1;
    const began = await asking.call('request', index);
    const { heardAt, claimedAt } = await claiming.call('claimed');
    return { heard: heardAt - began, claimed: claimedAt - began };
  };

  await claiming.call('listen');
  const told: { readonly heard: number; readonly claimed: number }[] = [];
  for (let round = 0; round < rounds + 1; round += 1) {
    await claiming.call('await');
    const latency = await wake();
    // The first one also makes connections.
    if (round > 0) told.push(latency);
  }
  const asked: number[] = [];
  for (let round = 0; round < slow; round += 1) {
    await claiming.call('poll', POLL_MILLISECONDS);
    // Somewhere in the pause, as work comes.
    await new Promise((resolve) => setTimeout(resolve, ((round + 1) * POLL_MILLISECONDS) / (slow + 1)));
    asked.push((await wake()).claimed);
  }
  await asking.call('close');
  await claiming.call('close');
  const to = { heard: 'to the wake-up of a worker', claimed: 'to its claim' } as const;
  return (['heard', 'claimed'] as const).flatMap((end) =>
    [50, 95].map((percent) => {
      const milliseconds = percentile(
        told.map((each) => each[end]),
        percent,
      );
      return {
        name: 'sql-wake',
        work: `from the request ${to[end]}, p${percent}`,
        against: `asking every ${POLL_MILLISECONDS} ms, median`,
        unit: 'ms',
        median: milliseconds,
        againstMedian: median(asked),
        ratio: median(asked) / milliseconds,
        target: percent === 95 && end === 'heard' ? wakeTarget(short, milliseconds) : null,
        runs: rounds,
        parameters: { processes: 2 },
      };
    }),
  );
}
