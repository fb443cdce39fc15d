"""Who may begin a log, name organisations, and sign? Answered from the log itself."""

from __future__ import annotations

import pickle

import pytest

from audit_service.rules.errors import RuleBroken
from audit_service.rules.keys import authorise, key_for, needs_signature
from audit_service.rules.states import Key
from tests.support.events import (
    CITY,
    PARKS,
    ROADS,
    agency,
    key_id,
    log_created,
    opened,
    organisation_named,
    planned,
    signed,
)
from tests.support.given import Refusal, given, name_of, refuses

LOG = (log_created(),)
ONE_KEY = {"kid": key_id("root1"), "public_key": key_id("other")}
ONE_PUBLIC_KEY = {"kid": key_id("other"), "public_key": key_id("root1_x")}

REFUSALS = (
    Refusal("registry.log-created-twice", "it is created", LOG, log_created()),
    Refusal("registry.city-unknown", "a stranger creates it", (), log_created(source=PARKS)),
    Refusal(
        "registry.agency-duplicate", "a code twice", (), log_created({"agencies": [agency("city"), agency("city")]})
    ),
    Refusal("registry.key-duplicate", "a root key publishes", (), log_created({"publisher_key": ONE_KEY})),
    Refusal("registry.key-duplicate", "one key by two names", (), log_created({"publisher_key": ONE_PUBLIC_KEY})),
    Refusal(
        "registry.key-duplicate",
        "two agencies with one key",
        (),
        log_created({"agencies": [agency("city"), {**agency("roads"), "keys": agency("city")["keys"]}]}),
    ),
    Refusal("registry.log-not-created", "named before the log", (), organisation_named()),
    Refusal("registry.not-owner", "an agency names itself", LOG, organisation_named(source=ROADS), CITY),
    Refusal("registry.code-differs", "on another's stream", LOG, organisation_named({"code": "parks"})),
    Refusal("registry.parent-self", "above itself", LOG, organisation_named({"parent_code": "roads"})),
    Refusal("registry.date-invalid", "no such day", LOG, organisation_named({"valid_from": "2021-02-30"})),
    Refusal("registry.date-invalid", "no such last day", LOG, organisation_named({"valid_until": "2021-06-31"})),
    Refusal(
        "registry.dates",
        "it ends first",
        LOG,
        organisation_named({"valid_from": "2021-02-02", "valid_until": "2021-02-01"}),
    ),
)

SIGNERS = (
    ("registry.key-unknown", "nobody", opened()),
    ("registry.key-unknown", "root1", opened()),
    ("registry.source-mismatch", "city", opened()),
    ("registry.source-mismatch", "roads", organisation_named()),
    ("registry.key-scope", "roads", organisation_named(source=ROADS)),
    ("registry.key-scope", "roads", planned()),
    ("registry.key-scope", "publisher", organisation_named()),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


@pytest.mark.parametrize(("rule_id", "signer", "event"), SIGNERS)
def test_a_key_that_may_not_sign(rule_id: str, signer: str, event: object) -> None:
    with pytest.raises(RuleBroken) as caught:
        authorise(given(*LOG), event, key_id(signer))  # type: ignore[arg-type]  # the table mixes its columns' types
    assert caught.value.rule_id == rule_id


def test_keys_come_from_the_genesis_entry() -> None:
    world = given(*LOG)
    assert key_for(world, key_id("city")) == Key("city", frozenset({"registry.*"}), key_id("city_x"))
    speaks = {"report.*", "registry.token-issued.v1", "registry.token-revoked.v1", "registry.submission-refused.v1"}
    publisher = Key("city", frozenset(speaks), key_id("publisher_x"), "PUBLISHER")
    assert key_for(world, key_id("publisher")) == publisher
    assert key_for(world, key_id("root1")) is None
    assert key_for(given(), key_id("city")) is None


def test_a_scope_is_a_whole_kind_or_one_type() -> None:
    world = given(*LOG)
    assert authorise(world, opened(), key_id("roads")).agency == "roads"
    assert authorise(world, signed(), key_id("roads")).agency == "roads"
    assert authorise(world, organisation_named(), key_id("city")).agency == "city"


def test_only_transactions_are_unsigned() -> None:
    assert not needs_signature("service.transaction-recorded.v1")
    assert needs_signature("service.batch-sealed.v1")


def test_names_may_follow_each_other() -> None:
    given(*LOG, organisation_named({"valid_until": "2021-06-30"}), organisation_named({"valid_from": "2021-07-01"}))


def test_a_refusal_survives_the_way_between_processes() -> None:
    broken = RuleBroken("registry.dates", "no", stream="s", columns={"a": 1}, allowed=2)
    copy = pickle.loads(pickle.dumps(broken))  # noqa: S301 - our own bytes
    assert (copy.rule_id, copy.stream, copy.columns, copy.allowed) == ("registry.dates", "s", {"a": 1}, 2)
    assert str(copy) == str(broken) == "registry.dates: no"
