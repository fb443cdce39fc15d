"""Who may publish a report, of what, and in which order? Answered from the log itself."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import CITY, ROADS, log_created, when
from tests.support.given import Refusal, given, name_of, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

LOG = (log_created(),)


def published(
    data: dict[str, Any] | None = None, *, subject: str = "report/settlement/roads", **attributes: Any
) -> Event:
    fields = {
        "kind": "settlement",
        "key": "roads",
        "tree_size": 4,
        "row_count": 3,
        "rows_root": "ab" * 32,
        "definition": {"name": "settlement", "version": 1, "sha256": "cd" * 32},
        **(data or {}),
    }
    return when("report.published.v1", subject, fields, **{"source": CITY, "index": 9, **attributes})


REFUSALS = (
    Refusal("registry.log-not-created", "before the log", (), published()),
    Refusal("report.not-city", "an agency reports", LOG, published(source=ROADS), CITY),
    Refusal("report.stream-differs", "another key", LOG, published({"key": "parks"})),
    Refusal("report.stream-differs", "another kind", LOG, published({"kind": "contract-register"})),
    Refusal("report.stream-differs", "a key cut in two", LOG, published({"key": "roads/2021"})),
    Refusal("report.tree-size-ahead", "of its own entry", LOG, published({"tree_size": 10}), 9),
    Refusal("report.tree-size-ahead", "at a place that nobody said", LOG, published(index=-1)),
    Refusal("report.tree-size-back", "the same again", (*LOG, published()), published({"rows_root": "00" * 32})),
    Refusal("report.tree-size-back", "of fewer entries", (*LOG, published()), published({"tree_size": 3})),
    Refusal("report.empty-root", "no rows with a root", LOG, published({"row_count": 0})),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_a_report_may_be_of_everything_before_it_and_the_next_one_of_more() -> None:
    given(*LOG, published({"tree_size": 8}), published({"tree_size": 9}))


def test_each_stream_counts_for_itself() -> None:
    book = {"kind": "budget-book", "key": "roads/2021", "tree_size": 2}
    given(*LOG, published(), published(book, subject="report/budget-book/roads/2021"))


def test_a_report_may_have_no_rows() -> None:
    given(*LOG, published({"row_count": 0, "rows_root": sha256(b"").hexdigest()}))
