/** How often an arm is asked: first unmeasured, then measured. */
export interface Rounds {
  readonly warmUp: number;
  readonly rounds: number;
}

export function roundsOf(size: number, short: boolean): Rounds {
  if (short) return { warmUp: 1, rounds: 2 };
  return { warmUp: 3, rounds: size > 10_000 ? 8 : 15 };
}

/** The largest repository that isomorphic-git is asked to write. */
export const ISOMORPHIC_SIZE = 10_000;

/** isomorphic-git takes seconds for one commit from 10,000 instances on, and half a minute from 50,000 on. */
export function isomorphicRounds(size: number, short: boolean): Rounds | undefined {
  if (size > ISOMORPHIC_SIZE) return undefined;
  if (short) return roundsOf(size, short);
  return { warmUp: 1, rounds: size > 1000 ? 2 : 5 };
}
