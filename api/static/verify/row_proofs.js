/**
 * Is this row, or no row of this key, in a report that the log holds, checked from one file? The twin of
 * `verifier/row_proofs.py`; docs/report-proof.md describes the file and the order of the checks.
 */

import { comes_before, encode_utf8, is_object } from "./builtins.js";
import { require_canonical } from "./canonical.js";
import { verify_checkpoint } from "./checkpoints.js";
import { parse_base64 } from "./encoding.js";
import { signature_kid, verify_signature } from "./envelope.js";
import { MalformedInput, ProofDoesNotHold } from "./errors.js";
import { HASH_BYTES, leaf_hash } from "./hashing.js";
import { MAX_HASHES } from "./proofs.js";
import { parse_report_entry, parse_row, require_report_place, require_row_key, row_order } from "./reports.js";
import { verify_inclusion } from "./tree.js";

export const FORMAT = "ledger-row-proof/v1";
export const MAX_ROW_PROOF_BYTES = 262_144;
export const PRESENT = "present";
export const ABSENT = "absent";

const MEMBERS = ["checkpoint", "claim", "entry", "format", "inclusion", "index", "row_key", "rows"];
const ROW_MEMBERS = ["index", "path", "row"];

/**
 * Check a row proof (bytes); the log's key is pinned by the caller, and so is what the caller asked for, where given.
 *
 * 1. Read the file.
 * 2. The log's key has signed the checkpoint, and it is of this origin (the name of the key if not given).
 * 3. The entry leads, at its index, to the root of the checkpoint.
 * 4. The entry publishes a report: of its stream, signed, computed from entries before its own.
 * 5. It is the report and the row that were asked for; the publisher's key, if given, has signed it.
 * 6. Every row leads, at its index among `row_count`, to the rows root.
 * 7. The rows bear the claim: the one row has the key; or no row can stand where the key would.
 *
 * Returns {row_key, row (null if absent), report, index, source, publisher_kid, publisher_checked, checkpoint}.
 * Throws MalformedInput: a part is not of its form, or another report or row than the one asked for.
 * SignatureDoesNotHold: the log's or the publisher's key has not signed. ProofDoesNotHold: hashes do not lead to a
 * root, or the rows do not bear the claim.
 */
export function verify_row_proof(
  proof,
  { vkey, origin = null, publisher_key = null, kind = null, key = null, row_key = null },
) {
  // 1.
  const parsed = parse_row_proof(proof);
  // 2.
  const checkpoint = verify_checkpoint(parsed.checkpoint, { vkey, origin });
  // 3.
  verify_inclusion(leaf_hash(parsed.entry), {
    index: parsed.index,
    tree_size: checkpoint.tree_size,
    proof: parsed.inclusion,
    root: checkpoint.root_hash,
  });
  // 4.
  const { report, attributes } = parse_report_entry(parsed.entry);
  require_report_place(report, { index: parsed.index });
  // 5.
  require_asked("kind", kind, report.kind);
  require_asked("key", key, report.key);
  require_asked("row", row_key, parsed.row_key);
  if (publisher_key !== null) verify_signature(attributes, { public_key: publisher_key });
  // 6. and 7.
  const row = verify_rows(parsed.rows, { claim: parsed.claim, row_key: parsed.row_key, report });
  return {
    row_key: parsed.row_key,
    row,
    report,
    index: parsed.index,
    source: attributes.source,
    publisher_kid: signature_kid(attributes.signature),
    publisher_checked: publisher_key !== null,
    checkpoint,
  };
}

/**
 * Do these rows show that the report has a row of this key (gives it), or that it has none (null)?
 *
 * Throws MalformedInput: a row is none, or its index is not below the report's row count. ProofDoesNotHold: a path
 * does not lead to the rows root, or the rows do not bear the claim.
 */
