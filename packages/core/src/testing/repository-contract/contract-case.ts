import assert from 'node:assert/strict';
import { type ErrorCode, type ErrorDetails, isCaelusError } from '../../errors.ts';
import type { Repository, RepositoryCapabilities } from '../../ports/repository.ts';

/** One repository, made for one test. */
export interface RepositoryUnderTest {
  /** Empty, and shared with nobody. */
  readonly repository: Repository;
  /**
   * Opens the same database once more, as another process would. Needed where a capability says that more than one
   * process or lifetime sees it.
   */
  readonly reopen?: (() => Promise<Repository>) | undefined;
  /** Removes what the test has left, behind the adapter's back. The repositories are disposed by then. */
  readonly remove?: (() => Promise<void>) | undefined;
}

/** What a case may use: the repository, and further ones on the same database, which the kit disposes of. */
export interface CaseContext {
  readonly repository: Repository;
  reopen(): Promise<Repository>;
}

export interface ContractCase {
  readonly name: string;
  /** Skipped by an adapter that says it cannot. */
  readonly needs?: keyof RepositoryCapabilities;
  run(context: CaseContext): Promise<void>;
}

/** Waits for the call to fail with `code`, and with exactly these details where they are given. */
export async function assertRefused<Code extends ErrorCode>(
  call: Promise<unknown>,
  code: Code,
  details?: ErrorDetails[Code],
): Promise<void> {
  const error = await call.then(
    () => assert.fail(`expected ${code}, but the call succeeded`),
    (reason: unknown) => reason,
  );
  if (!isCaelusError(error, code)) throw new Error(`expected ${code}`, { cause: error });
  if (details !== undefined) assert.deepEqual(error.details, details);
}
