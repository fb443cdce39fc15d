"""Step 2 of the way of one event: do the rules allow it, and what exactly will one commit write?

The unit of work keeps the aggregates in memory and collects the entries of a group in log order. A refusal
undoes one submission or one atomic batch. When a *commit* fails, everything in memory is discarded and loaded
again: eventsourcing empties its list of pending events before it inserts, so an aggregate that survived a
failed insert would leave a gap.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import UNSET

from audit_service import metrics
from audit_service.catalogue.event import Entry, Event
from audit_service.catalogue.registry import ROOT_SIGNED
from audit_service.clock import format_time, parse_time
from audit_service.errors import BatchRefused, IdTaken, PositionTaken, SignatureRefused, SubmissionRefused
from audit_service.recording.application import EntryRecorded, SealedRecorded
from audit_service.recording.recorder import IdempotencyKey
from audit_service.rules.decide import decide, evolve
from audit_service.rules.errors import RuleBroken
from audit_service.rules.groups import Groups
from audit_service.rules.keys import authorise_entry
from audit_service.rules.service import may_record_all, record_all
from audit_service.rules.states import ONLY
from audit_service.rules.undo import Undo
from audit_service.rules.world import read_log
from audit_service.submission import MANIFEST, TRANSACTION, Item, Prepared, SealedItem
from verifier.errors import VerificationError
from verifier.possession import verify_possessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from audit_service.aggregates import Stream
    from audit_service.recording.application import LedgerApplication

_encode = msgspec.json.Encoder().encode
GENESIS = "registry.log-created.v1"
# How far an agency's clock may be ahead of ours.
CLOCK_TOLERANCE = timedelta(minutes=5)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one submission: its place in the log, or the error that refused it.

    In a dry run, a submission that the rules would allow has a position and no index.

    The garbage collector must see it: an error holds the frames it went through, and these hold their outcomes.
    Were it hidden (`gc=False`), every batch with a refused item would stay in memory for ever.
    """

    index: int | None = None
    position: int | None = None
    repeated: bool = False
    error: Exception | None = None


class Accepted(Outcome, frozen=True, kw_only=True, gc=False):
    """An outcome without an error: it can be in no cycle, so the collector need not look at twenty thousand of them."""


class Streams:
    """The world of the server: aggregates in memory, loaded from their entries when first asked for."""

    def __init__(self, application: LedgerApplication) -> None:
        self.application = application
        self._streams: dict[str, Stream] = {}
        # Readers of the registry and the writer must never hold two aggregates of one stream.
        self._loading = threading.RLock()
        self._empty: list[str] = []

    def aggregate(self, subject: str) -> Stream:
        """The aggregate behind a subject; an empty one for a stream without events."""
        found = self._streams.get(subject)
        if found is None:
            with self._loading:
                found = self._streams.get(subject)
                if found is None:
                    found = self._streams[subject] = self.application.load(subject, self)
                    if found.version == 0:
                        self._empty.append(subject)
        return found

    def stream(self, subject: str) -> Any:  # each stream kind has its own state class
        """The state that the rules read (the `World` of `audit_service.rules`)."""
        return self.aggregate(subject).state

    def forget_empty(self) -> None:
        """Forget streams that were only asked for: refused submissions must not fill the memory."""
        with self._loading:
            for subject in self._empty:
                stream = self._streams.get(subject)
                # A state is a tuple of dictionaries; one that remembers anything stays.
                if stream is not None and stream.version == 0 and not any(stream.state):
                    del self._streams[subject]
            self._empty.clear()

    def offer_snapshots(self, recorded: Iterable[EntryRecorded | SealedRecorded]) -> None:
        """After a commit: let the streams that moved be kept, where they have grown enough."""
        snapshots = self.application.stream_snapshots
        if snapshots is not None:
            for subject in {one.originator_id for one in recorded}:
                snapshots.offer(self.aggregate(subject))

    def close(self) -> None:
        """Keep snapshots of what moved; nothing may be decided afterwards."""
        if self.application.stream_snapshots is not None:
            self.application.stream_snapshots.close(list(self._streams.values()))

    def discard(self) -> None:
        """Forget everything: the next look loads it from the recorded entries."""
        with self._loading:
            self._streams.clear()
            self._empty.clear()


