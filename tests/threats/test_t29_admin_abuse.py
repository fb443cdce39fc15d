"""T29: can one administrator change who may write, or anybody without a trace? Every act is an entry by two root keys.

The table holds every act on `registry/log` after the genesis; the last test holds the table, and the routes, to what
there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api.access import ACCESS
from audit_service.catalogue.registry import ROOT_SIGNED
from tests.support.key_history import (
    ROOTS,
    SUCCESSOR,
    WITNESS,
    KeyHistory,
    entries_named,
    key_data,
    new_key,
    public,
    rotation_data,
    rule_of,
    unsigned,
    violations_at,
)
from verifier.envelope import APPROVAL_TYP, approval_payload, sign_jws, sign_submission
from verifier.errors import VerificationError
from verifier.possession import verify_possessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACTS: dict[str, Callable[[KeyHistory], dict[str, Any]]] = {
    "agency-registered": lambda _: {"code": "parks", "name_ko": "공원과", "name_en": "Parks"},
    "key-registered": lambda _: key_data(new_key("roads-2")),
    "key-revoked": lambda city: {"kid": public(city.keys["roads"])["kid"], "reason": "lost"},
    "root-keys-rotated": lambda _: rotation_data(*(new_key(name) for name in ROOTS)),
    "policy-changed": lambda _: {"policy": "quorum none"},
    "witness-enrolled": lambda _: WITNESS,
    "witness-retired": lambda _: {"name": WITNESS["name"]},
    "approval-policy-set": lambda _: {"amount_won": 1_000_000, "late_days": 30},
    "log-succeeded": lambda _: SUCCESSOR,
}
NOT_TWO_ROOTS: dict[str, tuple[str, str | None]] = {
    "one root key alone": ("root-1", None),
    "a root key and the city": ("root-1", "city"),
    "the city and a root key": ("city", "root-1"),
    "the city alone": ("city", None),
    "the city and an agency": ("city", "roads"),
    "the publisher and a root key": ("publisher", "root-1"),
}


@pytest.fixture
def city(tmp_path: Path) -> KeyHistory:
    made = KeyHistory(tmp_path / "ledger")
    assert made.govern("witness-enrolled", {**WITNESS, "name": "first", "vkey": WITNESS["vkey"] + "A"}).index == 1
    return made


def begin(city: KeyHistory, act: str) -> None:
    """What must be there before the act makes sense."""
    if act == "witness-retired":
        assert city.govern("witness-enrolled", WITNESS).error is None


@pytest.mark.parametrize("act", ACTS)
def test_t29_every_act_is_an_entry_by_two_root_keys_and_never_by_one(city: KeyHistory, act: str) -> None:
    begin(city, act)
    before = city.entries()
    for name, by in NOT_TWO_ROOTS.items():
        outcome = city.govern(act, ACTS[act](city), by=[key for key in by if key])
        assert rule_of(outcome) == "registry.root-signatures", name
    twice = sign_submission(unsigned(act, ACTS[act](city)), city.keys["root-1"])
    twice["approval"] = sign_jws(approval_payload(twice), private_key=city.keys["root-1"], typ=APPROVAL_TYP)
    assert city.send(twice).error is not None
    assert city.entries() == before
    # The negative control: two of them, any two, and the act is an entry.
    outcome = city.govern(act, ACTS[act](city), by=("root-3", "root-1"))
    assert outcome.error is None
    assert city.entries()[len(before)]["type"] == f"registry.{act}.v1"
    verdict = city.audit()
    assert verdict.holds, [str(each) for each in verdict.violations]


@pytest.mark.parametrize("act", ACTS)
def test_t29_an_auditor_names_an_act_of_one(city: KeyHistory, act: str) -> None:
    begin(city, act)
    indexes = [city.insert_behind(city.signed(unsigned(act, ACTS[act](city)), *by)) for by in NOT_TWO_ROOTS.values()]
    verdict = city.audit()
    assert entries_named(verdict) == set(indexes)
    for index in indexes:
        assert ("signatures", "registry.root-signatures") in violations_at(verdict, index)


def test_t29_a_key_that_one_administrator_slipped_in_signs_nothing(city: KeyHistory) -> None:
    """The forged registration has no effect: what its key signs afterwards is named too."""
    slipped = new_key("slipped")
    made = unsigned("key-registered", key_data(slipped, agency="city", scopes=("registry.*",)))
    forged = city.insert_behind(city.signed(made, "root-1", "city"))
    name = unsigned("organisation-named", {"code": "roads", "name_ko": "도로과"}) | {"subject": "registry/agency/roads"}
    use = city.insert_behind(sign_submission(name, slipped))
    verdict = city.audit()
    assert entries_named(verdict) == {forged, use}
    assert ("signatures", "registry.key-unknown") in violations_at(verdict, use)


def test_t29_retired_root_keys_decide_nothing(city: KeyHistory) -> None:
    new = [new_key(name) for name in ROOTS]
    assert city.govern("root-keys-rotated", rotation_data(*new)).error is None
    assert rule_of(city.govern("policy-changed", {"policy": "quorum none"})) == "registry.root-signatures"
    assert rule_of(city.govern("root-keys-rotated", rotation_data(*new))) == "registry.root-signatures"
    city.keys |= {f"new-{number}": key for number, key in enumerate(new)}
    assert city.govern("policy-changed", {"policy": "quorum none"}, by=("new-0", "new-2")).error is None
    assert city.audit().holds


def bad_proofs() -> dict[str, tuple[str, dict[str, Any]]]:
    """Acts whose new keys nobody proves to hold."""
    good, roots = key_data(new_key("roads-2")), [new_key(name) for name in ROOTS]
    other = key_data(new_key("roads-3"))
    return {
        "another key's proof": ("key-registered", {**good, "possession": other["possession"]}),
        "proven for other types": ("key-registered", {**good, "scopes": ["registry.*"]}),
        "proven for another agency": ("key-registered", {**good, "agency": "city"}),
        "another's public key": ("key-registered", {**good, "public_key": other["public_key"]}),
        "one root key proven": ("root-keys-rotated", {**rotation_data(*roots), "possessions": 2 * _first(roots)}),
        "proven for other root keys": (
            "root-keys-rotated",
            {**rotation_data(*roots), "possessions": rotation_data(*roots[:2], new_key("x"))["possessions"]},
        ),
    }


def _first(roots: list[Any]) -> list[str]:
    proofs: list[str] = rotation_data(*roots)["possessions"]
    return proofs[:1]


@pytest.mark.parametrize("name", bad_proofs())
def test_t29_a_key_that_nobody_proves_to_hold_is_not_registered(city: KeyHistory, name: str) -> None:
    act, data = bad_proofs()[name]
    assert rule_of(city.govern(act, data)) == "registry.possession"
    index = city.insert_behind(city.signed(unsigned(act, data), "root-1", "root-2"))
    verdict = city.audit()
    assert violations_at(verdict, index) == [("signatures", "registry.possession")]


def test_t29_a_proof_for_another_log_is_none_for_this() -> None:
    data = key_data(new_key("roads-2"))
    verify_possessions("registry.key-registered.v1", data, origin="ledger.example/small-city")
    with pytest.raises(VerificationError):
        verify_possessions("registry.key-registered.v1", data, origin="ledger.example/another")


def test_t29_no_route_changes_anything_but_by_an_entry() -> None:
    """Every route of the service stands in the table of access (its own test); one of them writes: events."""
    reading = ("GET ", "HEAD ", "OPTIONS ")
    assert [route for route in ACCESS if not route.startswith(reading)] == ["POST /v1/events"]


def test_t29_the_table_holds_every_act_that_there_is() -> None:
    assert {f"registry.{act}.v1" for act in ACTS} | {"registry.log-created.v1"} == ROOT_SIGNED
