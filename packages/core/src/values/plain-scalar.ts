const YAML_1_1_BOOLEAN = /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$/;
const PREFIXED = /^[-+]?0(?:[bB][01]+|[oO][0-7]+|[xX][0-9a-fA-F]+)$/;
const LEADING_ZERO = /^[-+]?0[0-9]+$/;
const DECIMAL = /^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/;
const HEXADECIMAL_OF_BOTH = /^0x[0-9a-fA-F]+$/;
const STARTS_LIKE_A_NUMBER = /^[-+.0-9]/;
/** Line breaks of YAML 1.1 that are ordinary characters in YAML 1.2. */
export const YAML_1_1_BREAK: RegExp = /[\u0085\u2028\u2029]/;

/**
 * Tells whether Helm's YAML reader (YAML 1.1 as go-yaml has it: https://yaml.org/type/bool.html, int.html, without
 * sexagesimal numbers) and YAML 1.2 (core schema, section 10.3) read an unquoted scalar as different values.
 */
export function isAmbiguousScalar(source: string): boolean {
  if (YAML_1_1_BOOLEAN.test(source) || YAML_1_1_BREAK.test(source)) return true;
  if (!STARTS_LIKE_A_NUMBER.test(source)) return false;
  if (PREFIXED.test(source)) return !HEXADECIMAL_OF_BOTH.test(source);
  if (LEADING_ZERO.test(source)) return true;
  const digits = source.replaceAll('_', '');
  return digits !== source && (DECIMAL.test(digits) || PREFIXED.test(digits));
}

/** No double needs more; longer texts are zeros or lost digits. */
const LONGEST_NUMBER = 100;

/** Tells whether the double that was read from a decimal text is the number that was written. */
export function isExactNumber(source: string, value: number): boolean {
  if (HEXADECIMAL_OF_BOTH.test(source) || !Number.isFinite(value)) return true;
  return source.length <= LONGEST_NUMBER && significand(source) === significand(String(value));
}

function significand(decimal: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = /^[-+]?(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$/.exec(decimal) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
