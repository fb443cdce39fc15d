/**
 * Did the holder of this key, and nobody else, sign these bytes? The twin of `verifier/ed25519.py`.
 *
 * Points and scalars are those of @noble/ed25519; the equation is written here, because libraries differ in it (with
 * or without the cofactor), and a signature that one program accepts and another refuses helps only who signed it.
 * This is the one that OpenSSL checks (RFC 8032 section 5.1.7 without the factor 8): [S]B - [k]A encodes to R.
 * The browser's own Ed25519 is not used: not every browser has it, and none over plain HTTP from another machine.
 */

import { Point } from "../vendor/noble-ed25519-3.2.0/index.js";
import { sha512 } from "../vendor/noble-hashes-2.4.0/sha2.js";
import { concat_bytes, equal_bytes, hex } from "./builtins.js";
import { MalformedInput, SignatureDoesNotHold } from "./errors.js";

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

// Every encoding, canonical or not, of the eight points whose order divides 8, without the sign of x (highest bit).
const SMALL_ORDER_Y = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000", // order 4
  "0100000000000000000000000000000000000000000000000000000000000000", // order 1
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 4, y = p for 0
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 1, y = p + 1 for 1
]);

/** Refuse what cannot be somebody's public key. Throws MalformedInput: not 32 bytes, or a point of small order. */
export function require_public_key(public_key) {
  if (public_key.length !== PUBLIC_KEY_BYTES) {
    throw new MalformedInput(`public key: expected ${PUBLIC_KEY_BYTES} bytes, found ${public_key.length}`);
  }
  const y = Uint8Array.from(public_key);
  y[31] &= 0x7f;
  if (SMALL_ORDER_Y.has(hex(y))) {
    throw new MalformedInput("public key: a point of small order, with which everybody can sign");
  }
}

/**
 * Is this signature over this message by the holder of this key? `what` begins the message of the error.
 *
 * Throws MalformedInput: the key cannot be somebody's. SignatureDoesNotHold: it is not.
 */
export function verify_ed25519(message, { signature, public_key, what }) {
  require_public_key(public_key);
  if (!holds(message, signature, public_key)) {
    throw new SignatureDoesNotHold(`${what} does not fit these bytes`);
  }
}

function holds(message, signature, public_key) {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const encoded_r = signature.subarray(0, 32);
  const s = little_endian(signature.subarray(32));
  // Without this, S and S + L would be two signatures of one message.
  if (s >= Point.CURVE().n) return false;
  const a = point_or_null(public_key);
  if (a === null) return false;
  const k = little_endian(sha512(concat_bytes(encoded_r, public_key, message))) % Point.CURVE().n;
  // `false`: nothing here is secret, and zero is a legal scalar.
  const r = Point.BASE.multiply(s, false).add(a.multiply(k, false).negate());
  return equal_bytes(r.toBytes(), encoded_r);
}

function point_or_null(encoded) {
  try {
    // `true`: an y above p is reduced, as OpenSSL does; R is compared as bytes and never decoded.
    return Point.fromBytes(encoded, true);
  } catch {
    return null; // no point of the curve: nobody has this key, so nobody has signed
  }
}

function little_endian(data) {
  return BigInt(`0x${hex(Uint8Array.from(data).reverse())}`);
}
