import type { InstanceId, TenantId, Timestamp, WorkItem } from '@caelus/core';
import { createMemoryRepository, sampleInstance, sampleProduct, sampleTemplateVersion } from '@caelus/core/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';

// The law: from the moment at which a piece of work is the first of its tenant that is due, until it is claimed, no other
// tenant has more than one piece of work claimed. Whatever else is requested, done, released or comes due meanwhile.

const TENANTS = 4;
const EACH = 4;
const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString() as Timestamp;
const instances = Array.from({ length: TENANTS * EACH }, (_, number) =>
  sampleInstance(number, { tenant: `tenant-${number % TENANTS}` as TenantId }),
);
const tenantOf = new Map(instances.map(({ id, tenant }) => [id, tenant]));

type Step =
  | { readonly act: 'request'; readonly instance: number }
  | { readonly act: 'claim'; readonly limit: number }
  | { readonly act: 'complete' | 'fail' | 'bury'; readonly lease: number; readonly wait: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ act: fc.constant('request' as const), instance: fc.nat(instances.length - 1) }),
    },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 6 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constantFrom('complete' as const, 'fail' as const, 'bury' as const),
        lease: fc.nat(30),
        wait: fc.nat(20),
      }),
    },
  ),
  { maxLength: 120, size: 'max' },
);

/** Runs the steps, one a second, and tells the tenants of what was claimed, and of what was due before each claim. */
async function claimsOf(sequence: readonly Step[]) {
  await using repository = createMemoryRepository();
  await repository.transaction(async (transaction) => {
    await transaction.insertProduct(sampleProduct(1));
    await transaction.insertTemplateVersion(sampleTemplateVersion(1));
    for (const instance of instances) await transaction.insertInstance(instance);
  });
  const leases: WorkItem[] = [];
  const claims: { readonly due: ReadonlySet<InstanceId>; readonly claimed: readonly InstanceId[] }[] = [];
  for (const [second, step] of sequence.entries()) {
    const now = at(second);
    if (step.act === 'claim') {
      const { items } = await repository.listWork({}, { limit: 500 });
      const due = items.filter(
        ({ state, availableAt }) => (state === 'pending' || state === 'failing') && availableAt <= now,
      );
      const claim = { owner: 'o', limit: step.limit, leaseMilliseconds: 86_400_000, now };
      const claimed = await repository.claimWork(claim);
      leases.push(...claimed);
      claims.push({
        due: new Set(due.map(({ instanceId }) => instanceId)),
        claimed: claimed.map(({ instanceId }) => instanceId),
      });
    } else if (step.act === 'request') {
      const { id } = instances[step.instance] as (typeof instances)[number];
      await repository.transaction((transaction) => transaction.requestWork(id, 'r', now));
    } else {
      const [item] = leases.splice(step.lease % (leases.length || 1), 1);
      if (item === undefined) continue;
      await repository.transaction(async (transaction) => {
        if (step.act === 'complete') await transaction.completeWork(item);
        else if (step.act === 'bury') await transaction.buryWork(item, { at: now, error: 'e' });
        else await transaction.releaseWork(item, { availableAt: at(second + step.wait), error: 'e' });
      });
    }
  }
  return claims;
}

it('no tenant waits for more than one piece of work of each other tenant', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      /** For each tenant that waits: how often each other was served meanwhile. */
      const waiting = new Map<TenantId, Map<TenantId, number>>();
      for (const { due, claimed } of await claimsOf(sequence)) {
        const left = new Map<TenantId, number>();
        for (const id of due) left.set(tenantOf.get(id) as TenantId, (left.get(tenantOf.get(id) as TenantId) ?? 0) + 1);
        for (const tenant of left.keys()) if (!waiting.has(tenant)) waiting.set(tenant, new Map());
        for (const tenant of waiting.keys()) if (!left.has(tenant)) waiting.delete(tenant);
        for (const id of claimed) {
          const served = tenantOf.get(id) as TenantId;
          for (const [tenant, others] of waiting) {
            if (tenant === served) continue;
            const count = (others.get(served) ?? 0) + 1;
            others.set(served, count);
            expect(count, `${tenant} waits while ${served} is served`).toBeLessThanOrEqual(1);
          }
          const rest = (left.get(served) ?? 0) - 1;
          left.set(served, rest);
          if (rest > 0) waiting.set(served, new Map());
          else waiting.delete(served);
        }
      }
    }),
    { numRuns: 150 },
  );
});

it('what was requested first of one tenant is claimed first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(40), { maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      async (numbers, limit) => {
        await using repository = createMemoryRepository();
        for (const number of numbers) {
          await repository.transaction((transaction) => transaction.requestWork(sampleInstance(number).id, 'r', at(0)));
        }
        const claimed: InstanceId[] = [];
        for (;;) {
          const items = await repository.claimWork({ owner: 'o', limit, leaseMilliseconds: 1000, now: at(0) });
          if (items.length === 0) break;
          claimed.push(...items.map(({ instanceId }) => instanceId));
        }
        expect(claimed).toEqual(numbers.map((number) => sampleInstance(number).id));
      },
    ),
  );
});
