"""T13: what did a stolen key sign, and since when does nobody believe it? Revoked from index r on: r-1, r, r+1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_service.ledger import Ledger
from audit_service.rules.world import read_log
from projections.log_source import DirectoryLog
from projections.replay_registry import replay_registry
from tests.support.key_history import (
    WITNESS,
    KeyHistory,
    effect,
    key_data,
    new_key,
    public,
    rule_of,
    violations_at,
)
from tests.support.small_city import budget_year
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    from pathlib import Path

    from audit_service.unit_of_work import Outcome

REVOKED = ["registry.key-revoked"]


def begin(directory: Path, *, later: int | None) -> tuple[KeyHistory, int]:
    """A city that revoked the key of `roads` at entry 3, at once or from `later` entries on; returns also r."""
    city = KeyHistory(directory)
    city.send(sign_submission(budget_year()[0], city.keys["roads"]))
    assert use(city, 1).index == 2
    revocation = {"kid": public(city.keys["roads"])["kid"], "reason": "stolen"}
    start = {} if later is None else {"from_index": 3 + later}
    assert city.govern("key-revoked", {**revocation, **start}).index == 3
    return city, 3 + (later or 0)


def use(city: KeyHistory, number: int) -> Outcome:
    return city.send(sign_submission(effect(number), city.keys["roads"]))


def fill(city: KeyHistory) -> None:
    """One entry that the stolen key has nothing to do with."""
    assert city.govern("policy-changed", {"policy": "quorum none"}).index is not None


@pytest.mark.parametrize("later", [None, 1, 2, 3])
def test_t13_before_r_it_counts_from_r_on_it_does_not(tmp_path: Path, later: int | None) -> None:
    city, start = begin(tmp_path / "ledger", later=later)
    while city.size < start:
        assert use(city, city.size).index == city.size - 1
    for _ in ("r", "r + 1"):
        before = city.entries()
        assert [rule_of(use(city, city.size))] == REVOKED
        assert city.entries() == before
        fill(city)
    verdict = city.audit()
    assert verdict.holds, [str(each) for each in verdict.violations]


@pytest.mark.parametrize("later", [None, 1, 2])
def test_t13_the_auditor_draws_the_line_where_the_server_does(tmp_path: Path, later: int | None) -> None:
    """The operator writes with the stolen key before r, at r and after it; only what is before r holds."""
    city, start = begin(tmp_path / "ledger", later=later)
    indexes = [city.insert_behind(sign_submission(effect(number), city.keys["roads"])) for number in range(2, 7)]
    assert indexes[0] == 4
    verdict = city.audit()
    for index in indexes:
        rules = [rule for _, rule in violations_at(verdict, index)]
        assert rules == ([] if index < start else REVOKED), f"entry {index}, revoked from {start} on"


def test_t13_a_revocation_never_reaches_back(tmp_path: Path) -> None:
    city = KeyHistory(tmp_path / "ledger")
    city.send(sign_submission(budget_year()[0], city.keys["roads"]))
    kid = public(city.keys["roads"])["kid"]
    back = city.govern("key-revoked", {"kid": kid, "from_index": 1, "reason": "to deny what it signed"})
    assert rule_of(back) == "registry.revocation-past"
    # The negative control: from its own index on it may.
    assert city.govern("key-revoked", {"kid": kid, "from_index": 2, "reason": "stolen"}).index == 2


def test_t13_the_line_is_the_same_after_a_restart(tmp_path: Path) -> None:
    """The index is not in the entry: a server that loads the registry again must still know where it stands."""
    city, start = begin(tmp_path / "ledger", later=2)
    assert start == 5
    # Every `send` opens the ledger anew, so entry 4 is decided from what was loaded.
    assert use(city, 4).index == 4
    assert [rule_of(use(city, 5))] == REVOKED


def test_t13_server_and_auditor_remember_the_same_registry(tmp_path: Path) -> None:
    """Every key with its first and its last index: loaded from the database, and replayed from the public files."""
    city, _ = begin(tmp_path / "ledger", later=None)
    second, third = new_key("roads-2"), new_key("roads-3")
    for key in (second, third):
        assert city.govern("key-registered", key_data(key)).error is None
    assert city.govern("key-revoked", {"kid": public(second)["kid"], "reason": "lost"}).error is None
    assert city.govern("witness-enrolled", WITNESS).error is None
    city.audit()
    replayed = replay_registry(DirectoryLog(city.settings.public), vkey=city.vkey)
    assert replayed.violations == []
    with Ledger(city.settings) as ledger:
        loaded = read_log(ledger._streams)
    assert loaded == replayed.state
    spans = [loaded.keys[public(key)["kid"]][5:] for key in (city.keys["roads"], second, third)]
    types = {each["type"]: index for index, each in enumerate(city.entries())}
    assert spans[0] == (0, 3)
    assert spans[1][1] == types["registry.key-revoked.v1"]
    assert spans[2] == (types["registry.key-registered.v1"], None)
