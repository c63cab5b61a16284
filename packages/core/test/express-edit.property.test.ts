import {
  expressEdit,
  instanceFiles,
  type Marker,
  mergeValues,
  type RenderInstanceInput,
  type RepoPath,
  type RepoTree,
  renderInstance,
  renderMarker,
  renderYaml,
  type Values,
} from '@caelus/core';
import { arbitraryValues } from '@caelus/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputOf } from './render-samples.ts';

const values = arbitraryValues(fc, { depth: 4, width: 4 });
const labels = fc.dictionary(fc.constantFrom('team', 'cost', 'plan'), fc.constantFrom('a', 'B.1', ''));

interface Setting {
  readonly defaults: Values;
  readonly user: Values;
  readonly platform: Values;
}
const setting: fc.Arbitrary<Setting> = fc.record({ defaults: values, user: values, platform: values });

function sampleOf({ defaults, user, platform }: Setting, more: object = {}): RenderInstanceInput {
  const instance = { userValues: user, platformValues: platform, ...more };
  return inputOf({ defaultValues: defaults, capabilities: {}, instance });
}

/** What an edit of the files of an instance is taken for. */
function expressed(
  input: RenderInstanceInput,
  edit: (files: Map<RepoPath, Uint8Array>, marker: Marker) => Marker | undefined,
) {
  const rendered = renderInstance(input);
  const files = new Map(rendered.tree);
  const marker = edit(files, rendered.marker) ?? rendered.marker;
  return expressEdit({ ...input, layout: input.context.layout, rendered, found: { files, marker } });
}
const placesOf = (input: RenderInstanceInput) => instanceFiles(input.context.layout, input.instance.id);
const textOf = (tree: RepoTree, path: RepoPath) => new TextDecoder().decode(tree.get(path));

type Files = Map<RepoPath, Uint8Array>;

/** An edit that leaves the marker as it is. */
const touch =
  (edit: (files: Files) => unknown) =>
  (files: Files): undefined => {
    edit(files);
  };

describe('an edit by hand, as a change of the row', () => {
  it('renders to what was edited, whenever there is one', () => {
    fc.assert(
      fc.property(setting, values, (before, wanted) => {
        const input = sampleOf(before);
        const { values: path } = placesOf(input);
        const change = expressed(
          input,
          touch((files) => files.set(path, renderYaml(wanted))),
        );
        if (change === undefined) return;
        const after = renderInstance({ ...input, instance: { ...input.instance, ...change } });
        expect(textOf(after.tree, path)).toBe(new TextDecoder().decode(renderYaml(wanted)));
      }),
      { numRuns: 300 },
    );
  });

  it('is found for every change that a user could have asked for, and renders to the same files', () => {
    fc.assert(
      fc.property(setting, values, labels, (before, user, newLabels) => {
        const input = sampleOf({ ...before, platform: {} });
        const places = placesOf(input);
        const { defaults } = before;
        const merged = mergeValues([
          { name: 'template', values: defaults },
          { name: 'user', values: user },
        ]);
        const change = expressed(input, (files, marker) => {
          files.set(places.values, renderYaml(merged));
          const edited = { ...marker, labels: newLabels };
          files.set(places.marker, renderMarker(edited));
          return edited;
        });
        expect(change).toBeDefined();
        const after = renderInstance({ ...input, instance: { ...input.instance, ...change } });
        expect(after.values).toEqual(merged);
        expect(after.marker.labels).toEqual(newLabels);
      }),
      { numRuns: 300 },
    );
  });

  it('is nothing where only the form of the file is another', () => {
    const input = sampleOf({ defaults: { a: 1, b: { c: 'x' } }, user: { a: 1 }, platform: { d: true } });
    const { values: path } = placesOf(input);
    const text = '# by hand\n{"d": true, "b": {"c": "x"},\n "a": 1}\n';
    const change = expressed(
      input,
      touch((files) => files.set(path, new TextEncoder().encode(text))),
    );
    expect(change).toEqual({ userValues: { a: 1 } });
  });

  const input = sampleOf({ defaults: { a: 1 }, user: {}, platform: { p: 1 } });
  const places = placesOf(input);
  const bytes = (text: string) => new TextEncoder().encode(text);
  it.each<[string, (files: Map<RepoPath, Uint8Array>, marker: Marker) => Marker | undefined]>([
    ['of the Application', touch((files) => files.set(places.application, bytes('kind: Application\n')))],
    ['that removes the Application', touch((files) => files.delete(places.application))],
    ['that adds a manifest', touch((files) => files.set(`${places.manifests}/evil.yaml` as RepoPath, bytes('a: 1\n')))],
    ['that removes the values', touch((files) => files.delete(places.values))],
    ['that is no YAML', touch((files) => files.set(places.values, bytes('a: ]')))],
    ['that is no UTF-8', touch((files) => files.set(places.values, new Uint8Array([0xff, 0xfe, 0x41])))],
    ['that two readers of YAML read apart', touch((files) => files.set(places.values, bytes('a: yes\np: 1\n')))],
    ['of a value of the platform', touch((files) => files.set(places.values, bytes('a: 1\np: 2\n')))],
    ['that takes a default away', touch((files) => files.set(places.values, bytes('p: 1\n')))],
    ['of the tier', (_, marker) => ({ ...marker, tier: 'other' as Marker['tier'] })],
    ['of the values of the platform in the marker', (_, marker) => ({ ...marker, platformValues: {} })],
    ['of the generation', (_, marker) => ({ ...marker, generation: 7 })],
    [
      'of an older generation',
      (_, marker) => ({ ...marker, changeId: '0198c0de-0000-7bbb-8ccc-ddddeeeeffff' as never }),
    ],
    ['of the hash', (_, marker) => ({ ...marker, contentHash: '0'.repeat(64) })],
    ['of the namespace', (_, marker) => ({ ...marker, names: { ...marker.names, namespace: 'evil' } })],
  ])('%s is none', (_, edit) => {
    expect(expressed(input, edit)).toBeUndefined();
  });
});
