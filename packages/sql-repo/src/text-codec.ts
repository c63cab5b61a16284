// Text in both databases is UTF-8, so a lone surrogate cannot be stored. PostgreSQL refuses U+0000, and drivers of SQLite cut
// text there, so that two different keys would become one. Both are written as U+001B and four hexadecimal digits, as is
// U+001B itself. Other text stays as it is.

// biome-ignore lint/suspicious/noControlCharactersInRegex: those two are what it is about.
const UNSAFE = /[\u0000\u001b]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text as both databases can keep it. */
export function encodeText(text: string): string {
  return text.replace(UNSAFE, (unit) => `\u001b${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The text that {@link encodeText} was given. */
export function decodeText(stored: string): string {
  if (!stored.includes('\u001b')) return stored;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
  return stored.replace(/\u001b([0-9a-f]{4})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
