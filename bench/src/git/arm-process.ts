// One arm in a process of its own: starting Git takes the longer the more memory the starting process has, and no arm should
// pay for another. Times are taken here, so the messages between the processes are in none of them.
import { timed } from '../bench-result.ts';
import { answerCalls } from '../process-calls.ts';
import { type Arm, type ArmSettings, openArm } from './arm.ts';
import { type Files, filesOf, type LayoutName } from './workload.ts';

export interface ConcurrentCallers {
  readonly layout: LayoutName;
  readonly callers: number;
  /** Of each caller, one after the other. */
  readonly changes: number;
  /** Makes the content another one. */
  readonly round: number;
}

let arm: Arm | undefined;

function opened(): Arm {
  if (arm === undefined) throw new Error('no arm is open');
  return arm;
}

const handlers = {
  async open(settings: ArmSettings): Promise<void> {
    arm = await openArm(settings);
  },
  /** Milliseconds. */
  write: (files: Files): Promise<number> => timed(() => opened().write(files)),
  /** Milliseconds of all, and of each change. */
  async callers(settings: ConcurrentCallers): Promise<{ readonly total: number; readonly each: readonly number[] }> {
    const { layout, callers, changes, round } = settings;
    const writer = opened();
    const each: number[] = [];
    const total = await timed(() =>
      Promise.all(
        Array.from({ length: callers }, async (_, caller) => {
          for (let change = 0; change < changes; change += 1) {
            const files = filesOf(layout, caller, `round ${round} change ${change}`);
            each.push(await timed(() => writer.write(files)));
          }
        }),
      ),
    );
    return { total, each };
  },
  /** Bytes: of this process, or of the largest one that it started where those are watched. */
  peakMemory: (): number => opened().peakMemoryOfChildren ?? process.resourceUsage().maxRSS * 1024,
  async close(): Promise<void> {
    await arm?.[Symbol.asyncDispose]();
  },
};

export type ArmProcess = typeof handlers;

answerCalls(handlers);
