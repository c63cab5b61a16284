import { CaelusError } from '@caelus/core';
import { type FieldConflict, protocolInvalid, unavailable } from '../kubernetes-errors.ts';

/** The part of a `Status` object that says why a request failed. Messages are left out, because they quote what was sent. */
export interface ApiStatus {
  readonly code: number;
  /** Such as `NotFound`, `Conflict`, `Expired`; empty where the answer is no `Status`. */
  readonly reason: string;
  /** What the failure is about, where the server says. */
  readonly name: string | undefined;
  readonly causes: readonly { readonly reason: string; readonly field: string; readonly manager: string | undefined }[];
  /** The fields that the failure is about, as paths. */
  readonly fields: readonly string[];
  readonly retryAfter: number | undefined;
}

/** Reads a `Status`, tolerant of what is missing. */
export function parseApiStatus(code: number, value: unknown): ApiStatus {
  const status = fieldsOf(value);
  const isStatus = status.kind === 'Status';
  const details = fieldsOf(isStatus ? status.details : undefined);
  const causes = (Array.isArray(details.causes) ? details.causes.map(fieldsOf) : []).map(
    ({ reason, field, message }) => ({
      reason: textOf(reason),
      field: fieldPath(textOf(field)),
      manager: /^conflict with "([^"]{1,128})"/.exec(textOf(message))?.[1],
    }),
  );
  const unknown = unknownFields(textOf(status.message));
  return {
    code: isStatus && typeof status.code === 'number' ? status.code : code,
    // Server-side apply says 500 without a reason where a field is not known.
    reason: isStatus ? textOf(status.reason) || (unknown.length > 0 ? 'UnknownField' : '') : '',
    name: typeof details.name === 'string' ? details.name : undefined,
    causes,
    fields: [...causes.flatMap(({ field }) => (field === '' ? [] : [field])), ...unknown],
    retryAfter: typeof details.retryAfterSeconds === 'number' ? details.retryAfterSeconds : undefined,
  };
}

/** Whether the server no longer knows what happened since the version that was asked for. */
export function isExpired({ code, reason }: ApiStatus): boolean {
  return code === 410 || reason === 'Expired' || reason === 'Gone';
}

/** The fields of a server-side apply that others own. */
export function conflictsOf(object: string, { causes }: ApiStatus): readonly FieldConflict[] {
  return causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ field, manager }) => ({ object, field, manager: manager ?? 'unknown' }));
}

/** What the caller is told of a request that failed. */
export function statusError(server: string, request: string, status: ApiStatus): CaelusError {
  const { code, reason, fields } = status;
  if (code === 403) {
    return new CaelusError({
      code: 'KUBERNETES_ACCESS_DENIED',
      message: `The Kubernetes API server ${server} does not allow to ${request}. Give the user that right.`,
      details: { server, request },
    });
  }
  if (code === 404 && reason === '') return resourceUnknown(server, request);
  if (code === 429 || (code >= 500 && reason !== 'UnknownField')) return unavailable(server, `it answered ${code}.`);
  if (reason === '') return protocolInvalid(server, `it answered ${code}.`);
  const at = fields.length === 0 ? '' : ` Look at ${fields.slice(0, 10).join(', ')}.`;
  return new CaelusError({
    code: 'KUBERNETES_REQUEST_REFUSED',
    message: `The Kubernetes API server refuses to ${request} (${code} ${reason}).${at}`,
    details: { request, status: code, reason, fields },
  });
}

function resourceUnknown(server: string, resource: string): CaelusError<'KUBERNETES_RESOURCE_UNKNOWN'> {
  return new CaelusError({
    code: 'KUBERNETES_RESOURCE_UNKNOWN',
    message: `The Kubernetes API server ${server} does not serve what is needed to ${resource}. Install Argo CD with its custom resource definitions; admission policies need Kubernetes 1.30.`,
    details: { server, resource },
  });
}

/** Which fields are not known, the server says only in its message. The rest of that may quote what was sent. */
function unknownFields(message: string): readonly string[] {
  const path = '([A-Za-z0-9_.[\\]-]{1,200})';
  const forms = [`unknown field "${path}"`, `\\.${path}: field not declared in schema`];
  return forms.flatMap((form) => Array.from(message.matchAll(new RegExp(form, 'g')), ([, found = '']) => found));
}

/** Keys of a map stand in paths of fields, and may be anything that somebody wrote. */
function fieldPath(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]+/g, '?');
  return clean.length <= 200 ? clean : `${clean.slice(0, 200)}…`;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
