import type { Caelus, Finding } from '@caelus/engine';

/** Everything that is wrong now. */
export async function findingsOf(caelus: Caelus): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of caelus.inspect()) findings.push(finding);
  return findings;
}

/** The kinds of what is wrong now, in alphabetical order. */
export async function kindsOf(caelus: Caelus): Promise<readonly string[]> {
  return (await findingsOf(caelus)).map(({ kind }) => kind).toSorted();
}
