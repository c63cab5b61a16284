import { systemClock } from '@caelus/engine';
import { describe, expect, it } from 'vitest';
import { fsck } from '../../packages/git-store/test/git-command.ts';
import { startProgram } from '../../packages/sql-repo/test/child-process.ts';
import { createSite, history, openStack, type Stack } from './stack.ts';
import type { StalledWriter } from './stalled-writer-program.ts';

const program = new URL('./stalled-writer-program.ts', import.meta.url).href;
const COUNT = 30;

async function until(condition: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  while (!(await condition())) await systemClock.sleep(10, { signal });
}

const holderOf = ({ repository }: Stack) =>
  repository.findLease('writer of https://git.example.com/gitops.git main').then((lease) => lease?.owner);

describe('an elected writer that is killed in the middle of a batch', () => {
  it.each(['before', 'after'] as const)(
    'is followed by another; nothing is lost and nothing doubled (%s the commit)',
    async (stall) => {
      await using site = await createSite('a directory');
      const timings = { lease: 2_000, writerLease: 1_000 };
      await using stack = await openStack({ store: site.storeOf('survivor'), database: site.database, timings });
      const created = await Promise.all(Array.from({ length: COUNT }, () => stack.create()));
      const task: StalledWriter = { store: site.storeOf('victim'), database: site.database, timings, stall };
      const victim = startProgram(program, JSON.stringify(task));
      await victim.printed(1);
      const holder = await holderOf(stack);
      expect(holder).toBeDefined();
      await using _worker = stack.caelus.start({ observer: false, sweeper: false });
      // Alive, it keeps the lease and its work, however long it takes.
      const [first] = (await stack.repository.listWork({ state: 'leased' })).items;
      expect(first?.leaseOwner).toBe(holder);
      await until(async () => {
        const work = first && (await stack.repository.findWork(first.instanceId));
        return (work?.leaseUntil ?? '') > (first?.leaseUntil ?? '');
      });
      expect(await holderOf(stack)).toBe(holder);

      victim.kill();
      expect(await victim.ended).toBe('SIGKILL');
      await until(async () => (await stack.repository.workBacklog()).pending === 0);
      expect(await holderOf(stack)).not.toBe(holder);
      const changes = (await history(site.bare)).flatMap((commit) => commit.changes);
      expect(changes.toSorted()).toEqual(created.map(({ id, changeId }) => `${id} 1 ${changeId}`).toSorted());
      for (const { id, changeId } of created) {
        expect(await stack.repository.findGitState(id)).toMatchObject({ generation: 1, changeId, phase: 'present' });
      }
      await fsck(site.bare);
    },
    120_000,
  );
});
