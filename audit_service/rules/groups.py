"""Do entries that must stand together stand together? Seen from the order of the log alone.

Five groups are atomic: all or none, one right behind the other.

1. `service.batch-sealed.v1`, then its `count` transactions with ids `<batch_id>/1` to `<batch_id>/<count>`.
2. `budget.carried-over.v1`, then its `budget.carry-in-received.v1`.
3. `budget.paid.v1` with a `contract_paid_id`, then that `contract.paid.v1` or `contract.advance-paid.v1`.
4. `budget.returned.v1` with a `contract_returned_id`, then that `contract.returned.v1`.
5. `budget.corrected.v1` with a `contract_corrected_id`, then that `contract.corrected.v1`.

Amounts and names across a pair are compared by the rules of the second half; the root over a batch's
submissions is checked where the bytes are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_service.rules.errors import RuleBroken

if TYPE_CHECKING:
    from audit_service.catalogue.budget import CarriedOver, Corrected, Paid, Returned
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.service import BatchSealed

_TRANSACTION = "service.transaction-recorded.v1"
_BATCH = "service.batch-sealed.v1"
_CARRY_IN = ("budget.carry-in-received.v1",)
_PAYMENTS = ("contract.paid.v1", "contract.advance-paid.v1")
_RETURN = ("contract.returned.v1",)
_CORRECTION = ("contract.corrected.v1",)
_SECOND_HALVES = {
    "budget.carry-in-received.v1": "budget.carry-over-alone",
    "contract.paid.v1": "contract.payment-alone",
    "contract.advance-paid.v1": "contract.payment-alone",
    "contract.returned.v1": "contract.payment-alone",
    # Only where it answers a budget's correction: most corrections of a contract are about the contract alone.
    "contract.corrected.v1": "budget.correction-alone",
}


class Half(NamedTuple):
    """The first half of a pair, and which entry must come next. `subject` is "" where the log alone cannot tell it."""

    first: Event
    types: tuple[str, ...]
    subject: str
    event_id: str


def _is_second_half(event: Event) -> bool:
    if event.type not in _SECOND_HALVES:
        return False
    return event.type not in _CORRECTION or isinstance(event.data.budget_corrected_id, str)


class Groups:
    """The groups of a sequence of entries, fed in the order of the log (or of one atomic batch).

    After a refusal the open group is forgotten and the refused event is looked at afresh, so that one broken
    group does not condemn the entries behind it.
    """

    __slots__ = ("_half", "_manifest", "_next", "_prefix", "_remaining")

    def __init__(self) -> None:
        self._manifest: Event | None = None
        self._remaining: dict[str, int] = {}
        self._prefix = ""
        self._next = 0
        self._half: Half | None = None

    @property
    def is_open(self) -> bool:
        """Must more entries follow before the group is complete?"""
        return self._manifest is not None or self._half is not None

    def feed(self, event: Event) -> None:
        """Take the next entry.

        Raises:
            RuleBroken: `service.batch-incomplete`, `service.batch-order`, `service.batch-kinds-differ`,
                `service.unsealed`, `budget.carry-over-alone`, `contract.payment-alone` or `budget.correction-alone`.
        """
        if self._manifest is not None:
            self._feed_batch(self._manifest, event)
        elif self._half is not None:
            self._feed_half(self._half, event)
        else:
            self._begin(event)

    def feed_sealed(self, *, subject: str, source: str, counts: dict[str, int]) -> bool:
        """Take all transactions of the batch that has just been opened, whose ids are in order; False if they differ.

        Then nothing was taken, and `feed` says of the first one that differs what is wrong with it.
        """
        manifest = self._manifest
        if (
            manifest is None
            or self._next != 1
            or (manifest.subject, manifest.source) != (subject, source)
            or counts != self._remaining
        ):
            return False
        self._manifest = None
        return True

    def finish(self) -> None:
        """Is everything complete at the end?

        Raises:
            RuleBroken: `service.batch-incomplete`, `budget.carry-over-alone`, `contract.payment-alone` or
                `budget.correction-alone`.
        """
        manifest, half = self._manifest, self._half
        self._forget()
        if manifest is not None:
            raise self._incomplete(manifest)
        if half is not None:
            raise _alone(half)

    def _forget(self) -> None:
        self._manifest = self._half = None

    def _begin(self, event: Event) -> None:
        if event.type == _TRANSACTION:
            raise RuleBroken("service.unsealed", "no batch is open for this transaction", stream=event.subject)
        if _is_second_half(event):
            raise RuleBroken(_SECOND_HALVES[event.type], "its first half is not the entry before", stream=event.subject)
        if event.type == _BATCH:
            batch: BatchSealed = event.data
            self._manifest = event
            self._remaining = {cell.kind: cell.count for cell in batch.counts_by_kind}
            self._prefix = batch.batch_id + "/"
            self._next = 1
        elif event.type == "budget.carried-over.v1":
            carried: CarriedOver = event.data
            self._half = Half(event, _CARRY_IN, carried.to_subject, carried.carry_in_id)
        elif event.type == "budget.paid.v1":
            paid: Paid = event.data
            if isinstance(paid.contract_paid_id, str):
                self._half = Half(event, _PAYMENTS, "", paid.contract_paid_id)
        elif event.type == "budget.returned.v1":
            returned: Returned = event.data
            if isinstance(returned.contract_returned_id, str):
                self._half = Half(event, _RETURN, "", returned.contract_returned_id)
        elif event.type == "budget.corrected.v1":
            corrected: Corrected = event.data
            if isinstance(corrected.contract_corrected_id, str):
                self._half = Half(event, _CORRECTION, "", corrected.contract_corrected_id)

    def _feed_batch(self, manifest: Event, event: Event) -> None:
        if event.type != _TRANSACTION or event.subject != manifest.subject:
            self._forget()
            self._begin_quietly(event)
            raise self._incomplete(manifest)
        number = self._next
        if event.id != f"{self._prefix}{number}" or event.source != manifest.source:
            self._forget()
            raise RuleBroken(
                "service.batch-order",
                f"transaction {number} of the batch does not carry its number",
                stream=event.subject,
                allowed=f"{self._prefix}{number}",
            )
        remaining = self._remaining
        kind = event.data.kind
        left = remaining.get(kind, 0)
        if left == 0:
            self._forget()
            raise RuleBroken(
                "service.batch-kinds-differ",
                f"transaction {number} is one more of its kind than the manifest counts",
                stream=event.subject,
            )
        remaining[kind] = left - 1
        if number == manifest.data.count:
            self._manifest = None
        self._next = number + 1

    def _incomplete(self, manifest: Event) -> RuleBroken:
        return RuleBroken(
            "service.batch-incomplete",
            f"{manifest.data.count - self._next + 1} transactions of the batch are missing",
            stream=manifest.subject,
        )

    def _feed_half(self, half: Half, event: Event) -> None:
        self._forget()
        # The contract's subject stands in the obligation, which the order of entries does not show ("").
        fits = event.type in half.types and event.subject == (half.subject or event.subject)
        if fits and event.id == half.event_id and event.source == half.first.source and _is_second_half(event):
            return
        self._begin_quietly(event)
        raise _alone(half)

    def _begin_quietly(self, event: Event) -> None:
        """Look at an event afresh whose refusal is already decided: one refusal per entry is enough."""
        if event.type != _TRANSACTION and not _is_second_half(event):
            self._begin(event)


def _alone(half: Half) -> RuleBroken:
    wanted = " or ".join(half.types)
    return RuleBroken(_SECOND_HALVES[half.types[0]], f"the next entry is not its {wanted}", stream=half.first.subject)
