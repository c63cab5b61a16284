import { describe, it } from 'vitest';
import { proveDamagedFetch, proveDamagedPack } from './damage-runs.ts';

// Many more of them in `damage.stress.ts`.
describe('a pack with a byte that is wrong', () => {
  it('is read as it was, or reported', () => proveDamagedPack(11));
  it('is refused where a remote sends it, and so is one that is cut off', () => proveDamagedFetch(41));
});
