/**
 * What is the hash of an entry, and of two hashes together? The twin of `verifier/hashing.py` (RFC 6962 section 2.1):
 *
 *     leaf hash = SHA-256(0x00 || entry)
 *     node hash = SHA-256(0x01 || left || right)
 *     empty     = SHA-256()
 *
 * SHA-256 is that of @noble/hashes and not the browser's: the browser's is asynchronous, and a page that is served
 * without TLS from another machine does not have it.
 */

import { sha256 } from "../vendor/noble-hashes-2.4.0/sha2.js";
import { concat_bytes } from "./builtins.js";
import { MalformedInput } from "./errors.js";

export { sha256 };

export const HASH_BYTES = 32;
export const LEAF_PREFIX = Uint8Array.of(0x00);
export const NODE_PREFIX = Uint8Array.of(0x01);
export const EMPTY_ROOT = sha256(new Uint8Array(0));

/** Hash an entry as a leaf of the log (RFC 6962 section 2.1). */
export function leaf_hash(entry) {
  return sha256(concat_bytes(LEAF_PREFIX, entry));
}

/** Hash two subtrees into the one above them (RFC 6962 section 2.1). */
export function node_hash(left, right) {
  return sha256(concat_bytes(NODE_PREFIX, left, right));
}

/** Refuse what cannot be a SHA-256 digest. Throws MalformedInput: `value` is not 32 bytes. */
export function require_hash(value, { name }) {
  if (value.length !== HASH_BYTES) {
    throw new MalformedInput(`${name}: expected ${HASH_BYTES} bytes, found ${value.length}`);
  }
}
