"""Which events does a project refuse? One registration, ids of their own, funding that adds up, sensible dates."""

from __future__ import annotations

import pytest

from tests.support.events import (
    PARKS,
    ROADS,
    activity,
    anomaly,
    asset,
    effect,
    milestone,
    project_basis,
    project_registered,
)
from tests.support.given import Refusal, given, name_of, refuses

PROJECT = (project_registered(),)


def funding(**won: int) -> dict[str, dict[str, int]]:
    return {"funding": {f"{name}_won": amount for name, amount in won.items()}}


REFUSALS = (
    Refusal("project.registered-twice", "it is registered", PROJECT, project_registered()),
    Refusal("project.not-owner", "another agency registers it", PROJECT, project_registered(source=PARKS), ROADS),
    Refusal("project.not-owner", "another agency adds to it", PROJECT, effect(source=PARKS), ROADS),
    Refusal("project.funding-differs", "a part is short", (), project_registered(funding(total=9, city=4, other=4)), 8),
    Refusal(
        "project.funding-differs",
        "money outside the budget does not count",
        (),
        project_registered(funding(total=9, city=4, off_budget=5)),
        4,
    ),
    Refusal("project.not-registered", "a basis first", (), project_basis()),
    Refusal("project.not-registered", "a milestone first", (), milestone()),
    Refusal("project.not-registered", "an activity first", (), activity()),
    Refusal("project.not-registered", "an asset first", (), asset()),
    Refusal("project.not-registered", "an effect first", (), effect()),
    Refusal("project.not-registered", "an anomaly first", (), anomaly()),
    Refusal("project.basis-duplicate", "title and date", (*PROJECT, project_basis()), project_basis()),
    Refusal("project.milestone-duplicate", "the id is taken", (*PROJECT, milestone()), milestone()),
    Refusal("project.activity-duplicate", "the id is taken", (*PROJECT, activity()), activity()),
    Refusal("project.asset-duplicate", "the id is taken", (*PROJECT, asset()), asset()),
    Refusal("project.anomaly-duplicate", "the id is taken", (*PROJECT, anomaly()), anomaly()),
    Refusal("project.date-invalid", "no such day", PROJECT, project_basis(date="2021-02-29")),
    Refusal("project.date-invalid", "no such year", PROJECT, milestone({"start": "0000"})),
    Refusal("project.date-invalid", "no such end", PROJECT, activity({"end": "2021-04-31"})),
    Refusal("project.dates", "it ends the year before", PROJECT, milestone({"start": "2019-01", "end": "2018"})),
    Refusal("project.dates", "it ends the month before", PROJECT, activity({"start": "2019-02-01", "end": "2019-01"})),
    Refusal("project.correction-unknown", "no such event", PROJECT, milestone({"corrects": "e"})),
    Refusal("project.correction-unknown", "before there is anything", (), project_registered({"corrects": "e"})),
    Refusal(
        "project.correction-type",
        "an activity corrects no milestone",
        (*PROJECT, milestone(id="e")),
        activity({"corrects": "e"}),
        "project.milestone-recorded.v1",
    ),
    Refusal(
        "project.corrected-twice",
        "the older version",
        (*PROJECT, milestone(id="e"), milestone({"corrects": "e"})),
        milestone({"corrects": "e"}),
    ),
    Refusal(
        "project.milestone-duplicate",
        "corrected into another's id",
        (*PROJECT, milestone(id="e"), milestone({"milestone_id": "m2"})),
        milestone({"corrects": "e", "milestone_id": "m2"}),
    ),
    Refusal(
        "project.not-owner",
        "another agency corrects",
        (*PROJECT, effect(id="e")),
        effect({"corrects": "e"}, source=PARKS),
        ROADS,
    ),
    Refusal("project.correction-unknown", "no effect to correct", PROJECT, effect({"corrects": "e"})),
    Refusal(
        "project.funding-differs",
        "a correction adds up too",
        (project_registered(id="e"),),
        project_registered({"corrects": "e", **funding(total=9, city=4)}),
        4,
    ),
    Refusal("project.named-exceed-count", "two named of one", PROJECT, asset({"count": 1, "named": ["가", "나"]}), 1),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_a_whole_project() -> None:
    given(
        *PROJECT,
        project_basis(),
        project_basis(date="2019-12-12"),
        milestone({"start": "2018-08", "end": "2019-02"}),
        milestone({"milestone_id": "m2", "start": "2018-08-13", "end": "2018-08"}),
        activity(),
        asset(),
        effect(),
        effect(),
        anomaly(),
        # One id may name a milestone and an activity: they are different things.
        activity({"activity_id": "m1"}),
    )


def test_blank_funding_is_not_added_up() -> None:
    given(project_registered(funding(total=9)))


def test_everything_that_a_project_says_can_be_corrected_and_corrected_again() -> None:
    given(
        project_registered(id="e0"),
        project_registered({"corrects": "e0", "name_ko": "보안등"}, id="e1"),
        project_registered({"corrects": "e1"}),
        milestone(id="m"),
        milestone({"corrects": "m", "start": "2019"}, id="n"),
        milestone({"corrects": "n", "milestone_id": "m2"}),
        project_basis(id="b"),
        project_basis(date="2018-09-22", corrects="b"),
        activity(id="a"),
        activity({"corrects": "a"}),
        asset(id="w"),
        asset({"corrects": "w"}),
        effect(id="f"),
        effect({"corrects": "f"}),
        anomaly(id="x"),
        anomaly(data={"corrects": "x"}),
    )
