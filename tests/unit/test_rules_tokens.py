"""Who may issue and revoke bearer tokens, and how often? Answered from the log itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import CITY, ROADS, log_created, when
from tests.support.given import Refusal, given, name_of, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

LOG = (log_created(),)
TOKEN = "0123456789abcdef"
STREAM = "registry/agency/roads"


def issued(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"token_id": TOKEN, "agency": "roads", "role": "submitter", **(data or {})}
    return when("registry.token-issued.v1", STREAM, fields, **{"source": CITY, **attributes})


def revoked(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"token_id": TOKEN, "agency": "roads", **(data or {})}
    return when("registry.token-revoked.v1", STREAM, fields, **{"source": CITY, **attributes})


REFUSALS = (
    Refusal("registry.log-not-created", "before the log", (), issued()),
    Refusal("registry.not-owner", "an agency gives itself a token", LOG, issued(source=ROADS), CITY),
    Refusal("registry.not-owner", "an agency takes a token back", (*LOG, issued()), revoked(source=ROADS), CITY),
    Refusal("registry.code-differs", "issued on another's stream", LOG, issued({"agency": "parks"})),
    Refusal("registry.code-differs", "revoked on another's stream", LOG, revoked({"agency": "parks"})),
    Refusal("registry.token-duplicate", "an id twice", (*LOG, issued()), issued({"role": "auditor"})),
    Refusal("registry.token-duplicate", "an id comes back", (*LOG, revoked()), issued()),
    Refusal("registry.token-revoked-twice", "revoked twice", (*LOG, issued(), revoked()), revoked()),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_a_token_lives_and_ends_once() -> None:
    given(*LOG, issued(), revoked(), issued({"token_id": "f" * 16}))


def test_a_token_that_the_first_start_made_may_be_revoked() -> None:
    given(*LOG, revoked())
