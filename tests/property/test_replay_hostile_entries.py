"""Whatever bytes a log holds, a replay ends with a verdict: violations with places, never a crash."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.log_source import DirectoryLog
from projections.replay import replay
from tests.support.log_builder import LogBuilder, small_log, write_log
from verifier.canonical import encode_canonical

HONEST = small_log(transactions=12)
_TEXT = st.text(max_size=6) | st.sampled_from(["lamps", "roads", "budget/roads/2021", "2021-02-30", "loan", "o-1"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=5,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place inside a JSON value where something could be replaced."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, member in inner for place in places(member, (*path, name)))]


def replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@st.composite
def hostile_entries(draw: st.DrawFn) -> list[bytes]:
    """An honest log with some of its entries changed inside, exchanged, repeated, left out or made of anything."""
    entries = list(HONEST.entries)
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(entries) - 1))
        what = draw(st.sampled_from(["value", "value", "value", "swap", "repeat", "drop", "bytes"]))
        if what == "value":
            try:
                event = json.loads(entries[index])
                path = draw(st.sampled_from(places(event)))
                entries[index] = encode_canonical(replaced(event, path, draw(_VALUES)))
            except Exception:  # noqa: BLE001, S112 - an entry that a change before this one made unreadable stays so
                continue
        elif what == "swap":
            other = draw(st.integers(0, len(entries) - 1))
            entries[index], entries[other] = entries[other], entries[index]
        elif what == "repeat":
            entries.insert(draw(st.integers(0, len(entries))), entries[index])
        elif what == "drop" and len(entries) > 1:
            del entries[index]
        elif what == "bytes":
            entries[index] = draw(st.binary(max_size=40))
    return entries


@settings(max_examples=120, deadline=None)
@given(entries=hostile_entries(), check_rules=st.booleans())
def test_a_replay_ends_with_a_verdict(entries: list[bytes], *, check_rules: bool) -> None:
    log = LogBuilder()
    with tempfile.TemporaryDirectory() as directory:
        write_log(Path(directory), entries, log.signer)
        verdict = replay(DirectoryLog(directory), vkey=log.signer.vkey, check_rules=check_rules)
    assert verdict.entries == len(entries)
    assert verdict.status("tree") == "holds"
    # What is left of an honest log when it stops earlier may hold; any other change is found.
    if check_rules and entries != HONEST.entries[: len(entries)]:
        assert not verdict.holds
    if entries == HONEST.entries:
        assert verdict.holds
