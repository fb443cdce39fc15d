"""Who stands behind a bearer token, until when, and does the log say who got one?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from audit_service.acts import state_of_act
from audit_service.clock import format_time
from audit_service.errors import ConfigurationError
from audit_service.keys import SigningKey, read_seed
from audit_service.recording.database import open_database
from audit_service.tokens import ROLES, Caller, Tokens, _new_token
from tests.support.small_city import SmallCity, small_city
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROADS = "urn:kr:agency:roads"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[SmallCity]:
    with small_city(tmp_path / "city") as city:
        yield city


@pytest.fixture
def tokens(city: SmallCity) -> Iterator[Tokens]:
    """As another process has them: its own connections, and a clock that stands still."""
    engine = open_database(city.settings, "ledger")
    yield Tokens(engine, engine, clock=lambda: NOW)
    engine.dispose()


class Administrator:
    """Signs acts as the publisher does; `key` says with which key."""

    def __init__(self, city: SmallCity, key: str = "publisher") -> None:
        self._key = SigningKey.from_seed(read_seed(city.settings.keys / f"{key}.key"))

    def __call__(self, event_type: str, agency: str, event_id: str, data: dict[str, Any], /) -> bytes:
        submission = {
            "specversion": "1.0",
            "id": event_id,
            "source": "urn:kr:agency:city",
            "type": event_type,
            "subject": f"registry/agency/{agency}",
            "time": "2021-01-04T00:00:00.000Z",
            "data": data,
        }
        return encode_canonical(sign_submission(submission, self._key.private))


@pytest.mark.parametrize("role", ROLES)
def test_a_token_works_once_its_entry_is_recorded(city: SmallCity, tokens: Tokens, role: str) -> None:
    token, act_id = tokens.issue("roads", role, sign=Administrator(city))
    token_id, secret = token.split(".")
    waiting = tokens.caller_of(token)
    city.ledger._acts.record_waiting()
    assert waiting is None
    assert tokens.caller_of(token) == Caller(ROADS, role, token_id)
    index = state_of_act(tokens._reader, act_id).log_index
    assert index is not None
    entry = city.ledger.reader.entry(index)
    assert json.loads(entry)["data"] == {"token_id": token_id, "agency": "roads", "role": role}
    assert secret.encode() not in entry


def test_a_revoked_token_is_refused_at_once_and_the_entry_follows(city: SmallCity, tokens: Tokens) -> None:
    token, _ = tokens.issue("roads", "submitter", sign=Administrator(city))
    city.ledger._acts.record_waiting()
    assert city.ledger.tokens.caller_of(token) is not None
    act_id = tokens.revoke(token.partition(".")[0], sign=Administrator(city))
    assert city.ledger.tokens.caller_of(token) is None
    city.ledger._acts.record_waiting()
    assert act_id is not None
    index = state_of_act(tokens._reader, act_id).log_index
    assert index is not None
    assert json.loads(city.ledger.reader.entry(index))["type"] == "registry.token-revoked.v1"
    with pytest.raises(ConfigurationError, match="revoked already"):
        tokens.revoke(token.partition(".")[0], sign=Administrator(city))


def test_an_act_that_the_rules_refuse_makes_no_token(city: SmallCity, tokens: Tokens) -> None:
    token, act_id = tokens.issue("roads", "submitter", sign=Administrator(city, "roads"))
    size = city.ledger.reader.tree_size
    city.ledger._acts.record_waiting()
    assert "registry.source-mismatch" in (state_of_act(tokens._reader, act_id).refused_because or "")
    assert tokens.caller_of(token) is None
    assert city.ledger.reader.tree_size == size


def test_acts_that_wait_are_recorded_by_the_next_start(tmp_path: Path) -> None:
    with small_city(tmp_path / "city") as city:
        administrator, settings = Administrator(city), city.settings
    engine = open_database(settings, "ledger")
    token, act_id = Tokens(engine, engine).issue("roads", "auditor", sign=administrator)
    with small_city(tmp_path / "city") as city:
        assert city.ledger.tokens.caller_of(token) is not None
        assert city.ledger.reader.tree_size == 2
    assert state_of_act(engine, act_id).log_index == 1
    with engine.begin() as connection:
        # As if the process had ended between recording and noting it down.
        connection.exec_driver_sql("UPDATE acts SET log_index = NULL")
    with small_city(tmp_path / "city") as city:
        assert city.ledger.reader.tree_size == 2
    assert state_of_act(engine, act_id).log_index == 1
    engine.dispose()


@pytest.mark.parametrize(("seconds", "valid"), [(-1, False), (0, False), (1, True)])
def test_a_token_ends_at_its_time(tokens: Tokens, seconds: int, valid: bool) -> None:  # noqa: FBT001
    token = tokens.create("roads", expires_at=format_time(NOW + timedelta(seconds=seconds)))
    assert (tokens.caller_of(token) is not None) is valid


def test_what_is_no_token_is_nobodys(tokens: Tokens) -> None:
    token = tokens.create("roads")
    token_id, secret = token.split(".")
    assert tokens.caller_of(token) is not None
    other = tokens.create("city").split(".")[1]
    wrong = ["", ".", token_id, secret, f"{token_id}.{other}", f"{'0' * 16}.{secret}", f"{token} ", f"{token}\n"]
    wrong += [f"{'-' * 16}.{secret}", f"{token_id.upper()}.{secret}", f"{token}x", f"{token_id}.{secret[:-1]}가"]
    assert [tokens.caller_of(text) for text in wrong] == [None] * len(wrong)


def test_the_first_tokens_are_submitters_and_a_role_is_one_of_six(city: SmallCity, tokens: Tokens) -> None:
    assert {(row.agency, row.role, row.waiting) for row in tokens.rows()} == {
        ("city", "submitter", 0),
        ("roads", "submitter", 0),
    }
    with pytest.raises(ConfigurationError, match="no role"):
        tokens.issue("roads", "root", sign=Administrator(city))


def test_no_id_can_look_like_a_number_that_may_not_be_recorded() -> None:
    # Ids of hexadecimal digits did, now and then: the act that issued one was refused.
    ids = [new_token_id for new_token_id, _ in (_new_token() for _ in range(1000))]
    assert not [token_id for token_id in ids if any(character.isdigit() for character in token_id)]
    assert all(len(token_id) == 16 for token_id in ids)
    assert len(set(ids)) == len(ids)
