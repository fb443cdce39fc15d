/**
 * Did the holder of this key sign this text? The twin of `verifier/notes.py` (https://c2sp.org/signed-note v1.0.0):
 *
 *     <text>
 *                                                             (an empty line: the last one of the note)
 *     — <key name> <base64 of key id (4 bytes) and signature>
 *
 *     key id       = SHA-256(key name || 0x0A || type byte || public key)[:4]
 *     verifier key = <key name>+<key id in hex>+<base64 of type byte and public key>      ("vkey")
 *
 * Type 0x01 is Ed25519 over the text. Lines by keys we do not know are passed over. A known key with a signature that
 * does not fit rejects the whole note.
 */

import { concat_bytes, decode_utf8, encode_utf8, equal_bytes, hex } from "./builtins.js";
import { PUBLIC_KEY_BYTES, require_public_key, verify_ed25519 } from "./ed25519.js";
import { encode_base64, parse_base64 } from "./encoding.js";
import { MalformedInput, SignatureDoesNotHold } from "./errors.js";
import { sha256 } from "./hashing.js";

export const ED25519 = 0x01;
export const KEY_ID_BYTES = 4;
export const MAX_NOTE_BYTES = 1_000_000;
export const MAX_SIGNATURES = 100;

const KEY_ID_HEX = /^[0-9a-f]{8}$/;
// What Unicode calls white space, as Python's str.isspace has it; JavaScript's \s is another set.
const SPACE = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const CONTROL = /[\u0000-\u001f]/;
const CONTROL_BUT_NEWLINE = /[\u0000-\u0009\u000b-\u001f]/;

/** The public key that a caller pins: whose signatures count. Its text form is the *vkey*. */
export class VerifierKey {
  constructor({ name, key_id, algorithm, public_key }) {
    Object.assign(this, { name, key_id, algorithm, public_key });
    Object.freeze(this);
  }

  /** The Ed25519 verifier key of this name. Throws MalformedInput: no such name or key can be. */
  static of(name, public_key) {
    require_name(name);
    require_public_key(public_key);
    return new VerifierKey({ name, key_id: key_id(name, ED25519, public_key), algorithm: ED25519, public_key });
  }

  /** Read a vkey. Throws MalformedInput: spelled otherwise, its key id is not its key's, or not Ed25519. */
  static parse(vkey) {
    // At the first two plus signs: base64 has plus signs of its own.
    const match = /^([^+]*)\+([^+]*)\+([^]*)$/.exec(vkey);
    if (match === null || !KEY_ID_HEX.test(match[2])) {
      throw new MalformedInput("verifier key: expected <name>+<key id>+<base64>");
    }
    const [, name, key_id_hex, encoded] = match;
    require_name(name);
    const typed_key = parse_base64(encoded, { name: "verifier key" });
    if (typed_key.length !== 1 + PUBLIC_KEY_BYTES || typed_key[0] !== ED25519) {
      throw new MalformedInput("verifier key: expected type 0x01 (Ed25519) and 32 bytes");
    }
    const key = VerifierKey.of(name, typed_key.slice(1));
    if (hex(key.key_id) !== key_id_hex) {
      throw new MalformedInput(`verifier key: expected key id ${hex(key.key_id)}, found ${key_id_hex}`);
    }
    return key;
  }

  toString() {
    const typed_key = concat_bytes(Uint8Array.of(this.algorithm), this.public_key);
    return `${this.name}+${hex(this.key_id)}+${encode_base64(typed_key)}`;
  }

  /** Is this signature over this text by this key? Throws SignatureDoesNotHold: it is not. */
  verify(text, signature) {
    verify_ed25519(encode_utf8(text), {
      signature,
      public_key: this.public_key,
      what: `note: the signature by ${this.name} (${hex(this.key_id)})`,
    });
  }
}

/** Read a note ({text, signatures}) without believing it. Throws MalformedInput: the bytes are no note. */
export function parse_note(data) {
  if (data.length > MAX_NOTE_BYTES) {
    throw new MalformedInput(`note: expected at most ${MAX_NOTE_BYTES} bytes, found ${data.length}`);
  }
  const whole = decode_utf8(data, { name: "note" });
  // The last empty line divides: a text may hold empty lines, signature lines may not.
  const divider = whole.lastIndexOf("\n\n");
  if (divider < 0) throw new MalformedInput("note: expected an empty line before the signatures");
  const text = whole.slice(0, divider + 1);
  const signature_lines = whole.slice(divider + 2);
  if (CONTROL_BUT_NEWLINE.test(text)) throw new MalformedInput("note: a control character other than newline");
  if (!signature_lines.endsWith("\n")) {
    throw new MalformedInput("note: expected signature lines that end with a newline");
  }
  const lines = signature_lines.slice(0, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) {
    throw new MalformedInput(`note: expected at most ${MAX_SIGNATURES} signatures, found ${lines.length}`);
  }
  return { text, signatures: lines.map(parse_signature_line) };
}

/**
 * Read a note that at least one of these keys has signed, and return its text.
 *
 * Throws MalformedInput: the bytes are no note, or two of the keys have one name and key id. SignatureDoesNotHold:
 * none of the keys has signed, or a signature by one of them does not fit.
 */
export function verify_note(data, keys) {
  const known = new Map();
  for (const key of keys) {
    const other = known.get(label(key)) ?? key;
    if (!equal_bytes(other.public_key, key.public_key)) {
      throw new MalformedInput(`verifier keys: two with name ${key.name} and id ${hex(key.key_id)}`);
    }
    known.set(label(key), key);
  }
  const note = parse_note(data);
  let verified = 0;
  for (const line of note.signatures) {
    const signer = known.get(label(line));
    if (signer !== undefined) {
      signer.verify(note.text, line.signature);
      verified += 1;
    }
  }
  if (verified === 0) {
    const names = keys.map((key) => key.name).sort().join(", ") || "(no key given)";
    throw new SignatureDoesNotHold(`note: expected a signature by ${names}, found none`);
  }
  return note.text;
}

/** Name and key id as one key of a Map: no name holds a plus sign. */
function label({ name, key_id }) {
  return `${name}+${hex(key_id)}`;
}

/** SHA-256(key name || 0x0A || type byte || public key)[:4] (signed-note, "Signatures"). */
function key_id(name, algorithm, public_key) {
  const named = concat_bytes(encode_utf8(`${name}\n`), Uint8Array.of(algorithm), public_key);
  return sha256(named).slice(0, KEY_ID_BYTES);
}

function require_name(name) {
  if (name === "" || name.includes("+") || SPACE.test(name) || CONTROL.test(name) || !name.isWellFormed()) {
    throw new MalformedInput("key name: expected text without spaces, plus signs and control characters");
  }
}

function parse_signature_line(line) {
  const match = /^\u2014 ([^ ]*) ([^]*)$/.exec(line);
  if (match === null) throw new MalformedInput("note: expected a signature line: em dash, key name, base64");
  const [, name, encoded] = match;
  require_name(name);
  const data = parse_base64(encoded, { name: "note signature" });
  if (data.length <= KEY_ID_BYTES) throw new MalformedInput("note signature: expected a key id and a signature");
  return { name, key_id: data.slice(0, KEY_ID_BYTES), signature: data.slice(KEY_ID_BYTES) };
}
