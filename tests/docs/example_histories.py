"""In which histories could the examples of budgets and contracts really be posted, one after the other?

Each history is a list of events; `example(name)` is the one that the stream pages show, everything else prepares it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.events import when

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

EXAMPLES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "docs" / "streams" / "examples.json").read_text(encoding="utf-8")
)
BUDGET, NEXT_YEAR, CONTRACT = "budget/roads/2021", "budget/roads/2022", "contract/street-lamps"
LAMPS, WORKS, SMALL = "street-lamps/201-02", "street-lamps/401-01", "street-lamps/201-01"
MILLION = 1_000_000


def example(name: str, day: str = "2021-06-15", /, *, change: dict[str, Any] | None = None, **attributes: Any) -> Event:
    """The example of a type on a legal date; `change` makes a similar event of it."""
    shown = EXAMPLES[f"{name}.v1"]
    subject = attributes.pop("subject", shown["subject"])
    return when(f"{name}.v1", subject, {**shown["data"], **(change or {})}, legal_date=day, **attributes)


def line(line_id: str, **changes: Any) -> Event:
    """A line like the shown one, in another object, project or division."""
    change = {"line_id": line_id, "object_code": line_id.rpartition("/")[2], "project_id": line_id.partition("/")[0]}
    return example("budget.line-defined", change=change | changes)


def money(rows: dict[str, int], number: int) -> Event:
    """A supplementary budget that gives some lines what the examples move."""
    change = {
        "round": number,
        "rows": [{"line_id": name, "delta_won": won * MILLION} for name, won in rows.items()],
        "total_delta_won": sum(rows.values()) * MILLION,
    }
    return example("budget.supplemented", change=change)


OPENED = [
    example("budget.fiscal-year-opened"),
    example("budget.code-list-published"),
    example("budget.line-defined"),
    line(WORKS),
    line(SMALL),
    line("reserve/801-01", policy="reserve"),
    line("road-signs/401-01", policy="road-signs"),
    line("new-signs/201-01", project_id="signs", division="old-division"),
    line("new-signs/201-01b", project_id="signs", division="new-division", object_code="201-01"),
    line("grants/401-01", project_id="street-lamps", fund="NATIONAL"),
]
FUNDED = [*OPENED, example("budget.opening-imported"), example("budget.appropriated", "2021-01-01")]
PLANNED = [
    *FUNDED,
    example("budget.allotted", "2021-01-04"),
    example("budget.reallotted", "2021-01-04"),
    example("budget.allotted", "2021-01-04", change={"line_id": WORKS, "amount_won": 300 * MILLION}),
    example("contract.planned", "2021-01-05"),
    example("contract.prior-step-completed", "2021-02-15"),
]
TENDERED = [*PLANNED, example("contract.tender-published", "2021-03-02")]
SIGNED = [
    *TENDERED,
    example("contract.tender-amended", "2021-03-10"),
    example("contract.bids-opened", "2021-03-22"),
    example("contract.proposals-evaluated", "2021-03-25"),
    example("contract.awarded", "2021-03-26"),
    example("budget.obligation-incurred", "2021-04-01"),
    example("contract.signed", "2021-04-01"),
    example("contract.started", "2021-04-05"),
]


def payment(number: int, won: int, paid: str = "contract.paid", **change: Any) -> list[Event]:
    """Both halves of a payment like the shown one."""
    names = {"payment_id": f"payment-{number}", "amount_won": won}
    first = names | {"contract_paid_id": f"contract-payment-{number}"}
    second = names | {"budget_paid_id": f"budget-paid-{number}"} | change
    return [
        example("budget.paid", "2021-06-30", change=first, id=f"budget-paid-{number}"),
        example(paid, "2021-06-30", change=second, id=f"contract-payment-{number}"),
    ]


WORKED = [
    *SIGNED,
    example("contract.subcontract-approved", "2021-04-10"),
    *payment(40, 50 * MILLION, "contract.advance-paid"),
    example("contract.suspended", "2021-05-20"),
    example("contract.resumed", "2021-05-27"),
    example("contract.inspected", "2021-06-25"),
    example("contract.accepted", "2021-06-28", id="acceptance-1"),
    example("budget.paid", "2021-06-30", id="budget-paid-41"),
    example("contract.paid", "2021-06-30", id="contract-payment-41"),
]
FINAL = {"inspection_id": "inspection-2"}
DONE = [
    *WORKED,
    example("contract.subcontract-paid", "2021-07-05"),
    example("contract.amended", "2021-08-01"),
    example("budget.obligation-adjusted", "2021-08-01"),
    example("budget.returned", "2021-08-10", id="budget-returned-2"),
    example("contract.returned", "2021-08-10", id="contract-return-2"),
    example("contract.delay-damages-assessed", "2021-12-10"),
    example("contract.inspected", "2021-12-10", change=FINAL | {"kind": "FINAL"}),
    example("contract.accepted", "2021-12-10", change=FINAL | {"accepted_won": 180 * MILLION}),
]
CLOSED = [
    example("budget.fiscal-year-opened"),
    example("budget.line-defined"),
    line(WORKS),
    example("budget.opening-imported"),
    example("budget.appropriated", "2021-01-01"),
    example("budget.allotted", "2021-01-04", change={"line_id": WORKS, "amount_won": 300 * MILLION}),
    example("contract.planned", "2021-01-05"),
    example("budget.obligation-incurred", "2021-04-01"),
    example("budget.paid", "2021-06-30"),
    example("budget.carryover-declared", "2021-12-16"),
    example(
        "budget.fiscal-year-opened",
        "2022-01-01",
        change={"fiscal_year": 2022, "opens_on": "2022-01-01", "closes_on": "2022-12-31"},
        subject=NEXT_YEAR,
    ),
    example("budget.line-defined", "2022-01-01", change={"line_id": WORKS, "object_code": "401-01"}, subject=NEXT_YEAR),
    example("budget.line-defined", "2022-01-01", subject=NEXT_YEAR),
    example("budget.carried-over", "2021-12-31", id="carried-over-1"),
    example("budget.carry-in-received", "2022-01-01", id="carry-in-1"),
    example("budget.fiscal-year-closed", "2021-12-31"),
]
MAINTENANCE = "contract/lamp-maintenance"
LONG_TERM = [
    *CLOSED[:5],
    *CLOSED[10:13],
    example("budget.allotted", "2021-01-04", change={"amount_won": 80 * MILLION}),
    example("contract.planned", "2021-01-05", change={"prior_steps": []}, subject=MAINTENANCE),
    example(
        "budget.obligation-incurred",
        "2021-01-06",
        change={"line_id": LAMPS, "amount_won": 80 * MILLION, "contract_process_id": "lamp-maintenance"},
    ),
    when(
        "contract.signed.v1",
        MAINTENANCE,
        {
            "contract_type": "LONG_TERM_CONTINUING",
            "fiscal_year": 2021,
            "amount_won": 80 * MILLION,
            "total_noted_won": 160 * MILLION,
            "start": "2021-01",
            "end": "2021-12",
            "budget_lines": [{"subject": BUDGET, "line_id": LAMPS}],
        },
        legal_date="2021-01-06",
    ),
    example(
        "budget.appropriated",
        "2022-01-01",
        change={"rows": [{"line_id": LAMPS, "amount_won": 80 * MILLION}], "total_won": 80 * MILLION},
        subject=NEXT_YEAR,
    ),
    example("budget.allotted", "2022-01-01", change={"amount_won": 80 * MILLION}, subject=NEXT_YEAR),
    example(
        "budget.obligation-incurred",
        "2022-01-03",
        change={
            "line_id": LAMPS,
            "amount_won": 80 * MILLION,
            "contract_process_id": "lamp-maintenance",
            "instalment": 2,
        },
        subject=NEXT_YEAR,
    ),
]

HISTORIES: dict[str, list[Event]] = {
    "the year before its budget": [*OPENED, example("budget.provisional-authorised", "2021-01-02")],
    "money and moves": [
        *FUNDED,
        example("budget.supplemented"),
        money({"reserve/801-01": 20, "road-signs/401-01": 10, "new-signs/201-01": 9, SMALL: 3}, 2),
        example("budget.pre-appropriation-used"),
        example("budget.reserve-released"),
        example("budget.cross-transferred"),
        example("budget.transfer-limits-set"),
        example("budget.transferred"),
        example("budget.reassigned"),
        example("budget.adjusted"),
        example("budget.revenue-substituted"),
        example("budget.continuing-plan-set"),
        example("budget.cost-basis-recorded"),
        example("budget.allotted", id="allotment-3"),
        example("budget.corrected"),
    ],
    "explained": [
        *FUNDED,
        example("budget.cost-basis-recorded"),
        example("budget.schedule-set"),
    ],
    "a tender that finds nobody": [*TENDERED, example("contract.tender-failed", "2021-03-16")],
    "a tender that is withdrawn": [*TENDERED, example("contract.tender-cancelled", "2021-03-05")],
    "a contract that is done": [
        *DONE,
        *payment(42, 129_800_000, inspection_id="inspection-2", advance_offset_won=50 * MILLION),
        example("contract.instalment-closed", "2021-12-15"),
        example("contract.warranty-set", "2021-12-15"),
        example("contract.completed", "2021-12-20"),
        example("contract.warranty-claimed", "2022-03-02"),
    ],
    "a contract that ends early": [*WORKED, example("contract.terminated", "2021-07-20")],
    "a wrong acceptance": [*WORKED, example("contract.corrected", "2021-07-10")],
    "a year that is settled": [
        *CLOSED,
        example("budget.prior-year-refunded", "2022-03-02"),
        example("budget.settlement-published", "2022-05-31"),
        example("budget.settlement-audited", "2022-06-10"),
        example("budget.settlement-approved", "2022-06-24"),
    ],
    "a contract over two years": [*LONG_TERM, example("contract.instalment-signed", "2022-01-03")],
}
