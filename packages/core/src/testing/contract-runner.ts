/**
 * The test runner that a contract kit runs in, injected so that a kit depends on none: `describe` and `it` of vitest, of
 * `node:test`, or of anything alike.
 */
export interface ContractRunner {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
}
