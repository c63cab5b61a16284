import { describe, expect, it } from 'vitest';
import { inputOf } from '../../test/render-samples.ts';
import { repoPath } from '../layout/repo-path.ts';
import type { RepoTree } from '../layout/repo-tree.ts';
import { renderInstance } from '../render/render-instance.ts';
import { PLAN_LIMITS, planChange } from './plan-change.ts';
import { renderPlan } from './render-plan.ts';

const tree = (files: Readonly<Record<string, string | Uint8Array>>): RepoTree =>
  new Map(
    Object.entries(files).map(([name, content]) => [
      repoPath(name),
      typeof content === 'string' ? new TextEncoder().encode(content) : content,
    ]),
  );
const one = (before: string | Uint8Array | null, after: string | Uint8Array | null) =>
  planChange(tree(before === null ? {} : { a: before }), tree(after === null ? {} : { a: after })).files[0];
const lines = (count: number, text: string) => `${text}\n`.repeat(count);

describe('planChange', () => {
  it('shows what is added, modified and removed, ordered by path', () => {
    const before = tree({ 'c.yaml': 'x: 1\n', 'b.yaml': 'a: 1\nb: 2\nc: 3\n', same: '1' });
    const after = tree({ same: '1', 'b.yaml': 'a: 1\nb: 3\nc: 3\n', 'a.yaml': 'new: true\n' });
    expect(planChange(before, after).files).toEqual([
      {
        path: 'a.yaml',
        action: 'add',
        diff: '@@ -0,0 +1,1 @@\n+new: true\n',
        omitted: null,
        linesAdded: 1,
        linesRemoved: 0,
      },
      {
        path: 'b.yaml',
        action: 'modify',
        diff: '@@ -1,3 +1,3 @@\n a: 1\n-b: 2\n+b: 3\n c: 3\n',
        omitted: null,
        linesAdded: 1,
        linesRemoved: 1,
      },
      {
        path: 'c.yaml',
        action: 'remove',
        diff: '@@ -1,1 +0,0 @@\n-x: 1\n',
        omitted: null,
        linesAdded: 0,
        linesRemoved: 1,
      },
    ]);
    expect(planChange(after, after).files).toEqual([]);
  });

  it.each([
    ['a zero byte', 'a\0b'],
    ['bytes that are no UTF-8', Uint8Array.of(0xc3, 0x28)],
  ])('names a file with %s and does not show it', (_what, content) => {
    expect(one('text', content)).toMatchObject({ action: 'modify', diff: null, omitted: 'binary' });
    expect(one(content, null)).toMatchObject({ action: 'remove', diff: null, omitted: 'binary' });
  });

  it('shows a byte order mark and a lost line break as changes', () => {
    expect(one('a\n', '\ufeffa\n')?.diff).toBe('@@ -1,1 +1,1 @@\n-a\n+\ufeffa\n');
    expect(one('a\n', 'a')?.diff).toContain('\\ No newline at end of file');
  });

  it('shows an empty file', () => {
    expect(one(null, '')).toMatchObject({ action: 'add', diff: '', omitted: null, linesAdded: 0 });
  });

  it('shows files up to the limit of their size', () => {
    const filled = (bytes: number) => `${'x'.repeat(bytes - 1)}\n`;
    const { fileBytes } = PLAN_LIMITS;
    expect(one(null, filled(fileBytes - 1))).toMatchObject({ omitted: null, linesAdded: 1 });
    expect(one(null, filled(fileBytes))).toMatchObject({ omitted: null, linesAdded: 1 });
    expect(one(null, filled(fileBytes + 1))).toMatchObject({ omitted: 'too-large', diff: null });
    expect(one(filled(fileBytes + 1), null)).toMatchObject({ omitted: 'too-large', diff: null });
  });

  it('shows diffs up to the limit of their lines', () => {
    const { changedLines } = PLAN_LIMITS;
    expect(one(null, lines(changedLines - 1, 'a'))).toMatchObject({ linesAdded: changedLines - 1 });
    expect(one(null, lines(changedLines, 'a'))).toMatchObject({ omitted: null, linesAdded: changedLines });
    expect(one(null, lines(changedLines + 1, 'a'))).toMatchObject({ omitted: 'too-large', linesAdded: 0 });
  });
});

describe('renderPlan', () => {
  it('shows a change of values as a person would want to read it', () => {
    const input = inputOf();
    const instance = { ...input.instance, userValues: { title: 'Our friends' } };
    const { tree: before } = renderInstance(input);
    const { tree: after } = renderInstance({ ...input, instance });
    const text = renderPlan(planChange(before, after)).replaceAll(/"?[0-9a-f]{64}"?/g, '…');
    expect(text).toBe(
      `Plan: 0 to add, 2 to modify, 0 to remove.

~ instances/0198c0de-1111-7222-8333-44445555661f/instance.yaml (+2 -2)
@@ -1,6 +1,6 @@
 apiVersion: caelus.dev/v1
 changeId: "0198c0de-aaaa-7bbb-8ccc-ddddeeeeffff"
-contentHash: …
+contentHash: …
 createdAt: "2026-01-31T12:00:00.000Z"
 deletionPolicy: delete
 destination:
@@ -30,4 +30,4 @@
 tenant: acme
 tier: stable
 userValues:
-  title: Our guests
+  title: Our friends

~ instances/0198c0de-1111-7222-8333-44445555661f/values.yaml (+1 -1)
@@ -2,4 +2,4 @@
   enabled: true
   host: ""
 replicas: 1
-title: Our guests
+title: Our friends
`,
    );
  });

  it('says so when nothing would change', () => {
    expect(renderPlan({ files: [] })).toBe('Nothing would change.\n');
  });

  it('names what it does not show', () => {
    const files = { b: Uint8Array.of(0), c: lines(PLAN_LIMITS.changedLines + 1, 'a') };
    expect(renderPlan(planChange(tree({}), tree(files)))).toBe(
      'Plan: 2 to add, 0 to modify, 0 to remove.\n\n+ b (not text)\n\n+ c (too large to show)\n',
    );
  });

  it('writes what a terminal would obey as an escape', () => {
    const text = renderPlan(planChange(tree({}), tree({ a: '\u001b[2Jx\ty\r\u202ez\u2028\u{e0001}é😀\n' })));
    expect(text).toContain('+\\u{1b}[2Jx\ty\\u{d}\\u{202e}z\\u{2028}\\u{e0001}é😀\n');
  });
});
