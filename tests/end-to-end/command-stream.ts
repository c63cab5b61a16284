import type { Instance } from '@caelus/core';
import type { Stack } from './stack.ts';

// An endless list of commands that two processes can agree on: the one that carries them out, and the one that knows what
// has to come of them. Each stream has instances of its own, and all of them change the shared one.

export const SHARED = '0198c0de-ffff-7fff-8fff-ffffffffffff';

export interface Command {
  readonly kind: 'create' | 'update' | 'upgrade' | 'label' | 'delete';
  readonly id: string;
  readonly values: { readonly title: string };
}

export function commandAt(stream: string, number: number): Command {
  const [group, slot] = [Math.floor(number / 5), number % 5];
  const id = (index: number) =>
    `0198c0de-${stream.charCodeAt(0).toString(16).padStart(4, '0')}-7000-8000-${index.toString(16).padStart(12, '0')}`;
  const values = { title: `${stream} ${number}` };
  if (slot === 0) return { kind: 'create', id: id(group), values };
  if (slot === 2 && group >= 1) return { kind: 'upgrade', id: id(group - 1), values };
  if (slot === 3) return { kind: 'label', id: SHARED, values };
  if (slot === 4 && group >= 2 && group % 2 === 0) return { kind: 'delete', id: id(group - 2), values };
  return { kind: 'update', id: id(group), values };
}

/** Carries a command out, as often as it is called, only once. */
export function carryOut(stack: Stack, stream: string, number: number): Promise<Instance> {
  const { instances } = stack.caelus;
  const { kind, id, values } = commandAt(stream, number);
  const options = { idempotencyKey: `${stream}-${number}`, actor: { name: stream } };
  switch (kind) {
    case 'create':
      return stack.create({ id, values }, options);
    case 'update':
      return instances.update(id, { values }, options);
    case 'upgrade':
      return instances.upgrade(id, { templateVersionId: stack.v2.id }, options);
    case 'label':
      return instances.update(id, { labels: { stream, number: String(number) } }, options);
    case 'delete':
      return instances.delete(id, options);
  }
}

export interface Expected {
  readonly generation: number;
  readonly isDeleted: boolean;
  readonly version: 'v1' | 'v2';
  readonly title: string | undefined;
}

/** What every instance has to be once each of the streams is carried out up to its count. */
export function expectedOf(counts: Readonly<Record<string, number>>): Readonly<Record<string, Expected>> {
  const created: Expected = { generation: 1, isDeleted: false, version: 'v1', title: undefined };
  const expected: Record<string, Expected> = { [SHARED]: created };
  for (const [stream, count] of Object.entries(counts)) {
    for (let number = 0; number < count; number++) {
      const { kind, id, values } = commandAt(stream, number);
      const { title } = values;
      const before = expected[id] ?? { ...created, generation: 0 };
      expected[id] = {
        generation: before.generation + 1,
        isDeleted: kind === 'delete',
        version: kind === 'upgrade' ? 'v2' : before.version,
        title: kind === 'create' || kind === 'update' ? title : before.title,
      };
    }
  }
  return expected;
}
