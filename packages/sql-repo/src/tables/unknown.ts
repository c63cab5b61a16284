import { CaelusError, type InstanceId } from '@caelus/core';

export function productUnknown(product: string, cause?: unknown): CaelusError {
  return new CaelusError({
    code: 'PRODUCT_UNKNOWN',
    message: `There is no product ${product}.`,
    details: { product },
    cause,
  });
}

export function templateVersionUnknown(templateVersionId: string, cause?: unknown): CaelusError {
  return new CaelusError({
    code: 'TEMPLATE_VERSION_UNKNOWN',
    message: `There is no template version ${templateVersionId}.`,
    details: { templateVersionId },
    cause,
  });
}

export function instanceUnknown(instanceId: InstanceId): CaelusError {
  return new CaelusError({
    code: 'INSTANCE_UNKNOWN',
    message: `There is no instance ${instanceId}.`,
    details: { instanceId },
  });
}
