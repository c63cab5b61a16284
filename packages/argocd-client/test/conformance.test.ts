import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { reasonToSkip, sharedFolder } from '../../core/test/shared-data.ts';
import { compareWithSwagger, type Difference, type OpenApi, type Swagger, unreached } from './compare-with-swagger.ts';
import { swaggerDefects } from './swagger-defects.ts';

const skipped = reasonToSkip('argocd');
const folder = join(sharedFolder, 'argocd');
const versions = skipped === undefined ? readdirSync(folder).toSorted(byVersion) : [];
const openApi = parse(readFileSync(new URL('../openapi/argo-cd.yaml', import.meta.url), 'utf8')) as OpenApi;

const differencesOf = (document: OpenApi, version: string) => {
  const swagger = JSON.parse(readFileSync(join(folder, version, 'swagger.json'), 'utf8')) as Swagger;
  return compareWithSwagger(document, swagger, (since) => byVersion(version, since) >= 0);
};
const isKnown = ({ at, problem }: Difference) =>
  swaggerDefects.some((defect) => defect.at === at && defect.problem === problem);

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

describe.skipIf(skipped !== undefined)(`openapi/argo-cd.yaml${skipped === undefined ? '' : ` (${skipped})`}`, () => {
  it('is held against more than one version', () => {
    expect(versions.length).toBeGreaterThan(1);
  });

  it.each(versions)('says nothing that the swagger of %s does not say, but for its known defects', (version) => {
    expect(differencesOf(openApi, version).filter((difference) => !isKnown(difference))).toEqual([]);
  });

  it('needs every entry of the list of defects', () => {
    const all = versions.flatMap((version) => differencesOf(openApi, version));
    const needless = swaggerDefects.filter(
      ({ at, problem }) => !all.some((found) => found.at === at && found.problem === problem),
    );
    expect(needless).toEqual([]);
  });

  it.each([
    ['a path', { paths: { '/api/v1/nothing': { get: { responses: {} } } } }, 'missing'],
    ['a method', { paths: { '/api/v1/settings': { delete: { responses: {} } } } }, 'missing'],
    ['a parameter', parameter({ in: 'query', name: 'nothing', schema: { type: 'string' } }), 'missing'],
    ['another type of a parameter', parameter({ in: 'query', name: 'selector', schema: { type: 'boolean' } }), 'type'],
    ['a field', answer({ type: 'object', properties: { nothing: { type: 'string' } } }), 'missing'],
    ['another type of a field', answer({ type: 'object', properties: { url: { type: 'integer' } } }), 'type'],
    ['a list for a single one', answer({ type: 'object', properties: { url: { type: 'array' } } }), 'type'],
    [
      'too late a version',
      answer({ type: 'object', properties: { url: { type: 'string', 'x-since': 'v99.0.0' } } }),
      'since',
    ],
  ])('sees %s that is not there', (_, document, problem) => {
    const found = differencesOf(document as OpenApi, versions[0] ?? '');
    expect(found.map((difference) => difference.problem)).toEqual([problem]);
  });
});

describe('the components of openapi/argo-cd.yaml', () => {
  it('are all used', () => {
    expect(unreached(openApi)).toEqual([]);
  });
});

function parameter(value: object): object {
  return { paths: { '/api/v1/applications': { get: { parameters: [value], responses: {} } } } };
}

function answer(schema: object): object {
  const responses = { 200: { content: { 'application/json': { schema } } } };
  return { paths: { '/api/v1/settings': { get: { responses } } } };
}
