/**
 * What does an entry say, and who signed it? The twin of `verifier/envelope.py`, where each attribute is described.
 *
 * To check a signature: require that the entry equals its own canonical form, drop the attributes that were added
 * later, encode, verify.
 */

import { is_object } from "./builtins.js";
import { encode_canonical, require_canonical } from "./canonical.js";
import { PUBLIC_KEY_BYTES } from "./ed25519.js";
import { parse_base64url } from "./encoding.js";
import { MalformedInput, SignatureDoesNotHold } from "./errors.js";
import { key_id, parse_detached, verify_jws } from "./jws.js";

export const MAX_ENTRY_BYTES = 65_535;
export const SUBMISSION_TYP = "ledger-submission+jws";
export const APPROVAL_TYP = "ledger-approval+jws";

export const REQUIRED_ATTRIBUTES = ["specversion", "id", "source", "type", "subject", "time", "data"];
export const OPTIONAL_ATTRIBUTES = ["legaldate", "sequence", "expectedposition", "signature", "approval"];
export const SERVICE_ATTRIBUTES = ["position", "recordedtime"];

const GENESIS_TYPE = "registry.log-created.v1";
const GENESIS_SUBJECT = "registry/log";
const ROOT_KEYS = 3;
const ROOT_THRESHOLD = 2;

// --- reading ------------------------------------------------------------------------------------------------------

/**
 * Read an entry of the log: its attributes, each of its form, none too few or too many.
 *
 * Throws MalformedInput: it is too long, not canonical, or not such an entry.
 */
export function parse_entry(entry) {
  if (entry.length > MAX_ENTRY_BYTES) {
    throw new MalformedInput(`entry: expected at most ${MAX_ENTRY_BYTES} bytes, found ${entry.length}`);
  }
  const attributes = require_canonical(entry);
  if (!is_object(attributes)) throw new MalformedInput("entry: expected a JSON object");
  require_attributes(attributes, [...REQUIRED_ATTRIBUTES, ...SERVICE_ATTRIBUTES]);
  return attributes;
}

function require_attributes(attributes, required) {
  const missing = required.filter((name) => !(name in attributes)).sort();
  if (missing.length) throw new MalformedInput(`entry: missing attribute ${missing[0]}`);
  const allowed = new Set([...required, ...OPTIONAL_ATTRIBUTES]);
  const names = Object.keys(attributes);
  const unknown = names.filter((name) => !allowed.has(name)).length;
  if (unknown) throw new MalformedInput(`entry: ${unknown} attributes that it cannot have`);
  for (const name of names) {
    if (!FORMS[name](attributes[name])) throw new MalformedInput(`entry: attribute ${name} is not of its form`);
  }
  if ("approval" in attributes && !("signature" in attributes)) {
    throw new MalformedInput("entry: an approval without the signature that it approves");
  }
}

// --- the form of each attribute -------------------------------------------------------------------------------------

function matching(pattern) {
  return (value) => typeof value === "string" && pattern.test(value);
}

function integer_from(minimum) {
  return (value) => Number.isSafeInteger(value) && value >= minimum;
}

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$/;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const JWS = matching(/^[A-Za-z0-9_-]{1,512}\.\.[A-Za-z0-9_-]{86}$/);

/** RFC 3339 in UTC with milliseconds, and a moment that the calendar has. */
function is_time(value) {
  return matching(TIME)(value) && in_calendar(value);
}

function is_date(value) {
  return matching(DATE)(value) && in_calendar(value);
}

/** Is the day one of the years 1 to 9999? `Date` would read 30 February as 2 March. */
function in_calendar(value) {
  const [year, month, day] = value.slice(0, 10).split("-").map(Number);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return year >= 1 && day >= 1 && day <= days;
}

const FORMS = {
  specversion: matching(/^1\.0$/),
  id: matching(/^[A-Za-z0-9._:/-]{1,128}$/),
  source: matching(/^urn:kr:agency:[a-z0-9][a-z0-9-]{0,62}$/),
  type: matching(/^[a-z]{1,32}\.[a-z0-9-]{1,64}\.v[1-9][0-9]{0,3}$/),
  subject: matching(/^[a-z]{1,32}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,3}$/),
  time: is_time,
  data: is_object,
  legaldate: is_date,
  sequence: matching(/^(?:0|[1-9][0-9]{0,18})$/),
  expectedposition: integer_from(0),
  signature: JWS,
  approval: JWS,
  position: integer_from(1),
  recordedtime: is_time,
};

// --- what is signed -------------------------------------------------------------------------------------------------

/** Which bytes does `signature` cover? The canonical submission without `signature` and `approval`. */
export function submission_payload(attributes) {
  return encode_without(attributes, [...SERVICE_ATTRIBUTES, "signature", "approval"]);
}

