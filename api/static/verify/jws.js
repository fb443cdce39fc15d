/**
 * Who signed these bytes, when the bytes stand elsewhere? The twin of `verifier/jws.py`: a detached JWS (RFC 7515
 * appendix F) with Ed25519 (RFC 8037).
 *
 *     detached      = BASE64URL(header) || ".." || BASE64URL(signature)
 *     signing input = BASE64URL(header) || "."  || BASE64URL(payload)
 *     header        = {"alg":"EdDSA","kid":"<thumbprint>","typ":"<what is signed>"}      exactly these bytes
 *
 * `kid` is the key's RFC 7638 thumbprint. `typ` keeps the kinds of signatures apart. No other header is read: nothing
 * in it can choose the algorithm or the key.
 */

import { encode_utf8 } from "./builtins.js";
import { SIGNATURE_BYTES, require_public_key, verify_ed25519 } from "./ed25519.js";
import { encode_base64url, parse_base64url } from "./encoding.js";
import { MalformedInput, SignatureDoesNotHold } from "./errors.js";
import { sha256 } from "./hashing.js";

const HEADER = /^\{"alg":"EdDSA","kid":"([A-Za-z0-9_-]{43})","typ":"([a-z0-9+.-]{1,64})"\}$/;

/** What is the name of this Ed25519 key (RFC 7638 thumbprint)? Throws MalformedInput: it cannot be somebody's. */
export function key_id(public_key) {
  require_public_key(public_key);
  return encode_base64url(sha256(encode_utf8(`{"crv":"Ed25519","kty":"OKP","x":"${encode_base64url(public_key)}"}`)));
}

/** Take a detached JWS apart, {header: {kid, typ}, signature}, without believing it. Throws MalformedInput. */
export function parse_detached(detached) {
  const dots = detached.indexOf("..");
  if (dots < 0) throw new MalformedInput("signature: expected a detached JWS, <header>..<signature>");
  const header = parse_base64url(detached.slice(0, dots), { name: "signature's header" });
  // One character a byte: what is not ASCII cannot match.
  const match = HEADER.exec(String.fromCharCode(...header.subarray(0, 1024)));
  if (match === null || header.length > 1024) {
    throw new MalformedInput('signature: expected header {"alg":"EdDSA","kid":…,"typ":…}');
  }
  const signature = parse_base64url(detached.slice(dots + 2), { name: "signature", length: SIGNATURE_BYTES });
  return { header: { kid: match[1], typ: match[2] }, signature };
}

/**
 * Did the holder of this key sign this payload, as this type?
 *
 * Throws MalformedInput: the signature is spelled otherwise, or the key cannot be somebody's. SignatureDoesNotHold: it
 * is by another key, of another type, or over other bytes.
 */
export function verify_jws(detached, payload, { public_key, typ }) {
  const parsed = parse_detached(detached);
  const expected = { kid: key_id(public_key), typ };
  for (const part of ["kid", "typ"]) {
    if (parsed.header[part] !== expected[part]) {
      throw new SignatureDoesNotHold(`signature: expected ${part} ${expected[part]}, found ${parsed.header[part]}`);
    }
  }
  verify_ed25519(signing_input(expected, payload), {
    signature: parsed.signature,
    public_key,
    what: `signature: the one by key ${expected.kid}`,
  });
}

function signing_input({ kid, typ }, payload) {
  const header = encode_base64url(encode_utf8(`{"alg":"EdDSA","kid":"${kid}","typ":"${typ}"}`));
  return encode_utf8(`${header}.${encode_base64url(payload)}`);
}