class UnitOfWork:
    """The entries of one group, decided one by one, to be recorded by one commit."""

    id = "unit-of-work"
    version = 0

    def __init__(
        self,
        streams: Streams,
        *,
        tree_size: int,
        recorded_time: str,
        find_key: Callable[[str, str], IdempotencyKey | None],
    ) -> None:
        self._streams = streams
        self._tree_size = tree_size
        self._recorded_time = recorded_time
        self._latest_time = format_time(parse_time(recorded_time) + CLOCK_TOLERANCE)
        self._find_key = find_key
        self._undo = Undo()
        self._recorded: list[EntryRecorded | SealedRecorded] = []
        self._keys: dict[tuple[str, str], IdempotencyKey] = {}

    def collect_events(self) -> list[EntryRecorded | SealedRecorded]:
        """The entries in log order: what eventsourcing's `Application.save` asks its aggregates for."""
        return self._recorded

    @property
    def entries(self) -> list[bytes]:
        """The entries of this group, in log order."""
        return [recorded.entry for recorded in self._recorded]

    @property
    def keys(self) -> list[IdempotencyKey]:
        """The idempotency keys of this group."""
        return list(self._keys.values())

    @property
    def next_index(self) -> int:
        """The index that the next accepted entry would get."""
        return self._tree_size + len(self._recorded)

    @metrics.DECIDE.time()
    def decide(self, items: Sequence[Item | Exception], *, atomic: bool, dry_run: bool = False) -> list[Outcome]:
        """Decide about the items of one request; refused ones change nothing.

        With `atomic`, the first refusal refuses all. A dry run changes nothing either way.
        """
        mark = self._mark()
        outcomes = self._decide_atomic(items) if atomic else [self._decide_one(item) for item in items]
        if dry_run:
            self._rollback(mark)
            outcomes = [
                outcome if outcome.error or outcome.repeated else Outcome(position=outcome.position)
                for outcome in outcomes
            ]
        return outcomes

    def _decide_one(self, item: Item | Exception) -> Outcome:
        return self._decide_atomic([item])[0]

    def _decide_atomic(self, items: Sequence[Item | Exception]) -> list[Outcome]:
        mark = self._mark()
        outcomes: list[Outcome] = []
        groups = Groups()
        try:
            while len(outcomes) < len(items):
                item = items[len(outcomes)]
                if isinstance(item, SealedItem):
                    outcomes.extend(self._accept_sealed(item, groups))
                    continue
                repeats = self._repeat_of(items, len(outcomes))
                if repeats is None:
                    item = cast("Prepared", item)
                    groups.feed(item.event)
                    outcomes.append(self._accept(item))
                else:
                    outcomes.extend(repeats)
            groups.finish()
        except (RuleBroken, SubmissionRefused) as error:
            self._rollback(mark)
            return _refuse_all(items, min(len(outcomes), len(items) - 1), error)
        except BaseException:
            # Our own defect: nothing of this request may stay in memory; the caller reports it.
            self._rollback(mark)
            raise
        return outcomes

    def _accept(self, item: Prepared) -> Outcome:
        event, submission = item.event, item.submission
        event.index = self.next_index
        event.recorded_time = self._recorded_time
        if event.type != TRANSACTION:
            self._check_new_id(item)
            self._check_signer(item)
        if event.time > self._latest_time:
            # Both are in the one format of the log, so text compares as time does.
            raise SubmissionRefused("`time` lies in the future", rule_id="envelope.time-in-future")
        stream = self._streams.aggregate(event.subject)
        position = stream.version + 1
        if submission.expectedposition is not UNSET and submission.expectedposition != position:
            raise PositionTaken(f"the stream's next position is {position}", rule_id="envelope.expected-position")
        event.position = position
        decide(self._streams, event)
        evolve(self._streams, event, self._undo)
        stream.version = position
        index = self.next_index
        self._recorded.append(
            EntryRecorded(
                originator_id=event.subject,
                originator_version=position,
                entry=_entry_bytes(submission, position, self._recorded_time),
                event=event,
            )
        )
        return Accepted(index=index, position=position)

    def _accept_sealed(self, item: SealedItem, groups: Groups) -> list[Outcome]:
        """Accept all transactions of the batch whose manifest was accepted just now; one by one if that is not so."""
        run = item.run
        stream = self._streams.aggregate(run.subject)
        fits = (
            item.number == 1
            and run.time <= self._latest_time
            and not read_log(self._streams).successor
            and may_record_all(stream.state, run)
        )
        if not fits or not groups.feed_sealed(subject=run.subject, source=run.source, counts=run.counts):
            prepared = item.prepared
            groups.feed(prepared.event)
            return [self._accept(prepared)]
        first_index, first_position = self.next_index, stream.version + 1
        record_all(stream.state, run, self._undo)
        stream.version += len(run.commitments)
        subject = run.subject
        entries = run.entries(first_position=first_position, recorded_time=self._recorded_time)
        self._recorded += [
            SealedRecorded(subject, position, entry) for position, entry in enumerate(entries, first_position)
        ]
        return [
            Accepted(index=first_index + number, position=first_position + number) for number in range(len(entries))
        ]

    def _check_new_id(self, item: Prepared) -> None:
        """Remember the id; a manifest's id stands for its whole batch."""
        event = item.event
        count = 1 + (event.data.count if event.type == MANIFEST else 0)
        if self._known(event) is not None:
            raise IdTaken("this `id` stands in the log with other content", rule_id="envelope.id-taken")
        key = IdempotencyKey(event.source, event.id, item.digest, self.next_index, count)
        self._keys[event.source, event.id] = key

    def _check_signer(self, item: Prepared) -> None:
        if item.kid is None:
            raise SignatureRefused("`signature` is missing", rule_id="submission.signature-missing")
        if item.event.type == GENESIS:
            _check_root_signers(item)
            return
        if item.approval_kid == item.kid:
            raise SignatureRefused(
                "`approval` must be by another key than `signature`",
                rule_id="submission.approval-same-key",
            )
        authorise_entry(self._streams, item.event, item.kid, item.approval_kid)
        if item.event.type in ROOT_SIGNED:
            self._check_possessions(item)

    def _check_possessions(self, item: Prepared) -> None:
        """A new key proves that somebody holds it; the auditor's replay asks the same."""
        log = read_log(self._streams).log.get(ONLY)
        data = msgspec.json.decode(item.submission.data)
        try:
            verify_possessions(item.event.type, data, origin=log.origin if log else "")
        except VerificationError as error:
            raise SignatureRefused(str(error), rule_id="registry.possession") from error

    def _known(self, event: Event) -> IdempotencyKey | None:
        return self._keys.get((event.source, event.id)) or self._find_key(event.source, event.id)

    def _repeat_of(self, items: Sequence[Item | Exception], place: int) -> list[Outcome] | None:
        """The outcomes of the item at `place` if it is in the log already, else None.

        A manifest speaks for its whole batch: its signed root, which was checked, covers the bytes of the
        transactions behind it, so with it they are repeats too.
        """
        item = items[place]
        if isinstance(item, Exception):
            raise item
        if isinstance(item, SealedItem):
            return None
        key = None if item.event.type == TRANSACTION else self._known(item.event)
        if key is None or key.digest != item.digest:
            return None
        batch = items[place + 1 : place + key.entry_count]
        whole = len(batch) == key.entry_count - 1
        if not whole or not all(_is_transaction(each) for each in batch):
            raise SubmissionRefused(
                "this batch stands in the log; repeat it whole or not at all", rule_id="service.batch-incomplete"
            )
        return [Accepted(index=key.first_index + number, repeated=True) for number in range(key.entry_count)]

    def _mark(self) -> tuple[int, int, int]:
        return self._undo.mark(), len(self._recorded), len(self._keys)

    def _rollback(self, mark: tuple[int, int, int]) -> None:
        undo_mark, recorded_count, keys_count = mark
        self._undo.rollback(to=undo_mark)
        for recorded in reversed(self._recorded[recorded_count:]):
            self._streams.aggregate(recorded.originator_id).version = recorded.originator_version - 1
        del self._recorded[recorded_count:]
        for name in list(self._keys)[keys_count:]:
            del self._keys[name]


