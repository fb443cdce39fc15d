"""Does a transaction of a sealed batch prove its own place, and no other, whoever builds the tree?"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from api.batch_proofs import KEPT_BATCHES, BatchTrees
from audit_service.closed_trees import MerklelibTree
from audit_service.errors import NotInLog, Overloaded
from tests.support.broken_provers import WRONG_PATHS, WRONG_ROOTS
from tests.support.log_builder import PERIOD, small_log
from verifier.batch_proofs import (
    TRANSACTION_TYPE,
    BatchProof,
    encode_batch_proof,
    parse_batch_proof,
    parse_manifest_entry,
    verify_batch_proof,
)
from verifier.canonical import encode_canonical
from verifier.errors import MalformedInput, ProofDoesNotHold, VerificationError
from verifier.hashing import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.ports import Ledger


@dataclass
class Entries:
    """The two things that proofs of batches need of a ledger."""

    items: list[bytes]
    size: int

    def entry(self, index: int) -> bytes:
        return self.items[index]

    def entries(self, start: int, stop: int) -> list[bytes]:
        return self.items[start:stop]

    def ledger(self) -> Ledger:
        return cast("Ledger", SimpleNamespace(reader=self, signed=lambda: SimpleNamespace(size=self.size)))


def sealed(*counts: int) -> tuple[list[bytes], list[int]]:
    """A log with batches of these sizes, and where their manifests are."""
    log = small_log()
    manifests = [log.seal(count, batch_id=f"sealed-{number}") for number, count in enumerate(counts)]
    return log.entries, manifests


def trees_over(entries: list[bytes], prover: Any = MerklelibTree, *, size: int | None = None) -> BatchTrees:
    return BatchTrees(Entries(entries, len(entries) if size is None else size).ledger(), prover=prover, wait_s=0.01)


ENTRIES, (FIRST, SECOND) = sealed(7, 12)
PROOF = trees_over(ENTRIES).prove(FIRST + 3)


def check(proof: bytes, *, index: int = FIRST) -> Any:
    return verify_batch_proof(proof, manifest_entry=ENTRIES[index], manifest_index=index)


def changed(**members: Any) -> bytes:
    return encode_canonical({**json.loads(PROOF), **members})


@pytest.mark.parametrize("count", range(1, 71))
def test_every_transaction_of_a_batch_of_any_size_is_proven(count: int) -> None:
    entries, (manifest,) = sealed(count)
    batches = trees_over(entries)
    for number in {*range(1, min(count, 9) + 1), count // 2 + 1, count}:
        proof = batches.prove(manifest + number)
        proven = verify_batch_proof(proof, manifest_entry=entries[manifest], manifest_index=manifest)
        assert (proven.number, proven.batch.count, proven.index) == (number, count, manifest)
        entry = json.loads(entries[manifest + number])
        assert {**proven.submission, "position": entry["position"], "recordedtime": entry["recordedtime"]} == entry
        assert proof == encode_batch_proof(parse_batch_proof(proof))


@pytest.mark.parametrize("prover", WRONG_ROOTS)
def test_a_prover_with_another_root_proves_nothing(prover: type[MerklelibTree]) -> None:
    with pytest.raises(ProofDoesNotHold):
        trees_over(ENTRIES, prover).prove(FIRST + 3)


@pytest.mark.parametrize("prover", WRONG_PATHS)
@pytest.mark.parametrize("number", [1, 4])
def test_no_path_of_a_broken_prover_is_served(prover: type[MerklelibTree], number: int) -> None:
    with pytest.raises((ProofDoesNotHold, MalformedInput)):
        trees_over(ENTRIES, prover).prove(FIRST + number)


@pytest.mark.parametrize("change", ["swap", "alter"])
def test_a_log_whose_transactions_are_not_the_manifests_proves_nothing(change: str) -> None:
    entries = list(ENTRIES)
    if change == "swap":
        entries[FIRST + 1], entries[FIRST + 2] = entries[FIRST + 2], entries[FIRST + 1]
    else:
        entries[FIRST + 5] = entries[FIRST + 5].replace(b'"commitment":"', b'"commitment":"0', 1)
    with pytest.raises(ProofDoesNotHold, match="do not have the manifest's root"):
        trees_over(entries).prove(FIRST + 3)


@pytest.mark.parametrize("place", range(len(PROOF)))
def test_a_proof_with_one_byte_changed_is_refused(place: int) -> None:
    with pytest.raises(VerificationError):
        check(PROOF[:place] + bytes([PROOF[place] ^ 1]) + PROOF[place + 1 :])


def _longer(path: list[str]) -> list[str]:
    return [*path, path[0]]


WRONG: dict[str, Callable[[], bytes]] = {
    "another number": lambda: changed(number=4),
    "number 0": lambda: changed(number=0),
    "a number beyond the batch": lambda: changed(number=8),
    "another count": lambda: changed(count=8),
    "a count that is no integer": lambda: changed(count=True),
    "another index": lambda: changed(index=FIRST + 1),
    "no index": lambda: changed(index=-1),
    "another root": lambda: changed(submissions_root="0" * 64),
    "a root in capitals": lambda: changed(submissions_root=json.loads(PROOF)["submissions_root"].upper()),
    "a root that is no text": lambda: changed(submissions_root=1),
    "no path": lambda: changed(path=[]),
    "a longer path": lambda: changed(path=_longer(json.loads(PROOF)["path"])),
    "a path of numbers": lambda: changed(path=[1]),
    "a path that is no list": lambda: changed(path="x"),
    "a path without end": lambda: changed(path=["A"] * 64),
    "no submission": lambda: changed(submission=1),
    "an entry for a submission": lambda: changed(submission=ENTRIES[FIRST + 3].decode()),
    "the manifest for a transaction": lambda: changed(submission=_submission(FIRST)),
    "its neighbour": lambda: changed(submission=_submission(FIRST + 4)),
    "a member more": lambda: changed(more=1),
    "another format": lambda: changed(format="ledger-batch-proof/v2"),
    "not canonical": lambda: PROOF + b"\n",
    "no object": lambda: b"[]",
    "too long": lambda: b" " * 300_000,
}


def _submission(index: int) -> str:
    attributes = json.loads(ENTRIES[index])
    kept = {name: value for name, value in attributes.items() if name not in ("position", "recordedtime")}
    return encode_canonical(kept).decode()


@pytest.mark.parametrize("name", WRONG)
def test_a_proof_that_is_wrong_in_one_thing_is_refused(name: str) -> None:
    assert check(PROOF).number == 3
    with pytest.raises(VerificationError):
        check(WRONG[name]())


def test_a_proof_holds_for_its_own_manifest_alone() -> None:
    with pytest.raises(ProofDoesNotHold):
        check(PROOF, index=SECOND)
    with pytest.raises(MalformedInput):
        check(PROOF, index=FIRST + 3)
    with pytest.raises(ProofDoesNotHold):
        verify_batch_proof(PROOF, manifest_entry=ENTRIES[FIRST], manifest_index=SECOND)


def test_what_an_agency_sealed_that_is_no_transaction_is_not_proven_as_one() -> None:
    submission = _submission(FIRST + 1).replace(TRANSACTION_TYPE, "service.transaction-voided.v1").encode()
    root = leaf_hash(submission)
    entry = json.loads(ENTRIES[FIRST])
    entry["data"] |= {"count": 1, "submissions_root": root.hex()}
    proof = encode_batch_proof(BatchProof(FIRST, 1, 1, submission, (), root))
    with pytest.raises(MalformedInput, match="expected a submission of type"):
        verify_batch_proof(proof, manifest_entry=encode_canonical(entry), manifest_index=FIRST)


def test_a_number_beyond_the_batch_that_it_leads_to_is_answered() -> None:
    index = SECOND + 1
    entry = {**json.loads(ENTRIES[index]), "id": f"sealed-0/{index - FIRST}"}
    with pytest.raises(NotInLog):
        trees_over([*ENTRIES[:index], encode_canonical(entry), *ENTRIES[index + 1 :]]).prove(index)


def test_a_submission_of_another_batch_with_a_path_that_fits_is_refused() -> None:
    """The root alone would let a manifest claim transactions that carry another batch's name."""
    entry = json.loads(ENTRIES[FIRST])
    entry["data"]["batch_id"] = "other"
    entry["id"] = "other/0"
    with pytest.raises(ProofDoesNotHold, match="not the batch's transaction"):
        verify_batch_proof(PROOF, manifest_entry=encode_canonical(entry), manifest_index=FIRST)


