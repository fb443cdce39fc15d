"""Which orders of entries break an atomic group? A batch behind its manifest, the halves of four kinds of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_service.rules.errors import RuleBroken
from audit_service.rules.groups import Groups
from tests.support.contract_events import advance_paid, contract_corrected, return_pair
from tests.support.events import (
    PARKS,
    allotted,
    batch,
    carried_over,
    carry_in,
    contract_paid,
    corrected,
    opened,
    paid,
    transaction,
)

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

MANIFEST = batch({"loan": 2, "return": 1})
BATCH = (MANIFEST, transaction(1), transaction(2, kind="return"), transaction(3))
PAIR = (carried_over(1), carry_in(1))
PAYMENT = (paid(1, contract_paid_id="cp1"), contract_paid(1))
ADVANCE = (paid(1, contract_paid_id="cp1"), advance_paid(1))
RETURN = return_pair(1)
SECOND = contract_corrected("cp1", None, {"budget_corrected_id": "bc1"}, id="cc1")
CORRECTION = (corrected("bp1", None, {"contract_corrected_id": "cc1"}), SECOND)
ALONE = contract_corrected("cp1", id="cc1")
BYSTANDER = allotted(1)

COMPLETE: tuple[tuple[Event, ...], ...] = (
    (),
    BATCH,
    PAIR,
    PAYMENT,
    ADVANCE,
    CORRECTION,
    RETURN,
    (ALONE, corrected("bp1"), ALONE),
    (*BATCH, *PAIR, *PAYMENT, *ADVANCE, *CORRECTION, BYSTANDER),
    (*BATCH, batch({"loan": 1}, {"batch_id": "b2"}), transaction(1, batch_id="b2")),
    (paid(1), BYSTANDER),
)

# The entries, and the place at which the rule refuses (the number of entries: at the end).
BROKEN: tuple[tuple[str, int, tuple[Event, ...]], ...] = (
    ("service.unsealed", 0, (transaction(1),)),
    ("service.unsealed", 4, (*BATCH, transaction(4))),
    ("service.batch-incomplete", 3, (*BATCH[:3], BYSTANDER)),
    ("service.batch-incomplete", 1, (MANIFEST, MANIFEST)),
    ("service.batch-incomplete", 1, (MANIFEST, *PAIR)),
    ("service.batch-incomplete", 1, (MANIFEST, carry_in(1))),
    ("service.batch-incomplete", 1, (MANIFEST, transaction(1, subject="service/library/2021-04"))),
    ("service.batch-incomplete", 3, BATCH[:3]),
    ("service.batch-order", 1, (MANIFEST, transaction(2))),
    ("service.batch-order", 1, (MANIFEST, transaction(1, id="b1/01"))),
    ("service.batch-order", 1, (MANIFEST, transaction(1, batch_id="b2"))),
    ("service.batch-order", 1, (MANIFEST, transaction(1, source=PARKS))),
    ("service.batch-kinds-differ", 3, (MANIFEST, transaction(1), transaction(2), transaction(3))),
    ("service.batch-kinds-differ", 1, (MANIFEST, transaction(1, kind="z"))),
    ("budget.carry-over-alone", 0, (carry_in(1),)),
    ("budget.carry-over-alone", 1, (carried_over(1), BYSTANDER)),
    ("budget.carry-over-alone", 1, (carried_over(1), carried_over(1))),
    ("budget.carry-over-alone", 1, (carried_over(1), carry_in(1, id="in-2"))),
    ("budget.carry-over-alone", 1, (carried_over(1), carry_in(1, year=2023))),
    ("budget.carry-over-alone", 1, (carried_over(1), carry_in(1, source=PARKS))),
    ("budget.carry-over-alone", 1, (carried_over(1),)),
    ("budget.carry-over-alone", 2, (*PAIR, carry_in(1))),
    ("contract.payment-alone", 0, (contract_paid(1),)),
    ("contract.payment-alone", 1, (PAYMENT[0], BYSTANDER)),
    ("contract.payment-alone", 1, (PAYMENT[0], contract_paid(1, id="cp2"))),
    ("contract.payment-alone", 1, (paid(1), contract_paid(1))),
    ("contract.payment-alone", 1, (PAYMENT[0],)),
    ("contract.payment-alone", 0, (ADVANCE[1],)),
    ("contract.payment-alone", 1, (PAYMENT[0], CORRECTION[1])),
    ("contract.payment-alone", 0, (RETURN[1],)),
    ("contract.payment-alone", 1, (RETURN[0],)),
    ("contract.payment-alone", 1, (RETURN[0], BYSTANDER)),
    ("contract.payment-alone", 1, (RETURN[0], PAYMENT[1])),
    ("contract.payment-alone", 1, (RETURN[0], return_pair(1, 2)[1])),
    ("budget.correction-alone", 0, (CORRECTION[1],)),
    ("budget.correction-alone", 1, (CORRECTION[0], BYSTANDER)),
    ("budget.correction-alone", 1, (CORRECTION[0], ALONE)),
    (
        "budget.correction-alone",
        1,
        (CORRECTION[0], contract_corrected("cp1", None, {"budget_corrected_id": "bc1"}, id="cc2")),
    ),
    ("budget.correction-alone", 1, (CORRECTION[0], contract_paid(1, id="cc1"))),
    ("budget.correction-alone", 1, (corrected("bp1"), CORRECTION[1])),
    ("budget.correction-alone", 1, (CORRECTION[0],)),
)


def feed(groups: Groups, events: tuple[Event, ...]) -> list[tuple[str, int]]:
    """The refusals, each with its place."""
    broken = []
    for place, event in enumerate(events):
        try:
            groups.feed(event)
        except RuleBroken as refusal:
            broken.append((refusal.rule_id, place))
    try:
        groups.finish()
    except RuleBroken as refusal:
        broken.append((refusal.rule_id, len(events)))
    return broken


@pytest.mark.parametrize("events", COMPLETE)
def test_complete(events: tuple[Event, ...]) -> None:
    assert feed(Groups(), events) == []


@pytest.mark.parametrize(("rule_id", "place", "events"), BROKEN)
def test_broken(rule_id: str, place: int, events: tuple[Event, ...]) -> None:
    assert feed(Groups(), events)[0] == (rule_id, place)


def test_a_group_is_open_until_its_last_entry() -> None:
    groups = Groups()
    for group in (BATCH, PAIR, PAYMENT, ADVANCE, CORRECTION):
        for event in group[:-1]:
            groups.feed(event)
            assert groups.is_open
        groups.feed(group[-1])
        assert not groups.is_open


@pytest.mark.parametrize("group", [BATCH, PAIR, PAYMENT, ADVANCE, CORRECTION])
def test_one_broken_group_does_not_condemn_the_next(group: tuple[Event, ...]) -> None:
    assert feed(Groups(), (carried_over(1, id="out-9"), *group, BYSTANDER)) == [("budget.carry-over-alone", 1)]


def test_a_group_of_one_refusal_is_over() -> None:
    groups = Groups()
    assert feed(groups, (MANIFEST,)) == [("service.batch-incomplete", 1)]
    assert not groups.is_open
    assert feed(groups, (opened(),)) == []