def _is_transaction(item: Item | Exception) -> bool:
    return isinstance(item, SealedItem) or (isinstance(item, Prepared) and item.event.type == TRANSACTION)


def _check_root_signers(item: Prepared) -> None:
    """The genesis is signed and approved by two different root keys, which it names itself."""
    root_kids = {key.kid for key in item.event.data.root_keys}
    if item.kid == item.approval_kid or not {item.kid, item.approval_kid} <= root_kids:
        raise SignatureRefused("two of the three root keys must sign", rule_id="registry.root-signatures")


def _entry_bytes(submission: Any, position: int, recorded_time: str) -> bytes:
    """The entry: the canonical submission with what the service adds."""
    return _encode(
        Entry(
            approval=submission.approval,
            data=submission.data,
            expectedposition=submission.expectedposition,
            id=submission.id,
            legaldate=submission.legaldate,
            position=position,
            recordedtime=recorded_time,
            sequence=submission.sequence,
            signature=submission.signature,
            source=submission.source,
            specversion=submission.specversion,
            subject=submission.subject,
            time=submission.time,
            type=submission.type,
        )
    )


def _refuse_all(items: Sequence[Item | Exception], place: int, error: Exception) -> list[Outcome]:
    """The refused item carries its own error; the others say which one refused the batch."""
    others = BatchRefused(f"item {place + 1} of the same atomic batch was refused", rule_id="submission.batch-refused")
    return [
        Outcome(error=error if number == place else item if isinstance(item, Exception) else others)
        for number, item in enumerate(items)
    ]
