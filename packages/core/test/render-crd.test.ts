import { type ArgoCdVersion, argoCdVersions, type JsonObject, parseRepoPath } from '@caelus/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type CheckedKind, crdValidator } from './argo-cd-crd.ts';
import { inputOf, renderSample, SAMPLES } from './render-samples.ts';
import { reasonToSkip } from './shared-data.ts';

/** The release whose CRDs stand for each line of Argo CD. */
const RELEASES: Readonly<Record<ArgoCdVersion, string>> = {
  '2.14': 'v2.14.21',
  '3.3': 'v3.3.14',
  '3.4': 'v3.4.7',
  '3.5': 'v3.5.1',
};

function manifestsOf(name: string, version: ArgoCdVersion): readonly JsonObject[] {
  const texts = [...renderSample({ ...SAMPLES[name], version })]

    .filter(([path]) => /^argo-cd\/.*\.yaml$/.test(path))
    .map(([, bytes]) => new TextDecoder().decode(bytes));
  return texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as JsonObject));
}

describe.each(argoCdVersions)('for Argo CD %s', (version) => {
  const skipped = reasonToSkip(`argocd/${RELEASES[version]}`);
  const test = it.skipIf(skipped !== undefined);
  const validators = new Map<string, ReturnType<typeof crdValidator>>();
  beforeAll(() => {
    if (skipped !== undefined) return;
    for (const kind of ['Application', 'AppProject'] satisfies CheckedKind[]) {
      validators.set(kind, crdValidator(RELEASES[version], kind));
    }
  });

  const problemsOf = (manifest: JsonObject): unknown => {
    const validate = validators.get(String(manifest.kind));
    if (validate === undefined) return `unexpected kind ${String(manifest.kind)}`;
    return validate(manifest)
      ? []
      : validate.errors?.map(({ instancePath, message, params }) => ({ instancePath, message, params }));
  };

  test.each(Object.keys(SAMPLES))(
    `%s has no field that the CRDs do not know${skipped === undefined ? '' : ` (skipped: ${skipped})`}`,
    (name) => {
      const manifests = manifestsOf(name, version);
      expect(manifests.length).toBeGreaterThan(3);
      for (const manifest of manifests) expect(problemsOf(manifest)).toEqual([]);
    },
  );

  test('the check sees what the CRDs do not know', () => {
    const ofKind = (kind: CheckedKind) => {
      const found = manifestsOf('flat-helm', version).find((manifest) => manifest.kind === kind);
      return found ?? expect.fail(`no ${kind}`);
    };
    const project = ofKind('AppProject');
    const application = ofKind('Application');
    expect([project, application].map(problemsOf)).toEqual([[], []]);
    const spec = application.spec as JsonObject;
    expect(problemsOf({ ...application, spec: { ...spec, chart: 'x' } })).not.toEqual([]);
    expect(problemsOf({ ...application, spec: { ...spec, project: 1 } })).not.toEqual([]);
    expect(problemsOf({ ...project, spec: { windows: [] } })).not.toEqual([]);
    const retry = { limit: 5, refresh: true };
    const later = problemsOf({ ...application, spec: { ...spec, syncPolicy: { retry } } });
    const named = problemsOf({
      ...project,
      spec: { clusterResourceWhitelist: [{ group: '', kind: 'Namespace', name: 'a' }] },
    });
    expect([later, named].map((problems) => Array.isArray(problems) && problems.length === 0)).toEqual(
      version === '2.14' ? [false, false] : [true, true],
    );
  });
});

it('leaves out for 2.14 only what 2.14 does not know', () => {
  const fields = (version: ArgoCdVersion) => {
    const tree = renderSample({ ...SAMPLES['every-tier-option'], version });
    const text = (path: string) => new TextDecoder().decode(tree.get(parseRepoPath(path))).split('\n');
    return [...text('argo-cd/projects/stable.yaml'), ...text(`argo-cd/applications/${inputOf().instance.id}.yaml`)];
  };
  const old = fields('2.14');
  const lost = fields('3.5').filter((line) => !old.includes(line) && !line.includes('spec-hash'));
  expect(lost.map((line) => line.trim())).toEqual(['name: "????????-????-????-????-????????????"', 'refresh: true']);
});
