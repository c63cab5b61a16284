import {
  Composer,
  type CST,
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  Parser,
  Scalar,
} from 'yaml';
import { CaelusError } from '../errors.ts';
import { overLimit, refuse } from './copy-json.ts';
import { isAmbiguousScalar, isExactNumber, YAML_1_1_BREAK } from './plain-scalar.ts';
import type { ValuesLimits } from './values-limits.ts';

/** A value that has an anchor: `nodes` is what one alias to it adds. Absent while the value is still being read. */
interface Anchored {
  readonly value: unknown;
  readonly nodes: number;
}

/** What YAML does not let stand in a text unescaped, and carriage returns that end no line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const NOT_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\p{Surrogate}]|\r(?!\n)/u;

const STRING_TAG = 'tag:yaml.org,2002:str';

/**
 * Reads one YAML 1.2 or JSON document into objects, lists and scalars, still to be checked by `copyJson`: what aliases
 * name is shared in the result, not yet copied. Objects have no prototype, so that any key can be carried to that check.
 * Errors name a line, never what stands in it.
 */
export function readYaml(text: string, what: string, limits: ValuesLimits): unknown {
  const source = new SourceText(text, what);
  const control = NOT_TEXT.exec(text);
  if (control !== null) source.notYaml(control.index, 'holds a control character or half of a surrogate pair');

  const document = compose(tokenize(text, source, limits), source);
  return new DocumentReader(source, limits).read(document.contents as Node | null);
}

/** The text, for errors that tell a place in it. */
class SourceText {
  readonly what: string;
  readonly #text: string;

  constructor(text: string, what: string) {
    this.#text = text;
    this.what = what;
  }

  notYaml(offset: number, problem: string): never {
    const line = this.line(offset);
    const message = `${this.what} cannot be read as YAML or JSON: line ${line} ${problem}. Correct it there.`;
    throw new CaelusError({ code: 'VALUES_NOT_YAML', message, details: { line } });
  }

  ambiguous(offset: number): never {
    const line = this.line(offset);
    const message =
      `${this.what} hold a scalar in line ${line} that YAML 1.1 readers such as Helm and YAML 1.2 readers take for different ` +
      'values. Put it in double quotes if it is text, or write true, false or a plain decimal number.';
    throw new CaelusError({ code: 'VALUES_AMBIGUOUS_SCALAR', message, details: { line } });
  }

  duplicateKey(offset: number): never {
    const line = this.line(offset);
    const message = `${this.what} state a key a second time in line ${line}. Keep one of the two.`;
    throw new CaelusError({ code: 'VALUES_DUPLICATE_KEY', message, details: { line } });
  }

  line(offset: number): number {
    let line = 1;
    for (let at = this.#text.indexOf('\n'); at !== -1 && at < offset; at = this.#text.indexOf('\n', at + 1)) line += 1;
    return line;
  }
}

/** Splits the text into YAML's concrete syntax, and stops at a depth at which the composer would run out of stack. */
function tokenize(text: string, source: SourceText, limits: ValuesLimits): CST.Token[] {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  const deepest = limits.depth + 2; // the document, the collections, and the scalar in the innermost
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > deepest) {
      const line = source.line(parser.offset);
      const message = `${source.what} are nested more than ${limits.depth} levels deep in line ${line}; flatten them.`;
      overLimit('VALUES_TOO_DEEP', message, limits.depth);
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

type Place = number | readonly number[] | { readonly offset: number };

function offsetOfPlace(place: Place): number {
  if (typeof place === 'number') return place;
  return 'offset' in place ? place.offset : (place[0] ?? 0);
}

/** Of the parser's own messages, which quote the text, only the kind is passed on. */
const PROBLEMS: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: 'is not indented like its neighbours, or lacks a closing bracket',
  BLOCK_AS_IMPLICIT_KEY: 'holds a second colon, or is indented too far',
  MISSING_CHAR: 'lacks a character, such as a closing quote or bracket',
  TAB_AS_INDENT: 'is indented with a tab; use spaces',
};

function compose(tokens: readonly CST.Token[], source: SourceText): Document {
  const directive = tokens.find(({ type }) => type === 'directive');
  if (directive !== undefined) source.notYaml(directive.offset, 'holds a YAML directive, which is not supported');
  const [, second] = tokens.filter(({ type }) => type === 'document');
  if (second !== undefined) source.notYaml(second.offset, 'begins a second document; give one');

  // Duplicate keys are found below, in linear time; `uniqueKeys` compares each with each.
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
  });
  // Ends at the first error. Without this (the property is not public) the composer would make one error, with a stack
  // trace, for each character of a hostile text; the check of `errors` below would still find the first. The composer
  // catches what is thrown inside a collection and calls again, so the first error is kept. Warnings are about tags,
  // which are refused below.
  let first: (() => never) | undefined;
  Object.defineProperty(composer, 'onError', {
    value: (place: Place, code: ErrorCode, _message: string, warning?: boolean) => {
      if (warning === true) return;
      first ??= () => source.notYaml(offsetOfPlace(place), PROBLEMS[code] ?? 'does not follow the syntax');
      first();
    },
  });
  const [document] = composer.compose(tokens, true);
  const [problem] = document?.errors ?? [];
  if (problem !== undefined) source.notYaml(problem.pos[0], 'does not follow the syntax');
  return document as Document; // `true` makes the composer give a document for an empty text too
}

