"""Does a sealed batch say nothing about anybody, and does everything in it open for the agency alone?"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit_client.errors import NotUsable
from audit_client.sealing import (
    MAX_TRANSACTIONS,
    SealedBatch,
    ServiceRules,
    Transaction,
    merge_small_cells,
    period_end,
    period_form,
    seal,
)
from audit_service.catalogue import periods
from verifier.canonical import encode_canonical
from verifier.envelope import parse_submission, verify_signature
from verifier.hashing import leaf_hash
from verifier.tree import root_of_leaf_hashes

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SOURCE = "urn:kr:agency:roads"
RULES = ServiceRules(
    service_id="permits", owner=SOURCE, kinds=frozenset({"dig", "park", "film", "other"}), minimum_cell=5
)
NOW = datetime(2021, 4, 1, tzinfo=UTC)


def transactions(**counts: int) -> list[Transaction]:
    return [
        Transaction(kind=kind, record={"n": n, "kind": kind}) for kind, count in counts.items() for n in range(count)
    ]


def sealed(records: list[Transaction], *, other_kind: str | None = None, period: str = "2021-03") -> SealedBatch:
    return seal(records, rules=RULES, period=period, key=KEY, other_kind=other_kind, now=NOW)


def test_the_manifest_comes_first_and_speaks_for_all() -> None:
    batch = sealed(transactions(dig=7, park=5))
    manifest = parse_submission(batch.lines[0])
    verify_signature(manifest, public_key=KEY.public_key().public_bytes_raw())
    assert manifest["id"] == f"{batch.batch_id}/0"
    assert manifest["data"]["submissions_root"] == root_of_leaf_hashes(list(map(leaf_hash, batch.lines[1:]))).hex()
    assert manifest["data"]["counts_by_kind"] == [{"kind": "dig", "count": 7}, {"kind": "park", "count": 5}]
    assert manifest["data"]["count"] == 12
    assert [parse_submission(line)["id"] for line in batch.lines[1:]] == [f"{batch.batch_id}/{n}" for n in range(1, 13)]


@pytest.mark.parametrize("period", ["2021-03", "2021-12", "2021-Q1", "2021-Q4", "2021", "2019-r1", "2021-02-r12"])
def test_the_agency_and_the_city_agree_when_a_period_ends(period: str) -> None:
    """Two codes on two sides: the agency's batch must pass the rule about the time of its transactions."""
    ended = period_end(period).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert ended == periods.period_end(period)
    assert period_form(period) == periods.period_form(period)


def test_a_period_of_another_length_than_the_service_s_is_not_sealed() -> None:
    quarterly = replace(RULES, period_form="QUARTER")
    with pytest.raises(NotUsable, match="QUARTER"):
        seal(transactions(dig=5), rules=quarterly, period="2021-03", key=KEY, now=NOW)
    assert seal(transactions(dig=5), rules=quarterly, period="2021-Q1", key=KEY, now=NOW).batch_id


def test_transactions_differ_in_id_kind_and_commitment_only() -> None:
    lines = [parse_submission(line) for line in sealed(transactions(dig=50)).lines[1:]]
    assert {line["time"] for line in lines} == {"2021-03-31T15:00:00.000Z"}
    assert {tuple(line) for line in lines} == {tuple(lines[0])}
    assert {tuple(line["data"]) for line in lines} == {("commitment", "kind", "period")}
    assert len({line["data"]["commitment"] for line in lines}) == 50


def test_each_commitment_opens_to_its_record_with_the_formula_of_the_catalogue() -> None:
    batch = sealed(transactions(dig=20, park=20))
    for opening, line in zip(batch.openings, batch.transactions, strict=True):
        record = sha256(encode_canonical(dict(opening.record))).digest()
        expected = sha256(b"audit-service/commitment/v1\x00" + bytes.fromhex(opening.random) + record).hexdigest()
        assert json.loads(line)["data"]["commitment"] == expected == opening.commitment
    assert len({opening.random for opening in batch.openings}) == 40


