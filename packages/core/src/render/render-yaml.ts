import { isJsonObject, type JsonObject, type JsonValue } from '../json-value.ts';

const encoder = new TextEncoder();

/**
 * Renders an object as canonical YAML: keys sorted by UTF-16 code units, two spaces a level, LF, no anchors, no folding.
 * Equal objects give equal bytes. What stands plain is a string to YAML 1.1 and 1.2 readers alike (Helm and Kubernetes
 * read YAML 1.1, where `on` is true and `1:30` was ninety); everything else is quoted.
 */
export function renderYaml(value: JsonObject): Uint8Array {
  return encoder.encode(`${block(value, '').slice(1)}\n`);
}

/** The text after a key's colon or a list's dash: ` scalar`, or a line break and the lines of what is inside. */
function block(value: JsonValue, indent: string): string {
  if (typeof value === 'string') return ` ${scalar(value, indent)}`;
  if (Array.isArray(value)) return value.length === 0 ? ' []' : `\n${list(value, indent)}`;
  if (isJsonObject(value)) return Object.keys(value).length === 0 ? ' {}' : `\n${mapping(value, indent)}`;
  return ` ${JSON.stringify(value)}`;
}

function mapping(value: { readonly [key: string]: JsonValue }, indent: string): string {
  return Object.keys(value)
    .sort()
    .map((key) => `${indent}${flow(key)}:${block(value[key] as JsonValue, `${indent}  `)}`)
    .join('\n');
}

function list(items: readonly JsonValue[], indent: string): string {
  // What is inside starts on the dash's own line, where its own indentation stands.
  return items.map((item) => `${indent}-${block(item, `${indent}  `).replace(/^\n +/, ' ')}`).join('\n');
}

function scalar(text: string, indent: string): string {
  if (!isLiteral(text)) return flow(text);
  const style = text.endsWith('\n') ? '|' : '|-';
  return `${style}\n${text.replace(/\n$/, '').replaceAll(/^(?=.)/gm, indent)}`;
}

/** Whether text of several lines can stand in a literal block as it is, which people read and diff best. */
function isLiteral(text: string): boolean {
  if (!text.includes('\n') || text.endsWith('\n\n')) return false;
  return /^[^\s]/.test(text) && !/ $/m.test(text) && !NOT_LITERAL.test(text);
}

/** A scalar on one line, fit for a key too. */
function flow(text: string): string {
  return PLAIN.test(text) && !RESERVED.test(text) ? text : `"${text.replaceAll(ESCAPED, escapeCharacter)}"`;
}

const PLAIN = /^[A-Za-z_/$](?:[A-Za-z0-9_./@$=+-]|:(?=[A-Za-z0-9/])| (?=[A-Za-z0-9]))*$/;
/** What a YAML 1.1 reader takes for a boolean or null; numbers and dates cannot start like {@link PLAIN}. */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;
/** What a literal block cannot carry: tabs, control and format characters, and halves of surrogate pairs. */
const NOT_LITERAL = /[^\n\x20-\x7e\u00a1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
/** Quotes, backslashes, and what YAML's readers fold, strip or refuse. */
const ESCAPED = /["\\\p{Cc}\xa0\u2028\u2029\ufeff\ufffe\uffff]/gu;
const SHORT: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  return SHORT[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`);
}
