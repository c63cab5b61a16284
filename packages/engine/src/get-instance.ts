import {
  CaelusError,
  type CallOptions,
  explainValues,
  type Instance,
  type InstanceId,
  type LeafProvenance,
  parseInstanceId,
  type RepositoryReader,
  valuesLayers,
} from '@caelus/core';
import { type EngineContext, tierOf } from './engine-context.ts';
import { findParts } from './examine-instance.ts';

/** The instance of that id. @throws {CaelusError} `INSTANCE_UNKNOWN`, `ID_INVALID` */
export async function getInstance(reader: RepositoryReader, id: string, options: CallOptions = {}): Promise<Instance> {
  const instanceId: InstanceId = parseInstanceId(id);
  const instance = await reader.findInstance(instanceId, options);
  if (instance !== undefined) return instance;
  throw new CaelusError({
    code: 'INSTANCE_UNKNOWN',
    message: `There is no instance ${instanceId}.`,
    details: { instanceId },
  });
}

/** Where each of an instance's values comes from. @throws {CaelusError} `INSTANCE_UNKNOWN`, `ID_INVALID`, `TIER_UNKNOWN` */
export async function explainInstance(
  context: EngineContext,
  id: string,
  options: CallOptions = {},
): Promise<readonly LeafProvenance[]> {
  const instance = await getInstance(context.repository, id, options);
  const { templateVersion } = await findParts(context.repository, instance, options);
  return explainValues(valuesLayers({ instance, templateVersion, tier: tierOf(context, instance.tier) }));
}
