"""Does a page mark what a correction took back, and lead to the entry that says why?"""

from __future__ import annotations

import pytest

from api.portal.environment import portal_templates
from api.portal.language import ENGLISH, KOREAN, Language
from api.static_files import StaticFiles
from projections.folds import budget_state
from projections.folds.all import fold_all
from tests.support.budget_steps import correct, oblige, payment, post
from tests.support.seed_city import AGENCY, MemoryLog, appropriate, budget, define_line, open_year

_TEMPLATE = '{% import "macros.html" as m with context %}{{ m.standing(row) }}'


def shown(row: dict[str, object], language: Language) -> str:
    template = portal_templates(StaticFiles()).from_string(_TEMPLATE)
    return template.render(row=row, L=language).strip()


def payments() -> dict[str, dict[str, object]]:
    """The payments of a year in which one was corrected and one was taken back."""
    log, folds = MemoryLog(), fold_all()
    open_year(log, 2021)
    define_line(log, 2021, "total", "계")
    appropriate(log, 2021, {"total": 100})
    oblige(log, "o", 100)
    wrong, twice = (post(log, "paid", payment(name, "o", 40)) for name in ("p1", "p2"))
    correct(log, budget(2021), wrong, {"paid": payment("p1", "o", 30)})
    correct(log, budget(2021), twice, None)
    for index, event in log.events():
        folds.apply(index, event)
    rows = folds.compute_rows("budget-book", f"{AGENCY}/2021")
    return {row.id: row.body for row in rows if row.table == "payments"}


@pytest.mark.parametrize(
    ("language", "prefix", "words"), [(KOREAN, "", ("정정됨", "취소됨")), (ENGLISH, "/en", ("corrected", "reversed"))]
)
def test_rows_say_what_became_of_them(language: Language, prefix: str, words: tuple[str, str]) -> None:
    rows = payments()
    assert shown(rows["p1"], language) == ""
    for row_id, word, entry in (("p1@4", words[0], 6), ("p2@5", words[1], 7)):
        mark = shown(rows[row_id], language)
        assert f'<a href="{prefix}/entries/{entry}">{word}</a>' in mark
        assert 'class="tag corrected"' in mark


@pytest.mark.parametrize("status", [budget_state.CORRECTED, budget_state.REVERSED, budget_state.REPEATED])
def test_every_status_has_its_word_in_both_languages(status: str) -> None:
    row = {"status": status, "corrected_by": 3}
    assert shown(row, KOREAN) != shown(row, ENGLISH) != ""
