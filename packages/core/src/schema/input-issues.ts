import { CaelusError, type InputIssue } from '../errors.ts';

/** An issue for each key that is not one, which most often is a known one misspelt. */
export function unknownKeys(path: string, value: object, known: readonly string[]): readonly InputIssue[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: `${path}/${key}`, message: 'This option is not known.' }));
}

/** The issue, where what was given is not accepted. */
export function issueUnless(path: string, accepted: boolean, message: string): readonly InputIssue[] {
  return accepted ? [] : [{ path, message }];
}

/** An issue where `value` was given and is not a whole number between the two, which are accepted themselves. */
export function integerIssues(path: string, value: unknown, least: number, most: number): readonly InputIssue[] {
  const accepted = value === undefined || (Number.isInteger(value) && Number(value) >= least && Number(value) <= most);
  return issueUnless(path, accepted, `Use a whole number from ${least} to ${most}.`);
}

/** @throws {CaelusError} `INVALID_INPUT` where there is any issue */
export function refuseInput(what: string, issues: readonly InputIssue[]): void {
  if (issues.length > 0) throw inputRefused(what, issues);
}

/** The error that lists what is wrong with an input, which `what` names. */
export function inputRefused(what: string, issues: readonly InputIssue[]): CaelusError<'INVALID_INPUT'> {
  return new CaelusError({ code: 'INVALID_INPUT', message: refusal(what, issues), details: { issues } });
}

export function refusal(what: string, issues: readonly InputIssue[]): string {
  const list = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return `${what} cannot be accepted. ${list}`;
}