def test_the_order_of_the_agency_is_gone() -> None:
    # 1 in 200! that a fair shuffle returns the order it was given.
    batch = sealed(transactions(dig=200))
    assert [opening.record["n"] for opening in batch.openings] != list(range(200))
    assert {opening.record["n"] for opening in batch.openings} == set(range(200))


def test_two_batches_of_the_same_transactions_have_nothing_in_common() -> None:
    first, second = sealed(transactions(dig=5)), sealed(transactions(dig=5))
    assert first.batch_id != second.batch_id
    assert {one.commitment for one in first.openings} & {one.commitment for one in second.openings} == set()


def test_small_cells_are_merged_where_the_service_has_a_kind_for_it() -> None:
    batch = sealed(transactions(dig=9, park=4, film=2), other_kind="other")
    kinds = Counter(json.loads(line)["data"]["kind"] for line in batch.transactions)
    assert kinds == {"dig": 9, "other": 6}
    assert Counter(opening.kind for opening in batch.openings) == {"dig": 9, "park": 4, "film": 2}


def test_a_merged_cell_that_is_small_itself_takes_in_the_next_smallest() -> None:
    shown = merge_small_cells({"dig": 9, "park": 6, "film": 1}, rules=RULES, other_kind="other")
    assert shown == {"dig": "dig", "park": "other", "film": "other"}


@given(st.dictionaries(st.sampled_from(sorted(RULES.kinds)), st.integers(1, 12)))
def test_no_cell_is_ever_small_and_nothing_is_lost(counts: dict[str, int]) -> None:
    try:
        shown = merge_small_cells(counts, rules=RULES, other_kind="other")
    except NotUsable:
        assert sum(counts.values()) < RULES.minimum_cell
        return
    cells: Counter[str] = Counter()
    for kind, count in counts.items():
        cells[shown[kind]] += count
    assert min(cells.values()) >= RULES.minimum_cell
    assert sum(cells.values()) == sum(counts.values())


@pytest.mark.parametrize(
    ("records", "options", "says"),
    [
        (transactions(dig=9, park=4), {}, "park"),
        (transactions(dig=4), {"other_kind": "other"}, "smallest cell"),
        ([], {}, "smallest cell"),
        (transactions(swim=9), {}, "no kind swim"),
        (transactions(dig=9), {"other_kind": "rest"}, "no kind rest"),
        (transactions(dig=9), {"period": "2021-04"}, "not over"),
        (transactions(dig=9), {"period": "2021-13"}, "a period is"),
        (transactions(dig=MAX_TRANSACTIONS + 1), {}, "split them"),
    ],
)
def test_what_cannot_be_sealed_is_refused_before_it_is_built(
    records: list[Transaction], options: dict[str, str], says: str
) -> None:
    with pytest.raises(NotUsable, match=says):
        sealed(records, **options)


@pytest.mark.parametrize(
    ("period", "end"),
    [
        ("2021", "2021-12-31T15:00:00+00:00"),
        ("2021-12", "2021-12-31T15:00:00+00:00"),
        ("2021-02", "2021-02-28T15:00:00+00:00"),
        ("2020-Q4", "2020-12-31T15:00:00+00:00"),
        ("2019-r2", "2019-12-31T15:00:00+00:00"),
    ],
)
def test_a_period_ends_at_midnight_in_seoul(period: str, end: str) -> None:
    assert period_end(period).astimezone(UTC).isoformat() == end


def test_a_batch_that_was_kept_is_sent_again_byte_for_byte() -> None:
    batch = sealed(transactions(dig=5))
    events = [json.loads(line) for line in batch.lines]
    assert SealedBatch.of_events(events).lines == batch.lines
    unsigned = {name: value for name, value in events[0].items() if name != "signature"}
    for broken in (events[:-1], events[1:], [unsigned, *events[1:]]):
        with pytest.raises(NotUsable):
            SealedBatch.of_events(broken)
