"""Threat T19: does the time of an answer tell which token ids exist?

Welch's t-test over the time of one look-up: an unknown id against the right id with a wrong secret, in one process, in
random order. |t| below 4.5 is the usual bound for "no difference seen" (TVLA). A clock on a shared machine is a blunt
instrument, so the steps of a look-up are counted too, without any clock. Both have their negative control.
"""

from __future__ import annotations

import gc
import hashlib
import hmac
import secrets
import statistics
import time
from math import sqrt
from random import Random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import upgrade
from audit_service.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

SAMPLES = 10_000
BOUND = 4.5
# A machine that is busy with something else may disturb one run; a leak is there in every run.
RUNS = 3
# The slowest few are interruptions by the machine, in both columns alike.
KEPT = 0.9


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_sqlite(tmp_path_factory.mktemp("timing") / "ledger.sqlite3")
    upgrade(engine, "ledger")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def known_id(engine: Engine) -> str:
    tokens = Tokens(engine, engine)
    made = [tokens.create("roads", expires_at="2999-01-01T00:00:00.000Z") for _ in range(50)]
    assert all(tokens.caller_of(token) is not None for token in made)
    return made[25].partition(".")[0]


def welch_t(first: list[float], second: list[float]) -> float:
    """How many standard errors are two means apart?"""
    spread = statistics.variance(first) / len(first) + statistics.variance(second) / len(second)
    return (statistics.fmean(first) - statistics.fmean(second)) / sqrt(spread)


def measure(look_up: Callable[[str], object], known_id: str, *, seed: int) -> float:
    """The t of one run."""
    chance = Random(seed)
    secret = secrets.token_urlsafe(32)
    unknown = [f"{chance.getrandbits(64):016x}.{secret}" for _ in range(SAMPLES)]
    known = [f"{known_id}.{secret}" for _ in range(SAMPLES)]
    order = [(0, token) for token in unknown] + [(1, token) for token in known]
    chance.shuffle(order)
    times: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    gc.disable()
    try:
        for column, token in order:
            begun = time.perf_counter_ns()
            look_up(token)
            times[column].append(time.perf_counter_ns() - begun)
    finally:
        gc.enable()
    limit = sorted(times[0] + times[1])[int(2 * SAMPLES * KEPT)]
    first, second = ([value for value in column if value <= limit] for column in times)
    return welch_t(first, second)


def test_t19_an_unknown_id_takes_as_long_as_a_wrong_secret(engine: Engine, known_id: str) -> None:
    tokens = Tokens(engine, engine)
    found = []
    for seed in range(RUNS):
        found.append(measure(tokens.caller_of, known_id, seed=seed))
        if abs(found[-1]) < BOUND:
            return
    pytest.fail(f"t = {found}")


def test_t19_the_timing_sees_a_look_up_that_hashes_slowly_only_where_the_id_is_known(
    engine: Engine, known_id: str
) -> None:
    """The negative control: the leak of many services, a password hash for those who exist (20 rounds, some 10 µs)."""

    def leaky(token: str) -> bool:
        token_id, _, secret = token.partition(".")
        with engine.connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT secret_sha256 FROM tokens WHERE token_id = ?", (token_id,)
            ).one_or_none()
        if row is None:
            return False
        return hmac.compare_digest(row[0], hashlib.pbkdf2_hmac("sha256", secret.encode(), b"salt", 20))

    assert all(abs(measure(leaky, known_id, seed=seed)) > BOUND for seed in range(RUNS))


class Steps:
    """What one look-up does, counted: statements, hashes, comparisons and their lengths. No clock is involved."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[str, int]] = []
        event.listen(engine, "before_cursor_execute", self._statement)
        sha256, compare = hashlib.sha256, hmac.compare_digest

        def counted_sha256(data: bytes) -> object:
            self.done.append(("sha256", len(data)))
            return sha256(data)

        def counted_compare(first: bytes, second: bytes) -> bool:
            self.done.append(("compare", len(first)))
            return compare(first, second)

        monkeypatch.setattr(hashlib, "sha256", counted_sha256)
        monkeypatch.setattr(hmac, "compare_digest", counted_compare)

    def _statement(self, *arguments: object) -> None:
        self.done.append((str(arguments[2]), 0))

    def of(self, look_up: Callable[[str], object], token: str) -> list[tuple[str, int]]:
        self.done.clear()
        look_up(token)
        return list(self.done)


def test_t19_unknown_ids_malformed_tokens_and_wrong_secrets_take_the_same_steps(
    engine: Engine, known_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = Tokens(engine, engine)
    steps = Steps(engine, monkeypatch)
    secret = secrets.token_urlsafe(32)
    wrong = steps.of(tokens.caller_of, f"{known_id}.{secret}")
    assert [name for name, _ in wrong][-2:] == ["sha256", "compare"]
    assert steps.of(tokens.caller_of, f"{'0' * 16}.{secret}") == wrong
    malformed = steps.of(tokens.caller_of, "no token at all")
    assert [name for name, _ in malformed] == [name for name, _ in wrong]


def test_t19_the_steps_see_a_comparison_that_is_left_out(
    engine: Engine, known_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a comparison only where the id is known is one step more, however little it takes."""
    steps = Steps(engine, monkeypatch)

    def leaky(token: str) -> bool:
        token_id, _, secret = token.partition(".")
        return token_id == known_id and hmac.compare_digest(bytes(32), hashlib.sha256(secret.encode()).digest())

    secret = secrets.token_urlsafe(32)
    assert steps.of(leaky, f"{known_id}.{secret}") != steps.of(leaky, f"{'0' * 16}.{secret}")
