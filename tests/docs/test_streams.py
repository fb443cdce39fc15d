"""Do the stream pages name every rule that really refuses a type, and are their examples such as could be posted?"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from api.schemas import schema_of
from audit_service.catalogue.types import EVENT_TYPES
from audit_service.rules.decide import RULE_OF, decide, evolve
from audit_service.rules.envelope import check_envelope
from audit_service.rules.errors import RuleBroken
from audit_service.rules.privacy import check_personal_data
from audit_service.rules.rulebook import RULES
from audit_service.rules.undo import NO_UNDO
from audit_service.rules.world import Replica
from tests.docs.example_histories import EXAMPLES, HISTORIES
from tests.docs.test_reference import GENERATOR
from tests.support.events import CITY, PERIOD_END, ROADS, when
from tests.unit import test_rules_rulebook

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

PAGES = sys.modules[GENERATOR.stream_page.__module__]
REFUSALS = [case for table in test_rules_rulebook.TABLES for case in table.REFUSALS]


def test_every_type_has_an_example_and_every_example_a_type() -> None:
    assert set(EXAMPLES) == set(EVENT_TYPES)


@pytest.mark.parametrize("event_type", sorted(EXAMPLES))
def test_an_example_is_well_formed(event_type: str) -> None:
    example = EXAMPLES[event_type]
    assert set(example) == {"subject", "data"}
    assert [error.message for error in Draft202012Validator(schema_of(event_type)).iter_errors(example["data"])] == []
    check_envelope(when(event_type, example["subject"], example["data"]))
    check_personal_data(example["subject"], example["data"])


def test_a_malformed_example_would_be_seen() -> None:
    with pytest.raises(msgspec.ValidationError):
        when("budget.adjusted.v1", "budget/roads/2021", {"from_line_id": "a", "to_line_id": "b"})
    with pytest.raises(RuleBroken):
        check_envelope(when("budget.paid.v1", "contract/c", EXAMPLES["budget.paid.v1"]["data"]))


def history(kind: str) -> list[Event]:
    """The examples of one kind, in the order of their file, as one agency would post them."""
    names = [name for name in EXAMPLES if name.startswith(f"{kind}.")]
    names.sort(key=lambda name: name == "registry.log-succeeded.v1")  # nothing follows it
    events = []
    for index, name in enumerate(names):
        source = CITY if kind == "registry" and name != "registry.day-closed.v1" else ROADS
        attributes: dict[str, Any] = {"source": source, "index": index, "time": PERIOD_END}
        if name == "service.batch-sealed.v1":
            attributes["id"] = EXAMPLES[name]["data"]["batch_id"] + "/0"
        event = when(name, EXAMPLES[name]["subject"], EXAMPLES[name]["data"], **attributes)
        events.append(event)
        if name == "service.transaction-recorded.v1":
            # The page shows one of the batch; the others differ by their commitments.
            others = (hashlib.sha256(bytes([number])).hexdigest() for number in range(4))
            events += [
                msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, commitment=other))
                for other in others
            ]
    return events


@pytest.mark.parametrize("kind", ["project", "service", "registry"])
def test_the_examples_of_a_kind_are_a_history_that_the_rules_accept(kind: str) -> None:
    world = Replica()
    for event in history(kind):
        decide(world, event)
        evolve(world, event, NO_UNDO)


@pytest.mark.parametrize("name", HISTORIES)
def test_the_examples_of_budgets_and_contracts_could_be_posted(name: str) -> None:
    world = Replica()
    for event in HISTORIES[name]:
        check_envelope(event)
        decide(world, event)
        evolve(world, event, NO_UNDO)


def test_every_example_of_a_budget_or_a_contract_stands_in_a_history() -> None:
    posted = [(event.type, event.subject, event.data) for events in HISTORIES.values() for event in events]
    for name, shown in EXAMPLES.items():
        if name.startswith(("budget.", "contract.")):
            data = msgspec.convert(shown["data"], EVENT_TYPES[name])
            assert (name, shown["subject"], data) in posted, name


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: f"{case.when.type}: {case.rule_id}")
def test_a_refusal_of_the_tests_stands_on_the_page_of_its_type(case: Any) -> None:
    listed = {*PAGES.rules_of_type(case.when.type), *PAGES.common_rules(), *PAGES.group_rules()}
    # A type on a subject of another form is refused before its own rule is asked.
    assert case.rule_id in listed | {"envelope.subject-form"}


def test_every_rule_stands_on_some_page() -> None:
    everywhere = PAGES.common_rules() | PAGES.group_rules()
    assert everywhere.union(*(PAGES.rules_of_type(name) for name in RULE_OF)) == set(RULES)


def test_rules_are_found_behind_helpers_tables_and_lambdas() -> None:
    assert "service.date-invalid" in PAGES.rules_of_type("service.side-record-erased.v1")  # three calls deep
    assert "service.ballot-dates" not in PAGES.rules_of_type("service.ballot-tallied.v1")
    assert PAGES.rules_of_functions([lambda: [lambda: "service.unsealed" for _ in "x"]]) == {"service.unsealed"}
    assert PAGES.rules_of_functions([lambda text="service.unsealed": text]) == {"service.unsealed"}
    assert PAGES.rules_of_functions([lambda: "service.no-such-rule"]) == set()
