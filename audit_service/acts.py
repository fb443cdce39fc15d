"""How does an act of administration get into the log, whichever process did it?

Only one process writes a log. A command that runs beside the service therefore leaves the signed submission in the
table `acts`, in the same transaction as the act itself; whoever writes the log (the running service, or the command
that has opened the ledger) records what waits there. A crash between recording and noting it down repeats the same
submission, which gets the same index again.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, NamedTuple

from audit_service.errors import AuditServiceError, Overloaded, Quarantined, RecordingFailed
from audit_service.rules.errors import RuleBroken

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from sqlalchemy import Connection, Engine

    from audit_service.submission import Prepared
    from audit_service.writer import SubmissionResult

logger = logging.getLogger(__name__)

POLL_INTERVAL_S = 0.5
_RECORDING_TIMEOUT_S = 60


class ActState(NamedTuple):
    """What became of an act: its index in the log, or why it was refused; neither while it waits."""

    log_index: int | None
    refused_because: str | None


def add_act(connection: Connection, submission: bytes) -> int:
    """Leave a signed submission to be recorded, inside the caller's transaction; returns the act's id."""
    cursor = connection.exec_driver_sql("INSERT INTO acts (submission) VALUES (?) RETURNING act_id", (submission,))
    act_id: int = cursor.scalar_one()
    return act_id


def state_of_act(engine: Engine, act_id: int) -> ActState:
    """What became of an act so far?"""
    with engine.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT log_index, refused_because FROM acts WHERE act_id = ?", (act_id,)
        ).one()
    return ActState(*row)


class ActRecorder:
    """Records the acts that wait; one thread beside the writer of the log."""

    def __init__(
        self,
        *,
        writer: Engine,
        reader: Engine,
        prepare: Callable[[bytes], Prepared],
        submit: Callable[[Prepared], Future[SubmissionResult]],
        interval_s: float = POLL_INTERVAL_S,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._prepare = prepare
        self._submit = submit
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="acts", daemon=True)

    def start(self) -> None:
        """Record what waits, then look again and again."""
        self.record_waiting()
        self._thread.start()

    def stop(self) -> None:
        """End; what still waits is recorded by the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def record_waiting(self) -> None:
        """Record every act that waits, in the order in which they were done."""
        with self._reader.connect() as connection:
            waiting = connection.exec_driver_sql(
                "SELECT act_id, submission FROM acts "
                "WHERE log_index IS NULL AND refused_because IS NULL ORDER BY act_id"
            ).all()
        for act_id, submission in waiting:
            try:
                state = self._record(submission)
            except (Overloaded, Quarantined, RecordingFailed, TimeoutError) as error:
                # Not the act's fault: it goes on waiting.
                logger.warning("an act waits: %s", error)
                return
            self._note(act_id, state)

    def _record(self, submission: bytes) -> ActState:
        try:
            outcome = self._submit(self._prepare(submission)).result(_RECORDING_TIMEOUT_S).outcomes[0]
        except (Overloaded, Quarantined, RecordingFailed):
            raise
        except (AuditServiceError, RuleBroken) as error:
            return ActState(None, _reason(error))
        if outcome.error is not None:
            return ActState(None, _reason(outcome.error))
        return ActState(outcome.index, None)

    def _note(self, act_id: int, state: ActState) -> None:
        if state.refused_because is not None:
            logger.error("act %d was refused: %s", act_id, state.refused_because)
        with self._writer.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE acts SET log_index = ?, refused_because = ? WHERE act_id = ?", (*state, act_id)
            )

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            try:
                self.record_waiting()
            except Exception:
                # The service goes on without new tokens; the next round tries again.
                logger.exception("acts could not be recorded")


def _reason(error: Exception) -> str:
    rule_id = getattr(error, "rule_id", type(error).__name__)
    return f"{rule_id}: {error}"
