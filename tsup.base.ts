import type { Options } from 'tsup';

/** The build that every published package shares; only its entry points differ. */
export function packageBuild(entry: Record<string, string>): Options {
  return {
    entry,
    format: ['esm'],
    target: 'node20',
    dts: { compilerOptions: { customConditions: [] } },
    sourcemap: true,
    clean: true,
    // Siblings stay imports: one copy of each class, and no hashed chunks of another package's types.
    external: [/^@caelus\//],
    // Nor anything else that is installed: tsup would bundle optional dependencies, and a native driver with them.
    skipNodeModulesBundle: true,
    removeNodeProtocol: false,
  };
}
