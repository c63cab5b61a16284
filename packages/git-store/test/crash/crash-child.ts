// Does the work of a scenario, and dies on the way: `crash-child.ts <scenario> <place as JSON> <when>:<number>`. It says what
// was acknowledged, line by line. With `record` in place of a number it lives, and says what calls it made.
import { CRASH_SCENARIOS, open, type Place, writePair } from './crash-scenarios.ts';
import { type WatchedCall, watchCalls } from './watch-calls.ts';

export type KillMoment = 'before' | 'half' | 'after';

/** What a process that is recorded did, in order. */
export type RecordedStep = { readonly acknowledged: string } | RecordedCall;

export interface RecordedCall extends Omit<WatchedCall, 'data'> {
  /** In base64. */
  readonly data?: string;
  failed?: true;
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

/** Returns how many calls there were so far. */
async function killAt(when: KillMoment, number: number): Promise<() => number> {
  let count = 0;
  let chosen: WatchedCall | undefined;
  await watchCalls({
    before(call, half) {
      count += 1;
      if (count !== number) return;
      chosen = call;
      if (when === 'after') return;
      if (when === 'half') half?.();
      // What was sent has to have some time to leave.
      if (when === 'half' && call.name === 'request') setTimeout(die, 4);
      else die();
    },
    after(call) {
      if (call === chosen) die();
    },
  });
  return () => count;
}

async function main(): Promise<void> {
  const [name = '', placeText = '', mode = ''] = process.argv.slice(2);
  const place = JSON.parse(placeText) as Place;
  const steps: RecordedStep[] = [];
  const acknowledge = (acknowledged: string) => {
    steps.push({ acknowledged });
    process.stdout.write(`${acknowledged}\n`);
  };
  if (mode === 'loop') {
    const store = await open(place);
    for (let index = 0; ; index += 1) acknowledge(await writePair(store, `${index % 20}`, `${process.pid} ${index}`));
  }
  const scenario = CRASH_SCENARIOS.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  let countCalls = () => 0;
  if (mode === 'record') {
    const running = new Map<WatchedCall, RecordedCall>();
    await watchCalls({
      before(call) {
        const { data, ...rest } = call;
        const step: RecordedCall = { ...rest, ...(data === undefined ? {} : { data: data.toString('base64') }) };
        running.set(call, step);
        steps.push(step);
      },
      after(call, succeeded) {
        const step = running.get(call);
        if (step !== undefined && !succeeded) step.failed = true;
      },
    });
  } else {
    const [when = '', number = ''] = mode.split(':');
    countCalls = await killAt(when as KillMoment, Number(number));
  }
  await scenario.work(place, acknowledge);
  if (mode !== 'record') process.stdout.write(`lived ${countCalls()}\n`);
  if (mode === 'record') process.stdout.write(`recorded ${JSON.stringify(steps)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
