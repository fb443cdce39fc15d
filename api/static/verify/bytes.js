/**
 * How are bytes compared, joined and shown? What Python's `bytes` can do by itself, and JavaScript's cannot.
 */

import { MalformedInput } from "./errors.js";

const ENCODER = new TextEncoder();
// fatal: bytes that are not UTF-8 are refused, not replaced. ignoreBOM: a byte order mark is seen, not swallowed.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function equal_bytes(one, other) {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
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
