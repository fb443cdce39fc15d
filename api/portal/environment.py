"""How do templates turn values of the log into text? The one Jinja environment of the pages.

Everything that comes from the log is escaped; a template that names an unknown value fails loudly.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.portal.language import ENGLISH, KOREAN, Language
from api.portal.traces import proof_links, trace_of
from audit_service.clock import KST, parse_time
from projections.folds.book_style import MINUS, rounding_shows, to_thousand_won
from verifier.encoding import encode_base64

if TYPE_CHECKING:
    from api.static_files import StaticFiles

TEMPLATES_DIR = Path(__file__).parent / "templates"
_HANGUL = re.compile("[\u3130-\u318f\uac00-\ud7a3\u4e00-\u9fff]")
_YEARS = frozenset({"fiscal_year", "year_heading"})


def portal_templates(files: StaticFiles) -> Environment:
    """The environment that renders every page."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES_DIR),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["b64"] = encode_base64
    environment.globals |= {
        "static": files.url,
        "thousand": thousand,
        "figure": figure,
        "text": text,
        "span": span,
        "kst": kst,
        "cell": cell,
        "columns_of": columns_of,
        "is_number": is_number,
        "trace": trace_of,
        "proof_links": proof_links,
        "rounding_shows": rounding_shows,
        "KOREAN": KOREAN,
        "ENGLISH": ENGLISH,
        "demo": False,
    }
    return environment


def figure(value: int, language: Language) -> Markup:
    """A whole number as a budget book prints it: △ for minus, which is also said in words for who cannot see it."""
    if value >= 0:
        return Markup("{}").format(f"{value:,}")
    return Markup('<span aria-hidden="true">{}</span><span class="heard">{}</span>{}').format(
        MINUS, language.say("minus"), f"{-value:,}"
    )


def thousand(amount_won: int | None, language: Language) -> Markup:
    """An amount in thousand won; what the source leaves open is said to be open."""
    if amount_won is None:
        return Markup('<span class="open">{}</span>').format(language.say("unknown"))
    return figure(to_thousand_won(amount_won), language)


def text(value: str, language: Language) -> Markup:
    """Text of the log: marked as Korean where a page in another language shows it."""
    if language is not KOREAN and _HANGUL.search(value):
        return Markup('<span lang="ko">{}</span>').format(value)
    return Markup("{}").format(value)


def span(start: str | None, end: str | None) -> str:
    """A period as precisely as the source speaks: `2021.01~2021.12`."""
    dotted = [value.replace("-", ".") for value in (start, end) if value]
    return "~".join(dotted)


def kst(moment: str) -> str:
    """A time of the log (UTC) on the clock in Korea, to the second."""
    return parse_time(moment).astimezone(KST).strftime("%Y-%m-%d %H:%M:%S")


def cell(field: str, value: Any, language: Language) -> Markup:
    """One scalar of an event, shown by what its field means."""
    if isinstance(value, bool) or value is None:
        return Markup("{}").format(language.say("unknown") if value is None else str(value).lower())
    if isinstance(value, int):
        if field in _YEARS:
            return Markup("{}").format(value)
        number = figure(value, language)
        is_money = field.endswith("_won") or field == "won"
        return Markup("{} {}").format(number, language.say("won")) if is_money else number
    return text(language.value_name(str(value)), language)


def is_number(value: Any) -> bool:
    """Does this value stand to the right, as figures do?"""
    return isinstance(value, int) and not isinstance(value, bool)


def columns_of(value: Any) -> list[str]:
    """The columns of a list that is a table (rows of the same scalars), words before figures; else none."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return []
    names = list(value[0]) if value else []
    same = all(list(row) == names for row in value)
    flat = all(not isinstance(inner, (dict, list)) for row in value for inner in row.values())
    return sorted(names, key=lambda name: is_number(value[0][name])) if same and flat else []
