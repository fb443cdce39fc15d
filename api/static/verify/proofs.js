/**
 * Is this entry in the log that this key signs, checked from one file? The twin of `verifier/proofs.py`
 * (https://c2sp.org/tlog-proof):
 *
 *     c2sp.org/tlog-proof@v1
 *     extra <base64>                       at most once; not authenticated
 *     index <decimal>
 *     <base64 hash>                        any number, the leaf's sibling first
 *                                          (an empty line)
 *     <signed checkpoint, verbatim>
 */

import { verify_checkpoint } from "./checkpoints.js";
import { parse_base64, parse_decimal } from "./encoding.js";
import { MalformedInput } from "./errors.js";
import { HASH_BYTES, leaf_hash } from "./hashing.js";
import { verify_inclusion } from "./tree.js";

export const HEADER = "c2sp.org/tlog-proof@v1";
export const MAX_HASHES = 63; // a path in a tree of fewer than 2**63 leaves
export const MAX_PROOF_BYTES = 1_100_000; // the largest note, and the lines before it

const NEWLINE = 0x0a;

/**
 * Check an entry against a `.tlog-proof` file; key and origin are pinned by the caller.
 *
 * 1. Read the file: index, hashes, checkpoint.
 * 2. Check that the log's key has signed the checkpoint, and that it is of this origin.
 * 3. Hash the entry, as the bytes it came in, as a leaf.
 * 4. Follow the hashes from that leaf, at this index, to the root of the checkpoint.
 *
 * Returns {index, checkpoint}. Throws MalformedInput: the file is no such proof, or of another origin or size.
 * SignatureDoesNotHold: the key has not signed the checkpoint. ProofDoesNotHold: the hashes do not lead to the root.
 */
export function verify_log_proof(proof, { entry, vkey, origin = null }) {
  // 1.
  const parsed = parse_log_proof(proof);
  // 2.
  const checkpoint = verify_checkpoint(parsed.checkpoint, { vkey, origin });
  // 3.
  const leaf = leaf_hash(entry);
  // 4.
  verify_inclusion(leaf, {
    index: parsed.index,
    tree_size: checkpoint.tree_size,
    proof: parsed.hashes,
    root: checkpoint.root_hash,
  });
  return { index: parsed.index, checkpoint };
}

/** Read a `.tlog-proof` file without believing it: {index, hashes, checkpoint, extra}. Throws MalformedInput. */
export function parse_log_proof(data) {
  if (data.length > MAX_PROOF_BYTES) {
    throw new MalformedInput(`proof: expected at most ${MAX_PROOF_BYTES} bytes, found ${data.length}`);
  }
  // The first empty line divides: the checkpoint after it has an empty line of its own.
  const divider = data.findIndex((byte, i) => byte === NEWLINE && data[i + 1] === NEWLINE);
  if (divider < 0 || divider + 2 === data.length) {
    throw new MalformedInput("proof: expected an empty line and a checkpoint after the hashes");
  }
  const head = data.subarray(0, divider);
  if (head.some((byte) => byte > 0x7f)) throw new MalformedInput("proof: expected ASCII before the checkpoint");
  const lines = new TextDecoder().decode(head).split("\n");
  if (lines.shift() !== HEADER) throw new MalformedInput(`proof: expected the first line ${HEADER}`);
  const encoded_extra = take_after("extra ", lines);
  const extra = encoded_extra === null ? null : parse_base64(encoded_extra, { name: "proof's extra data" });
  const encoded_index = take_after("index ", lines);
  if (encoded_index === null) throw new MalformedInput("proof: expected a line with the index");
  const index = parse_decimal(encoded_index, { name: "proof's index" });
  if (lines.length > MAX_HASHES) {
    throw new MalformedInput(`proof: expected at most ${MAX_HASHES} hashes, found ${lines.length}`);
  }
  const hashes = lines.map((line) => parse_base64(line, { name: "hash of the proof", length: HASH_BYTES }));
  return { index, hashes, checkpoint: data.subarray(divider + 2), extra };
}

/** Take the next line if it begins with this word, and give what follows the word; else null. */
function take_after(word, lines) {
  return lines.length > 0 && lines[0].startsWith(word) ? lines.shift().slice(word.length) : null;
}
