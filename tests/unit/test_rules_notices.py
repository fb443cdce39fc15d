"""What may the city say about its log: schemas, accesses, incidents?"""

from __future__ import annotations

import pytest

from tests.support.events import CITY, ROADS, access_granted, incident, incident_closed, log_created, schema_published
from tests.support.given import Refusal, given, name_of, refuses

LOG = (log_created(),)
DECLARED = (*LOG, incident())
HERE = {"subject": "registry/agency/roads"}

REFUSALS = (
    *(
        Refusal("registry.log-not-created", why, (), event)
        for why, event in {
            "a schema before the log": schema_published(),
            "an access before the log": access_granted(),
            "an incident before the log": incident(),
            "an end before the log": incident_closed(),
        }.items()
    ),
    *(
        Refusal("registry.not-owner", why, DECLARED, event, CITY)
        for why, event in {
            "an agency's schema": schema_published(source=ROADS),
            "an agency's access": access_granted(source=ROADS),
            "an agency's incident": incident(source=ROADS),
            "an agency's end": incident_closed(source=ROADS),
        }.items()
    ),
    *(
        Refusal("registry.code-differs", why, LOG, event, "registry/agency/city")
        for why, event in {
            "a schema elsewhere": schema_published(**HERE),
            "an access elsewhere": access_granted(**HERE),
            "an incident elsewhere": incident(**HERE),
        }.items()
    ),
    Refusal("registry.schema-version", "it begins with 2", LOG, schema_published(2), 1),
    Refusal("registry.schema-version", "a version twice", (*LOG, schema_published()), schema_published(), 2),
    Refusal("registry.access-duplicate", "the id is taken", (*LOG, access_granted()), access_granted()),
    Refusal("registry.date-invalid", "from no day", LOG, access_granted({"valid_from": "2021-02-29"})),
    Refusal("registry.date-invalid", "until no day", LOG, access_granted({"valid_until": "2021-11-31"})),
    Refusal("registry.dates", "it ends first", LOG, access_granted({"valid_until": "2021-02-28"})),
    Refusal("registry.incident-duplicate", "the id is taken", DECLARED, incident()),
    Refusal("registry.incident-range", "its own entry", LOG, incident({"from_index": 3, "until_index": 9}), 8),
    Refusal("registry.incident-range", "backwards", LOG, incident({"from_index": 3, "until_index": 2}), 8),
    Refusal("registry.incident-range", "from its own entry on", LOG, incident({"from_index": 9}), 8),
    Refusal("registry.incident-not-open", "it was never declared", LOG, incident_closed()),
    Refusal("registry.incident-not-open", "it is closed", (*DECLARED, incident_closed()), incident_closed()),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_what_the_city_may_say() -> None:
    given(
        *LOG,
        schema_published(),
        schema_published(2),
        schema_published(data={"event_type": "budget.allotted.v1"}),
        access_granted(),
        access_granted({"access_id": "two", "valid_until": "2021-03-01"}),
        incident({"from_index": 0, "until_index": 8}),
        incident({"incident_id": "i2", "from_index": 8}),
        incident({"incident_id": "i3", "until_index": 0}),
        incident_closed(),
    )
