import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { chartVersionOf, parseChartSource, parseGitRepositoryUrl } from './chart-source.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
const helm = { type: 'helm', repoURL: 'https://charts.example.com', chart: 'nextcloud', version: '1.2.3' };
const oci = { type: 'oci', repoURL: 'oci://registry.example.com/charts', chart: 'nextcloud', version: '1.2.3' };
const git = { type: 'git', repoURL: 'https://git.example.com/charts.git', path: 'charts/nextcloud', revision: commit };
const own = { type: 'git', path: 'charts/nextcloud/1.2.3' };

describe('a chart source', () => {
  it.each([helm, oci, git, own])('of $type comes back as it went in', (source) => {
    expect(parseChartSource(source)).toEqual(source);
  });

  it.each([
    [null],
    ['helm'],
    [[]],
    [{}],
    [{ ...helm, type: 'http' }],
    [{ ...helm, path: 'x' }],
    [{ ...oci, digest: 'x' }],
  ])('is not %o', (input) => {
    thrown('INVALID_INPUT', () => parseChartSource(input));
  });

  it('lists everything that is wrong', () => {
    const error = thrown('REPOSITORY_URL_INVALID', () =>
      parseChartSource({ type: 'helm', repoURL: 'ftp://x', chart: 'Bad', version: '1.x' }),
    );
    expect(error.details.issues.map(({ path }) => path)).toEqual(['/repoURL', '/chart', '/version']);
  });
});

describe.each([helm, oci])('the version of a chart of $type', (source) => {
  it.each([
    '0.0.0',
    '1.2.3',
    'v1.2.3',
    '10.20.30',
    '1.2.3-rc.1',
    '1.2.3-0',
    '1.2.3-x-y',
    '1.2.3+build.5',
    '1.2.3-rc.1+5',
  ])('may be %s', (version) => {
    expect(parseChartSource({ ...source, version })).toMatchObject({ version });
  });

  it.each([
    '',
    'latest',
    'stable',
    'main',
    '1',
    '1.2',
    'v1.2',
    '1.x',
    '1.2.x',
    '1.2.*',
    '*',
    '^1.2.3',
    '~1.2.3',
    '>=1.2.3',
    '=1.2.3',
    '1.2.3 - 2.0.0',
    '1.2.3 || 2.0.0',
    '1.2.3, 2.0.0',
    '01.2.3',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3-a..b',
    '1.2.3-.',
    '1.2.3+',
    '1.2.3.4',
    ' 1.2.3',
    '1.2.3\n',
    '１.2.3',
    '1․2․3',
    '1.2.3-\u202ea',
  ])('is not %j, which is not one version', (version) => {
    const error = thrown('CHART_VERSION_FLOATING', () => parseChartSource({ ...source, version }));
    expect(error.details.issues[0]?.path).toBe('/version');
  });

  it('has at most 64 characters', () => {
    const version = (length: number) => `1.2.3-${'a'.repeat(length - 6)}`;
    for (const length of [63, 64]) expect(parseChartSource({ ...source, version: version(length) })).toBeTruthy();
    thrown('CHART_VERSION_FLOATING', () => parseChartSource({ ...source, version: version(65) }));
  });

  it('must be there', () => {
    const { version: _, ...unpinned } = source;
    thrown('CHART_VERSION_FLOATING', () => parseChartSource(unpinned));
  });
});

describe.each([helm, oci])('the name of a chart of $type', (source) => {
  it('has 1 to 63 characters', () => {
    for (const chart of ['a', 'a'.repeat(62), 'a'.repeat(63), 'my_chart-2.0']) {
      expect(parseChartSource({ ...source, chart })).toMatchObject({ chart });
    }
    for (const chart of ['', 'a'.repeat(64), 'Chart', '-a', 'a.', 'a..b']) {
      thrown('NAME_INVALID', () => parseChartSource({ ...source, chart }));
    }
  });

  it.each(hostileTexts)('is not %s', (_why, chart) => {
    thrown('NAME_INVALID', () => parseChartSource({ ...source, chart }));
  });
});

