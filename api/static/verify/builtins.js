/**
 * What does Python have by itself, and JavaScript not? Bytes that are compared, joined and shown; strict UTF-8; and the
 * question whether a value is an object.
 */

import { MalformedInput } from "./errors.js";

const ENCODER = new TextEncoder();
// fatal: bytes that are not UTF-8 are refused, not replaced. ignoreBOM: a byte order mark is seen, not swallowed.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function equal_bytes(one, other) {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** Do these bytes come before the others, as Python's `<` has it? A beginning comes before what it begins. */
export function comes_before(one, other) {
  const differs = one.findIndex((byte, i) => byte !== other[i]);
  return differs < 0 ? one.length < other.length : differs < other.length && one[differs] < other[differs];
}

export function concat_bytes(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

export function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function encode_utf8(text) {
  return ENCODER.encode(text);
}

/** Read UTF-8. Throws MalformedInput: it is not. */
export function decode_utf8(data, { name }) {
  try {
    return DECODER.decode(data);
  } catch {
    throw new MalformedInput(`${name}: not UTF-8`);
  }
}

/** `isinstance(value, dict)`. */
export function is_object(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