@pytest.mark.parametrize(
    ("change", "data"),
    [
        ({"id": "sealed-0/1"}, {}),
        ({}, {"batch_id": 1}),
        ({}, {"count": 0}),
        ({}, {"count": "7"}),
        ({}, {"submissions_root": "x"}),
        ({"type": "service.ballot-sealed.v1"}, {}),
        ({"data": {}}, {}),
    ],
)
def test_what_is_no_manifest_is_refused(change: dict[str, Any], data: dict[str, Any]) -> None:
    entry = json.loads(ENTRIES[FIRST])
    assert parse_manifest_entry(encode_canonical(entry)).subject == PERIOD
    with pytest.raises(MalformedInput):
        parse_manifest_entry(encode_canonical({**entry, "data": {**entry["data"], **data}, **change}))


def test_what_is_no_text_cannot_be_written() -> None:
    with pytest.raises(MalformedInput):
        encode_batch_proof(BatchProof(1, 1, 1, b"\xff", (), b"\0" * 32))


def test_entries_that_are_no_transactions_have_no_such_proof() -> None:
    batches = trees_over(ENTRIES)
    for index in (0, 1, FIRST, SECOND):
        with pytest.raises(NotInLog):
            batches.prove(index)


def _renamed(event_id: str) -> list[bytes]:
    entry = {**json.loads(ENTRIES[FIRST + 3]), "id": event_id}
    return [*ENTRIES[: FIRST + 3], encode_canonical(entry), *ENTRIES[FIRST + 4 :]]


