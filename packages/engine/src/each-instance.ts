import type { CallOptions, Instance, InstanceStatus } from '@caelus/core';
import { eachPage } from './each-page.ts';
import type { EngineContext } from './engine-context.ts';

const LIVING: readonly InstanceStatus[] = ['Pending', 'Running', 'Failed', 'Deleting'];

/** Every instance that is not yet gone. */
export function eachInstance(
  { repository }: Pick<EngineContext, 'repository'>,
  options: CallOptions = {},
): AsyncIterable<Instance> {
  return eachPage((page) => repository.listInstances({ status: LIVING }, page, options));
}

/** Every instance, deleted ones included. */
export function everyInstance(
  { repository }: Pick<EngineContext, 'repository'>,
  options: CallOptions = {},
): AsyncIterable<Instance> {
  return eachPage((page) => repository.listInstances({}, page, options));
}
