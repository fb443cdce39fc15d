"""May keys, root keys, witnesses and policies change like this, and who may sign what afterwards?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_service.catalogue.registry import ROOT_SIGNED
from audit_service.catalogue.types import EVENT_TYPES
from audit_service.rules.errors import RuleBroken
from audit_service.rules.keys import Signers, authorise_entry, key_for, public_key_for
from audit_service.rules.states import ONLY, ApprovalPolicy, RootKey, Witness
from audit_service.rules.world import read_log
from tests.support.events import (
    CITY,
    PARKS,
    ROADS,
    key_id,
    log_created,
    opened,
    organisation_named,
    signed,
)
from tests.support.given import Refusal, given, name_of, refuses
from tests.support.governance import (
    VKEY,
    agency_registered,
    approval_policy_set,
    key_registered,
    key_revoked,
    log_succeeded,
    policy_changed,
    roots_rotated,
    witness_enrolled,
    witness_retired,
)

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

LOG = (log_created(),)
PARKS_JOINED = (*LOG, agency_registered())
PARKS_SIGN = (*PARKS_JOINED, key_registered())
ROTATED = (*LOG, roots_rotated("root1", "root4", "root5"))
GOVERNANCE = (
    agency_registered,
    key_registered,
    key_revoked,
    roots_rotated,
    policy_changed,
    witness_enrolled,
    witness_retired,
    log_succeeded,
)

REFUSALS = (
    *(Refusal("registry.log-not-created", act.__name__, (), act()) for act in GOVERNANCE),
    *(Refusal("registry.not-owner", act.__name__, LOG, act(source=ROADS), CITY) for act in GOVERNANCE),
    Refusal("registry.agency-duplicate", "it stands in the genesis", LOG, agency_registered("roads")),
    Refusal("registry.agency-duplicate", "it was registered", PARKS_JOINED, agency_registered()),
    Refusal("registry.agency-unknown", "a key of nobody", LOG, key_registered()),
    Refusal("registry.key-duplicate", "it is another's", PARKS_JOINED, key_registered("roads")),
    Refusal("registry.key-duplicate", "a root key", PARKS_JOINED, key_registered("root1")),
    Refusal("registry.key-duplicate", "the publisher's", PARKS_JOINED, key_registered("publisher")),
    Refusal(
        "registry.key-duplicate",
        "another's by a new name",
        PARKS_JOINED,
        key_registered("new", {"public_key": key_id("roads_x")}),
    ),
    Refusal("registry.key-duplicate", "it was revoked", (*PARKS_SIGN, key_revoked("parks")), key_registered()),
    Refusal(
        "registry.key-duplicate",
        "a retired root key",
        (*ROTATED, agency_registered()),
        key_registered("root2"),
    ),
    Refusal("registry.key-duplicate", "one root key twice", LOG, roots_rotated("root1", "root4", "root4")),
    Refusal("registry.key-duplicate", "an agency's key as root", LOG, roots_rotated("root1", "root2", "roads")),
    Refusal("registry.key-duplicate", "a retired root key returns", ROTATED, roots_rotated("root1", "root2", "root6")),
    Refusal("registry.key-unknown", "nobody's key", LOG, key_revoked("nobody")),
    Refusal("registry.key-unknown", "root keys are rotated, not revoked", LOG, key_revoked("root1")),
    Refusal(
        "registry.revocation-past", "it reaches back", LOG, key_revoked("roads", {"from_index": 6}, index=7), allowed=7
    ),
    Refusal(
        "registry.key-revoked-twice",
        "from there on it is revoked",
        (*LOG, key_revoked("roads", {"from_index": 20}, index=7)),
        key_revoked("roads", {"from_index": 20}, index=8),
        19,
    ),
    Refusal("registry.witness-duplicate", "the name", (*LOG, witness_enrolled()), witness_enrolled(vkey=VKEY + "A")),
    Refusal("registry.witness-duplicate", "the key", (*LOG, witness_enrolled()), witness_enrolled("press")),
    Refusal("registry.witness-unknown", "nobody", LOG, witness_retired()),
    Refusal("registry.witness-unknown", "twice", (*LOG, witness_enrolled(), witness_retired()), witness_retired()),
    Refusal("registry.successor-same", "the same origin", LOG, log_succeeded("ledger.example/test")),
    Refusal("registry.log-succeeded", "a name", (*LOG, log_succeeded()), organisation_named(), "ledger.example/next"),
    Refusal("registry.log-succeeded", "a budget", (*LOG, log_succeeded()), opened()),
    Refusal("registry.log-succeeded", "a key", (*LOG, log_succeeded()), key_revoked("roads")),
    Refusal("registry.log-succeeded", "another succession", (*LOG, log_succeeded()), log_succeeded("x.example/y")),
)

REVOKED = (*LOG, key_revoked("roads", {"from_index": 9}, index=7))
LIMITED = (*PARKS_JOINED, key_registered(data={"subjects": ["budget/road", "budget/roads/2021"]}))
APPROVER = (*PARKS_JOINED, key_registered(data={"role": "APPROVER"}))
SIGNERS = (
    ("registry.root-signatures", LOG, "root1", None, policy_changed()),
    ("registry.root-signatures", LOG, "root1", "root1", policy_changed()),
    ("registry.root-signatures", LOG, "root1", "city", policy_changed()),
    ("registry.root-signatures", LOG, "city", "root1", policy_changed()),
    ("registry.root-signatures", LOG, "city", None, key_revoked()),
    ("registry.root-signatures", ROTATED, "root1", "root2", policy_changed()),
    ("registry.key-unknown", LOG, "root1", "root2", organisation_named()),
    ("registry.key-revoked", REVOKED, "roads", None, opened(index=9)),
    ("registry.key-revoked", REVOKED, "roads", None, opened(index=10)),
    ("registry.key-revoked", REVOKED, "roads", None, opened(index=-1)),
    ("registry.key-subject", LIMITED, "parks", None, opened(2022, source=PARKS)),
    ("registry.key-role", APPROVER, "parks", None, opened(source=PARKS)),
    ("registry.source-mismatch", PARKS_SIGN, "roads", "parks", opened()),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


@pytest.mark.parametrize(("rule_id", "history", "signer", "approver", "event"), SIGNERS)
def test_keys_that_may_not_sign(
    rule_id: str, history: tuple[Event, ...], signer: str, approver: str | None, event: Event
) -> None:
    with pytest.raises(RuleBroken) as caught:
        authorise_entry(given(*history), event, key_id(signer), approver and key_id(approver))
    assert caught.value.rule_id == rule_id


def test_two_root_keys_in_force_sign_governance() -> None:
    assert authorise_entry(given(*LOG), policy_changed(), key_id("root1"), key_id("root3")) == Signers(
        key_id("root1_x"), key_id("root3_x")
    )
    after = given(*ROTATED)
    assert authorise_entry(after, policy_changed(), key_id("root1"), key_id("root4"))
    assert read_log(after).root_keys[key_id("root2")] == RootKey(key_id("root2_x"), retired=True)
    assert public_key_for(after, key_id("root2")) == key_id("root2_x")


def test_a_key_signs_from_its_registration_to_its_revocation() -> None:
    world = given(*PARKS_JOINED, key_registered(index=5), key_revoked("parks", {"from_index": 9}, index=7))
    key = key_for(world, key_id("parks"))
    assert key is not None
    assert (key.from_index, key.until_index) == (5, 9)
    assert authorise_entry(world, opened(index=8, source=PARKS), key_id("parks"), None).public_key == key_id("parks_x")


def test_a_second_revocation_brings_the_end_forward() -> None:
    world = given(*REVOKED, key_revoked("roads", {"from_index": 8}, index=8))
    key = key_for(world, key_id("roads"))
    assert key is not None
    assert key.until_index == 8


def test_a_key_for_some_streams_signs_on_them() -> None:
    world = given(*PARKS_JOINED, key_registered(data={"subjects": ["budget/roads"]}))
    assert authorise_entry(world, opened(source=PARKS), key_id("parks"), None)


def test_an_approval_is_by_a_key_that_may_sign_this_too() -> None:
    world = given(*LOG, agency_registered(), key_registered("second", {"agency": "roads", "role": "APPROVER"}))
    assert authorise_entry(world, opened(), key_id("roads"), key_id("second")).approval_public_key == key_id("second_x")
    with pytest.raises(RuleBroken):
        authorise_entry(world, signed(), key_id("roads"), key_id("second"))


def test_the_registry_remembers_policies_and_witnesses() -> None:
    world = given(*LOG, policy_changed(), witness_enrolled(), witness_retired(), approval_policy_set(late_days=30))
    state = read_log(world)
    assert state.policy == {ONLY: "quorum none"}
    assert state.witnesses == {"council": Witness(VKEY, enrolled=False)}
    assert state.approval == {ONLY: ApprovalPolicy(None, 30)}
    assert given(*LOG, witness_enrolled(), witness_retired(), witness_enrolled())


def test_root_keys_sign_exactly_what_stands_on_the_stream_of_the_log() -> None:
    owners = ("agency-registered", "key-", "root-keys", "policy-", "witness-", "approval-policy", "log-")
    expected = {name for name in EVENT_TYPES if name.startswith(tuple(f"registry.{owner}" for owner in owners))}
    assert expected == ROOT_SIGNED
