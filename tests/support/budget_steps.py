"""One short step for each kind of thing that happens to a budget, appended to a log in memory.

Every step is about the line `total` (money may come from the line `from`); each returns the event's id. Folds are
tested with them; no rule looks.
"""

from __future__ import annotations

from typing import Any

from tests.support.seed_city import MemoryLog, budget


def move(log: MemoryLog, fiscal_year: int, kind: str, amount_won: int, *, role: str = "과장") -> str:
    """Move an amount from line `from` to line `total` by any of the kinds of moves; returns the event's id."""
    pair = {"from_line_id": "from", "to_line_id": "total", "amount_won": amount_won}
    data = {"pairs": [pair]} if kind == "reassigned" else pair
    basis = {"title": "결재", "document_number": "12", "date": f"{fiscal_year}-03-02"}
    data = {**data, "actor_role": role, "basis": basis}
    return f"event-{log.add(f'budget.{kind}.v1', budget(fiscal_year), data, legal_date=f'{fiscal_year}-03-02')}"


def supplement(
    log: MemoryLog, fiscal_year: int, number: int, amount_won: int, *, taking_in: list[str] | None = None
) -> str:
    """A supplementary budget of one row on the line `total`; returns the event's id."""
    row = {"line_id": "total", "delta_won": amount_won}
    data: dict[str, Any] = {"round": number, "rows": [row], "total_delta_won": amount_won}
    if taking_in is not None:
        data["pre_appropriation_ids"] = taking_in
    return f"event-{log.add('budget.supplemented.v1', budget(fiscal_year), data, legal_date=f'{fiscal_year}-07-01')}"


def use_grant(log: MemoryLog, fiscal_year: int, name: str, amount_won: int) -> str:
    """Use an earmarked grant on the line `total` before it is appropriated; returns the event's id."""
    data = {"pre_appropriation_id": name, "line_id": "total", "amount_won": amount_won}
    subject, day = budget(fiscal_year), f"{fiscal_year}-04-01"
    return f"event-{log.add('budget.pre-appropriation-used.v1', subject, data, legal_date=day)}"


def authorise(log: MemoryLog, fiscal_year: int, amount_won: int) -> str:
    """A provisional budget for the line `total`; returns the event's id."""
    rows = [{"line_id": "total", "amount_won": amount_won}]
    data = {"rows": rows, "total_won": amount_won, "until_on": f"{fiscal_year}-02-28"}
    subject, day = budget(fiscal_year), f"{fiscal_year}-01-01"
    return f"event-{log.add('budget.provisional-authorised.v1', subject, data, legal_date=day)}"


def give_back(log: MemoryLog, fiscal_year: int, return_id: str, payment_id: str, amount_won: int) -> str:
    """Money of a payment comes back; returns the event's id."""
    data = {"return_id": return_id, "payment_id": payment_id, "amount_won": amount_won, "reason_ko": "과오납"}
    return f"event-{log.add('budget.returned.v1', budget(fiscal_year), data, legal_date=f'{fiscal_year}-12-31')}"


def correct(
    log: MemoryLog,
    subject: str,
    target: str,
    replacement: dict[str, Any] | None,
    *,
    legal_date: str | None = None,
) -> str:
    """Correct an event of a budget by its id; returns the correction's id."""
    data: dict[str, Any] = {"corrects": target, "reason": "TYPO", "reason_ko": "오기"}
    if replacement is not None:
        data["replacement"] = replacement
    day = legal_date or f"{subject.rpartition('/')[2]}-12-31"
    return f"event-{log.add('budget.corrected.v1', subject, data, legal_date=day)}"


def post(log: MemoryLog, event_type: str, data: dict[str, Any], *, fiscal_year: int = 2021, day: str = "06-15") -> str:
    """Any other event of a budget."""
    index = log.add(f"budget.{event_type}.v1", budget(fiscal_year), data, legal_date=f"{fiscal_year}-{day}")
    return f"event-{index}"


def oblige(log: MemoryLog, obligation_id: str, amount_won: int, **more: Any) -> str:
    """Incur an obligation."""
    data = {"obligation_id": obligation_id, "line_id": "total", "amount_won": amount_won, **more}
    return post(log, "obligation-incurred", data)


def payment(payment_id: str, obligation_id: str, amount_won: int, *, line_id: str = "total") -> dict[str, Any]:
    """The payload of a payment."""
    return {
        "payment_id": payment_id,
        "obligation_id": obligation_id,
        "line_id": line_id,
        "amount_won": amount_won,
        "payee": {"kind": "NOT_STATED"},
    }