describe('the revision of a chart in Git', () => {
  it.each([
    commit,
    'refs/tags/v1',
    'refs/tags/nextcloud-1.2.3',
    'refs/tags/release/2026.1',
    `refs/tags/${'a'.repeat(128)}`,
  ])('may be %s', (revision) => {
    expect(parseChartSource({ ...git, revision })).toMatchObject({ revision });
  });

  it.each([
    undefined,
    '',
    'main',
    'HEAD',
    'v1',
    'refs/heads/main',
    'refs/tags/',
    'refs/tags/.a',
    'refs/tags/a..b',
    'refs/tags/a/',
    'refs/tags/a.',
    'refs/tags/a//b',
    'refs/tags/a/.b',
    'refs/tags/a.lock',
    'refs/tags/a.lock/b',
    'refs/tags/a@{1}',
    'refs/tags/a~1',
    'refs/tags/a^',
    'refs/tags/a:b',
    'refs/tags/-a',
    'refs/tags/a\n',
    `refs/tags/${'a'.repeat(129)}`,
    commit.slice(1),
    `${commit}0`,
    commit.toUpperCase(),
    '>=1.0.0',
  ])('is not %j, which moves or is no revision', (revision) => {
    thrown('CHART_VERSION_FLOATING', () => parseChartSource({ ...git, revision }));
  });
});

describe('the path of a chart in Git', () => {
  it('has at most 8 segments of at most 64 characters', () => {
    const deep = (count: number) => Array.from({ length: count }, () => 'a').join('/');
    for (const path of ['a', deep(7), deep(8), 'a'.repeat(64), '.hidden/chart_1.0-x']) {
      expect(parseChartSource({ ...git, path })).toMatchObject({ path });
    }
    for (const path of [deep(9), 'a'.repeat(65)]) thrown('PATH_INVALID', () => parseChartSource({ ...git, path }));
  });

  it.each([
    ...hostileTexts.filter(([why]) => why !== 'a path'),
    ['an empty segment', 'a//b'] as const,
    ['an end that is open', 'a/'] as const,
  ])('is not %s', (_why, path) => {
    thrown('PATH_INVALID', () => parseChartSource({ ...git, path }));
    thrown('PATH_INVALID', () => parseChartSource({ ...git, path: `charts/${path}` }));
  });

  it.each(['a/.git', '.git/hooks', 'a/.Git./b', 'a/.gitmodules', 'a/con', 'a/NUL.txt', 'a/b.'])('is not %s', (path) => {
    thrown('PATH_INVALID', () => parseChartSource({ ...git, path }));
  });
});

describe('a chart in the GitOps repository', () => {
  it.each(['nextcloud', 'charts', 'charts/nextcloud/1.2.3/x', 'other/nextcloud/1.2.3', 'charts/Next/1.2.3'])(
    'does not lie in %s',
    (path) => {
      thrown('PATH_INVALID', () => parseChartSource({ type: 'git', path }));
    },
  );

  it.each(['charts/nextcloud', 'charts/nextcloud/latest', 'charts/nextcloud/1.2', 'charts/nextcloud/1.x'])(
    'is pinned by its directory, so not in %s',
    (path) => {
      thrown('CHART_VERSION_FLOATING', () => parseChartSource({ type: 'git', path }));
    },
  );

  it('has no revision of its own', () => {
    thrown('INVALID_INPUT', () => parseChartSource({ ...own, revision: commit }));
  });
});

