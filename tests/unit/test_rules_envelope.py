"""Which attributes around a payload are refused, whatever the payload says?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from audit_service.rules.decide import decide
from audit_service.rules.envelope import check_envelope
from audit_service.rules.errors import RuleBroken
from audit_service.rules.world import Replica, new_state, read_log, read_service
from tests.support.events import (
    batch,
    budget,
    effect,
    log_created,
    opened,
    organisation_named,
    planned,
    service_registered,
    transaction,
)
from tests.support.given import given

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.states import State

WELL_FORMED = (
    opened(),
    planned(),
    effect(),
    effect({"corrects": "e1"}),
    service_registered(),
    batch({"loan": 5}),
    transaction(1),
    log_created(),
    organisation_named(),
    opened(legal_date="2024-02-29"),
    opened(id="A" * 128),
    planned("contract/" + "x" * 100),
)


def changed(event: Event, **attributes: Any) -> Event:
    return msgspec.structs.replace(event, **attributes)


MALFORMED = (
    ("envelope.type-unknown", changed(opened(), type="budget.spent.v1")),
    ("envelope.type-unknown", changed(opened(), type="")),
    ("envelope.subject-form", changed(opened(), subject="budget/roads")),
    ("envelope.subject-form", changed(opened(), subject="budget/roads/2021\n")),
    ("envelope.subject-form", changed(opened(), subject="budget/roads/２０２１")),
    ("envelope.subject-form", changed(opened(), subject="budget/Roads/2021")),
    ("envelope.subject-form", changed(opened(), subject="contract/lamps")),
    ("envelope.subject-form", changed(transaction(1), subject="service/library")),
    ("envelope.subject-form", changed(transaction(1), subject="service/library/2021-13")),
    ("envelope.subject-form", changed(service_registered(), subject="service/library/2021")),
    ("envelope.subject-form", changed(log_created(), subject="registry/agency/city")),
    ("envelope.subject-form", changed(planned(), subject="contract/" + "x" * 101)),
    ("envelope.source-form", changed(opened(), source="roads")),
    ("envelope.source-form", changed(opened(), source="urn:kr:agency:")),
    ("envelope.source-form", changed(opened(), source="urn:kr:agency:도로")),
    ("envelope.source-form", changed(opened(), source="urn:kr:agency:roads\n")),
    ("envelope.id-form", changed(opened(), id="")),
    ("envelope.id-form", changed(opened(), id="A" * 129)),
    ("envelope.id-form", changed(opened(), id="a b")),
    ("envelope.id-form", changed(opened(), id="a\n")),
    ("envelope.legal-date-missing", changed(opened(), legal_date=None)),
    ("envelope.legal-date-missing", changed(planned(), legal_date=None)),
    ("envelope.legal-date-invalid", changed(opened(), legal_date="2021-02-29")),
    ("envelope.legal-date-invalid", changed(opened(), legal_date="2021-06")),
    ("envelope.legal-date-invalid", changed(opened(), legal_date="20210615")),
    ("envelope.legal-date-invalid", changed(opened(), legal_date="2021-W01-1")),
    ("envelope.legal-date-invalid", changed(opened(), legal_date="２０２１-06-15")),
    ("envelope.legal-date-unexpected", changed(transaction(1), legal_date="2021-03-15")),
    ("envelope.legal-date-unexpected", changed(effect(), legal_date="2021-03-15")),
    ("envelope.corrects-unexpected", planned(data={"corrects": "e1"})),
    ("envelope.corrects-unexpected", service_registered({"corrects": "e1"})),
    ("envelope.corrects-unexpected", batch({"loan": 5}, {"corrects": "e1"})),
    ("envelope.corrects-unexpected", organisation_named({"corrects": "e1"})),
)


@pytest.mark.parametrize("event", WELL_FORMED, ids=lambda event: event.type)
def test_well_formed(event: Event) -> None:
    check_envelope(event)


@pytest.mark.parametrize(("rule_id", "event"), MALFORMED)
def test_malformed(rule_id: str, event: Event) -> None:
    with pytest.raises(RuleBroken) as caught:
        check_envelope(event)
    assert caught.value.rule_id == rule_id


@pytest.mark.parametrize(("rule_id", "event"), MALFORMED[:12])
def test_rules_refuse_a_type_or_subject_that_slipped_by(rule_id: str, event: Event) -> None:
    """Also without the check of the envelope nothing but a refusal comes out."""
    with pytest.raises(RuleBroken) as caught:
        decide(Replica(), event)
    assert caught.value.rule_id == rule_id


@pytest.mark.parametrize("subject", ["", "report/x", "budget/roads/2021/x", "service/", "project/-x", "registry/logs"])
def test_no_stream_has_such_a_subject(subject: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        new_state(subject)
    assert caught.value.rule_id == "envelope.subject-form"
    assert caught.value.stream == ""


def test_a_subject_that_names_no_period_has_no_service() -> None:
    assert read_service(Replica(), budget()) is None


def test_a_world_that_keeps_something_else_as_its_registry_is_a_defect() -> None:
    class Broken(Replica):
        def stream(self, subject: str) -> State:
            del subject
            return new_state(budget())

    with pytest.raises(TypeError, match="registry"):
        read_log(Broken())


def test_events_of_the_builders_are_well_formed() -> None:
    assert given(log_created(), organisation_named()).streams.keys() == {"registry/log", "registry/agency/roads"}
