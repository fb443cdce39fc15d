"""How are sealed transactions, which come by the million, replayed many times faster than one by one?

A run is what a bundle holds of one open batch. Its entries are decoded in one pass, payload included, into a
struct whose fields stand in the order of the canonical form: an entry that encodes back to its own bytes is
canonical, has exactly these attributes, and needs no other parser. Every check of `replay_entries` is then
made on the struct, by the same groups and rules. What is unusual in any way is left to `replay_entries`,
which says what is wrong with it: two paths, one verdict.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby, takewhile
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import msgspec
from msgspec import Struct

from audit_service.catalogue.event import Event, decode_event
from audit_service.catalogue.service import TransactionRecorded
from audit_service.rules.decide import RULE_OF
from audit_service.rules.errors import RuleBroken
from audit_service.rules.undo import NO_UNDO
from audit_service.rules.world import read_log
from projections.replay_entries import TRANSACTION, EntryReplay, is_time
from verifier.hashing import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.folds.all import FoldSet

# The last attribute of a canonical entry is its type.
_SUFFIX = f'"type":"{TRANSACTION}"}}'.encode()
_RENAMED = {"recorded_time": "recordedtime"}


class TransactionEntry(Struct, forbid_unknown_fields=True, kw_only=True, gc=False, rename=_RENAMED.get):
    """The entry of a sealed transaction; it has every attribute of an `Event` that groups and rules read."""

    legal_date: ClassVar[None] = None
    index: ClassVar[int] = -1  # no rule about transactions asks for it
    sequence: ClassVar[None] = None  # an entry that has one is unusual
    data: TransactionRecorded
    id: str
    position: int
    recorded_time: str
    source: str
    specversion: Literal["1.0"]
    subject: str
    time: str
    type: Literal["service.transaction-recorded.v1"]


_decode: Callable[[bytes], TransactionEntry] = msgspec.json.Decoder(TransactionEntry).decode
_encode = msgspec.json.Encoder().encode
_decide, _evolve = RULE_OF[TRANSACTION].decide, RULE_OF[TRANSACTION].evolve


def is_transaction(entry: bytes) -> bool:
    """Does this entry look like a transaction's, in canonical form?"""
    return entry.endswith(_SUFFIX)


# --- with all checks ------------------------------------------------------------------------------------


def take_run(replay: EntryReplay, first: int, entries: list[bytes], start: int) -> int:
    """Replay the transactions of the open batch from `entries[start]` on, whose index is `first`.

    Returns how many were taken: none where no batch is open, or where the first entry is unusual.
    """
    batch = replay.batch
    if batch is None or read_log(replay.world).successor:
        return 0
    stop = start + batch.count - batch.edge.size
    entries = list(takewhile(is_transaction, entries[start:stop]))
    events = _decode_canonical(entries)
    if events and events[0].subject != batch.manifest.subject:
        return 0
    del events[_count_in_order(replay, events) :]
    if not events:
        return 0
    taken = _judge(replay, first, events)
    findings = replay.findings
    for check in ("form", "order", "groups", "rules", "folds"):
        findings.examine(check, taken)
    if replay.check_signatures:
        findings.examine("signatures", taken)  # the manifest's signature speaks for them
    last = events[taken - 1]
    replay.positions[last.subject] = last.position
    replay.recorded_time = last.recorded_time
    replay.add_to_batch([leaf_hash(_submission_of(entry)) for entry in entries[:taken]])
    fold_transactions(replay.folds, first, events[:taken])
    if replay.heads is not None:
        replay.heads.extend(last.subject, entries[:taken])
    if replay.also is not None:
        for number in range(taken):
            replay.also(first + number, cast("Event", events[number]))
    return taken


def _decode_canonical(entries: list[bytes]) -> list[TransactionEntry]:
    """The entries as structs; none where any is not canonical or not exactly a transaction's."""
    try:
        events = [_decode(entry) for entry in entries]
    except (msgspec.MsgspecError, UnicodeError):
        return []
    # ASCII is in normalisation form C; any other text is left to the strict parser.
    if [_encode(event) for event in events] != entries or not b"".join(entries).isascii():
        return []
    return events


def _count_in_order(replay: EntryReplay, events: list[TransactionEntry]) -> int:
    """How many of them, from the first on, are next in position and time, on one subject?"""
    if not events:
        return 0
    subject, recorded_time = events[0].subject, replay.recorded_time
    position = replay.positions.get(subject, 0)
    for number, event in enumerate(events):
        position += 1
        time = event.recorded_time
        if (
            event.position != position
            or event.subject != subject
            or time < recorded_time
            or not is_time(time)
            or not is_time(event.time)
        ):
            return number
        recorded_time = time
    return len(events)


def _judge(replay: EntryReplay, first: int, events: list[TransactionEntry]) -> int:
    """Groups and rules, up to and including the first that breaks the batch; returns how many were judged."""
    feed, world = replay.groups.feed, replay.world
    stream = world.stream(events[0].subject)
    number = 0
    for number, event in enumerate(cast("list[Event]", events)):
        try:
            feed(event)
        except RuleBroken as broken:
            replay.groups_broken(first + number, broken)
        try:
            _decide(world, stream, event)
            _evolve(stream, event, NO_UNDO)
        except RuleBroken as broken:
            replay.rule_broken(first + number, broken)
        if replay.batch is None:
            break
    return number + 1


def _submission_of(entry: bytes) -> bytes:
    """The canonical submission of a canonical transaction: without the two attributes of the service.

    They stand side by side, and nothing before them can hold this text: quotes inside a string are escaped,
    and the payload has no member of such a name.
    """
    start = entry.index(b',"position":')
    return entry[:start] + entry[entry.index(b',"source":', start) :]


# --- root and tables only -------------------------------------------------------------------------------


def fold_entries(replay: EntryReplay, first: int, entries: list[bytes]) -> None:
    """Take entries into the folds without judging them; transactions in runs."""
    if replay.also is None and _fold_run(replay, first, entries):  # most bundles are nothing else
        return
    for sealed, group in groupby(entries, is_transaction):
        run = list(group)
        if not (sealed and replay.also is None and _fold_run(replay, first, run)):
            for index, entry in enumerate(run, first):
                _fold_one(replay, index, entry)
        first += len(run)


def _fold_run(replay: EntryReplay, first: int, entries: list[bytes]) -> bool:
    try:
        events = [_decode(entry) for entry in entries]
    except (msgspec.MsgspecError, UnicodeError):
        return False
    replay.findings.examine("folds", len(events))
    fold_transactions(replay.folds, first, events)
    if replay.heads is not None:
        for subject, run in groupby(zip(events, entries, strict=True), lambda pair: pair[0].subject):
            replay.heads.extend(subject, [entry for _, entry in run])
    return True


def _fold_one(replay: EntryReplay, index: int, entry: bytes) -> None:
    try:
        event = decode_event(entry)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, KeyError):
        replay.findings.violate_entry("folds", index, "is no event of the catalogue")
    else:
        if replay.heads is not None:
            replay.heads.append(event.subject, entry)
        replay.fold(index, event)


def fold_transactions(folds: FoldSet, first: int, events: list[TransactionEntry]) -> None:
    """Count neighbouring transactions; those of one subject and provenance at once."""
    subjects = {event.subject for event in events}
    provenances = {event.data.provenance for event in events}
    if len(subjects) == 1 and len(provenances) == 1:
        counts = Counter([event.data.kind for event in events])
        folds.apply_transactions(first, subjects.pop(), counts, provenances.pop())
        return
    for index, event in enumerate(events, first):
        folds.apply_transaction(index, event.subject, event.data.kind, event.data.provenance)
