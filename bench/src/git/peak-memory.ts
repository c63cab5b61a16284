import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

const INTERVAL_MILLISECONDS = 2;

/** Reports the peak of resident memory of a process until it ends, on Linux. The last of its life may be missed. */
export function watchPeakMemory(child: ChildProcess, report: (bytes: number) => void): void {
  const read = () => {
    try {
      const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1')) ?? [];
      if (kibibytes !== undefined) report(Number(kibibytes) * 1024);
    } catch {
      // It has ended, or this system has no /proc.
    }
  };
  const timer = setInterval(read, INTERVAL_MILLISECONDS);
  child.once('exit', () => clearInterval(timer));
}
