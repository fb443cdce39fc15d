/**
 * How are numbers and bytes read from text without forgiving anything? The twin of `verifier/encoding.py`.
 *
 * `Number()` accepts "+1", "1e3", " 1" and ""; `atob` skips spaces, does without padding and ignores the unused bits
 * of the last character. Each would give one signed text two spellings. Here each value has exactly one.
 */

import { MalformedInput } from "./errors.js";

export const MAX_SIZE = 2n ** 63n - 1n; // of a tree, as tlog-tiles and tlog-witness implementations hold it

const DECIMAL = /^(?:0|[1-9][0-9]{0,18})$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** Read a decimal number (a BigInt) of ASCII digits, without sign, leading zeros or spaces. Throws MalformedInput. */
export function parse_decimal(text, { name, maximum = MAX_SIZE }) {
  if (!DECIMAL.test(text)) {
    throw new MalformedInput(`${name}: expected a decimal number without sign or leading zeros`);
  }
  const value = BigInt(text);
  if (value > maximum) {
    throw new MalformedInput(`${name}: expected at most ${maximum}, found ${value}`);
  }
  return value;
}

/** RFC 4648 section 4, with padding. */
export function encode_base64(data) {
  let binary = "";
  for (const byte of data) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Read base64 (RFC 4648 section 4) in the one form in which it is written. Throws MalformedInput. */
export function parse_base64(text, { name, length = null }) {
  if (!BASE64.test(text) || text.length % 4 !== 0) {
    throw new MalformedInput(`${name}: expected base64`);
  }
  const data = decode(text, name);
  // Unused bits of the last character.
  if (encode_base64(data) !== text) {
    throw new MalformedInput(`${name}: expected base64 in its canonical form`);
  }
  return of_length(data, { name, length });
}

/** RFC 4648 section 5 without padding, as JOSE has it (RFC 7515 section 2). */
export function encode_base64url(data) {
  return encode_base64(data).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Read base64url without padding (RFC 7515 section 2). Throws MalformedInput. */
export function parse_base64url(text, { name, length = null }) {
  if (!BASE64URL.test(text) || text.length % 4 === 1) {
    throw new MalformedInput(`${name}: expected base64url without padding`);
  }
  const data = decode(text.replaceAll("-", "+").replaceAll("_", "/"), name);
  if (encode_base64url(data) !== text) {
    throw new MalformedInput(`${name}: expected base64url in its canonical form`);
  }
  return of_length(data, { name, length });
}

function decode(text, name) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new MalformedInput(`${name}: expected base64`);
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function of_length(data, { name, length }) {
  if (length !== null && data.length !== length) {
    throw new MalformedInput(`${name}: expected ${length} bytes, found ${data.length}`);
  }
  return data;
}
