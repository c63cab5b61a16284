import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readText, root, workspaceFiles } from './source-files.ts';

const documents = workspaceFiles().filter((path) => path.endsWith('.md'));

/** Targets of `[text](target)`, `![alt](target)` and `[name]: target`, outside code. */
function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, '').replaceAll(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const reference = [...prose.matchAll(/^\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)];
  return [...inline, ...reference].map((match) => match[1] ?? '');
}

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, title = ''] of text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const slug = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

const isExternal = (link: string) => /^[a-z][a-z0-9+.-]*:/i.test(link);

describe('links between documents', () => {
  it('are found', () => {
    expect(linksOf('[a](b.md "t") ![i](<c.png>) `[no](d)`\n```\n[no](e)\n```\n\n[f]: g.md\n')).toEqual([
      'b.md',
      'c.png',
      'g.md',
    ]);
    expect([...anchorsOf('# A `b` & c\n## A\n## A\n')]).toEqual(['a-b--c', 'a', 'a-1']);
  });

  it.each(documents)('of %s lead somewhere', (document) => {
    const text = readText(document);
    const broken = linksOf(text).filter((link) => {
      if (isExternal(link)) return !/^(?:https:\/\/|http:\/\/127\.0\.0\.1|mailto:)/.test(link);
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? document : normalize(join(dirname(document), decodeURI(path)));
      if (target.startsWith('..') || !existsSync(join(root, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(readText(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe('decision records', () => {
  it('are all in the index, each under a number of its own', () => {
    const records = documents.flatMap((path) => /^docs\/adr\/(\d{4}-[a-z0-9-]+\.md)$/.exec(path)?.[1] ?? []);
    const index = linksOf(readText('docs/adr/README.md'));
    expect(records.filter((record) => !index.includes(record))).toEqual([]);
    expect(new Set(records.map((record) => record.slice(0, 4))).size).toBe(records.length);
  });
});
