"""What does a citizen see in a real browser, and does the page keep to itself?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from verifier.notes import VerifierKey
from verifier.proofs import verify_log_proof

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


class Watched:
    """A page, and everything that it asked for or complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requested: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url in self.requested}


def as_printed(text: str) -> str:
    """The text as one sees it: the sign for minus is followed by a word for those who listen, which is not shown."""
    return text.replace("△\n감소\n", "△")


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(accept_downloads=True)
    yield Watched(context.new_page())
    context.close()


@pytest.mark.parametrize("path", ["/", "/en", "/entries/1", "/en/entries/1", "/docs", "/docs/problems"])
def test_every_page_loads_from_its_own_origin_and_without_a_complaint(
    watched: Watched, address: str, path: str
) -> None:
    answer = watched.page.goto(address + path, wait_until="networkidle")
    assert answer is not None
    assert answer.status == 200
    assert watched.hosts() == {urlsplit(address).netloc}
    assert watched.complaints == []


def test_the_watch_would_notice(watched: Watched, address: str) -> None:
    """The negative control: a script that a page may not run is blocked, and the complaint is seen."""
    watched.page.goto(address + "/")
    watched.page.evaluate(
        "document.body.append(Object.assign(document.createElement('img'), {src: '//other.example/x'}))"
    )
    watched.page.wait_for_timeout(300)
    assert any("Content Security Policy" in complaint for complaint in watched.complaints)


def test_the_budget_table_shows_the_printed_cells(watched: Watched, address: str) -> None:
    watched.page.goto(address + "/")
    table = watched.page.locator("table", has_text="2021예산액").first
    total = as_printed(table.locator("tr", has_text="1,011,849").inner_text())
    for cell in ("516,451", "△495,398", "△49"):
        assert cell in total.split()
    events = as_printed(table.locator("tr", has_text="행사운영비").inner_text()).split()
    assert [cell for cell in events if cell in ("0", "10,000", "100")] == ["0", "10,000", "10,000", "100"]


def test_korean_and_english_lead_to_each_other(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(address + "/")
    assert page.locator("html").get_attribute("lang") == "ko"
    page.get_by_role("link", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert "1,011,849" in page.inner_text("main")


def test_the_page_needs_no_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/")
    text = as_printed(page.inner_text("main"))
    for figure in ("△678,700", "541,831", "198,000", "10,077"):
        assert figure in text
    context.close()


def test_a_citizen_takes_a_proof_home_that_holds(watched: Watched, address: str, tmp_path: Path) -> None:
    page = watched.page
    page.goto(address + "/entries/5")
    with page.expect_download() as download:
        page.locator("a[download]", has_text="확인서").first.click()
    proof = tmp_path / "taken.tlog-proof"
    download.value.save_as(proof)
    context = page.context
    entry = context.request.get(f"{address}/v1/events/5").body()
    vkey = context.request.get(f"{address}/v1/log").json()["verifier_keys"][0]
    assert verify_log_proof(proof.read_bytes(), entry=entry, vkey=VerifierKey.parse(vkey)).index == 5


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out_of_the_page(browser: Browser, address: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(address + "/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
