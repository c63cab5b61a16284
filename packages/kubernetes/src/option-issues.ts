import { CaelusError, type InputIssue } from '@caelus/core';

/** An issue for each option that is not one, which most often is a known one misspelt. */
export function unknownKeys(path: string, value: object, known: readonly string[]): readonly InputIssue[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: `${path}/${key}`, message: 'This option is not known.' }));
}

export function check(path: string, accepted: boolean, message: string): readonly InputIssue[] {
  return accepted ? [] : [{ path, message }];
}

export function integer(path: string, value: unknown, least: number, most: number): readonly InputIssue[] {
  const accepted = value === undefined || (Number.isInteger(value) && Number(value) >= least && Number(value) <= most);
  return check(path, accepted, `Use a whole number from ${least} to ${most}.`);
}

/** @throws {CaelusError} `INVALID_INPUT` where there is any issue */
export function refuseOptions(what: string, issues: readonly InputIssue[]): void {
  if (issues.length > 0) throw inputRefused(what, issues);
}

export function inputRefused(what: string, issues: readonly InputIssue[]): CaelusError<'INVALID_INPUT'> {
  const list = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new CaelusError({
    code: 'INVALID_INPUT',
    message: `${what} cannot be accepted. ${list}`,
    details: { issues },
  });
}