@pytest.mark.parametrize("event_id", ["x", "sealed-0/0", "sealed-0/1", "sealed-0/99999999999", f"sealed-0/{FIRST + 3}"])
def test_an_id_that_leads_to_no_manifest_is_answered_and_not_followed(event_id: str) -> None:
    with pytest.raises((NotInLog, VerificationError)):
        trees_over(_renamed(event_id)).prove(FIRST + 3)


def test_a_batch_that_is_not_signed_to_its_end_waits() -> None:
    with pytest.raises(NotInLog, match="not signed to its end"):
        trees_over(ENTRIES, size=FIRST + 5).prove(FIRST + 3)


def test_a_tree_is_built_once_and_the_oldest_is_forgotten() -> None:
    entries, manifests = sealed(*range(2, KEPT_BATCHES + 3))
    built: list[int] = []

    def prover(leaves: Any) -> MerklelibTree:
        built.append(len(leaves))
        return MerklelibTree(leaves)

    batches = trees_over(entries, prover)
    for manifest in [manifests[0], *manifests, manifests[-1]]:
        batches.prove(manifest + 1)
    assert built == list(range(2, KEPT_BATCHES + 3))
    batches.prove(manifests[0] + 1)
    assert built[-1] == 2


def test_who_waits_too_long_for_others_is_told_to_come_again() -> None:
    entered, leave = threading.Event(), threading.Event()

    def prover(leaves: Any) -> MerklelibTree:
        entered.set()
        leave.wait(30)
        return MerklelibTree(leaves)

    batches = trees_over(ENTRIES, prover)
    thread = threading.Thread(target=batches.prove, args=(FIRST + 1,))
    thread.start()
    try:
        assert entered.wait(30)
        with pytest.raises(Overloaded):
            batches.prove(SECOND + 1)
    finally:
        leave.set()
        thread.join()
