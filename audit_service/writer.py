"""The writer's story: take what waits, decide, record, sign, answer; publication follows by itself.

One thread writes one log. It takes every request that waits (no linger), decides them one after another,
records all that the rules allow in one transaction, signs the new head once, and answers all of them. Single
posts from many connections so share two fsyncs, and nobody waits for a timer.

What a crash leaves behind:

1. before the commit: nothing; nobody was answered. (A commit whose answer was lost may have happened: before the
   next group the writer waits for the head to be free, takes in what it finds and signs it.)
2. between commit and journal: recorded entries that nobody was told about; the next start signs them.
3. between journal and answer: a signed head; the next start publishes it, a repeated post gets the same index.
4. between answer and publication: the same; the journal still holds the entries.
"""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing.persistence import PersistenceError
from sqlalchemy import exc

from audit_service import metrics
from audit_service.clock import format_time, now_utc, parse_time
from audit_service.errors import ClockBehind, JournalFull, JournalUnavailable, Overloaded, RecordingFailed
from audit_service.failpoints import reach
from audit_service.fatal import end_if_disk_failed
from audit_service.recording.recorder import Commit
from audit_service.submission import Prepared
from audit_service.unit_of_work import Outcome, UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_service.clock import Clock
    from audit_service.reading import LogReader
    from audit_service.recording.application import LedgerApplication
    from audit_service.recording.recorder import IdempotencyKey, LedgerRecorder
    from audit_service.refusals import Refusals, SignedRefusal
    from audit_service.signing.signer import CheckpointSigner, SignedHead
    from audit_service.submission import Item
    from audit_service.unit_of_work import Streams

logger = logging.getLogger(__name__)

# A group is bounded so that its transaction and its journal record stay small enough to be quick.
GROUP_ITEMS_LIMIT = 50_000
# A clock that is further behind what was recorded is wrong, and no time may be taken from it.
CLOCK_BEHIND_LIMIT = timedelta(seconds=60)
_CLOCK_RETRY_AFTER_S = 30
# Entries about refusals go with the next commit; if there is none, they wait so long for company, so that refusing
# in a loop does not cost a commit each.
REFUSALS_LINGER_S = 0.5


class SubmissionResult(NamedTuple):
    """Outcomes in the order of the submissions, and a signed checkpoint that covers all their indexes."""

    outcomes: list[Outcome]
    head: SignedHead


class _Request(NamedTuple):
    items: Sequence[Item | Exception]
    atomic: bool
    dry_run: bool
    future: Future[SubmissionResult]


