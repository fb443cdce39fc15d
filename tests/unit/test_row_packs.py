"""Are the rows that stand at each tree size those that were kept, however they were packed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import upgrade
from projections.read_models.reports import ReportRows
from projections.read_models.row_packs import PACK_ROWS, pack_rows, unpack_rows
from projections.read_models.tables import report_rows
from projections.reports.definitions import ReportRef
from projections.reports.publishing import KeptRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

Step = tuple[dict[str, bytes | None], bool]
REF = ReportRef("settlement", "x")
_KEYS = st.one_of(st.integers(0, 300).map(lambda n: f"{n:03}"), st.sampled_from(["", "~", "가", "\U0001f600"]))
_CHANGES = st.dictionaries(_KEYS, st.one_of(st.none(), st.binary(max_size=3)), max_size=60)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_sqlite(tmp_path_factory.mktemp("packs") / "projections.sqlite3")
    upgrade(engine, "projections")
    yield engine
    engine.dispose()


@given(steps=st.lists(st.tuples(_CHANGES, st.booleans()), min_size=1, max_size=6), many=st.integers(0, 200))
def test_every_tree_size_has_its_rows(
    engine: Engine, steps: list[tuple[dict[str, bytes | None], bool]], many: int
) -> None:
    store = ReportRows(engine)
    store.forget_from(REF, 0)
    rows = {f"{n:03}": b"first" for n in range(many)}
    store.keep([KeptRows(REF, 10, dict(rows), whole=True)])
    expected = {10: dict(rows)}
    for number, (changes, whole) in enumerate(steps, 11):
        for key, row in changes.items():
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
        store.keep([KeptRows(REF, number, dict(rows) if whole else changes, whole)])
        expected[number] = dict(rows)
    for size, then in expected.items():
        assert store.rows(REF, size) == sorted(then.items())
        last = expected[number]
        differ = {key for key in then.keys() | last.keys() if then.get(key) != last.get(key)}
        wanted = {key: (then.get(key), last.get(key)) for key in differ}
        assert store.changed_rows(REF, old=size, new=number) == wanted


def test_what_was_kept_for_an_entry_that_never_came_is_replaced(engine: Engine) -> None:
    store = ReportRows(engine)
    store.forget_from(REF, 0)
    store.keep([KeptRows(REF, 5, {"a": b"1"}, whole=True)])
    store.keep([KeptRows(REF, 5, {"a": b"2"}, whole=True)])
    assert store.rows(REF, 5) == [("a", b"2")]


def test_one_changed_row_writes_one_pack(engine: Engine) -> None:
    store = ReportRows(engine)
    store.forget_from(REF, 0)
    store.keep([KeptRows(REF, 5, {f"{n:04}": b"1" for n in range(40 * PACK_ROWS)}, whole=True)])
    store.keep([KeptRows(REF, 6, {"0100": b"2"}, whole=False)])
    with engine.connect() as connection:
        count = select(func.count()).where(report_rows.c.key == REF.key)
        assert connection.execute(count.where(report_rows.c.since == 5)).scalar_one() == 40
        assert connection.execute(count.where(report_rows.c.since == 6)).scalar_one() == 1


@pytest.mark.parametrize("body", [b"", b"x", "text", None, pack_rows([("a", b"1")])[:-5], b"x\x9c" * 9])
def test_what_is_no_pack_has_no_rows(body: object) -> None:
    assert unpack_rows(body) == []
