"""How does the demo show what the ledger rebuilt beside what the page prints?

One row for each cell of the page. Nothing is called equal because it was posted: the left side comes back from the
service's answers, the right side from `page.json`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_cli.output import table

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT_COLUMNS = 44
_HEADERS = ("on the page 항목", "the ledger rebuilt 되살린 값", "the page prints 인쇄된 값", "equal 같음", "provenance")
_HEADERS_BESIDE = ("service 서비스", "counted in the log 센 값", "as many as the page counts 쪽의 수", *_HEADERS[3:])


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One cell: what it is, what the ledger says, what the page prints, and where the ledger's facts come from.

    `equal` is given only where the page writes the same in other words (dates); otherwise the texts decide.
    """

    name: str
    rebuilt: str
    printed: str
    provenance: Sequence[str] = ()
    means_the_same: bool = False

    @property
    def equal(self) -> bool:
        """Does the ledger say what the page prints?"""
        return self.means_the_same or self.rebuilt == self.printed


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page with its figures; with `on_the_page` false, something that stands beside the page."""

    title: str
    figures: list[Figure]
    on_the_page: bool = True


def rows_of(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Which rows has a table of an answer? Each with its `id` and `provenance`."""
    rows: list[dict[str, Any]] = answer["tables"][name]
    return rows


def format_section(section: Section) -> str:
    """Set one section as text: a title, then the table."""
    rows = [
        [
            _shorten(figure.name),
            _shorten(figure.rebuilt),
            _shorten(figure.printed),
            "같음" if figure.equal else "다름 ✗",
            ", ".join(figure.provenance),
        ]
        for figure in section.figures
    ]
    headers = _HEADERS if section.on_the_page else _HEADERS_BESIDE
    return f"{section.title}\n{table(headers, rows)}"


def format_anomalies(title: str, project: dict[str, Any]) -> str:
    """List what does not fit together on the page, in both languages: shown as it is."""
    lines = [f"- {row['text_ko']}\n  {row['text_en']}" for row in rows_of(project, "anomalies")]
    return "\n".join([title, *lines])


def format_verdict(sections: Sequence[Section]) -> str:
    """Say in one line how many cells of the page are equal; what stands beside the page is named apart."""
    of_the_page, beside = (_count(sections, on_the_page=on_the_page) for on_the_page in (True, False))
    verdict = f"{of_the_page[0]} of {of_the_page[1]} cells of the page rebuilt from events alone"
    if beside[1]:
        verdict += f", {beside[0]} of {beside[1]} synthetic counts recounted"
    differing = of_the_page[1] - of_the_page[0] + beside[1] - beside[0]
    return f"{verdict}: {f'{differing} DIFFER' if differing else 'all equal'}"


def all_equal(sections: Sequence[Section]) -> bool:
    """Did the ledger rebuild every cell?"""
    return all(figure.equal for section in sections for figure in section.figures)


def _count(sections: Sequence[Section], *, on_the_page: bool) -> tuple[int, int]:
    figures = [figure for section in sections if section.on_the_page is on_the_page for figure in section.figures]
    return sum(figure.equal for figure in figures), len(figures)


def to_document(sections: Sequence[Section]) -> list[dict[str, Any]]:
    """Give the comparison as JSON values."""
    return [
        {
            "title": section.title,
            "figures": [
                {
                    "name": figure.name,
                    "rebuilt": figure.rebuilt,
                    "printed": figure.printed,
                    "equal": figure.equal,
                    "provenance": list(figure.provenance),
                }
                for figure in section.figures
            ],
        }
        for section in sections
    ]


def _shorten(text: str) -> str:
    """Cut long sentences for the table (what is compared is the whole); a Korean letter is two columns wide."""
    width = 0
    for place, char in enumerate(text):
        width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if width > _TEXT_COLUMNS:
            return text[:place] + "…"
    return text
