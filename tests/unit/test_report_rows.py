"""Which bytes do rows of folds become, and are they canonical whatever stands in them?"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from projections.folds.answers import DEFINITIONS
from projections.folds.rows import Row
from projections.reports.definitions import (
    KINDS,
    VERSIONS,
    ReportRef,
    definition_of,
    definition_text,
    fixed_reports,
    place_of,
)
from projections.reports.rows import MAX_ENTRIES, RowHasNoForm, report_row
from projections.reports.state import LogState
from projections.reports.tables import ReportTables
from tests.support.seed_city import MemoryLog, seal_batch, seed_log, spend
from verifier.canonical import encode_canonical, require_canonical
from verifier.reports import parse_row

DOCS = Path(__file__).parents[2] / "docs"


def row(body: dict[str, Any], *, entries: list[Any] | None = None, table: str = "lines", row_id: str = "a") -> Row:
    return Row(table=table, id=row_id, body=body, provenance=["printed"], entries=entries or [1])


def test_every_row_of_a_city_is_its_own_canonical_form() -> None:
    log = seed_log()
    seal_batch(log, "used-car", "2019", ["record"] * 7)
    state = LogState()
    for (index, event), entry in zip(log.events(), log.stored, strict=True):
        state.apply(index, event, entry)
    tables = ReportTables(state)
    count = 0
    for ref in tables.refs():
        rows = tables.rows(ref)
        assert rows.keys == sorted(rows.keys, key=str.encode)
        for key, data in zip(rows.keys, rows.rows, strict=True):
            assert parse_row(data)["key"] == key
            assert require_canonical(data) == json.loads(data)
            count += 1
    assert count > 100


def test_what_is_kept_up_to_date_is_what_is_computed_from_nothing() -> None:
    log = seed_log()
    kept, position = LogState(), 0
    tables: ReportTables | None = None

    def follow() -> None:
        nonlocal position, tables
        for index, event in log.events()[position:]:
            kept.apply(index, event, log.stored[index])
        position = len(log.stored)
        if tables is None:
            tables = ReportTables(kept)
        else:
            tables.take_in(kept.take_changes())

    follow()
    for amount_won in (5, 7):
        spend(log, 2020, amount_won)
        seal_batch(log, "used-car", f"20{amount_won + 10}", ["record"] * 5)
        follow()
        fresh = ReportTables(_folded(log))
        assert tables is not None
        assert tables.refs() == fresh.refs()
        assert all(tables.rows(ref) == fresh.rows(ref) for ref in fresh.refs())


def _folded(log: MemoryLog) -> LogState:
    state = LogState()
    for index, event in log.events():
        state.apply(index, event, log.stored[index])
    return state


def test_a_long_list_of_entries_is_given_by_its_ends_and_its_digest() -> None:
    entries = list(range(10, 10 + MAX_ENTRIES + 1))
    _, data = report_row(
        row(
            {"figures": {"a": {"entries": entries, "provenance": ["printed"]}}, "x": [{"entries": entries[1:]}]},
            entries=entries,
        )
    )
    digest = sha256(encode_canonical(entries)).hexdigest()
    short = {"count": len(entries), "first": 10, "last": 10 + MAX_ENTRIES, "sha256": digest}
    said = json.loads(data)
    assert said["entries"] == said["cells"]["figures"]["a"]["entries"] == short
    assert said["cells"]["x"][0]["entries"] == entries[1:]
    ranges = [[n, n + 1] for n in range(0, 100, 3)]
    _, data = report_row(row({}, entries=ranges))
    assert (json.loads(data)["entries"]["first"], json.loads(data)["entries"]["last"]) == (0, 100)


def test_a_figure_says_what_the_row_does_not() -> None:
    of_row = {"entries": [1], "provenance": ["printed"]}
    of_its_own = {"entries": [2], "provenance": ["derived"]}
    followed = {"computed_from": ["a", "b"], "provenance": ["derived", "printed"]}
    none = {"entries": [], "provenance": []}
    _, data = report_row(row({"figures": {"a": of_row, "b": of_its_own, "c": followed, "d": none}}))
    assert json.loads(data)["cells"]["figures"] == {"a": {"entries": [1]}, "b": of_its_own}


def test_sixteen_digits_are_no_reason_to_refuse_a_row() -> None:
    key, data = report_row(
        row({"a": 2**53 - 1, "b": [-(2**53) + 1], "c": "1234567890123456789", "d": {"e": 2**53 - 2}})
    )
    assert parse_row(data)["key"] == key


@pytest.mark.parametrize(
    "body",
    [
        {"a": 1.5},
        {"a": [1.0]},
        {"a": 2**53},
        {"a": [-(2**53)]},
        {"가": 1},
        {"a": {"나": 1}},
        {1: 2},
        {"a": "\u1100\u1161"},
        {"a": "\uac00\u11a8"},
        {"a": "\uac00 e\u0301"},
        {"a": b"x"},
        {"a": {"b": [float("nan")]}},
        {"a": [{"b": 2**64}]},
        {"figures": {"가": {"entries": [1], "provenance": ["printed"]}}},
        {"figures": {"a": {"entries": [1], "provenance": [1.5]}}},
        {"a": "x" * 70_000},
        {"a": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]},
    ],
)
def test_what_has_no_canonical_form_is_no_row(body: dict[Any, Any]) -> None:
    with pytest.raises(RowHasNoForm):
        report_row(row(body))


def test_a_register_s_rows_carry_their_part() -> None:
    assert report_row(row({}), part="lamps")[0] == "lamps/lines/a"
    assert place_of("contract-register", "lamps", row({})) == (ReportRef("contract-register", "all"), "lamps")
    assert place_of("settlement", "roads", row({})) == (ReportRef("settlement", "roads"), "")
    of_period = row({"period": "2019"}, table="transactions")
    assert place_of("service-statistics", "bikes", of_period) == (ReportRef("service-statistics", "2019"), "bikes")
    of_none = row({"period": None}, table="published_counts")
    assert place_of("service-statistics", "bikes", of_none) == (ReportRef("service-statistics", "all"), "bikes")


def test_every_kind_has_a_definition_that_names_its_tables_and_stands_in_the_docs() -> None:
    page = (DOCS / "reports.md").read_text(encoding="utf-8")
    assert {ref.kind for ref in fixed_reports()} <= set(KINDS)
    for kind, version in VERSIONS.items():
        text = definition_text(kind, version).decode()
        assert definition_of(kind).sha256 == sha256(text.encode()).hexdigest()
        assert f"Definition `{kind}`, version {version}." in text
        assert f"/v1/reports/definitions/{kind}/{version}" in page
        if kind in DEFINITIONS:
            answer = DEFINITIONS[kind]
            # Another meaning of a cell is another text, and so another digest in every report.
            assert f"Cells are those of version {answer.version} of the answer of this name." in text
            assert [table for table in answer.tables if f"| `{table}` |" not in text] == []
    for name, version in (("settlement", 0), ("settlement", 2), ("weather", 1), ("../settlement", 1)):
        with pytest.raises(KeyError):
            definition_text(name, version)