class DocumentReader {
  readonly #source: SourceText;
  readonly #limits: ValuesLimits;
  readonly #anchors = new Map<string, Anchored | undefined>();
  readonly #path: PropertyKey[] = [];
  #nodes = 0;
  #aliases = 0;

  constructor(source: SourceText, limits: ValuesLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  read(node: Node | null | undefined): unknown {
    if (isAlias(node)) return this.#readAlias(node.source, offsetOf(node));
    if (node?.anchor === undefined) return this.#readNode(node);
    this.#anchors.set(node.anchor, undefined);
    const before = this.#nodes;
    const value = this.#readNode(node);
    this.#anchors.set(node.anchor, { value, nodes: this.#nodes - before });
    return value;
  }

  #readNode(node: Node | null | undefined): unknown {
    this.#nodes += 1;
    this.#checkTag(node);
    if (isMap(node)) return this.#readMap(node.items as readonly { key: Node; value: Node | null }[]);
    if (isSeq(node)) return node.items.map((item, index) => this.#readMember(index, item as Node));
    return isScalar(node) ? this.#readScalar(node) : null;
  }

  #readMember(token: PropertyKey, node: Node | null | undefined): unknown {
    this.#path.push(token);
    const value = this.read(node);
    this.#path.pop();
    return value;
  }

  #readMap(items: readonly { readonly key: Node; readonly value: Node | null }[]): unknown {
    const map: Record<string, unknown> = Object.create(null);
    for (const item of items) {
      const key = this.#readKey(item.key);
      if (Object.hasOwn(map, key)) this.#source.duplicateKey(offsetOf(item.key));
      map[key] = this.#readMember(key, item.value);
    }
    return map;
  }

  /** Keys are strings; like Helm's reader, it takes numbers and booleans by their text, where that is their only one. */
  #readKey(node: Node | null): string {
    if (node !== null && isScalar(node)) {
      const key = this.read(node);
      this.#nodes -= 1;
      if (typeof key === 'string') return key;
      if (key !== null && String(key) === node.source) return node.source;
      if (key !== null) this.#source.ambiguous(offsetOf(node));
    }
    const place = node === null ? '' : ` in line ${this.#source.line(offsetOf(node))}`;
    return refuse(
      'VALUES_NOT_JSON',
      this.#source.what,
      this.#path,
      `has a key${place} that is not a string; quote it.`,
    );
  }

  #readScalar(node: Scalar): unknown {
    const { source, type, value } = node;
    const text = source ?? '';
    if (node.tag === STRING_TAG) return text;
    const loose =
      type === Scalar.PLAIN ? isAmbiguousScalar(text) : type !== Scalar.QUOTE_DOUBLE && YAML_1_1_BREAK.test(text);
    if (loose) this.#source.ambiguous(offsetOf(node));
    if (typeof value === 'number' && !isExactNumber(text, value)) {
      const problem = 'is a number with more digits than a double holds, which readers round; quote it.';
      refuse('VALUES_NOT_JSON', this.#source.what, this.#path, problem);
    }
    return value;
  }

  /** `!!str` is what people write against ambiguous scalars; every other tag changes what a text means. */
  #checkTag(node: Node | null | undefined): void {
    const tag = node?.tag;
    if (tag === undefined || (tag === STRING_TAG && isScalar(node))) return;
    this.#source.notYaml(offsetOf(node), 'holds a tag; only !!str is supported');
  }

  #readAlias(name: string, offset: number): unknown {
    const { what } = this.#source;
    this.#aliases += 1;
    if (this.#aliases > this.#limits.aliases) {
      const message = `${what} hold more than ${this.#limits.aliases} YAML aliases; write them out.`;
      overLimit('VALUES_ALIAS_LIMIT', message, this.#limits.aliases, this.#path);
    }
    if (!this.#anchors.has(name)) this.#source.notYaml(offset, 'holds an alias that nothing before it defines');
    const anchored = this.#anchors.get(name);
    if (anchored === undefined) {
      return refuse('VALUES_NOT_JSON', what, this.#path, 'contains itself through an alias; values are a tree.');
    }
    this.#nodes += anchored.nodes;
    if (this.#nodes > this.#limits.nodes) {
      const message = `${what} expand to more than ${this.#limits.nodes} objects, lists and scalars through YAML aliases.`;
      overLimit('VALUES_ALIAS_LIMIT', message, this.#limits.nodes, this.#path);
    }
    return anchored.value;
  }
}

function offsetOf(node: Node | null | undefined): number {
  return node?.range?.[0] ?? 0;
}
