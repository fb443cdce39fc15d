/**
 * Which bytes does a value have, and are these bytes read by everybody alike? The twin of `verifier/canonical.py`.
 *
 * Canonical JSON (RFC 8785), restricted to what has one meaning in every language: strings, booleans, null, arrays,
 * objects with ASCII keys, and integers within ±(2^53-1). `JSON.parse` forgives a key that stands twice (the last one
 * wins), reads 1.0 and 1e0 as 1 and 2^53+1 as another number; so the parser is our own.
 *
 * Objects are read without a prototype: `__proto__` is a key like any other.
 */

import { decode_utf8, encode_utf8, equal_bytes } from "./builtins.js";
import { MalformedInput } from "./errors.js";

export const MAX_DEPTH = 16;

const BYTE_ORDER_MARK = "\ufeff";
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const INTEGER = /^(?:0|-?[1-9][0-9]*)$/;
const MAX_SAFE_DIGITS = `${-Number.MAX_SAFE_INTEGER}`.length;
const PLAIN = /[^"\\\u0000-\u001f]*/y; // the run of a string that stands for itself
const UNICODE_ESCAPE = /[0-9a-fA-F]{4}/y;
const LITERALS = { true: true, false: false, null: null };
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/**
 * Read JSON that has one meaning; spaces and the order of keys are free.
 *
 * Throws MalformedInput: not UTF-8, a byte order mark, not JSON or more than one value, a key twice, a key outside
 * ASCII, a float, an integer beyond ±(2^53-1), half a surrogate pair, text not in NFC, or deeper than `max_depth`.
 */
export function parse_strict(data, { max_depth = MAX_DEPTH } = {}) {
  const text = decode_utf8(data, { name: "JSON" });
  if (text.startsWith(BYTE_ORDER_MARK)) throw new MalformedInput("JSON: begins with a byte order mark");
  const reader = new Reader(text);
  const value = reader.value(max_depth);
  reader.space();
  if (!reader.at_end()) throw reader.syntax_error();
  return value;
}

/** Write a value in its one form (RFC 8785 section 3.2). Throws MalformedInput: something in it has no such form. */
export function encode_canonical(value) {
  return encode_utf8(write(value, MAX_DEPTH));
}

/** Read bytes that are their own canonical form. Throws MalformedInput: as `parse_strict`, or they are not. */
export function require_canonical(data) {
  const value = parse_strict(data);
  if (!equal_bytes(encode_canonical(value), data)) {
    throw new MalformedInput("JSON: not in canonical form (RFC 8785)");
  }
  return value;
}

// --- reading (RFC 8259) -----------------------------------------------------------------------------------------

class Reader {
  #text;
  #position = 0;

  constructor(text) {
    this.#text = text;
  }

  at_end() {
    return this.#position === this.#text.length;
  }

  syntax_error() {
    return new MalformedInput(`JSON: syntax error at character ${this.#position}`);
  }

  space() {
    while (" \t\n\r".includes(this.#text[this.#position] ?? "x")) this.#position += 1;
  }

  value(depth_left) {
    this.space();
    switch (this.#text[this.#position]) {
      case "{":
        return this.#object(depth_left);
      case "[":
        return this.#array(depth_left);
      case '"':
        return this.#string();
      default:
        return this.#literal_or_number();
    }
  }

  #object(depth_left) {
    require_depth(depth_left);
    const members = Object.create(null);
    this.#members("}", () => {
      this.space();
      if (this.#text[this.#position] !== '"') throw this.syntax_error();
      const key = this.#string();
      require_key(key);
      if (key in members) throw new MalformedInput("JSON: a key stands twice in one object");
      this.space();
      this.#expect(":");
      members[key] = this.value(depth_left - 1);
    });
    return members;
  }

  #array(depth_left) {
    require_depth(depth_left);
    const items = [];
    this.#members("]", () => items.push(this.value(depth_left - 1)));
    return items;
  }

  /** What stands between brackets: nothing, or members with a comma between two. */
  #members(closing, read_one) {
    this.#position += 1;
    this.space();
    if (this.#take(closing)) return;
    do {
      read_one();
      this.space();
    } while (this.#take(","));
    this.#expect(closing);
  }

  #string() {
    this.#position += 1;
    let value = "";
    for (;;) {
      value += this.#match(PLAIN);
      if (this.#take('"')) break;
      this.#expect("\\"); // a raw control character or the end of the text is refused here
      value += this.#escaped();
    }
    require_text(value);
    return value;
  }

  #escaped() {
    const kind = this.#text[this.#position] ?? "";
    this.#position += 1;
    if (kind === "u") return String.fromCharCode(Number.parseInt(this.#match(UNICODE_ESCAPE), 16));
    if (!Object.hasOwn(ESCAPES, kind)) throw this.syntax_error();
    return ESCAPES[kind];
  }

  #literal_or_number() {
    for (const [word, value] of Object.entries(LITERALS)) {
      if (this.#text.startsWith(word, this.#position)) {
        this.#position += word.length;
        return value;
      }
    }
    const digits = this.#match(NUMBER);
    if (!INTEGER.test(digits)) throw new MalformedInput("JSON: a number with fraction or exponent, or minus zero");
    if (digits.length > MAX_SAFE_DIGITS) throw new MalformedInput("JSON: an integer beyond ±(2^53-1)");
    // Beyond 2^53 a number is rounded, but never to one within the bounds.
    const value = Number(digits);
    require_integer(value);
    return value;
  }

  #match(pattern) {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text);
    if (found === null) throw this.syntax_error();
    this.#position += found[0].length;
    return found[0];
  }

  #take(character) {
    if (this.#text[this.#position] !== character) return false;
    this.#position += 1;
    return true;
  }

  #expect(character) {
    if (!this.#take(character)) throw this.syntax_error();
  }
}

// --- writing, and the values that have a canonical form -----------------------------------------------------------

function write(value, depth_left) {
  switch (typeof value) {
    case "string":
      require_text(value);
      return JSON.stringify(value);
    case "number":
      require_integer(value);
      return String(value);
    case "boolean":
      return String(value);
    case "object":
      return value === null ? "null" : write_nested(value, depth_left);
    default:
      throw new MalformedInput(`JSON: no canonical form for ${typeof value}`);
  }
}

function write_nested(value, depth_left) {
  require_depth(depth_left);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth_left - 1)).join(",")}]`;
  const members = Object.keys(value).sort().map((key) => {
    require_key(key);
    return `${JSON.stringify(key)}:${write(value[key], depth_left - 1)}`;
  });
  return `{${members.join(",")}}`;
}

function require_depth(depth_left) {
  if (depth_left <= 0) throw new MalformedInput("JSON: nested too deep");
}

function require_integer(value) {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    throw new MalformedInput("JSON: an integer beyond ±(2^53-1), or none");
  }
}

function require_key(key) {
  if (/[^\u0000-\u007f]/.test(key)) throw new MalformedInput("JSON: a key outside ASCII");
}

function require_text(text) {
  if (!text.isWellFormed()) throw new MalformedInput("JSON: half a surrogate pair");
  if (text.normalize("NFC") !== text) throw new MalformedInput("JSON: text not in Unicode normalisation form C");
}
