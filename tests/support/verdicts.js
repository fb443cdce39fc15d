// What does the verifier in JavaScript say to the cases of tests/support/proof_cases.py? The same texts as `judge` there.

import { encode_canonical, parse_strict } from "../verify/canonical.js";
import { decode_utf8 } from "../verify/builtins.js";
import { encode_base64, parse_base64 } from "../verify/encoding.js";
import { parse_entry, verify_genesis, verify_signature } from "../verify/envelope.js";
import { VerificationError } from "../verify/errors.js";
import { verify_ed25519 } from "../verify/ed25519.js";
import { key_id } from "../verify/jws.js";
import { VerifierKey, verify_note } from "../verify/notes.js";
import { verify_log_proof } from "../verify/proofs.js";
import { verify_row_proof } from "../verify/row_proofs.js";
import { verify_consistency, verify_inclusion } from "../verify/tree.js";

const bytes = (text) => parse_base64(text, { name: "case" });
const bytes_or_null = (text) => (text === undefined ? null : bytes(text));

const JUDGES = {
  row({ proof, vkey, publisher_key, asked_kind = null, asked_key = null, asked_row_key = null }) {
    const proven = verify_row_proof(bytes(proof), {
      vkey: VerifierKey.parse(vkey),
      publisher_key: bytes_or_null(publisher_key),
      kind: asked_kind,
      key: asked_key,
      row_key: asked_row_key,
    });
    const row = proven.row === null ? "no row" : decode_utf8(encode_canonical(proven.row), { name: "row" });
    return `${proven.index} ${proven.checkpoint.tree_size} ${proven.source} ${proven.publisher_kid} ${row}`;
  },
  log({ proof, entry, vkey }) {
    const verified = verify_log_proof(bytes(proof), { entry: bytes(entry), vkey: VerifierKey.parse(vkey) });
    return `${verified.index} ${verified.checkpoint.tree_size} ${encode_base64(verified.checkpoint.root_hash)}`;
  },
  consistency({ old_size, new_size, old_root, new_root, proof }) {
    verify_consistency({
      old_size: BigInt(old_size),
      new_size: BigInt(new_size),
      old_root: bytes(old_root),
      new_root: bytes(new_root),
      proof: proof.map(bytes),
    });
    return "continues";
  },
  json({ data }) {
    return encode_base64(encode_canonical(parse_strict(bytes(data))));
  },
  genesis({ entry, vkey }) {
    return encode_base64(encode_canonical(verify_genesis(bytes(entry), { vkey: VerifierKey.parse(vkey) })));
  },
  signature({ entry, public_key }) {
    verify_signature(parse_entry(bytes(entry)), { public_key: bytes(public_key) });
    return "signed";
  },
  ed25519({ message, signature, public_key }) {
    verify_ed25519(bytes(message), { signature: bytes(signature), public_key: bytes(public_key), what: "signature" });
    return "signed";
  },
  note({ note, vkey }) {
    return verify_note(bytes(note), [VerifierKey.parse(vkey)]);
  },
  key_id({ public_key }) {
    return key_id(bytes(public_key));
  },
  inclusion({ leaf, index, tree_size, proof, root }) {
    verify_inclusion(bytes(leaf), {
      index: BigInt(index),
      tree_size: BigInt(tree_size),
      proof: proof.map(bytes),
      root: bytes(root),
    });
    return "included";
  },
  vkey({ vkey }) {
    return String(VerifierKey.parse(vkey));
  },
};

function judge(kase) {
  try {
    return JUDGES[kase.kind](kase);
  } catch (error) {
    if (error instanceof VerificationError) return `${error.name}: ${error.message.split(":")[0]}`;
    return `a mistake of ours: ${error.stack}`;
  }
}

export async function judge_all(address) {
  const cases = await (await fetch(address)).json();
  return cases.map(judge);
}
