"""T4: can anybody write in an agency's name? Not through the service, and not behind its back without being named.

Each row forges one submission. The service refuses it and records nothing; the operator then writes the very same
bytes into the database, signs and publishes, and an auditor with the public files alone names the entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from api.problems import problem_of
from tests.support.key_history import KeyHistory, effect, entries_named, key_data, new_key, rule_of, violations_at
from tests.support.small_city import budget_year
from verifier.envelope import (
    APPROVAL_TYP,
    SUBMISSION_TYP,
    approve_submission,
    sign_jws,
    sign_submission,
    submission_payload,
)
from verifier.possession import POSSESSION_TYP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Forgery:
    """What is wrong, and the rule by which the service refuses it."""

    rule_id: str
    make: Callable[[KeyHistory], dict[str, Any]]


def _by(key: Ed25519PrivateKey, **attributes: Any) -> dict[str, Any]:
    return sign_submission(effect(1, **attributes), key)


def _of_type(city: KeyHistory, typ: str) -> dict[str, Any]:
    made = effect(1)
    return {**made, "signature": sign_jws(submission_payload(made), private_key=city.keys["roads"], typ=typ)}


def _by_another_than_it_says(city: KeyHistory) -> dict[str, Any]:
    """The header names the agency's key, the signature is a stranger's."""
    header = _of_type(city, SUBMISSION_TYP)["signature"].partition("..")[0]
    made = effect(1)
    signature = sign_submission(made, new_key("stranger"))["signature"].partition("..")[2]
    return {**made, "signature": f"{header}..{signature}"}


def _changed_after_signing(city: KeyHistory) -> dict[str, Any]:
    made = sign_submission(effect(1), city.keys["roads"])
    return {**made, "data": {**made["data"], "fund": "NATIONAL"}}


def _approved_by_a_stranger(city: KeyHistory) -> dict[str, Any]:
    return approve_submission(sign_submission(effect(1), city.keys["roads"]), new_key("stranger"))


FORGERIES = {
    "a wrong key": Forgery("registry.key-unknown", lambda _: _by(new_key("stranger"))),
    "a key that it is not": Forgery("submission.signature-invalid", _by_another_than_it_says),
    "content changed after signing": Forgery("submission.signature-invalid", _changed_after_signing),
    "a revoked key": Forgery("registry.key-revoked", lambda _: _by(new_key("revoked"))),
    "another agency's key": Forgery("registry.source-mismatch", lambda _: _by(new_key("parks"))),
    "a key of other types": Forgery("registry.key-scope", lambda _: _by(new_key("contracts-only"))),
    "a key of other streams": Forgery("registry.key-subject", lambda _: _by(new_key("next-year-only"))),
    "a key that only approves": Forgery("registry.key-role", lambda _: _by(new_key("approver"))),
    "a root key": Forgery("registry.key-unknown", lambda city: _by(city.keys["root-1"])),
    "an approval as signature": Forgery("submission.signature-invalid", lambda city: _of_type(city, APPROVAL_TYP)),
    "a proof of possession as signature": Forgery(
        "submission.signature-malformed", lambda city: _of_type(city, POSSESSION_TYP)
    ),
    "an approval by a stranger": Forgery("registry.key-unknown", _approved_by_a_stranger),
    "no signature": Forgery("submission.signature-missing", lambda _: effect(1)),
}


def prepared_city(directory: Path) -> KeyHistory:
    """A city with keys of every kind, and an open budget year."""
    city = KeyHistory(directory)
    city.govern("agency-registered", {"code": "parks", "name_ko": "공원과", "name_en": "Parks"})
    city.govern("key-registered", key_data(new_key("parks"), agency="parks"))
    city.govern("key-registered", key_data(new_key("revoked")))
    city.govern("key-registered", key_data(new_key("contracts-only"), scopes=("contract.*",)))
    city.govern("key-registered", key_data(new_key("next-year-only"), subjects=["budget/roads/2022"]))
    city.govern("key-registered", key_data(new_key("approver"), role="APPROVER"))
    kid = key_data(new_key("revoked"))["kid"]
    assert city.govern("key-revoked", {"kid": kid, "reason": "lost"}).index == 7
    assert city.send(sign_submission(budget_year()[0], city.keys["roads"])).index == 8
    return city


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> KeyHistory:
    return prepared_city(tmp_path_factory.mktemp("t4") / "ledger")


@pytest.mark.parametrize("name", FORGERIES)
def test_t4_the_service_refuses_and_records_nothing(city: KeyHistory, name: str) -> None:
    forgery = FORGERIES[name]
    before = city.entries()
    outcome = city.send(forgery.make(city))
    assert rule_of(outcome) == forgery.rule_id
    assert outcome.error is not None
    # Keys that are known and may not sign: 403; a signature that nothing speaks for: 422.
    assert problem_of(outcome.error).type.slug in {"key-not-entitled", "signature-invalid"}
    assert city.entries() == before


def test_t4_an_auditor_names_every_forged_entry_and_no_other(tmp_path: Path) -> None:
    city = prepared_city(tmp_path / "ledger")
    forged = {name: city.insert_behind(forgery.make(city)) for name, forgery in FORGERIES.items()}
    # The negative control: the same way into the database, with the signature of who may write.
    honest = city.insert_behind(sign_submission(effect(2), city.keys["roads"]))
    verdict = city.audit()
    assert violations_at(verdict, honest) == []
    for name, index in forged.items():
        rules = [rule for check, rule in violations_at(verdict, index) if check == "signatures"]
        assert len(rules) == 1, f"{name}: the auditor says nothing about the signature"
        if FORGERIES[name].rule_id.startswith("registry."):
            assert rules == [FORGERIES[name].rule_id]
    assert entries_named(verdict) == set(forged.values())


def test_t4_a_log_without_forgeries_holds(tmp_path: Path) -> None:
    """The negative control of the table: keys of every kind, each used as it may be."""
    city = prepared_city(tmp_path / "ledger")
    assert city.send(sign_submission(effect(1), city.keys["roads"])).index == 9
    both = approve_submission(sign_submission(effect(2), city.keys["roads"]), new_key("approver"))
    assert city.send(both).index == 10
    assert city.audit().holds
