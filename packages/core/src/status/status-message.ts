/** The greatest length of a message in a row, in UTF-16 code units. */
export const STATUS_MESSAGE_LIMIT = 2000;

/** What the cluster or Argo CD said, fit for a row: without credentials in URLs and control characters, shortened. */
export function toStatusMessage(text: string): string {
  const clean = text
    .replaceAll(/:\/\/[^\s/@]+@/g, '://')
    .replaceAll(/[^\P{Cc}\n]/gu, ' ')
    .trim();
  return clean.length <= STATUS_MESSAGE_LIMIT ? clean : `${clean.slice(0, STATUS_MESSAGE_LIMIT - 1)}…`;
}
