import { describe, expect, it } from 'vitest';
import { createLayout } from '../layout/layout.ts';
import { uuidNaming } from '../naming/naming-strategy.ts';
import { createRenderContext, type RenderContextOptions } from './render-context.ts';

const layout = createLayout('flat');
const options = (change: object = {}): RenderContextOptions =>
  ({
    storeId: '11111111-2222-4333-8444-555555555555',
    layout,
    naming: uuidNaming,
    gitOps: { repoURL: 'https://git.example.com/gitops.git' },
    ...change,
  }) as RenderContextOptions;

const onBranch = (branch: string) => options({ gitOps: { repoURL: 'https://git.example.com/gitops.git', branch } });

describe('createRenderContext', () => {
  it('fills in the defaults and keeps layout and naming as they are', () => {
    const context = createRenderContext(options());
    expect(context.gitOps.branch).toBe('main');
    expect(context.argoCd).toEqual({ namespace: 'argocd', version: '3.5' });
    expect([context.layout, context.naming]).toEqual([layout, uuidNaming]);
    expect(context.naming.names).toBe(uuidNaming.names);
  });

  it.each(['main', 'env/prod', 'release-1.2', 'a'.repeat(200)])('accepts the branch %s', (branch) => {
    expect(createRenderContext(onBranch(branch)).gitOps.branch).toBe(branch);
  });

  it.each([
    ...[
      '',
      '/a',
      'a/',
      'a//b',
      '.a',
      'a/.b',
      'a..b',
      'a.',
      'a.lock',
      'a.lock/b',
      '-a',
      'a b',
      'a~1',
      'a^',
      'a:b',
      'a?',
    ],
    ...['a*', 'a[', 'a\\b', 'a@{b', 'ä', 'a\n', 'a'.repeat(201)],
  ])('refuses the branch %j', (branch) => {
    expect(() => createRenderContext(onBranch(branch))).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        details: { issues: [expect.objectContaining({ path: '/gitOps/branch' })] },
      }),
    );
  });

  it.each([
    [{ gitOps: { repoURL: 'https://u:p@git.example.com/x' } }, 'REPOSITORY_URL_CREDENTIALS'],
    [{ gitOps: { repoURL: 'file:///x' } }, 'REPOSITORY_URL_INVALID'],
    [{ storeId: 'x' }, 'ID_INVALID'],
    [{ argoCd: { namespace: 'Argo CD' } }, 'NAME_INVALID'],
    [{ argoCd: { version: '3.2' } }, 'INVALID_INPUT'],
    [{ argoCd: { sourceRepos: ['!https://charts.example.com'] } }, 'INVALID_INPUT'],
    [{ layout: undefined }, 'INVALID_INPUT'],
    [{ more: 1 }, 'INVALID_INPUT'],
  ])('refuses %o with %s', (change, code) => {
    expect(() => createRenderContext(options(change))).toThrow(expect.objectContaining({ code }));
  });
});