class Writer:
    """The one writer of a log."""

    def __init__(
        self,
        *,
        application: LedgerApplication,
        recorder: LedgerRecorder,
        streams: Streams,
        signer: CheckpointSigner,
        reader: LogReader,
        refusals: Refusals,
        on_signed: Callable[[], None],
        queue_limit: int,
        clock: Clock = now_utc,
    ) -> None:
        self._application = application
        self._recorder = recorder
        self._streams = streams
        self._signer = signer
        self._reader = reader
        self._refusals = refusals
        self._on_signed = on_signed
        self._clock = clock
        self._queue: queue.Queue[_Request | None] = queue.Queue(maxsize=queue_limit)
        self._head = recorder.head()
        self._settled = True
        self._epoch = 0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.stopped_because: str | None = None
        self._clock_is_behind = False

    @property
    def queue_length(self) -> int:
        """Requests that wait."""
        return self._queue.qsize()

    def start(self, *, epoch: int) -> None:
        """Start the thread; it writes in this epoch, and only as long as the database is in it."""
        self._head = self._recorder.head()
        self._epoch = epoch
        self._thread.start()

    def stop(self) -> None:
        """Answer what was accepted into the queue, then end; returns when the thread has ended."""
        self._queue.put(None)
        self._thread.join()

    def submit(self, items: Sequence[Item | Exception], *, atomic: bool, dry_run: bool) -> Future[SubmissionResult]:
        """Queue one request; the future gives its result.

        Raises:
            Overloaded: the queue is full, or the writer has stopped; nothing was accepted.
        """
        if self.stopped_because is not None:
            raise Overloaded(f"the writer has stopped: {self.stopped_because}", retry_after_s=30)
        request = _Request(items, atomic, dry_run, Future())
        try:
            self._queue.put_nowait(request)
        except queue.Full:
            raise Overloaded("the queue is full") from None
        if not self._thread.is_alive():
            self._refuse_waiting()
        return request.future

    def _run(self) -> None:
        try:
            while (group := self._take_group()) is not None:
                self._process(group)
            if self._refusals.waiting:
                self._process([])
        except Exception as error:
            # What is in memory may differ from what is on disk: stop writing, keep serving reads.
            self.stopped_because = f"{type(error).__name__}: {error}"
            logger.critical("the writer stopped", exc_info=error)
        else:
            self.stopped_because = "the service is stopping"
        self._refuse_waiting()

    def _take_group(self) -> list[_Request] | None:
        """Everything that waits now, at least one request; None when the writer shall end.

        Nothing, if nobody asks for a while and refusals wait for their entries, or what is recorded for its signature.
        """
        try:
            waits = self._refusals.waiting or not self._settled or self._unsigned
            request = self._queue.get(timeout=REFUSALS_LINGER_S if waits else None)
        except queue.Empty:
            return []
        group: list[_Request] = []
        size = 0
        while request is not None:
            group.append(request)
            size += len(request.items)
            if size >= GROUP_ITEMS_LIMIT:
                break
            try:
                request = self._queue.get_nowait()
            except queue.Empty:
                break
        else:
            if not group:
                return None
            self._queue.put(None)  # answer this group first, then end
        return group

    @property
    def _unsigned(self) -> bool:
        signed = self._signer.last
        return (signed.size if signed else 0) < self._head.tree_size

    def _process(self, group: list[_Request]) -> None:
        try:
            self._settle()
            recorded_time = self._next_recorded_time()
            find_key = self._key_finder(group)
        except (ClockBehind, RecordingFailed, exc.SQLAlchemyError) as error:
            for request in group:
                request.future.set_exception(error)
            return
        work = UnitOfWork(
            self._streams,
            tree_size=self._head.tree_size,
            recorded_time=recorded_time,
            find_key=find_key,
        )
        refusals: list[SignedRefusal] = []
        try:
            outcomes = [self._decide(work, request) for request in group]
            refusals = self._refusals.write_into(work, time=recorded_time)  # of the groups before
            head = self._commit(work, recorded_time)
            self._streams.forget_empty()
            if not reach("answer.before-answers"):
                _answer(group, outcomes, head)
            reach("answer.after-answers")
        except RecordingFailed as error:
            self._refusals.give_back(refusals)
            _fail(group, error)
            return
        except (JournalFull, JournalUnavailable) as error:
            # Recorded, and signed with the next group that the journal takes: a repeat then gets the same index.
            _fail(group, error)
            return
        except exc.SQLAlchemyError as error:
            # Recorded before, and to be read again in order to be signed: the database went away in between.
            logger.exception("what is recorded cannot be read")
            _fail(group, error)
            return
        finally:
            _fail(group, Overloaded("the writer stopped; send the same submission again", retry_after_s=30))
        self._note_refusals(group, outcomes, recorded_time)

    def _note_refusals(
        self, group: list[_Request], outcomes: list[list[Outcome] | Exception], recorded_time: str
    ) -> None:
        """Only now, so that nobody waits for it: a refused caller has its answer, the entry about it follows."""
        try:
            for request, result in zip(group, outcomes, strict=True):
                if not request.dry_run and not isinstance(result, Exception):
                    self._refusals.note(request.items, result, recorded_time=recorded_time)
        except exc.SQLAlchemyError:
            logger.exception("a refusal leaves no entry: the database did not answer")

    def _key_finder(self, group: list[_Request]) -> Callable[[str, str], IdempotencyKey | None]:
        """Look up the ids of a whole group in a few statements: one for each would cost more than the rules."""
        asked = [(item.source, item.id) for request in group for item in request.items if isinstance(item, Prepared)]
        known = self._reader.find_keys(list(dict.fromkeys(asked)))

        def find_key(source: str, submission_id: str) -> IdempotencyKey | None:
            try:
                return known[source, submission_id]
            except KeyError:
                return self._reader.find_key(source, submission_id)

        return find_key

    def _decide(self, work: UnitOfWork, request: _Request) -> list[Outcome] | Exception:
        """The outcomes of one request; a defect of ours fails this request alone, its changes are undone."""
        try:
            return work.decide(request.items, atomic=request.atomic, dry_run=request.dry_run)
        except exc.SQLAlchemyError as error:
            logger.exception("a stream or an id could not be looked up")
            return error
        except Exception as error:
            logger.exception("a rule failed instead of deciding")
            return error

    def _commit(self, work: UnitOfWork, recorded_time: str) -> SignedHead:
        """Record and sign what was accepted; a group without accepted entries answers with the last head."""
        if work.entries:
            self._record(work, recorded_time)
        return self._sign(work.entries)

    def _record(self, work: UnitOfWork, recorded_time: str) -> None:
        commit = Commit(recorded_time=recorded_time, keys=work.keys, epoch=self._epoch, tree_size=self._head.tree_size)
        try:
            self._application.save(work, commit=commit)
        except (PersistenceError, exc.SQLAlchemyError, OSError) as error:
            end_if_disk_failed(error)
            metrics.RECORDING_FAILURES.inc()
            logger.exception("recording failed")
            self._streams.discard()
            self._settled = False
            raise RecordingFailed("send the same submission again: it is recorded once") from error
        if commit.head is None or commit.leaf_hashes is None:
            raise AssertionError("the recorder did not say what it recorded")
        self._head = commit.head
        self._reader.extend(commit.leaf_hashes)
        self._streams.offer_snapshots(work.collect_events())

    def _sign(self, entries: list[bytes]) -> SignedHead:
        if self._signer.settle():
            self._on_signed()
        signed = self._signer.last
        signed_size = signed.size if signed else 0
        if signed is not None and signed_size == self._head.tree_size:
            return signed
        if signed_size + len(entries) != self._head.tree_size:
            # An earlier group was recorded, but not signed.
            entries = self._reader.entries(signed_size, self._head.tree_size)
        signed = self._signer.sign(
            tree_size=self._head.tree_size,
            root_hash=self._head.root_hash,
            entries=entries,
            consistency=self._reader.consistency(signed_size, self._head.tree_size) if signed else [],
        )
        logger.info("signed", extra={"tree_size": signed.size, "group": len(entries)})
        self._on_signed()
        return signed

    def _settle(self) -> None:
        """After a failed commit: what does the database hold now?

        The commit may have happened although its answer was lost. Then its entries are taken in here and signed with
        this group, and whoever repeats a submission of it gets the index that it has.

        Raises:
            RecordingFailed: the database does not say; nothing is decided before it does.
        """
        if self._settled:
            return
        try:
            head = self._recorder.settled_head()
            self._reader.load(head)
        except (PersistenceError, exc.SQLAlchemyError) as error:
            end_if_disk_failed(error)
            logger.warning("it is not known yet what the failed commit left: %s", type(error).__name__)
            raise RecordingFailed("send the same submission again: it is recorded once") from error
        if head.tree_size > self._head.tree_size:
            logger.warning("a commit that seemed to fail was recorded", extra={"tree_size": head.tree_size})
        self._head = head
        self._settled = True

    def _next_recorded_time(self) -> str:
        """`recordedtime` never goes back, whatever the machine's clock does.

        A clock that is a little behind is waited for in this way; one that went back is believed in nothing.

        Raises:
            ClockBehind: it is more than `CLOCK_BEHIND_LIMIT` behind what was recorded.
        """
        now, last = self._clock(), self._head.recorded_time
        behind = parse_time(last) - now if last else timedelta(0)
        if behind > CLOCK_BEHIND_LIMIT:
            message = (
                f"the machine's clock is {int(behind.total_seconds())} s behind what was recorded; "
                "nothing is signed until it is right again, reading goes on"
            )
            if not self._clock_is_behind:
                logger.critical(message)
            self._clock_is_behind = True
            raise ClockBehind(message, retry_after_s=_CLOCK_RETRY_AFTER_S)
        if self._clock_is_behind:
            logger.warning("the machine's clock is right again: signing goes on")
        self._clock_is_behind = False
        return last if behind > timedelta(0) else format_time(now)

    def _refuse_waiting(self) -> None:
        while True:
            try:
                request = self._queue.get_nowait()
            except queue.Empty:
                return
            if request is not None:
                request.future.set_exception(
                    Overloaded("the service is stopping; send the same submission again", retry_after_s=5)
                )


def _answer(group: list[_Request], results: list[list[Outcome] | Exception], head: SignedHead) -> None:
    for request, result in zip(group, results, strict=True):
        if isinstance(result, Exception):
            request.future.set_exception(result)
        else:
            request.future.set_result(SubmissionResult(result, head))


def _fail(group: list[_Request], error: Exception) -> None:
    """Let nobody wait for ever: whoever has no answer yet gets this one."""
    for request in group:
        if not request.future.done():
            request.future.set_exception(error)
