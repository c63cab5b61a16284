import { describe, expect, it } from 'vitest';
import { createRelistSchedule } from './relist-schedule.ts';

const USUAL = 300_000;

describe('the schedule of listings', () => {
  it('begins at once, and lists again once the stream has settled', () => {
    const schedule = createRelistSchedule(USUAL);
    schedule.streamStarted(1000);
    expect(schedule.due()).toBe(0);
    schedule.listed(1000, 1100, 0);
    expect(schedule.due()).toBe(3000);
    schedule.listed(3000, 3100, 0);
    expect(schedule.due()).toBe(3100 + USUAL);
  });

  it('waits for a stream that still sends what existed, though not for ever', () => {
    const schedule = createRelistSchedule(USUAL);
    schedule.streamStarted(0);
    schedule.listed(0, 100, 0);
    schedule.streamMoved(1500);
    expect(schedule.due()).toBe(3500);
    for (let now = 2000; now <= 60_000; now += 500) schedule.streamMoved(now);
    expect(schedule.due()).toBe(30_000);
  });

  it('lists soon after a stream began anew', () => {
    const schedule = createRelistSchedule(USUAL);
    schedule.streamStarted(0);
    schedule.listed(0, 100, 0);
    schedule.listed(2000, 2100, 0);
    schedule.streamMoved(50_000);
    expect(schedule.due()).toBe(2100 + USUAL);
    schedule.streamStarted(60_000);
    expect(schedule.due()).toBe(62_000);
    // It was asked for before the stream settled, and may lack what both missed.
    schedule.listed(61_000, 61_500, 0);
    expect(schedule.due()).toBe(62_000);
  });

  it('hurries while events are lost, up to a sixteenth, and calms down after', () => {
    const schedule = createRelistSchedule(USUAL);
    schedule.streamStarted(0);
    expect(schedule.listed(0, 100, 5)).toBe(false);
    schedule.listed(2000, 2000, 5);
    const intervals: number[] = [];
    let now = schedule.due();
    for (const lost of [1, 1, 1, 1, 1, 1, 0]) {
      expect(schedule.listed(now, now, lost)).toBe(lost > 0);
      intervals.push(schedule.due() - now);
      now = schedule.due();
    }
    expect(intervals).toEqual([150_000, 75_000, 37_500, 18_750, 18_750, 18_750, USUAL]);
  });
});
