import { describe, expect, it } from 'vitest';
import { globMatches } from './destination-glob.ts';
import { parseGoDuration } from './duration.ts';

describe('a glob of a destination', () => {
  // The cases are those of gobwas/glob, which Argo CD compiles them by, without separators.
  it.each([
    ['*', 'argocd', true],
    ['argocd', 'argocd', true],
    ['argo', 'argocd', false],
    ['argo*', 'argocd', true],
    ['*cd', 'argocd', true],
    ['**', 'argocd', true],
    ['????????-????-????-????-????????????', 'argocd', false],
    ['??????', 'argocd', true],
    ['*-[0-9]???????', 'argocd', false],
    ['*-[0-9]???????', 'shop-1abcdefg', true],
    ['[!b]rgocd', 'argocd', true],
    ['[!a]rgocd', 'argocd', false],
    ['{argocd,gitops}', 'argocd', true],
    ['{argo,git}*', 'argocd', true],
    ['{a,b', 'argocd', false],
    ['a.gocd', 'argocd', false],
    ['\\*', '*', true],
    ['\\*', 'argocd', false],
    ['', 'argocd', false],
    ['https://*', 'https://kubernetes.default.svc', true],
    ['[', '[', true],
    ['[z-a]', 'm', false],
  ])('%s, matches %s: %s', (glob, name, matches) => {
    expect(globMatches(glob, name)).toBe(matches);
  });
});

describe('a Go duration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['120s', 120],
    ['3m', 180],
    ['1h30m', 5400],
    ['1.5h', 5400],
    ['500ms', 0.5],
    ['120', undefined],
    ['', undefined],
    ['m', undefined],
    ['-3m', undefined],
  ])('%s has so many seconds: %s', (text, seconds) => {
    expect(parseGoDuration(text)).toBe(seconds);
  });
});
