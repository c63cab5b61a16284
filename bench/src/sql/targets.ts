import type { BenchResult } from '../bench-result.ts';

type Target = BenchResult['target'];

/** What was set for full sizes says nothing of short runs. */
const atFullSize = (short: boolean, text: string, reached: boolean): Target => (short ? null : { text, reached });

export const enqueueTarget = (short: boolean, microseconds: number): Target =>
  atFullSize(short, 'under 50 µs a row more', microseconds < 50);

/** Of several workers; one alone waits for the database most of the time. */
export const throughputTarget = (short: boolean, workers: number, rate: number): Target =>
  workers === 1 ? null : atFullSize(short, 'at least 10,000 rows/s', rate >= 10_000);

export const wakeTarget = (short: boolean, milliseconds: number): Target =>
  atFullSize(short, 'p95 under 5 ms', milliseconds < 5);

export const listTarget = (short: boolean, milliseconds: number): Target =>
  atFullSize(short, 'p95 under 10 ms', milliseconds < 10);

export const sweepTarget = (short: boolean, milliseconds: number): Target =>
  atFullSize(short, 'under 5 s', milliseconds < 5000);

export const sweepMemoryTarget = (short: boolean, megabytes: number): Target =>
  atFullSize(short, 'flat: under 64 MB more', megabytes < 64);

export const statusTarget = (short: boolean, milliseconds: number): Target =>
  atFullSize(short, 'under 2 s', milliseconds < 2000);
