"""Any rows, in any order: one root, every row provable, every other key provably absent; every changed proof fails."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.closed_trees import build_closed_tree
from tests.support import report_proofs
from tests.support.golden_entry import LOG
from tests.support.report_proofs import ReportLog, settlement_log
from verifier.errors import MalformedInput, VerificationError
from verifier.hashing import NODE_PREFIX
from verifier.reports import compute_rows_root, encode_rows, parse_report_entry
from verifier.row_proofs import RowProof, encode_row_proof, verify_row_proof, verify_rows

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=1, max_size=6) | st.sampled_from(
    ("가", "가나", "～", "🏛", "🏛/1", "a/b", "a", "/", '"\\', "\u007f")
)
ROWS = st.dictionaries(KEYS, st.integers(-(2**53) + 1, 2**53 - 1), max_size=9).map(
    lambda found: [{"key": key, "amount_won": amount_won} for key, amount_won in found.items()]
)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_rows_and_the_same_root(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)
    encoded = encode_rows(rows)
    assert encode_rows(shuffled) == encoded
    assert compute_rows_root(encoded) == build_closed_tree(encoded).root
    keys = [json.loads(row)["key"].encode() for row in encoded]
    assert keys == sorted(set(keys))


@settings(deadline=None, max_examples=40)
@given(ROWS.filter(bool))
def test_a_key_that_stands_twice_has_no_rows(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(MalformedInput):
        encode_rows([*rows, {**rows[0], "amount_won": 0, "more": 1}])


@settings(deadline=None, max_examples=40)
@given(ROWS, KEYS)
def test_every_row_is_provable_and_every_other_key_provably_absent(rows: list[dict[str, Any]], asked: str) -> None:
    log = ReportLog(encode_rows(rows))
    by_key = {row["key"]: row for row in rows}
    for key in {*by_key, asked}:
        proven = verify_row_proof(encode_row_proof(log.right_proof(key)), vkey=LOG.vkey, row_key=key)
        assert proven.row == by_key.get(key)
        assert proven.report.row_count == len(rows)


@pytest.mark.parametrize("name", sorted(report_proofs.right_proofs()))
def test_every_flipped_bit_of_a_proof_is_refused(name: str) -> None:
    """Of the cosignature lines that a note may also carry nothing is said; there are none here."""
    proof = encode_row_proof(report_proofs.right_proofs()[name])
    verify_row_proof(proof, vkey=LOG.vkey)
    row_key = report_proofs.right_proofs()[name].row_key
    for place in range(0, len(proof), 17):
        changed = bytearray(proof)
        changed[place] ^= 1 << place % 8
        with pytest.raises(VerificationError):
            verify_row_proof(bytes(changed), vkey=LOG.vkey, row_key=row_key)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_every_shortened_or_lengthened_proof_is_refused(data: st.DataObject) -> None:
    proof = encode_row_proof(settlement_log().right_proof("settlements/2019/blockchain"))
    place = data.draw(st.integers(0, len(proof) - 1))
    shorter = proof[:place]
    longer = proof[:place] + data.draw(st.binary(min_size=1, max_size=3)) + proof[place:]
    without = proof[:place] + proof[place + 1 :]
    for changed in (shorter, longer, without):
        if changed != proof:
            with pytest.raises(VerificationError):
                verify_row_proof(changed, vkey=LOG.vkey, row_key="settlements/2019/blockchain")


def _with_row(proof: RowProof, **changes: Any) -> RowProof:
    return replace(proof, rows=(replace(proof.rows[0], **changes), *proof.rows[1:]))


CHANGES: dict[str, Callable[[RowProof], RowProof]] = {
    "row index up": lambda proof: _with_row(proof, index=proof.rows[0].index + 1),
    "row index down": lambda proof: _with_row(proof, index=max(0, proof.rows[0].index - 1)),
    "row path reversed": lambda proof: _with_row(proof, path=proof.rows[0].path[::-1]),
    "row path longer": lambda proof: _with_row(proof, path=(*proof.rows[0].path, b"\1" * 32)),
    "row path shorter": lambda proof: _with_row(proof, path=proof.rows[0].path[:-1]),
    "entry index up": lambda proof: replace(proof, index=proof.index + 1),
    "entry index down": lambda proof: replace(proof, index=proof.index - 1),
    "inclusion reversed": lambda proof: replace(proof, inclusion=proof.inclusion[::-1]),
    "claim turned": lambda proof: replace(proof, claim="absent" if proof.claim == "present" else "present"),
    "other key": lambda proof: replace(proof, row_key=proof.row_key + "!"),
    "no rows": lambda proof: replace(proof, rows=()),
    "row twice": lambda proof: replace(proof, rows=(proof.rows[0], proof.rows[0])),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
@pytest.mark.parametrize("name", ["present", "absent-between", "absent-after-last"])
def test_every_changed_part_is_refused(name: str, change: str) -> None:
    proof = report_proofs.right_proofs()[name]
    changed = CHANGES[change](proof)
    if changed == proof:
        pytest.fail("the change changes nothing")
    if change == "other key" and name.startswith("absent"):
        # Still absent: the proof says so of another key, and whoever asked for this one is told.
        verify_row_proof(encode_row_proof(changed), vkey=LOG.vkey)
    with pytest.raises(VerificationError):
        verify_row_proof(encode_row_proof(changed), vkey=LOG.vkey, row_key=proof.row_key)


def test_an_inner_node_is_no_row() -> None:
    """What an inner node is the hash of, offered as a row, is hashed as a leaf: another hash, and no JSON besides."""
    log = settlement_log()
    left, right = log.leaves[:2]
    proof = log.right_proof("settlements/2018/blockchain")
    inner = NODE_PREFIX + left + right
    offered = _with_row(proof, row=inner, path=proof.rows[0].path[1:])
    with pytest.raises(MalformedInput):
        encode_row_proof(offered)  # it is no text that a file could hold
    report, _ = parse_report_entry(proof.entry)
    with pytest.raises(VerificationError):
        verify_rows(offered.rows, claim=proof.claim, row_key=proof.row_key, report=report)
    assert verify_rows(proof.rows, claim=proof.claim, row_key=proof.row_key, report=report)
