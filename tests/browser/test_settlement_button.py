"""What does a citizen see who presses "Verify it myself" beside a settled year, honest page or lying one?"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from audit_cli.main import main
from projections.folds.book_style import format_thousand_won
from tests.support.golden_entry import LOG
from tests.support.report_proofs import ReportLog
from verifier.reports import encode_rows
from verifier.row_proofs import encode_row_proof

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

DIVISION, PROJECT = "seoul-smartcity", "shared-admin"
PROOFS = re.compile(r"/v1/reports/settlement/.*/proof\?tree_size=[0-9]+$")
BUTTON_2019 = "2019년 결산 직접 확인하기"
COLUMNS = ("연도", "최종예산", "전년이월", "예산변경", "예산현액", "집행액", "차년이월", "집행잔액")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def other_log(browser: Browser, address: str) -> ReportLog:
    """A log with another key that publishes the rows which the city shows."""
    context = browser.new_context()
    answer = context.request.get(f"{address}/v1/settlements/{DIVISION}").json()
    context.close()
    rows: list[dict[str, Any]] = [
        {"key": f"settlements/{row['id']}", "cells": {name: row[name] for name in row if name != "figures"}}
        for row in answer["tables"]["settlements"]
    ]
    return ReportLog(encode_rows(rows), key=DIVISION)


def proof_of(log: ReportLog, year: int = 2019) -> bytes:
    return encode_row_proof(log.right_proof(f"settlements/{year}/{PROJECT}"))


def answer_with(body: bytes, status: int = 200) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=body, status=status, content_type="application/json")


def press(page: Page, name: str = BUTTON_2019, *, key: str | None = None) -> str:
    """Press the button, with another key if one is given; what came of it."""
    if key is not None:
        page.get_by_text("어느 열쇠로", exact=False).click()
        page.get_by_label("확인 열쇠").fill(key)
    page.get_by_role("button", name=name).click()
    result = page.locator("#settlement-check .result")
    result.locator(".verdict").wait_for()
    return result.inner_text()


def state(page: Page) -> str | None:
    return page.locator("#settlement-check .result").get_attribute("data-state")


def lie(page: Page, address: str, shown: str, instead: str) -> None:
    """The page as the server would send it if it showed another figure in the table of the settlement."""

    def answer(route: Route) -> None:
        text = route.fetch().text()
        assert shown in text
        route.fulfill(body=text.replace(shown, instead), content_type="text/html; charset=utf-8")

    page.route(f"{address}/", answer)


def test_an_honest_page_turns_green(page: Page, address: str) -> None:
    page.goto(f"{address}/")
    text = press(page)
    assert state(page) == "good"
    assert "맞습니다. 화면의 2019년 결산은 공개장부에 봉인된 것과 같습니다." in text
    assert "이 서버가 준 열쇠로 확인했습니다. 다른 곳에서 받은 열쇠로 확인하면 더 확실합니다." in text
    assert "바뀌지 않았음" in text
    assert "출처: 인쇄됨, 계산됨" in text
    table = page.locator("#settlement-check .result table")
    assert table.locator("tbody th").all_inner_texts() == list(COLUMNS)
    assert set(table.locator("tbody td:last-child").all_inner_texts()) == {"같음"}
    assert "541,831" in table.inner_text()


def test_every_settled_year_holds_in_both_languages(page: Page, address: str) -> None:
    for path, name in (("/", "{}년 결산 직접 확인하기"), ("/en", "Verify the settlement of {} myself")):
        page.goto(address + path)
        for year in (2018, 2019, 2021):
            assert str(year) in press(page, name.format(year))
            assert state(page) == "good"


def test_a_key_from_elsewhere_is_said_to_be_one(page: Page, address: str, other_log: ReportLog) -> None:
    page.route(PROOFS, answer_with(proof_of(other_log)))
    page.goto(f"{address}/")
    assert "직접 넣은 열쇠로 확인했습니다." in press(page, key=str(LOG.vkey))
    assert state(page) == "good"


def test_a_page_that_shows_another_figure_turns_red_and_the_figure_is_named(page: Page, address: str) -> None:
    lie(page, address, '<td data-column="unspent_won">541,831</td>', '<td data-column="unspent_won">541,832</td>')
    page.goto(f"{address}/")
    text = press(page)
    assert state(page) == "bad"
    assert "집행잔액: 화면에는 541,832, 공개장부에는 541,831" in text
    assert page.locator("#settlement-check .result .difference").count() == 1
    assert "감사 부서" in text


def test_without_the_comparison_the_lie_would_pass(page: Page, address: str) -> None:
    """The negative control: a script that takes any figure for the same shows green over the lying page."""

    def forgive(route: Route) -> None:
        source = route.fetch().text()
        assert source.count("figure.shown === figure.proven") == 1
        changed = source.replace("figure.shown === figure.proven", "true")
        route.fulfill(body=changed, content_type="text/javascript")

    page.route(re.compile(r"/verify/page\.js$"), forgive)
    lie(page, address, '<td data-column="unspent_won">541,831</td>', '<td data-column="unspent_won">541,832</td>')
    page.goto(f"{address}/")
    press(page)
    assert state(page) == "good"


@pytest.mark.parametrize(
    ("shown", "instead", "named"),
    [
        ('<th scope="row">2019</th>', '<th scope="row">2016</th>', "연도: 화면에는 2016, 공개장부에는 2019"),
        ('<td data-column="budget_change_won">0</td>', '<td data-column="budget_change_won">△1</td>', "예산변경"),
        ('<td data-column="carried_in_won">298,090</td>', '<td data-column="carried_in_won"></td>', "전년이월"),
        ('<td data-column="executed_won">', '<td data-column="executed_won">1', "집행액"),
    ],
)
def test_every_lie_in_the_row_is_named(page: Page, address: str, shown: str, instead: str, named: str) -> None:
    lie(page, address, shown, instead)
    page.goto(f"{address}/")
    assert named in press(page)
    assert state(page) == "bad"


def test_a_proof_that_does_not_hold_turns_red_for_its_own_reason(
    page: Page, address: str, other_log: ReportLog
) -> None:
    good = proof_of(other_log)
    sent = [good]
    page.route(PROOFS, lambda route: route.fulfill(body=sent[0], content_type="application/json"))
    page.goto(f"{address}/")
    # The key that the page gave is not that of the other log.
    assert "이 확인 열쇠로 서명되지 않았습니다" in press(page)
    assert state(page) == "bad"
    for body, reason in (
        (good.replace(b"541831000", b"541832000"), "봉인으로 이어지지 않습니다"),
        (good.replace(b'"claim":"present"', b'"claim":"absent"'), "봉인으로 이어지지 않습니다"),
        (good + b"\n", "꼴이 맞지 않거나"),
        (proof_of(other_log, 2018), "다른 것의 확인서입니다"),
        (encode_row_proof(ReportLog([], key=DIVISION).right_proof(f"settlements/2019/{PROJECT}")), "결산이 없습니다"),
    ):
        sent[0] = body
        press(page, key=None)
        page.get_by_label("확인 열쇠").evaluate("(input, key) => { input.value = key; }", str(LOG.vkey))
        assert reason in press(page)
        assert state(page) == "bad"


def test_what_could_not_be_checked_is_neither_green_nor_red(page: Page, address: str, other_log: ReportLog) -> None:
    answers: list[Callable[[Route], None]] = [answer_with(b"{}", 404)]
    page.route(PROOFS, lambda route: answers[-1](route))  # noqa: PLW0108 - the last of the list when it is asked
    page.goto(f"{address}/")
    assert "아직 공개장부에 봉인되지 않았습니다" in press(page)
    assert state(page) == "waiting"
    answers[-1] = answer_with(b"{}", 503)
    assert "(응답 503)" in press(page)
    answers[-1] = lambda route: route.abort()
    assert "서버에 닿지 못했습니다" in press(page)
    answers[-1] = answer_with(proof_of(other_log))
    assert "확인 열쇠의 꼴이 맞지 않습니다" in press(page, key="a key")
    assert state(page) == "waiting"


def test_a_server_that_lies_in_page_proof_and_key_is_caught_by_a_key_from_elsewhere(
    page: Page, address: str, other_log: ReportLog
) -> None:
    """What the page's own key cannot show, as the page says: a lie that is consistent with itself turns green."""
    lying = replace(other_log, rows=[row.replace(b"541831000", b"541832000") for row in other_log.rows])
    page.route(PROOFS, answer_with(proof_of(lying)))
    true_key = page.request.get(f"{address}/v1/log").json()["verifier_keys"][0]

    def answer(route: Route) -> None:
        text = route.fetch().text().replace(escape(true_key), escape(str(LOG.vkey))).replace("541,831", "541,832")
        route.fulfill(body=text, content_type="text/html; charset=utf-8")

    page.route(f"{address}/", answer)
    page.goto(f"{address}/")
    assert "다른 곳에서 받은 열쇠로 확인하면 더 확실합니다" in press(page)
    assert state(page) == "good"
    assert "이 확인 열쇠로 서명되지 않았습니다" in press(page, key=true_key)
    assert state(page) == "bad"


