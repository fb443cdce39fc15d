/**
 * What does a published report commit to, and what is a row of it? The twin of `verifier/reports.py`.
 *
 * A row is the canonical JSON of an object whose member `key` names it; rows are sorted by the UTF-8 bytes of their
 * keys. The entry `report.published.v1` on the stream `report/<kind>/<key>` holds the RFC 6962 root over the rows.
 */

import { encode_utf8, equal_bytes, is_object } from "./builtins.js";
import { require_canonical } from "./canonical.js";
import { parse_entry } from "./envelope.js";
import { MalformedInput } from "./errors.js";
import { EMPTY_ROOT } from "./hashing.js";

export const REPORT_TYPE = "report.published.v1";
export const MAX_ROW_BYTES = 65_535;
export const MAX_ROW_KEY_BYTES = 512;

const MEMBERS = ["kind", "key", "tree_size", "row_count", "rows_root", "definition"];
// What the entry format lets any event say beside its own members.
const COMMON_MEMBERS = ["basis", "documents", "actor_role", "corrects", "provenance", "note_ko", "note_en"];
const DEFINITION_MEMBERS = ["name", "version", "sha256"];
const KIND = /^[a-z][a-z0-9-]{0,63}$/;
const KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;

// --- rows -------------------------------------------------------------------------------------------------------

/** Read a row, which must be its own canonical form. Throws MalformedInput: too long, no object, or without key. */
export function parse_row(data) {
  // Before anything is parsed.
  if (data.length > MAX_ROW_BYTES) {
    throw new MalformedInput(`row: expected at most ${MAX_ROW_BYTES} bytes, found ${data.length}`);
  }
  const row = require_canonical(data);
  if (!is_object(row)) throw new MalformedInput("row: expected a JSON object");
  require_row_key(row.key);
  return row;
}

/** By what are rows sorted? The UTF-8 bytes of the key; UTF-16 units, as `<` compares texts, differ. */
export function row_order(key) {
  return encode_utf8(key);
}

/** Refuse what cannot name a row. Throws MalformedInput: it is no text of 1 to `MAX_ROW_KEY_BYTES` bytes. */
export function require_row_key(key) {
  if (typeof key !== "string" || key === "" || encode_utf8(key).length > MAX_ROW_KEY_BYTES) {
    throw new MalformedInput(`row: expected a key of 1 to ${MAX_ROW_KEY_BYTES} bytes`);
  }
  return key;
}

// --- the entry --------------------------------------------------------------------------------------------------

/**
 * Read an entry of the log that publishes a report; gives {report, attributes}.
 *
 * Throws MalformedInput: it is no entry, of another type, of another stream than its kind and key say, unsigned, or
 * its payload is not of the form.
 */
export function parse_report_entry(entry) {
  const attributes = parse_entry(entry);
  if (attributes.type !== REPORT_TYPE) throw new MalformedInput(`report: expected an entry of type ${REPORT_TYPE}`);
  if (!("signature" in attributes)) throw new MalformedInput("report: expected a signed entry");
  const report = parse_report(attributes.data);
  if (attributes.subject !== `report/${report.kind}/${report.key}`) {
    throw new MalformedInput("report: its kind and key are not those of its stream");
  }
  return { report, attributes };
}

/**
 * Read the payload of `report.published.v1`: {kind, key, tree_size, row_count, rows_root, definition}, sizes as
 * BigInts. Throws MalformedInput: a member is missing, unknown, or not of its form.
 */
export function parse_report(data) {
  const known = [...MEMBERS, ...COMMON_MEMBERS];
  if (!MEMBERS.every((name) => name in data) || !Object.keys(data).every((name) => known.includes(name))) {
    throw new MalformedInput("report: a member is missing or unknown");
  }
  const report = {
    kind: matching(data.kind, KIND, "kind"),
    key: matching(data.key, KEY, "key"),
    tree_size: BigInt(integer(data.tree_size, "tree_size", { minimum: 1 })),
    row_count: BigInt(integer(data.row_count, "row_count", { minimum: 0 })),
    rows_root: from_hex(matching(data.rows_root, SHA256_HEX, "rows_root")),
    definition: parse_definition(data.definition),
  };
  if (report.row_count === 0n && !equal_bytes(report.rows_root, EMPTY_ROOT)) {
    throw new MalformedInput("report: no rows, with a root that is not the empty tree's");
  }
  return report;
}

/** Refuse a report that says it was computed from entries which come after its own. Throws MalformedInput. */
export function require_report_place(report, { index }) {
  if (report.tree_size > index) {
    throw new MalformedInput(`report: computed at tree size ${report.tree_size}, but published at index ${index}`);
  }
}

function parse_definition(value) {
  const names = is_object(value) ? Object.keys(value) : [];
  if (names.length !== DEFINITION_MEMBERS.length || !DEFINITION_MEMBERS.every((name) => names.includes(name))) {
    throw new MalformedInput("report: expected a definition of name, version and sha256");
  }
  return {
    name: matching(value.name, KIND, "definition's name"),
    version: integer(value.version, "definition's version", { minimum: 1 }),
    sha256: matching(value.sha256, SHA256_HEX, "definition's sha256"),
  };
}

function matching(value, form, name) {
  if (typeof value !== "string" || !form.test(value)) {
    throw new MalformedInput(`report: its ${name} is not of its form`);
  }
  return value;
}

function integer(value, name, { minimum }) {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new MalformedInput(`report: expected ${name} to be an integer of ${minimum} or more`);
  }
  return value;
}

function from_hex(text) {
  return Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16));
}
