import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRepeatable, type Outcome, parseRetryAfter, retryDelay, shouldRetry } from '../src/retry-policy.ts';

const method = fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE');
const path = fc.constantFrom(
  '/api/v1/applications/a',
  '/api/v1/applications/a/operation',
  '/api/v1/applications/a/sync',
);
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constantFrom<Outcome>({ kind: 'unsent' }, { kind: 'lost' }),
  fc.record({ kind: fc.constant('answered' as const), status: fc.integer({ min: 300, max: 599 }) }),
);
const size = { size: 'max', maxLength: 100 } as const;

describe('the retry policy', () => {
  it('never carries out twice what must be carried out once', () => {
    fc.assert(
      fc.property(method, path, outcome, fc.nat(30), fc.nat(30), (name, where, found, attempt, retries) => {
        const mayHaveBeenCarriedOut = found.kind === 'lost' || (found.kind === 'answered' && found.status !== 429);
        const retried = shouldRetry(found, isRepeatable(name, where), attempt, retries);
        if (retried && mayHaveBeenCarriedOut) {
          expect(['GET', 'PUT', 'DELETE']).toContain(name);
          expect(`${name} ${where}`).not.toBe('DELETE /api/v1/applications/a/operation');
        }
      }),
    );
  });

  it('ends', () => {
    fc.assert(
      fc.property(outcome, fc.boolean(), fc.nat(30), (found, repeatable, retries) => {
        let attempts = 0;
        while (shouldRetry(found, repeatable, attempts, retries)) attempts += 1;
        expect(attempts).toBeLessThanOrEqual(retries);
      }),
    );
  });

  it('waits a bounded time, and as long as it was asked to, up to a minute', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat(1000), random, fc.nat(1_000_000), (attempt, part, seconds) => {
        const delay = retryDelay(attempt, part, seconds);
        expect(delay).toBeGreaterThanOrEqual(Math.min(seconds, 60) * 1000);
        expect(delay).toBeLessThanOrEqual(Math.max(10_000, Math.min(seconds, 60) * 1000));
      }),
    );
  });

  it('reads Retry-After, and nothing else, as seconds', () => {
    expect(['7', ' 7 ', '0', null, '', '-1', '1e9', 'Wed, 21 Oct 2015 07:28:00 GMT'].map(parseRetryAfter)).toEqual([
      7, 7, 0, 0, 0, 0, 0, 0,
    ]);
    fc.assert(fc.property(fc.string(size), (text) => Number.isInteger(parseRetryAfter(text))));
  });
});