def test_a_citizen_takes_the_proof_home_and_the_command_of_the_page_believes_it(
    page: Page, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page.goto(f"{address}/")
    commands = page.locator("#settlement-check pre code").text_content() or ""
    command = shlex.split(commands.replace("\\\n", ""))
    with page.expect_download() as download:
        page.get_by_role("link", name="2021년 결산의 확인서").click()
    monkeypatch.chdir(tmp_path)
    arguments = command[command.index("audit") + 1 :]
    download.value.save_as(tmp_path / arguments[1])
    assert main(arguments) == 0
    assert "HOLDS: row settlements/2021/shared-admin in report settlement/seoul-smartcity" in capsys.readouterr().out
    assert main([*arguments[:-1], "settlements/2018/shared-admin"]) == 1


def test_the_check_works_where_the_browser_offers_no_cryptography(page: Page, address: str) -> None:
    """Over plain HTTP from another machine a browser has no `crypto.subtle`: our arithmetic does not need it."""
    page.goto(address.replace("127.0.0.1", "plain.example") + "/")
    assert not page.evaluate("window.isSecureContext || 'subtle' in crypto")
    press(page)
    assert state(page) == "good"


def test_the_button_works_from_the_keyboard_and_is_heard(page: Page, address: str) -> None:
    page.goto(f"{address}/en")
    button = page.get_by_role("button", name="Verify the settlement of 2019 myself")
    button.focus()
    page.keyboard.press("Enter")
    said = page.get_by_role("status")
    said.locator(".verdict").wait_for()
    assert said.get_attribute("aria-live") == "polite"
    # The verdict is read aloud, and not the table below it.
    assert (
        said.inner_text()
        == "It holds. The settlement of 2019 on this page is the one that is sealed in the public ledger."
    )
    assert button.evaluate("button => button === document.activeElement")


def test_the_check_asks_nobody_else_and_breaks_no_rule(page: Page, address: str) -> None:
    complaints: list[str] = []
    requested: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{address}/")
    press(page)
    assert state(page) == "good"
    assert complaints == []
    assert {urlsplit(url).netloc for url in requested} == {urlsplit(address).netloc}
    scripts = [url for url in requested if url.endswith(".js")]
    # One digest over all modules: a new version is loaded as a whole.
    assert len({urlsplit(url).path.split("/")[2] for url in scripts}) == 1


def test_without_scripts_the_proof_and_the_command_are_there(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/")
    assert page.get_by_role("button", name=BUTTON_2019).count() == 0
    assert page.get_by_role("link", name="2019년 결산의 확인서").is_visible()
    page.get_by_text("어느 열쇠로", exact=False).click()
    assert "audit verify settlement-2021-shared-admin.row-proof.json" in page.inner_text("#settlement-check")
    assert page.get_by_label("확인 열쇠").count() == 0 or not page.get_by_label("확인 열쇠").is_visible()
    context.close()


def test_figures_are_printed_as_the_page_prints_them(page: Page, address: str) -> None:
    page.goto(f"{address}/")
    module = page.locator('script[type="module"]').get_attribute("src")
    amounts = [0, 499, 500, -499, -500, -501, 1_499, 1_500, 999_500, -1_234_567_500, 2**53 - 1, -(2**53) + 1]
    printed = page.evaluate(
        "async ([module, amounts]) => amounts.map((await import(module)).thousand_won)", [module, amounts]
    )
    assert printed == [format_thousand_won(amount) for amount in amounts]
