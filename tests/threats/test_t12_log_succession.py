"""T12: the log's key must be given up. Do old proofs still verify, and is nothing accepted after the succession?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.ledger import Ledger
from tests.support.key_history import (
    SUCCESSOR,
    KeyHistory,
    effect,
    entries_named,
    key_data,
    new_key,
    rule_of,
    unsigned,
    violations_at,
)
from tests.support.small_city import SmallCity, budget_year, sealed_batch, service
from verifier.checkpoints import verify_checkpoint
from verifier.envelope import approve_submission, parse_submission, sign_submission
from verifier.hashing import leaf_hash
from verifier.tree import verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.checkpoints import Checkpoint

SUCCEEDED = "registry.log-succeeded"


def city_with_a_past(directory: Path) -> KeyHistory:
    city = KeyHistory(directory)
    for made in (*budget_year(), service()):
        assert city.send(sign_submission(made, city.keys["roads"])).error is None
    return city


def checkpoint_of(city: KeyHistory, note: bytes) -> Checkpoint:
    return verify_checkpoint(note, vkey=city.vkey)


def test_t12_old_proofs_verify_and_nothing_is_accepted_after_the_succession(tmp_path: Path) -> None:
    city = city_with_a_past(tmp_path / "ledger")
    with Ledger(city.settings) as ledger:
        old_note = ledger.signed().note
        entry, proof = ledger.reader.entry(3), ledger.inclusion(3, 6)
    assert city.govern("log-succeeded", SUCCESSOR).index == 6

    # What was proven before is proven still, against the old checkpoint and against the last one.
    old = checkpoint_of(city, old_note)
    verify_inclusion(leaf_hash(entry), index=3, tree_size=old.tree_size, proof=proof, root=old.root_hash)
    with Ledger(city.settings) as ledger:
        last = checkpoint_of(city, ledger.signed().note)
        assert last.tree_size == 7
        verify_inclusion(leaf_hash(entry), index=3, tree_size=7, proof=ledger.inclusion(3, 7), root=last.root_hash)
        verify_consistency(
            old_size=old.tree_size,
            old_root=old.root_hash,
            new_size=7,
            new_root=last.root_hash,
            proof=ledger.consistency(old.tree_size, 7),
        )

    # Nothing more: no event, no batch, no act of the city, not even another succession.
    refused = [
        city.send(sign_submission(effect(1), city.keys["roads"])),
        city.govern("policy-changed", {"policy": "quorum none"}),
        city.govern("key-registered", key_data(new_key("late"))),
        city.govern("log-succeeded", {**SUCCESSOR, "successor_origin": "ledger.example/other"}),
    ]
    assert [rule_of(outcome) for outcome in refused] == [SUCCEEDED] * 4
    with Ledger(city.settings) as ledger:
        small = SmallCity(city.settings, ledger)
        batch = small.send(*sealed_batch(small, "batch-1", count=6), atomic=True)
        assert rule_of(batch.outcomes[0]) == SUCCEEDED
        assert ledger.reader.tree_size == 7
    # What was submitted before is still answered with its place: a repeat is no new entry.
    assert city.send(sign_submission(budget_year()[0], city.keys["roads"])).index == 1
    assert city.audit().holds


def test_t12_an_auditor_names_what_stands_behind_the_succession(tmp_path: Path) -> None:
    """Whoever holds the stolen log key goes on writing into the old log: each entry is named."""
    city = city_with_a_past(tmp_path / "ledger")
    city.govern("log-succeeded", SUCCESSOR)
    late = [city.insert_behind(sign_submission(effect(number), city.keys["roads"])) for number in (1, 2)]
    verdict = city.audit()
    assert entries_named(verdict) == set(late)
    assert all(("rules", SUCCEEDED) in violations_at(verdict, index) for index in late)


def test_t12_sealed_transactions_behind_the_succession_are_named_one_by_one(tmp_path: Path) -> None:
    """Transactions carry no signature of their own, and a replay takes them in runs: not here."""
    city = city_with_a_past(tmp_path / "ledger")
    with Ledger(city.settings) as ledger:
        batch = sealed_batch(SmallCity(city.settings, ledger), "batch-1", count=6)
    city.govern("log-succeeded", SUCCESSOR)
    late = [city.insert_behind(parse_submission(each)) for each in batch]
    verdict = city.audit()
    assert entries_named(verdict) == set(late)
    assert all(("rules", SUCCEEDED) in violations_at(verdict, index) for index in late)


def test_t12_root_keys_alone_end_a_log(tmp_path: Path) -> None:
    """The negative control of the first test: an attempt that nobody entitled signed changes nothing."""
    city = city_with_a_past(tmp_path / "ledger")
    assert rule_of(city.govern("log-succeeded", SUCCESSOR, by=("root-1", "city"))) == "registry.root-signatures"
    assert city.send(sign_submission(effect(1), city.keys["roads"])).error is None
    succession = sign_submission(unsigned("log-succeeded", SUCCESSOR), city.keys["city"])
    index = city.insert_behind(approve_submission(succession, city.keys["roads"]))
    after = city.insert_behind(sign_submission(effect(2), city.keys["roads"]))
    verdict = city.audit()
    # The forged end is named, and what follows it is not: it was never the log's end.
    assert entries_named(verdict) == {index}
    assert violations_at(verdict, after) == []