/** Which bytes does `approval` cover? The canonical submission with `signature`. */
export function approval_payload(attributes) {
  if (!("signature" in attributes)) throw new MalformedInput("approval: there is no signature to approve");
  return encode_without(attributes, [...SERVICE_ATTRIBUTES, "approval"]);
}

function encode_without(attributes, left_out) {
  const kept = Object.create(null);
  for (const name of Object.keys(attributes)) {
    if (!left_out.includes(name)) kept[name] = attributes[name];
  }
  return encode_canonical(kept);
}

/** Which key says it made this `signature` or `approval`? Look the key up, then verify with it. */
export function signature_kid(detached) {
  const { kid, typ } = parse_detached(detached).header;
  if (typ !== SUBMISSION_TYP && typ !== APPROVAL_TYP) {
    throw new MalformedInput("signature: its header names another type of signature");
  }
  return kid;
}

/**
 * Did the holder of this key sign this submission (or the entry that it became)?
 *
 * Throws MalformedInput: the signature is no detached JWS of this ledger. SignatureDoesNotHold: there is none, or it
 * is by another key or over another submission.
 */
export function verify_signature(attributes, { public_key }) {
  verify(attributes, "signature", { payload: submission_payload, public_key, typ: SUBMISSION_TYP });
}

/** Did the holder of this key approve this signed submission, being another than the signer? Throws as above. */
export function verify_approval(attributes, { public_key }) {
  verify(attributes, "approval", { payload: approval_payload, public_key, typ: APPROVAL_TYP });
  if (signature_kid(attributes.signature) === signature_kid(attributes.approval)) {
    throw new MalformedInput("approval: expected another key than the one that signed");
  }
}

function verify(attributes, attribute, { payload, public_key, typ }) {
  const detached = attributes[attribute];
  if (typeof detached !== "string") throw new SignatureDoesNotHold(`expected attribute ${attribute}, found none`);
  verify_jws(detached, payload(attributes), { public_key, typ });
}

// --- the first entry ------------------------------------------------------------------------------------------------

/**
 * Is this entry 0 of the log that we pinned? Returns its `data`, which names the keys from which authority follows.
 *
 * 1. It is an entry: canonical, with its attributes.
 * 2. It is the first event of `registry/log`.
 * 3. It names the origin (the name of the key if not given) and the key that the caller pinned.
 * 4. It names three different root keys, each by its thumbprint, and a threshold of two.
 * 5. One root key signed it, another approved it.
 *
 * Throws MalformedInput: one of 1 to 4 does not hold. SignatureDoesNotHold: 5 does not hold.
 */
export function verify_genesis(entry, { vkey, origin = null }) {
  // 1.
  const attributes = parse_entry(entry);
  // 2.
  require_equal("type", GENESIS_TYPE, attributes.type);
  require_equal("subject", GENESIS_SUBJECT, attributes.subject);
  require_equal("position", 1, attributes.position);
  // 3.
  const { data } = attributes;
  require_equal("origin", origin ?? vkey.name, data.origin);
  require_equal("log_key", String(vkey), data.log_key);
  // 4.
  require_equal("root_threshold", ROOT_THRESHOLD, data.root_threshold);
  const root_keys = parse_root_keys(data.root_keys);
  // 5.
  verify_signature(attributes, { public_key: root_key(root_keys, attributes, "signature") });
  verify_approval(attributes, { public_key: root_key(root_keys, attributes, "approval") });
  return data;
}

function require_equal(name, expected, found) {
  if (found !== expected) throw new MalformedInput(`genesis entry: expected ${name} ${expected}, found another`);
}

function parse_root_keys(value) {
  if (!Array.isArray(value) || value.length !== ROOT_KEYS) {
    throw new MalformedInput(`genesis entry: expected ${ROOT_KEYS} root keys`);
  }
  const keys = new Map();
  for (const item of value) {
    if (!is_object(item) || typeof item.public_key !== "string") {
      throw new MalformedInput("genesis entry: expected root keys with kid and public_key");
    }
    const public_key = parse_base64url(item.public_key, { name: "root key", length: PUBLIC_KEY_BYTES });
    require_equal("kid of a root key", key_id(public_key), item.kid);
    keys.set(item.kid, public_key);
  }
  if (keys.size !== ROOT_KEYS) throw new MalformedInput(`genesis entry: expected ${ROOT_KEYS} different root keys`);
  return keys;
}

function root_key(root_keys, attributes, attribute) {
  const detached = attributes[attribute];
  if (detached === undefined) throw new SignatureDoesNotHold(`genesis entry: expected attribute ${attribute}, found none`);
  const kid = signature_kid(detached);
  if (!root_keys.has(kid)) throw new SignatureDoesNotHold(`genesis entry: ${attribute} is by ${kid}, which is no root key`);
  return root_keys.get(kid);
}
