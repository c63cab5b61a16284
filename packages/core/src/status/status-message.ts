/** The greatest length of a message in a row, in UTF-16 code units. */
export const STATUS_MESSAGE_LIMIT = 2000;

/**
 * What Argo CD wraps around the cause, for those who operate it: who called whom, the command line of helm, with folders of its
 * machine, and when it tries again by the clock of its machine.
 */
const WRAPPINGS: readonly RegExp[] = [
  /Failed last sync attempt to \[[^\]]*\]: /g,
  /Failed to load target state: /g,
  /Failed to compare desired state to live state: /g,
  /failed to calculate diff: error calculating server side diff: serverSideDiff error: /g,
  /error running server side apply in dryrun mode for resource [^\s:]+: /g,
  /ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request: /g,
  /failed to generate manifest for source \d+ of \d+: /g,
  /rpc error: code = \w+ desc = /g,
  /(?:error fetching|error pulling OCI|failed to fetch|failed to pull OCI) chart: /g,
  /failed to execute helm template command: /g,
  /(?:failed running \w+: )?`[^`]*` failed (?:exit status \d+|timeout after [\w.]+): (?:Error: )?/g,
  /one or more (?:objects failed to apply|synchronization tasks completed unsuccessfully), reason: /g,
  /one or more synchronization tasks are not valid: /g,
  /<path to cached source>\//g,
  /\s*Use --debug flag to render out invalid YAML/g,
  /(?: \(retried \d+ times\))?\.? Retrying attempt #\d+ at \d+:\d+[AP]M\.$/,
  / \(retried \d+ times\)\.$/,
];

/** What the cluster or Argo CD said, fit for a row: its cause, without credentials in URLs and control characters, shortened. */
export function toStatusMessage(text: string): string {
  const plain = text
    .replaceAll(/:\/\/[^\s/@]+@/g, '://')
    .replaceAll(/[^\P{Cc}\n]/gu, ' ')
    .trim();
  const clean = WRAPPINGS.reduce((message, wrapping) => message.replace(wrapping, ''), plain).trim() || plain;
  return clean.length <= STATUS_MESSAGE_LIMIT ? clean : `${clean.slice(0, STATUS_MESSAGE_LIMIT - 1)}…`;
}
