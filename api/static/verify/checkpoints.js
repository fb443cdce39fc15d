/**
 * How large is the log, and what is its root, in the log's own signed words? The twin of `verifier/checkpoints.py`
 * (https://c2sp.org/tlog-checkpoint v1.0.0): the text of a note of three lines.
 *
 *     <origin>
 *     <tree size, decimal>
 *     <root hash, base64>
 *
 * Extension lines are refused: this log never signs any, and what nobody reads could say anything.
 */

import { equal_bytes } from "./builtins.js";
import { parse_base64, parse_decimal } from "./encoding.js";
import { MalformedInput } from "./errors.js";
import { EMPTY_ROOT, HASH_BYTES } from "./hashing.js";
import { verify_note } from "./notes.js";

/** Read the text of a note as a checkpoint, {origin, tree_size, root_hash}. Throws MalformedInput: it is not one. */
export function parse_checkpoint(text) {
  const lines = text.split("\n");
  if (lines.length !== 4 || lines[3] !== "") {
    throw new MalformedInput("checkpoint: expected three lines (origin, tree size, root hash) and no extension");
  }
  const origin = lines[0];
  const tree_size = parse_decimal(lines[1], { name: "checkpoint's tree size" });
  const root_hash = parse_base64(lines[2], { name: "checkpoint's root hash", length: HASH_BYTES });
  if (origin === "") throw new MalformedInput("checkpoint: expected an origin of one line");
  if (tree_size === 0n && !equal_bytes(root_hash, EMPTY_ROOT)) {
    throw new MalformedInput("checkpoint: size 0 with a root that is not the empty log's");
  }
  return { origin, tree_size, root_hash };
}

/**
 * Read a checkpoint that the log with this key has signed; key and origin are pinned by the caller. `origin` is the
 * name of the key if not given.
 *
 * Throws MalformedInput: the bytes are no signed checkpoint, or one of another origin. SignatureDoesNotHold: the key
 * has not signed it.
 */
export function verify_checkpoint(note, { vkey, origin = null }) {
  const checkpoint = parse_checkpoint(verify_note(note, [vkey]));
  const expected = origin ?? vkey.name;
  if (checkpoint.origin !== expected) {
    throw new MalformedInput(`checkpoint: expected origin ${expected}, found ${checkpoint.origin}`);
  }
  return checkpoint;
}