export function verify_rows(rows, { claim, row_key, report }) {
  const parsed = rows.map(({ row, index, path }) => {
    const value = parse_row(row);
    verify_inclusion(leaf_hash(row), { index, tree_size: report.row_count, proof: path, root: report.rows_root });
    return value;
  });
  if (claim === PRESENT) {
    if (parsed.length !== 1 || parsed[0].key !== row_key) {
      throw new ProofDoesNotHold("presence: expected the one row with the key that was asked for");
    }
    return parsed[0];
  }
  const places = rows.map(({ index }) => index);
  const keys = parsed.map(({ key }) => row_order(key));
  require_absent(row_order(row_key), { keys, places, row_count: report.row_count });
  return null;
}

/** No row can stand where the asked key would: rows are sorted by key. */
function require_absent(asked, { keys, places, row_count }) {
  let holds = false;
  if (row_count === 0n) {
    holds = keys.length === 0;
  } else if (keys.length === 2) {
    holds = places[0] + 1n === places[1] && comes_before(keys[0], asked) && comes_before(asked, keys[1]);
  } else if (keys.length === 1) {
    const before_first = places[0] === 0n && comes_before(asked, keys[0]);
    const after_last = places[0] === row_count - 1n && comes_before(keys[0], asked);
    holds = before_first || after_last;
  }
  if (!holds) throw new ProofDoesNotHold("absence: expected the rows between which the key would stand");
}

function require_asked(name, asked, found) {
  if (asked !== null && asked !== found) {
    throw new MalformedInput(`row proof: of another ${name} than the one that was asked for`);
  }
}

// --- the file ---------------------------------------------------------------------------------------------------

/**
 * Read a row proof without believing it: {claim, row_key, rows, entry, index, inclusion, checkpoint}.
 *
 * Throws MalformedInput: it is too long, not canonical, of another format, or a member is missing, unknown or not of
 * its form.
 */
export function parse_row_proof(data) {
  if (data.length > MAX_ROW_PROOF_BYTES) {
    throw new MalformedInput(`row proof: expected at most ${MAX_ROW_PROOF_BYTES} bytes, found ${data.length}`);
  }
  const value = require_members(require_canonical(data), MEMBERS);
  if (value.format !== FORMAT) throw new MalformedInput(`row proof: expected format ${FORMAT}`);
  if (value.claim !== PRESENT && value.claim !== ABSENT) {
    throw new MalformedInput(`row proof: expected the claim ${PRESENT} or ${ABSENT}`);
  }
  if (!Array.isArray(value.rows) || value.rows.length > 2) {
    throw new MalformedInput("row proof: expected at most two rows");
  }
  return {
    claim: value.claim,
    row_key: require_row_key(value.row_key),
    rows: value.rows.map(parse_placed),
    entry: parse_text(value.entry, "entry"),
    index: parse_index(value.index),
    inclusion: parse_hashes(value.inclusion),
    checkpoint: parse_text(value.checkpoint, "checkpoint"),
  };
}

function parse_placed(value) {
  const { row, index, path } = require_members(value, ROW_MEMBERS);
  return { row: parse_text(row, "row"), index: parse_index(index), path: parse_hashes(path) };
}

function require_members(value, members) {
  const names = is_object(value) ? Object.keys(value) : [];
  if (names.length !== members.length || !members.every((name) => names.includes(name))) {
    throw new MalformedInput(`row proof: expected the members ${members.join(", ")}`);
  }
  return value;
}

function parse_index(value) {
  if (!Number.isSafeInteger(value) || value < 0) throw new MalformedInput("row proof: expected an index of 0 or more");
  return BigInt(value);
}

function parse_text(value, name) {
  if (typeof value !== "string") throw new MalformedInput(`row proof: expected its ${name} to be text`);
  return encode_utf8(value);
}

function parse_hashes(value) {
  if (!Array.isArray(value) || value.length > MAX_HASHES) {
    throw new MalformedInput(`row proof: expected at most ${MAX_HASHES} hashes`);
  }
  if (!value.every((item) => typeof item === "string")) {
    throw new MalformedInput("row proof: expected hashes in base64");
  }
  return value.map((item) => parse_base64(item, { name: "hash of the row proof", length: HASH_BYTES }));
}
