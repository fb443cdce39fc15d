"""Do the service and an auditor compose the same answer, also as of an earlier size or legal date?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import rfc8785

from projections.folds.all import fold_all
from projections.folds.answers import (
    DEFINITIONS,
    answer_as_of,
    answer_to_bytes,
    compose_answer,
    fold_answer,
    fold_keys,
    streams_needed,
)
from projections.folds.contracts import TABLES
from projections.folds.rows import Row
from tests.support.seed_city import AGENCY, PROJECT, MemoryLog, budget, seal_batch, seed_log, spend, won

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    log = seed_log()
    seal_batch(log, "used-car", "2019", ["record"] * 7)
    seal_batch(log, "used-car", "2020", ["record"] * 7)
    return log


def test_an_answer_says_what_it_is_and_has_every_table() -> None:
    row = Row(table="sums", id="sums", body={"paid_won": 1}, provenance=["printed"], entries=[3])
    assert compose_answer("contract-register", "c", [row], tree_size=4, legal_date="2021-01-01") == {
        "kind": "contract-register",
        "key": "c",
        "tree_size": 4,
        "legal_date": "2021-01-01",
        "definition": {"name": "contract-register", "version": 3},
        "tables": {
            **{table: [] for table in TABLES},
            "sums": [{"id": "sums", "paid_won": 1, "provenance": ["printed"], "entries": [3]}],
        },
    }


def test_a_row_of_an_unknown_table_is_not_lost_silently() -> None:
    row = Row(table="unknown", id="1", body={}, provenance=[], entries=[])
    with pytest.raises(KeyError, match="unknown"):
        compose_answer("organisations", "a", [row], tree_size=1)


def test_every_answer_of_the_page_is_canonical_json(log: MemoryLog) -> None:
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
    keys = fold_keys(folds)
    assert list(keys) == list(DEFINITIONS)
    for kind, names in keys.items():
        assert names, kind
        for key in names:
            answer = fold_answer(folds, kind, key, tree_size=log.head_size())
            assert answer is not None
            assert answer_to_bytes(answer) == rfc8785.dumps(answer)


def test_cells_never_hide_what_a_row_rests_on(log: MemoryLog) -> None:
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
    for kind, names in fold_keys(folds).items():
        for key in names:
            rows = folds.compute_rows(kind, key)
            assert len({(row.table, row.id) for row in rows}) == len(rows)
            for row in rows:
                assert not {"id", "provenance", "entries"} & set(row.body), (kind, row.table)


@pytest.mark.parametrize(
    ("kind", "key", "streams"),
    [
        ("budget-book", "a/2021", ("budget/a/2020", "budget/a/2021")),
        ("settlement", "a", ("budget/a/",)),
        ("contract-register", "c", ("contract/c",)),
        ("contract-checks", "a", ("budget/a/",)),
        ("project-register", "p", ("project/p", "budget/")),
        ("service-statistics", "s", ("service/s", "service/s/")),
        ("organisations", "o", ("registry/log", "registry/agency/o")),
        ("agency-gaps", "o", ("registry/agency/o",)),
    ],
)
def test_streams_that_an_answer_needs(kind: str, key: str, streams: tuple[str, ...]) -> None:
    assert streams_needed(kind, key) == streams


@pytest.mark.parametrize("key", ["a", "a/", "a/21", "a/２０２１", "a/2021/x"])
def test_a_budget_book_s_key_has_one_form(key: str) -> None:
    with pytest.raises(ValueError, match="fiscal year"):
        streams_needed("budget-book", key)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        streams_needed("unknown", "key")


def test_as_of_any_size_is_what_the_folds_said_then(log: MemoryLog) -> None:
    events = log.events()
    folds = fold_all()
    for size in range(log.head_size() + 1):
        for kind, key in (
            ("budget-book", f"{AGENCY}/2021"),
            ("settlement", AGENCY),
            ("project-register", PROJECT),
            ("contract-register", "maintenance-2020-2021"),
            ("service-statistics", "used-car"),
            ("organisations", AGENCY),
        ):
            then = fold_answer(folds, kind, key, tree_size=size)
            assert answer_as_of(events, kind, key, tree_size=size) == then
        if size < log.head_size():
            folds.apply(*events[size])


def settled(log: MemoryLog, **as_of: Any) -> dict[str, Any]:
    answer = answer_as_of(log.events(), "settlement", AGENCY, tree_size=log.head_size(), **as_of)
    assert answer is not None
    return {row["id"]: row for row in answer["tables"]["settlements"]}


def test_as_of_a_legal_date_later_money_is_not_there_yet(log: MemoryLog) -> None:
    mid_2018 = settled(log, legal_date="2018-06-30")[f"2018/{PROJECT}"]
    assert mid_2018["current_budget_won"] == won(1_284_791)
    assert (mid_2018["executed_won"], mid_2018["status"]) == (0, "open")
    year_end = settled(log, legal_date="2018-12-31")
    assert year_end[f"2018/{PROJECT}"]["unspent_won"] == won(133_369)
    assert list(year_end) == [f"2018/{PROJECT}"]


def test_a_late_entry_with_an_early_legal_date_counts_from_its_index_on() -> None:
    log = seed_log()
    before = log.head_size()
    spend(log, 2018, 1000)
    size = log.head_size()
    columns = []
    for tree_size in (before, size):
        answer = answer_as_of(log.events(), "settlement", AGENCY, tree_size=tree_size, legal_date="2018-12-31")
        assert answer is not None
        assert answer["legal_date"] == "2018-12-31"
        columns.append(answer["tables"]["settlements"][0]["executed_won"])
    assert columns == [won(853_332), won(853_332) + 1000]


def test_a_line_that_is_mentioned_before_its_legal_date_has_no_name() -> None:
    log = MemoryLog()
    data = {"line_id": "201-01", "quarter": 1, "amount_won": 5}
    log.add("budget.allotted.v1", budget(2021), data, legal_date="2021-01-01")
    answer = answer_as_of(log.events(), "budget-book", f"{AGENCY}/2021", tree_size=1, legal_date="2021-01-01")
    assert answer is not None
    assert answer["tables"]["lines"][0]["name_ko"] is None
    assert answer["tables"]["year"][0]["status"] == "not opened"


def test_before_the_first_entry_nothing_is_known(log: MemoryLog) -> None:
    assert answer_as_of(log.events(), "settlement", AGENCY, tree_size=0) is None
    old = answer_as_of(log.events(), "settlement", AGENCY, tree_size=log.head_size(), legal_date="2017-12-31")
    assert old is None


def test_entries_out_of_order_are_refused(log: MemoryLog) -> None:
    events: list[tuple[int, Event]] = log.events()[:2]
    with pytest.raises(ValueError, match="log order"):
        answer_as_of(reversed(events), "settlement", AGENCY, tree_size=2)
