import { describe, expect, it } from 'vitest';
import { abortable, createLinkedAbort, integerIssues, unknownKeys } from './index.ts';

const never = new Promise<never>(() => {});

describe('abortable', () => {
  it('gives what the promise gives, or throws', async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve(1), signal)).toBe(1);
    expect(await abortable(Promise.resolve(1), undefined)).toBe(1);
    await expect(abortable(Promise.reject(new Error('its own')), signal)).rejects.toThrow('its own');
  });

  it('throws the reason of a signal that is aborted before or meanwhile', async () => {
    const reason = new Error('stopped');
    await expect(abortable(never, AbortSignal.abort(reason))).rejects.toBe(reason);
    const stop = new AbortController();
    const waiting = abortable(never, stop.signal);
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('leaves no error of the promise unhandled after it was stopped', async () => {
    let fail = (_: Error) => {};
    const late = new Promise<never>((_, reject) => {
      fail = reject;
    });
    await expect(abortable(late, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    // Vitest ends a run with an unhandled rejection as a failure.
    fail(new Error('too late'));
    await expect(late).rejects.toThrow('too late');
  });
});

describe('a linked abort', () => {
  it('follows each of its signals, and is stopped alone', () => {
    for (const aborted of [0, 1]) {
      const [one, two] = [new AbortController(), new AbortController()];
      using linked = createLinkedAbort(one.signal, undefined, two.signal);
      [one, two][aborted]?.abort(`by ${aborted}`);
      expect(linked.signal.reason).toBe(`by ${aborted}`);
    }
    const source = new AbortController();
    using alone = createLinkedAbort(source.signal);
    alone.abort('itself');
    expect([alone.signal.reason, source.signal.aborted]).toEqual(['itself', false]);
  });

  it('is stopped from the start by a signal that is, and by none once it is disposed of', () => {
    using late = createLinkedAbort(AbortSignal.abort('before'));
    expect(late.signal.reason).toBe('before');
    const source = new AbortController();
    const linked = createLinkedAbort(source.signal);
    linked[Symbol.dispose]();
    source.abort('after');
    expect(linked.signal.aborted).toBe(false);
  });
});

describe('issues of options', () => {
  it('name each key that is not one', () => {
    expect(unknownKeys('/remote', { url: 1, tokn: 2 }, ['url', 'token'])).toEqual([
      { path: '/remote/tokn', message: 'This option is not known.' },
    ]);
  });

  it.each([
    [undefined, true],
    [0, false],
    [1, true],
    [10, true],
    [11, false],
    [1.5, false],
    ['5', false],
    [Number.NaN, false],
  ])('of a whole number from 1 to 10: %j', (value, accepted) => {
    expect(integerIssues('/retries', value, 1, 10).length === 0).toBe(accepted);
  });
});