describe('the URL of a repository', () => {
  const urls: readonly (readonly [
    schemes: string,
    accepted: readonly string[],
    parse: (repoURL: string) => unknown,
  ])[] = [
    [
      'helm',
      ['https://charts.example.com', 'http://127.0.0.1:8080/charts/', 'https://x/a~b/c_d/e%20f+g'],
      (repoURL) => parseChartSource({ ...helm, repoURL }),
    ],
    [
      'oci',
      ['oci://registry.example.com', 'oci://registry.example.com:5000/a/b'],
      (repoURL) => parseChartSource({ ...oci, repoURL }),
    ],
    [
      'git',
      [
        'https://git.example.com/a/b.git',
        'ssh://git.example.com/a',
        'ssh://git@git.example.com:22/a/b.git',
        'git@git.example.com:a/b.git',
        'git@host:~a/b',
      ],
      (repoURL) => parseChartSource({ ...git, repoURL }),
    ],
  ];

  describe.each(urls)('of %s', (_type, accepted, parse) => {
    it.each(accepted)('may be %s', (repoURL) => {
      expect(parse(repoURL)).toMatchObject({ repoURL });
    });

    it.each([
      '',
      'charts.example.com',
      'file:///etc/passwd',
      'ftp://example.com/a',
      'javascript:alert(1)',
      'HTTPS://example.com/a',
      ' https://example.com/a',
      'https://example.com/a\n',
      'https://example.com/a b',
      'https://',
      'https:///a',
      'https://example..com/a',
      'https://-example.com/a',
      'https://example.com:65536/a',
      'https://example.com//a',
      'https://example.com/a/../b',
      'https://example.com/a/..',
      'https://example.com/./a',
      'https://example.com/%2e%2e/a',
      'https://example.com/a%2Fb',
      'https://example.com/a%5Cb',
      'https://example.com/a%0ab',
      'https://example.com\\a',
      'https://ex\u0430mple.com/a',
      'https://example.com/\u202ea',
      'https://example.com/?ref=canary-7f3a',
      'https://example.com/a#canary-7f3a',
      'https://example.com/a@canary-7f3a',
      'git@example.com:../a',
      'git@example.com:/a',
      'git@-oProxyCommand=canary-7f3a:a',
      `git@${'x'.repeat(600)}:a`,
      'ext::sh -c canary-7f3a',
      'https://user:canary/7f3a@example.com/a',
    ])('is not %j, and is not repeated', (repoURL) => {
      const error = thrown('REPOSITORY_URL_INVALID', () => parse(repoURL));
      expect(JSON.stringify([error.message, error.details, error.cause])).not.toContain('canary');
    });

    it.each([
      'https://canary-7f3a@example.com/a',
      'https://user:canary-7f3a@example.com/a',
      'https://:canary-7f3a@example.com/a',
      'https://canary-7f3a:@example.com/a',
      'https://user%3Acanary-7f3a@example.com/a',
      ' https://user:canary-7f3a@example.com/a',
      'HTTPS://user:canary-7f3a@example.com/a',
      'oci://user:canary-7f3a@example.com/a',
      'ssh://git:canary-7f3a@example.com/a',
      '//user:canary-7f3a@example.com/a',
      'user:canary-7f3a@example.com/a',
      'ftp://user:canary-7f3a@example.com',
      `https://user:canary-7f3a${'x'.repeat(600)}@example.com/a`,
    ])('has no credentials as %j has, and the error does not repeat them', (repoURL) => {
      const error = thrown('REPOSITORY_URL_CREDENTIALS', () => parse(repoURL));
      expect(JSON.stringify([error.message, error.details, error.cause])).not.toContain('canary');
    });

    it('has at most 512 characters', () => {
      const url = (length: number) => {
        const start = accepted[0] ?? '';
        return `${start}/${'a'.repeat(length - start.length - 1)}`;
      };
      for (const length of [511, 512]) expect(parse(url(length))).toBeTruthy();
      thrown('REPOSITORY_URL_INVALID', () => parse(url(513)));
    });
  });

  it.each([
    [helm, ['oci://registry.example.com/a', 'ssh://git.example.com/a', 'git@git.example.com:a/b']],
    [oci, ['https://registry.example.com/a', 'registry.example.com/a', 'git@git.example.com:a/b']],
    [git, ['oci://registry.example.com/a', 'git://git.example.com/a', '../a']],
  ])('of $type is not that of another kind of repository', (source, others) => {
    for (const repoURL of others) thrown('REPOSITORY_URL_INVALID', () => parseChartSource({ ...source, repoURL }));
  });

  it('of Git takes a user of SSH, and not a token in its place', () => {
    expect(parseGitRepositoryUrl('git@github.com:acme/ops.git')).toBe('git@github.com:acme/ops.git');
    const token = `ghp_${'a'.repeat(36)}`;
    for (const url of [`${token}@github.com:acme/ops.git`, `ssh://${token}@github.com/acme/ops.git`]) {
      expect(() => parseGitRepositoryUrl(url)).toThrowError(/^(?!.*ghp_)/s);
    }
  });
});

describe('the version of a chart, for people', () => {
  it.each([
    [helm, '1.2.3'],
    [oci, '1.2.3'],
    [git, commit],
    [{ ...git, revision: 'refs/tags/v1' }, 'v1'],
    [own, '1.2.3'],
  ])('of %o is %s', (source, version) => {
    expect(chartVersionOf(parseChartSource(source))).toBe(version);
  });
});
