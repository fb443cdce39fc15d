"""Is a list of a stream's events complete, and does one event stand at its place, by the stream's head alone?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from projections.reports.state import LogState
from projections.reports.stream_heads import StreamHeads
from tests.support import trees
from tests.support.log_builder import CONTRACT, small_log
from verifier.canonical import encode_canonical
from verifier.envelope import parse_entry
from verifier.errors import MalformedInput, ProofDoesNotHold, VerificationError
from verifier.hashing import leaf_hash
from verifier.stream_proofs import (
    StreamHead,
    StreamProof,
    encode_stream_proof,
    parse_stream_head,
    parse_stream_proof,
    stream_head_row,
    verify_event_in_stream,
    verify_stream_complete,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = small_log()
EVENTS = [entry for entry in LOG.entries if json.loads(entry)["subject"] == CONTRACT]
LEAVES = tuple(leaf_hash(entry) for entry in EVENTS)
HEAD = StreamHead(CONTRACT, len(EVENTS), trees.root(LEAVES))


def heads(order: Callable[[StreamHeads, list[bytes]], None]) -> dict[str, bytes]:
    found = StreamHeads()
    order(found, LOG.entries)
    return {subject: found.row(subject) for subject in found.subjects()}


def one_by_one(found: StreamHeads, entries: list[bytes]) -> None:
    for entry in entries:
        found.append(json.loads(entry)["subject"], entry)


def settled_each_time(found: StreamHeads, entries: list[bytes]) -> None:
    for entry in entries:
        found.append(json.loads(entry)["subject"], entry)
        found.settle()


def in_runs(found: StreamHeads, entries: list[bytes]) -> None:
    for number, entry in enumerate(entries):
        subject = json.loads(entry)["subject"]
        if number % 3:
            found.extend(subject, [entry])
        else:
            found.append(subject, entry)


def stored_and_loaded(found: StreamHeads, entries: list[bytes]) -> None:
    half = len(entries) // 2
    first = StreamHeads()
    one_by_one(first, entries[:half])
    for subject in first.subjects():
        found.load_part(subject, first.part_to_bytes(subject))
    one_by_one(found, entries[half:])


@pytest.mark.parametrize("order", [settled_each_time, in_runs, stored_and_loaded])
def test_heads_are_the_same_however_entries_are_taken_in(order: Callable[[StreamHeads, list[bytes]], None]) -> None:
    assert heads(order) == heads(one_by_one)


def test_a_head_is_number_and_root_of_its_stream() -> None:
    row = heads(one_by_one)[CONTRACT]
    assert row == stream_head_row(CONTRACT, events=HEAD.events, root=HEAD.root) == encode_canonical(json.loads(row))
    assert parse_stream_head(json.loads(row)) == HEAD


@pytest.mark.parametrize("subject", ['a"b', "a\\b", "가"])
def test_a_row_is_canonical_whatever_the_subject(subject: str) -> None:
    row = stream_head_row(subject, events=1, root=b"\1" * 32)
    assert encode_canonical(json.loads(row)) == row


@pytest.mark.parametrize(
    "change",
    [
        {"events": 0},
        {"events": True},
        {"events": "4"},
        {"root": "00"},
        {"root": "G" * 64},
        {"key": 1},
        {"more": 1},
    ],
)
def test_what_is_no_head_is_refused(change: dict[str, Any]) -> None:
    row = {"events": 4, "key": CONTRACT, "root": "ab" * 32}
    parse_stream_head(row)
    with pytest.raises(MalformedInput):
        parse_stream_head({**row, **change})


def test_a_whole_list_is_complete_and_later_events_may_follow() -> None:
    earlier = StreamHead(CONTRACT, 2, trees.root(LEAVES[:2]))
    assert len(verify_stream_complete(EVENTS, HEAD)) == len(EVENTS)
    assert len(verify_stream_complete(EVENTS, earlier)) == len(EVENTS)


LISTS: dict[str, list[bytes]] = {
    "one missing at the end": EVENTS[:-1],
    "one missing in front": EVENTS[1:],
    "two exchanged": [EVENTS[1], EVENTS[0], *EVENTS[2:]],
    "one twice": [EVENTS[0], *EVENTS],
    "another stream's": [LOG.entries[1], *EVENTS],
    "none": [],
    "one changed": [*EVENTS[:-1], EVENTS[-1].replace(b'"time":"2021-03', b'"time":"2021-02')],
    "no entry": [b"{}", *EVENTS],
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_not_the_stream_is_refused(name: str) -> None:
    with pytest.raises(VerificationError):
        verify_stream_complete(LISTS[name], HEAD)


@pytest.mark.parametrize("place", range(len(EVENTS)))
def test_an_event_stands_at_its_place_and_at_no_other(place: int) -> None:
    path = trees.path(place, LEAVES)
    assert verify_event_in_stream(EVENTS[place], HEAD, path=path) == parse_entry(EVENTS[place])
    for other in range(len(EVENTS)):
        if other != place:
            with pytest.raises(ProofDoesNotHold):
                verify_event_in_stream(EVENTS[other], HEAD, path=path)
    with pytest.raises(ProofDoesNotHold):
        verify_event_in_stream(LOG.entries[1], HEAD, path=path)


def test_a_stream_proof_is_read_as_it_was_written_and_in_no_other_way() -> None:
    proof = StreamProof(EVENTS[0], tuple(trees.path(0, LEAVES)), b"{}")
    data = encode_stream_proof(proof)
    assert parse_stream_proof(data) == proof
    wrong = (
        data + b"\n",
        data.replace(b"/v1", b"/v2"),
        data.replace(b'"row_proof":"{}"', b'"row_proof":{}'),
        data.replace(b'"path":[', b'"path":[1,'),
        data.replace(b'{"entry"', b'{"a":1,"entry"'),
        b"[]",
        b"x" * 600_000,
    )
    for changed in wrong:
        with pytest.raises(MalformedInput):
            parse_stream_proof(changed)
    with pytest.raises(MalformedInput):
        encode_stream_proof(StreamProof(b"\xff", (), b""))


def test_what_comes_after_changes_were_taken_has_changed_again() -> None:
    state = LogState()
    state.heads.append(CONTRACT, EVENTS[0])
    assert ("stream-heads", CONTRACT) in state.take_changes().parts
    state.heads.append(CONTRACT, EVENTS[1])
    state.heads.extend(CONTRACT, EVENTS[2:])
    assert state.take_changes().parts == [("stream-heads", CONTRACT)]
    assert state.take_changes().parts == []
    assert parse_stream_head(json.loads(state.heads.row(CONTRACT))) == HEAD
