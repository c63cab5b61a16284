import assert from 'node:assert/strict';
import { parseChangeId } from '../model/identifier.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { ContractRunner } from './contract-runner.ts';

/** What every {@link IdSource} promises. */
export function idSourceContract(
  { describe, it }: ContractRunner,
  { name, create }: { readonly name: string; create(): IdSource },
): void {
  describe(`id source contract: ${name}`, () => {
    it('makes UUIDs in lower case, no two the same', () => {
      const ids = create();
      const made = Array.from({ length: 10_000 }, () => parseChangeId(ids.uuid()));
      assert.equal(new Set(made).size, made.length);
      return Promise.resolve();
    });
  });
}
