/**
 * Is this entry in the log, and is this log a continuation of that one? The twin of `verifier/tree.py`: the checks of
 * RFC 9162 sections 2.1.3.2 and 2.1.4.2. Builders of proofs have no place here.
 *
 * The checks are bound to index and tree size; both come from the caller, never out of the proof. They are BigInts:
 * a log may hold more entries than a JavaScript number counts.
 */

import { equal_bytes, hex } from "./builtins.js";
import { MalformedInput, ProofDoesNotHold } from "./errors.js";
import { node_hash, require_hash } from "./hashing.js";

// --- is this leaf in it? ----------------------------------------------------------------------------------------

/**
 * Is the entry with this leaf hash number `index` of the log with this size and root? Take size and root from one
 * checkpoint.
 *
 * Throws MalformedInput: a hash is not 32 bytes, or the log of this size has no such index. ProofDoesNotHold: the
 * proof leads to another root, or has not the length that index and size demand.
 */
export function verify_inclusion(leaf_hash, { index, tree_size, proof, root }) {
  require_hash(root, { name: "root hash" });
  const computed = root_from_inclusion_proof(leaf_hash, { index, tree_size, proof });
  if (!equal_bytes(computed, root)) {
    throw new ProofDoesNotHold(
      `inclusion of index ${index} in size ${tree_size}: expected root ${hex(root)}, found ${hex(computed)}`,
    );
  }
}

/**
 * To which root does this proof lead (RFC 9162 section 2.1.3.2)?
 *
 * Walks from the leaf up with `fn`, the leaf's place on the level, and `sn`, the last place on it. The leaf's subtree
 * is a right child if `fn` is odd, or if it is the odd last one (`fn == sn`), which then moves up until it has a
 * neighbour on its left.
 */
export function root_from_inclusion_proof(leaf_hash, { index, tree_size, proof }) {
  require_index(index, tree_size);
  require_hash(leaf_hash, { name: "leaf hash" });
  const what = `inclusion of index ${index} in size ${tree_size}`;
  let fn = index;
  let sn = tree_size - 1n;
  let computed = leaf_hash;
  for (const sibling of proof) {
    require_hash(sibling, { name: "hash of the inclusion proof" });
    if (sn === 0n) throw new ProofDoesNotHold(`${what}: the proof is too long`);
    if (fn % 2n === 1n || fn === sn) {
      computed = node_hash(sibling, computed);
      while (fn % 2n === 0n && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      computed = node_hash(computed, sibling);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  if (sn !== 0n) throw new ProofDoesNotHold(`${what}: the proof is too short`);
  return computed;
}

function require_index(index, tree_size) {
  if (!(index >= 0n && index < tree_size)) {
    throw new MalformedInput(`index: expected 0 to ${tree_size - 1n} at tree size ${tree_size}, found ${index}`);
  }
}

// --- does it continue the older one? ----------------------------------------------------------------------------

/**
 * Does the log with `new_root` begin with all entries of the log with `old_root` (RFC 9162 section 2.1.4.2)?
 *
 * Throws MalformedInput: a hash is not 32 bytes, or the sizes are not 0 < old <= new. ProofDoesNotHold: the hashes
 * lead to another old or new root, or the proof has another length.
 */
export function verify_consistency({ old_size, new_size, old_root, new_root, proof }) {
  require_sizes(old_size, new_size);
  require_hash(old_root, { name: "old root hash" });
  require_hash(new_root, { name: "new root hash" });
  for (const value of proof) require_hash(value, { name: "hash of the consistency proof" });
  const what = `consistency of size ${old_size} with size ${new_size}`;
  let computed_old = new_root;
  let computed_new = old_root;
  if (old_size !== new_size) {
    [computed_old, computed_new] = roots_from_consistency_proof({ old_size, new_size, old_root, proof, what });
  } else if (proof.length) {
    throw new ProofDoesNotHold(`${what}: expected no hashes, found ${proof.length}`);
  }
  if (!equal_bytes(computed_old, old_root)) {
    throw new ProofDoesNotHold(`${what}: expected old root ${hex(old_root)}, found ${hex(computed_old)}`);
  }
  if (!equal_bytes(computed_new, new_root)) {
    throw new ProofDoesNotHold(`${what}: expected new root ${hex(new_root)}, found ${hex(computed_new)}`);
  }
}

function roots_from_consistency_proof({ old_size, new_size, old_root, proof, what }) {
  if (proof.length === 0) throw new ProofDoesNotHold(`${what}: the proof is empty`);
  // A power of two: the old tree is one complete subtree, and the proof starts from its root.
  const path = (old_size & (old_size - 1n)) === 0n ? [old_root, ...proof] : proof;
  let fn = old_size - 1n;
  let sn = new_size - 1n;
  while (fn % 2n === 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let computed_old = path[0];
  let computed_new = path[0];
  for (const sibling of path.slice(1)) {
    if (sn === 0n) throw new ProofDoesNotHold(`${what}: the proof is too long`);
    if (fn % 2n === 1n || fn === sn) {
      computed_old = node_hash(sibling, computed_old);
      computed_new = node_hash(sibling, computed_new);
      while (fn % 2n === 0n && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      computed_new = node_hash(computed_new, sibling);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  if (sn !== 0n) throw new ProofDoesNotHold(`${what}: the proof is too short`);
  return [computed_old, computed_new];
}

function require_sizes(old_size, new_size) {
  if (!(old_size > 0n && old_size <= new_size)) {
    throw new MalformedInput(`tree sizes: expected 0 < old <= new, found old ${old_size} and new ${new_size}`);
  }
}
