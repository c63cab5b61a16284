import { readdirSync, readFileSync } from 'node:fs';

/** A process, told from every other that had or will have its number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in clock ticks since the machine did. */
  readonly startTime: string;
}

interface ProcessStat extends ProcessIdentity {
  readonly state: string;
  readonly session: number;
}

/** Reads a line of `/proc/<pid>/stat`. The name in it is in brackets, and may hold brackets and spaces itself. */
export function parseStat(text: string): ProcessStat {
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', , , session = ''] = fields;
  return { pid, state, session: Number(session), startTime: fields[19] ?? '' };
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Who has this number now, if anybody has. What has ended and was not yet waited for is nobody. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
  return { pid, startTime: stat.startTime };
}

/** True while this very process runs, and not another of the same number. */
export const isRunning = ({ pid, startTime }: ProcessIdentity): boolean => identify(pid)?.startTime === startTime;

/** The processes of the session that this process leads, itself included: what it started and did not let go. */
export function sessionOf(leader: ProcessIdentity): readonly ProcessIdentity[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat?.session === leader.pid && stat.state !== 'Z')
    .map((stat) => stat as ProcessIdentity)
    .map(({ pid, startTime }) => ({ pid, startTime }));
}
