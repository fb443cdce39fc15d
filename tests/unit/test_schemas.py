"""Would an agency that validates against the published schemas send what the ledger accepts, and nothing else?"""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import msgspec
import pytest
import rfc8785
from jsonschema import Draft202012Validator

from api.schemas import schema_of
from audit_cli.demo_city import load_event_files
from audit_service.catalogue.types import EVENT_TYPES
from audit_service.rules.decide import decide, evolve
from audit_service.rules.undo import NO_UNDO
from tests.support.events import log_created, schema_published
from tests.support.given import given

EVENTS = [event for _, events in load_event_files() for event in events]


def errors(event_type: str, data: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema_of(event_type)).iter_errors(data)]


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_schema_is_a_schema(event_type: str) -> None:
    Draft202012Validator.check_schema(schema_of(event_type))


def test_every_event_of_the_demo_city_fits_its_schema() -> None:
    assert {event["id"]: errors(event["type"], event["data"]) for event in EVENTS} == {
        event["id"]: [] for event in EVENTS
    }


@pytest.mark.parametrize("event", EVENTS[::7], ids=lambda event: event["id"])
def test_an_unknown_field_and_a_missing_one_do_not_fit(event: dict[str, Any]) -> None:
    more = copy.deepcopy(event["data"]) | {"surprise": 1}
    assert errors(event["type"], more)
    required = schema_of(event["type"])["$defs"][EVENT_TYPES[event["type"]].__name__]["required"]
    less = {name: value for name, value in event["data"].items() if name != required[0]}
    assert errors(event["type"], less)


def test_a_line_feed_at_the_end_of_a_date_does_not_fit() -> None:
    (opened, *_) = [event for event in EVENTS if event["type"] == "budget.fiscal-year-opened.v1"]
    assert errors(opened["type"], opened["data"] | {"opens_on": opened["data"]["opens_on"] + "\n"})


def digest_of(event_type: str) -> str:
    """What `registry.schema-published.v1` commits to, as anybody computes it from `/v1/schemas/<type>`."""
    return hashlib.sha256(rfc8785.dumps(json.loads(msgspec.json.encode(schema_of(event_type))))).hexdigest()


def test_a_published_schema_is_the_one_that_is_served() -> None:
    """The rule holds form and numbering alone: its verdict must not depend on the code of the day. This compares."""
    world = given(log_created())
    for event_type in EVENT_TYPES:
        event = schema_published(data={"event_type": event_type, "schema_sha256": digest_of(event_type)})
        decide(world, event)
        evolve(world, event, NO_UNDO)
        assert event.data.schema_sha256 == digest_of(event.data.event_type)
    assert len({digest_of(event_type) for event_type in EVENT_TYPES}) == len(EVENT_TYPES)
