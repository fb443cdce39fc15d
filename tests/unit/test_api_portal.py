"""What do citizens see? The rebuilt page, with sources and proofs, in two languages."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from api.portal.catalogue_words import FIELD_WORDS, TYPE_WORDS, VALUE_WORDS
from api.portal.check_words import CHECK_WORDS
from api.portal.environment import TEMPLATES_DIR
from api.portal.words import WORDS
from api.static_files import STATIC_DIR
from audit_service.catalogue.types import EVENT_TYPES
from verifier.errors import VerificationError

if TYPE_CHECKING:
    from tests.support.api_city import ApiCity

PAGE = json.loads((Path(__file__).parents[2] / "examples/seoul-2021/page.json").read_text(encoding="utf-8"))
_HANGUL = re.compile("[가-힣]")


def page(city: ApiCity, path: str) -> str:
    response = city.client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.text


def cells(markup: str) -> list[list[str]]:
    """The rows of all tables as plain text, what only screen readers hear left out."""
    rows = []
    for row in re.findall(r"<tr.*?</tr>", re.sub(r'<span class="heard">.*?</span>', "", markup), re.DOTALL):
        found = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        rows.append([" ".join(html.unescape(re.sub(r"<[^>]+>", "", one)).split()) for one in found])
    return rows


def test_the_budget_table_shows_what_the_page_prints(api_city: ApiCity) -> None:
    rows = [row[:5] for row in cells(page(api_city, "/"))]
    for printed in PAGE["2"]["budget"]["rows"]:
        assert printed in rows


def test_items_schedule_and_settlement_show_what_the_page_prints(api_city: ApiCity) -> None:
    rows = cells(page(api_city, "/"))
    flat = [" | ".join(row) for row in rows]
    for _, item, basis, amount in PAGE["2"]["items"]["rows"]:
        wanted = f"{item} | {basis} | {amount.removesuffix('천원')}"
        assert any(wanted in row for row in flat), wanted
    for printed in PAGE["3"]["schedule"]["rows"]:
        assert printed in [row[:4] for row in rows]
    for printed in PAGE["5"]["rows"]:
        assert printed in [row[:8] for row in rows]


def test_texts_of_the_page_are_all_there(api_city: ApiCity) -> None:
    text = html.unescape(page(api_city, "/"))
    for line in (*PAGE["3"]["purpose"], *PAGE["4"]["effects"], *(basis for basis, _ in PAGE["3"]["basis"])):
        assert line in text
    for _, title, _, details in PAGE["4"]["results"]:
        assert title in text
        assert all(detail in text for detail in details)


def test_published_counts_stay_unreconciled_and_apart_from_the_synthetic_ones(api_city: ApiCity) -> None:
    published, _, rest = page(api_city, "/").partition('<div class="apart">')
    assert published.count('class="status unreconciled"') == 8
    assert 'class="status reconciled"' not in published
    assert "합성" in rest
    flat = [row for row in cells(published) if "미대조" in " ".join(row)]
    for _, _, count in PAGE["4"]["counts"]:
        number = re.fullmatch(r"([\d,]+)(.)", count)
        assert number is not None
        assert any(f"{number[1]} {number[2]}" in cell for row in flat for cell in row)


def test_every_row_names_its_source_and_leads_to_its_proof(api_city: ApiCity) -> None:
    markup = page(api_city, "/")
    for basis in re.findall(r'<td class="basis-col">(.*?)</td>', markup, re.DOTALL):
        assert re.search(r'class="tag (printed|derived|illustrative|synthetic)"', basis)
        assert re.search(r'href="/entries/\d+"', basis)
        assert re.search(r'href="/v1/events/\d+/proof"', basis)
    for address in set(re.findall(r'href="(/(?:entries|v1)/[^"]*)"', markup)):
        assert api_city.client.get(address).status_code == 200, address


def test_checks_are_shown_as_they_are(api_city: ApiCity) -> None:
    markup = page(api_city, "/")
    checks = [html.unescape(re.sub(r"<[^>]+>", "", one)) for one in re.findall(r'<li class="ok">(.*?)</li>', markup)]
    wanted = "2018년: 최종예산 1,149,800 + 전년이월 134,991 + 예산변경 0 = 예산현액 1,284,791"
    assert any(wanted in check for check in checks)
    assert any("2019년이 넘긴 돈 229,105 = 2020년이 받은 돈 229,105" in check for check in checks)
    assert 'class="bad"' not in markup


def test_the_minus_is_heard(api_city: ApiCity) -> None:
    assert '<span aria-hidden="true">△</span><span class="heard">감소 </span>495,398' in page(api_city, "/")
    assert '<span aria-hidden="true">△</span><span class="heard">minus </span>495,398' in page(api_city, "/en")


def test_tables_say_what_they_are(api_city: ApiCity) -> None:
    for path in ("/", "/en"):
        markup = page(api_city, path)
        assert markup.count("<table") == markup.count("<caption")
        assert not re.search(r"<th(?![^>]*scope=)[ >]", markup)
        assert f'<html lang="{"en" if path == "/en" else "ko"}">' in markup


def test_the_newest_entries_and_the_seal_stand_at_the_end(api_city: ApiCity) -> None:
    size = api_city.json("/v1/log")["tree_size"]
    seal = api_city.json("/v1/log")["root_of_the_day"]
    markup = page(api_city, "/")
    assert f"{size - 1}번 기록" in markup
    assert html.escape(seal["root_hash"]) in markup
    assert "바뀌지 않았음" in markup


def test_an_entry_page_shows_fields_proof_and_the_exact_command(api_city: ApiCity) -> None:
    markup = html.unescape(page(api_city, "/entries/56"))
    assert "세출예산 편성" in markup
    assert "516,451,000 원" in markup
    assert f"audit verify 56.tlog-proof --entry 56.json --vkey '{api_city.vkey}'" in markup
    assert api_city.client.get("/v1/events/56").text in markup
    assert api_city.client.get("/v1/events/56/proof").text in markup


def test_every_entry_of_the_city_has_a_page(api_city: ApiCity) -> None:
    for index in range(150):
        for prefix in ("", "/en"):
            page(api_city, f"{prefix}/entries/{index}")


@pytest.mark.parametrize("path", ["/entries/99999999", "/entries/x", "/en/entries/-1", "/projects/none", "/entries/٣"])
def test_a_wrong_link_is_answered_with_a_page(api_city: ApiCity, path: str) -> None:
    response = api_city.client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")


def test_a_host_that_could_break_out_of_a_command_is_not_repeated(api_city: ApiCity) -> None:
    for host in ("a;rm -rf /", "x$(id)", "a'b", "<script>"):
        markup = api_city.client.get("/", headers={"Host": host}).text
        assert html.escape(host) not in markup
        assert "http://127.0.0.1:8000/v1/events/" in markup


def test_hostile_text_of_an_event_stays_text(own_api_city: ApiCity) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
    receipt = own_api_city.post(own_api_city.effect(1, text=hostile)).json()
    own_api_city.wait_until_published()
    for path in ("/", "/en", f"/entries/{receipt['index']}"):
        markup = page(own_api_city, path)
        assert "<script>alert" not in markup
        assert "<img src=x" not in markup
        assert "&lt;script&gt;" in markup


def test_the_title_is_the_projects_own_and_our_words_avoid_the_fashionable_one() -> None:
    for key, (korean, english) in (WORDS | CHECK_WORDS).items():
        assert "블록체인" not in korean, key
        assert "blockchain" not in english.lower(), key


def test_both_languages_are_complete() -> None:
    for words in (WORDS, CHECK_WORDS, TYPE_WORDS, FIELD_WORDS, VALUE_WORDS):
        for key, (korean, english) in words.items():
            assert korean, key
            assert english, key
            assert not _HANGUL.search(english) or key == "other_language", key
            fields = re.compile(r"\{(\w+)\}")
            # Korean counters stand in Korean only; everything else is said in both.
            assert {*fields.findall(korean)} - {*fields.findall(english)} <= {"unit"}, key
            assert {*fields.findall(english)} <= {*fields.findall(korean)}, key
            assert not re.search(r'[<>"&]', korean + english), key


def test_every_phrase_that_a_template_names_exists_and_is_used() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES_DIR.glob("*.html"))
    source += "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES_DIR.parent.glob("*.py"))
    named = set(re.findall(r'say\("([a-z0-9_]+)"\s*[,)]', source))
    assert named <= set(WORDS)
    prefixes = set(re.findall(r'say\("([a-z0-9_]+)"\s*~', source))
    suffixes = set(re.findall(r'~\s*"([a-z0-9_]+)"\)', source))
    spoken = {"none_yet", "not_found_title", "not_found_text", "unreconciled", "reconciled"}
    spoken |= {"printed", "derived", "illustrative", "synthetic", "actual"}
    unused = {
        key
        for key in set(WORDS) - named - spoken
        if not any(key.startswith(prefix) for prefix in prefixes)
        and not any(key.endswith(suffix) for suffix in suffixes)
    }
    assert unused == set()


def test_every_phrase_of_the_button_is_said_by_its_script() -> None:
    script = STATIC_DIR.joinpath("verify/page.js").read_text(encoding="utf-8")
    errors = {error.__name__ for error in VerificationError.__subclasses__()}
    assert errors <= set(CHECK_WORDS)
    for key in set(CHECK_WORDS) - errors:
        assert f'"{key}"' in script, key
    # Names of phrases and of facts; whatever the script says must stand in the page.
    said = set(re.findall(r'#say\("([a-z_]+)"', script)) | set(re.findall(r'CannotTell\("([a-z_]+)"', script))
    assert said <= set(CHECK_WORDS) | set(WORDS)


def _names(kind: Any, seen: set[type], names: set[str], values: set[Any]) -> None:
    inspect = msgspec.inspect
    if isinstance(kind, inspect.StructType) and kind.cls not in seen:
        seen.add(kind.cls)
        for field in kind.fields:
            names.add(field.name)
            _names(field.type, seen, names, values)
    elif isinstance(kind, inspect.ListType):
        _names(kind.item_type, seen, names, values)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            _names(one, seen, names, values)
    elif isinstance(kind, inspect.LiteralType):
        values.update(value for value in kind.values if isinstance(value, str))


def test_every_type_field_and_code_of_the_catalogue_has_a_name() -> None:
    names: set[str] = set()
    values: set[Any] = set()
    for payload in EVENT_TYPES.values():
        _names(msgspec.inspect.type_info(payload), set(), names, values)
    assert set(TYPE_WORDS) == set(EVENT_TYPES)
    assert set(FIELD_WORDS) == names
    assert set(VALUE_WORDS) == values
