"""Does a policy of approvals that the log holds bind the service, and does a replay name who went around it?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audit_service.keys import SigningKey, read_seed
from audit_service.rules import keys as rules_of_keys
from projections.replay_entries import EntryReplay
from projections.replay_verdict import Findings
from tests.support.small_city import ORIGIN, SmallCity, budget_year, obligation, small_city, submission
from verifier.canonical import encode_canonical
from verifier.envelope import approve_submission, sign_submission
from verifier.notes import VerifierKey
from verifier.possession import prove_possession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

APPROVER = SigningKey.from_seed(bytes(range(32)))
LIMIT_WON = 1000


def govern(city: SmallCity, event_type: str, data: dict[str, Any], *, event_id: str) -> None:
    """An entry of the city, signed and approved by two of its root keys."""
    roots = [SigningKey.from_seed(read_seed(city.settings.keys / f"root-{number}.key")) for number in (1, 2)]
    event = submission(event_type, "registry/log", data, event_id=event_id, source="urn:kr:agency:city")
    signed = approve_submission(sign_submission(event, roots[0].private), roots[1].private)
    (outcome,) = city.send(encode_canonical(signed)).outcomes
    assert outcome.error is None


@contextmanager
def city_with_policy(folder: Path, **policy: int) -> Iterator[SmallCity]:
    """A city whose budget year was open before it began to ask for approvals; `roads` has an approver."""
    with small_city(folder / "city") as city:
        for outcome in city.post(*budget_year()).outcomes:
            assert outcome.error is None
        scopes = ["budget.*"]
        registration = {
            "agency": "roads",
            "kid": APPROVER.kid,
            "public_key": APPROVER.public_key,
            "scopes": scopes,
            "role": "APPROVER",
            "possession": prove_possession(APPROVER.private, origin=ORIGIN, agency="roads", scopes=scopes),
        }
        govern(city, "registry.key-registered.v1", registration, event_id="approver")
        govern(city, "registry.approval-policy-set.v1", policy, event_id="policy")
        yield city


def send(city: SmallCity, event: dict[str, Any], *, approver: SigningKey | None = None) -> str | None:
    """Post an event signed by `roads`; gives the rule that refuses it."""
    signed = sign_submission(event, city.keys["roads"].private)
    if approver is not None:
        signed = approve_submission(signed, approver.private)
    (outcome,) = city.send(encode_canonical(signed)).outcomes
    return None if outcome.error is None else getattr(outcome.error, "rule_id", str(outcome.error))


def replayed(city: SmallCity) -> list[tuple[int | None, str | None]]:
    """Every violation that a replay of the log names: at which entry, of which rule."""
    findings = Findings()
    replay = EntryReplay(
        vkey=VerifierKey.parse((city.settings.data_dir / "log.vkey").read_text().strip()), findings=findings
    )
    size = city.ledger.signed().size
    for index in range(size):
        replay.take(index, city.ledger.reader.entry(index))
    replay.finish(size)
    return [(violation.index, violation.details.get("rule_id")) for violation in findings.violations]


def test_from_the_amount_on_an_approver_signs_too(tmp_path: Path) -> None:
    with city_with_policy(tmp_path, amount_won=LIMIT_WON) as city:
        assert send(city, obligation(1, amount_won=LIMIT_WON - 1)) is None
        assert send(city, obligation(2, amount_won=LIMIT_WON)) == "registry.approval-missing"
        assert send(city, obligation(2, amount_won=LIMIT_WON), approver=city.keys["city"]) == "registry.approval-role"
        assert send(city, obligation(2, amount_won=LIMIT_WON), approver=APPROVER) is None
        assert replayed(city) == []


def test_what_happened_long_ago_needs_an_approver(tmp_path: Path) -> None:
    # Events of the small city happen in January 2021.
    with city_with_policy(tmp_path, late_days=30) as city:
        assert send(city, obligation(1, amount_won=1)) == "registry.approval-missing"
        assert send(city, obligation(1, amount_won=1), approver=APPROVER) is None
        assert replayed(city) == []


def test_a_later_policy_replaces_the_one_before(tmp_path: Path) -> None:
    with city_with_policy(tmp_path, amount_won=LIMIT_WON) as city:
        govern(city, "registry.approval-policy-set.v1", {}, event_id="no-policy")
        assert send(city, obligation(1, amount_won=LIMIT_WON)) is None
        assert replayed(city) == []


def test_a_replay_names_an_approval_that_the_service_did_not_ask_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with city_with_policy(tmp_path, amount_won=LIMIT_WON) as city:
        with monkeypatch.context() as lax:
            lax.setattr(rules_of_keys, "require_approval", lambda *_, **__: None)
            assert send(city, obligation(1, amount_won=LIMIT_WON)) is None
        last = city.ledger.signed().size - 1
        assert replayed(city) == [(last, "registry.approval-missing")]
