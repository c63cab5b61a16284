import { describe, expect, it } from 'vitest';
import { errorCodeOf, refusalError } from './argo-cd-errors.ts';

const inProgress = 'another operation is already in progress';
const different = 'existing application spec is different, use upsert flag to force update';

// gRPC codes and the statuses that grpc-gateway makes of them, then what proxies answer.
const table: readonly [number, number | undefined, string, string][] = [
  [400, 3, '', 'ARGOCD_REQUEST_REFUSED'],
  [400, 3, different, 'ARGOCD_CONFLICT'],
  [400, 9, '', 'ARGOCD_REQUEST_REFUSED'],
  [400, 9, inProgress, 'ARGOCD_OPERATION_RUNNING'],
  [400, 11, '', 'ARGOCD_REQUEST_REFUSED'],
  [401, 16, '', 'ARGOCD_AUTH_FAILED'],
  [403, 7, '', 'ARGOCD_ACCESS_DENIED'],
  [404, 5, '', 'ARGOCD_NOT_FOUND'],
  [409, 6, '', 'ARGOCD_CONFLICT'],
  [409, 10, '', 'ARGOCD_CONFLICT'],
  [429, 8, '', 'UNAVAILABLE'],
  [500, 2, '', 'ARGOCD_FAILED'],
  [500, 13, '', 'ARGOCD_FAILED'],
  [500, 15, '', 'ARGOCD_FAILED'],
  [501, 12, '', 'ARGOCD_UNSUPPORTED'],
  [503, 14, '', 'UNAVAILABLE'],
  [504, 4, '', 'UNAVAILABLE'],
  [401, undefined, '', 'ARGOCD_AUTH_FAILED'],
  [403, undefined, '', 'ARGOCD_ACCESS_DENIED'],
  [404, undefined, '', 'ARGOCD_ANSWER_INVALID'],
  [405, undefined, '', 'ARGOCD_ANSWER_INVALID'],
  [408, undefined, '', 'UNAVAILABLE'],
  [413, undefined, '', 'ARGOCD_REQUEST_REFUSED'],
  [415, undefined, '', 'ARGOCD_REQUEST_REFUSED'],
  [500, undefined, '', 'ARGOCD_FAILED'],
  [502, undefined, '', 'UNAVAILABLE'],
];

describe('the error of a refusal', () => {
  it.each(table)('of status %s, gRPC code %s %s is %s', (status, grpcCode, message, code) => {
    expect(errorCodeOf({ status, grpcCode, message })).toBe(code);
    const error = refusalError({ server: 's', operation: 'o' }, { status, grpcCode, message });
    expect(error.code).toBe(code);
  });

  it('is retryable where the same request may succeed later', () => {
    const retryable = table.filter(
      ([status, grpcCode, message]) =>
        refusalError({ server: 's', operation: 'o' }, { status, grpcCode, message }).retryable,
    );
    expect(new Set(retryable.map(([, , , code]) => code))).toEqual(
      new Set(['UNAVAILABLE', 'ARGOCD_OPERATION_RUNNING', 'ARGOCD_FAILED']),
    );
  });
});
