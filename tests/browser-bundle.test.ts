import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import * as core from '../packages/core/src/index.ts';
import { root } from './source-files.ts';

/** What a browser, a worker and every edge runtime have, and a bare context of V8 has not. */
const webGlobals = { AbortController, AbortSignal, DOMException, TextDecoder, TextEncoder, URL, structuredClone };

describe('@caelus/core in a browser bundle', () => {
  let bundle: string;

  beforeAll(async () => {
    // Without polyfills esbuild refuses every `node:*` import for this platform.
    const result = await build({
      entryPoints: [join(root, 'packages/core/src/index.ts')],
      bundle: true,
      platform: 'browser',
      target: 'es2022',
      format: 'iife',
      globalName: 'caelus',
      write: false,
      logLevel: 'silent',
    });
    expect(result.warnings).toEqual([]);
    bundle = result.outputFiles[0]?.text ?? '';
  });

  const run = (script: string): unknown => runInContext(`${bundle};${script}`, createContext({ ...webGlobals }));

  it('runs where there is no process, require or Buffer', () => {
    expect(run('typeof process + typeof require + typeof Buffer')).toBe('undefined'.repeat(3));
    expect(run("caelus.parseHostname('cloud.example.com')")).toBe('cloud.example.com');
  });

  it('has the whole public API', () => {
    expect(run('JSON.stringify(Object.keys(caelus).sort())')).toBe(JSON.stringify(Object.keys(core).sort()));
  });

  it('throws the same error as in Node.js, which the guard knows across copies', () => {
    const thrown = run("try { caelus.parseSlug('Not A Slug') } catch (error) { error }");
    expect(core.isCaelusError(thrown, 'NAME_INVALID')).toBe(true);
  });
});
