import { CaelusError, type InputIssue } from '@caelus/core';

/** An issue for each option that is not one, which most often is a known one misspelt. */
export function unknownKeys(path: string, value: object, known: readonly string[]): readonly InputIssue[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: `${path}/${key}`, message: 'This option is not known.' }));
}

export function issueUnless(path: string, accepted: boolean, message: string): readonly InputIssue[] {
  return accepted ? [] : [{ path, message }];
}

export function integerIssues(path: string, value: number, least: number, most: number): readonly InputIssue[] {
  const accepted = Number.isInteger(value) && value >= least && value <= most;
  return issueUnless(path, accepted, `Use a whole number from ${least} to ${most}.`);
}

/** @throws {CaelusError} `INVALID_INPUT` where there is any issue */
export function refuseOptions(owner: string, issues: readonly InputIssue[]): void {
  if (issues.length === 0) return;
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The options of ${owner} cannot be accepted. ${issues.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    details: { issues },
  });
}
