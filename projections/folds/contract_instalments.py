"""What does each instalment of one procurement come to, and which entries does each of its amounts rest on?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.folds.contract_state import Contract, Fact, sum_won
from projections.folds.rows import Trace, merged

if TYPE_CHECKING:
    from projections.folds.rows import Row


class Instalment:
    """One instalment (차수): how it was signed and what followed, computed from the facts that count."""

    def __init__(self, state: Contract, signed: Fact) -> None:
        self.signed = signed
        self.number: int = signed.cells.get("instalment") or 1
        number = self.number
        self.amendments = list(state.standing("amendments", instalment=number))
        self.signed_won: int | None = signed.cells["amount_won"]
        delta_won = sum_won(self.amendments, "delta_won")
        self.amount_won = None if self.signed_won is None else self.signed_won + delta_won
        self.accepted_won = sum_won(state.standing("acceptances", instalment=number), "accepted_won")
        advances = list(state.standing("advances", instalment=number))
        payments = list(state.standing("payments", instalment=number))
        advance_returned_won = sum_won(returns_of(state, advances), "amount_won")
        paid_returned_won = sum_won(returns_of(state, payments), "amount_won")
        self.returned_won = advance_returned_won + paid_returned_won
        self.advance_won = sum_won(advances, "amount_won") - advance_returned_won
        self.paid_won = sum_won(payments, "amount_won") - paid_returned_won
        self.offset_won = sum_won(payments, "advance_offset_won")
        assessed = list(state.standing("damages", instalment=number))
        self.damages_won = sum_won(assessed, "amount_won")
        self.kept_won = sum_won((one for one in assessed if one.cells["settled_by"] == "OFFSET"), "amount_won")
        self.closing = state.last("closings", instalment=number)
        self.started = state.last("periods", what="started", instalment=number)
        self.traces = {
            table: merged([fact.trace for fact in facts if fact.cells.get("instalment") == number])
            if facts
            else Trace()
            for table in ("amendments", "acceptances", "advances", "payments", "returns", "damages", "closings")
            for facts in (state.all(table),)
        }

    @property
    def final_won(self) -> int | None:
        """What it came to; None until it is closed."""
        return None if self.closing is None else self.closing.cells["final_won"]

    @property
    def cash_won(self) -> int:
        """All that was paid and did not come back, in advance or for accepted work."""
        return self.paid_won + self.advance_won

    @property
    def unpaid_won(self) -> int | None:
        """What is left to pay or to keep back; None where the amount is not stated."""
        return None if self.amount_won is None else self.amount_won - self.cash_won - self.kept_won

    @property
    def owed_won(self) -> int | None:
        """What it comes to in all, as signed or closed, but for damages kept back; None where it is not stated."""
        whole_won = self.amount_won if self.final_won is None else self.final_won
        return None if whole_won is None else whole_won - self.kept_won

    @property
    def status(self) -> str:
        """Signed, under way, or closed?"""
        return "CLOSED" if self.closing is not None else "SIGNED" if self.started is None else "STARTED"

    def row(self) -> Row:
        """The instalment as a row."""
        without = ("amount_won", "instalment", "contract_type", "total_noted_won")
        cells = {name: value for name, value in self.signed.cells.items() if name not in without}
        ends = [one.cells["new_end"] for one in self.amendments if one.cells["new_end"] is not None]
        body = {
            **cells,
            "legal_date": self.signed.legal_date,
            "event_id": self.signed.event_id,
            "instalment": self.number,
            "status": self.status,
            "end": ends[-1] if ends else cells["end"],
            "signed_end": cells["end"],
            "amount_won": self.amount_won,
            "amount_stated": self.amount_won is not None,
            "signed_won": self.signed_won,
            "amendments": len(self.amendments),
            "accepted_won": self.accepted_won,
            "advance_won": self.advance_won,
            "advance_offset_won": self.offset_won,
            "paid_won": self.paid_won,
            "returned_won": self.returned_won,
            "damages_won": self.damages_won,
            "kept_won": self.kept_won,
            "final_won": self.final_won,
            "unpaid_won": self.unpaid_won,
            "figures": self._figures(),
        }
        return merged([self.signed.trace, *self.traces.values()]).row("instalments", str(self.number), body)

    def _figures(self) -> dict[str, Any]:
        """Which entries does each amount rest on? A printed price keeps its own provenance beside later payments."""
        of = self.traces
        rests_on = {
            "signed_won": [self.signed.trace],
            "amount_won": [self.signed.trace, of["amendments"]],
            "accepted_won": [of["acceptances"]],
            "advance_won": [of["advances"], of["returns"]],
            "advance_offset_won": [of["payments"]],
            "paid_won": [of["payments"], of["returns"]],
            "returned_won": [of["returns"]],
            "damages_won": [of["damages"]],
            "kept_won": [of["damages"]],
            "final_won": [of["closings"]],
        }
        figures: dict[str, Any] = {}
        for name, traces in rests_on.items():
            trace = traces[0] if len(traces) == 1 else merged(traces)
            figures[name] = {"provenance": trace.provenance, "entries": trace.entries}
        parts = ["amount_won", "paid_won", "advance_won", "kept_won"]
        tables = ("amendments", "payments", "advances", "returns", "damages")
        all_parts = merged([self.signed.trace, *(of[table] for table in tables)])
        figures["unpaid_won"] = {"provenance": all_parts.provenance, "computed_from": parts}
        return figures


def returns_of(state: Contract, payments: list[Fact]) -> list[Fact]:
    """Which returns are of these payments? Both name the budget and the payment there."""
    paid = {(fact.cells["budget_subject"], fact.cells["payment_id"]) for fact in payments}
    return [
        fact for fact in state.standing("returns") if (fact.cells["budget_subject"], fact.cells["payment_id"]) in paid
    ]


def total_noted_won(state: Contract) -> int | None:
    """The total noted (총 부기금액): the last one that an amendment states, else as signed; None where there is none.

    A corrected amendment keeps the place of the one that it replaced.
    """
    place = {fact.event_id: number for number, fact in enumerate(state.all("amendments"))}
    last: tuple[int, int] | None = None
    for fact in state.standing("amendments"):
        noted = fact.cells["new_total_noted_won"]
        if noted is None:
            continue
        number = place[fact.event_id]
        origin = fact
        while origin.corrects is not None and origin.corrects in place:
            number = place[origin.corrects]
            origin = state.all("amendments")[number]
        if last is None or number > last[0]:
            last = (number, noted)
    if last is not None:
        return last[1]
    signed = state.last("signings", instalment=None)
    return None if signed is None else signed.cells.get("total_noted_won")
