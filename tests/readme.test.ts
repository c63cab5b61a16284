import { describe, expect, it } from 'vitest';
import { readText } from './source-files.ts';

describe('the README', () => {
  it('shows the first example as it is, which CI runs', () => {
    const [, shown] = /^```ts\n([\s\S]*?)^```$/m.exec(readText('README.md')) ?? [];
    expect(shown).toBe(readText('examples/first-instance/src/main.ts'));
  });

  it.each([
    'npm run demo',
    'npm run demo:cluster',
    'npm test',
    'npm run bench',
    'npm run test:heavy',
    'npm run test:charts',
    'npm run test:testbed',
    'npm run testbed',
  ])('names the command %s', (command) => {
    expect(readText('README.md')).toContain(command);
  });
});
