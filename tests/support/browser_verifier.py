"""What does the verifier in JavaScript say, in a real browser under the content security policy of the pages?"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.middleware import CONTENT_SECURITY_POLICY
from api.static_files import STATIC_DIR
from tests.support.static_server import StaticServer, serve_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, Page

_SCRIPT = {"Content-Type": "text/javascript"}
_PAGE = {"Content-Type": "text/html", "Content-Security-Policy": CONTENT_SECURITY_POLICY}
_VERDICTS = Path(__file__).with_name("verdicts.js")


class BrowserVerifier:
    """The modules of `api/static/verify`, each as it is or with one piece of its source replaced."""

    def __init__(self, browser: Browser, server: StaticServer) -> None:
        self._browser = browser
        self._server = server
        server.answers["/page"] = lambda: (200, _PAGE, b"<!doctype html><title>verifier</title>")
        server.answers["/harness/verdicts.js"] = lambda: (200, _SCRIPT, _VERDICTS.read_bytes())

    def judge(self, cases: Sequence[dict[str, Any]], *, broken: tuple[str, str, str] | None = None) -> list[str]:
        """The verdict on each case; `broken` names a module, a piece of its source and what stands there instead."""
        body = json.dumps(cases).encode()
        self._server.answers["/cases.json"] = lambda: (200, {"Content-Type": "application/json"}, body)
        with self.page(broken=broken) as page:
            verdicts: list[str] = page.evaluate(
                "async () => (await import('/harness/verdicts.js')).judge_all('/cases.json')"
            )
        return verdicts

    @contextmanager
    def page(self, *, broken: tuple[str, str, str] | None = None) -> Iterator[Page]:
        """A page that may load the modules."""
        if broken is not None:
            self._break(*broken)
        context = self._browser.new_context()
        try:
            page = context.new_page()
            page.goto(f"{self._server.address}/page")
            yield page
        finally:
            context.close()
            if broken is not None:
                del self._server.answers[f"/verify/{broken[0]}"]

    def _break(self, module: str, piece: str, instead: str) -> None:
        source = STATIC_DIR.joinpath("verify", module).read_text(encoding="utf-8")
        assert source.count(piece) == 1, f"{module} does not hold this piece once: {piece}"
        changed = source.replace(piece, instead).encode()
        self._server.answers[f"/verify/{module}"] = lambda: (200, _SCRIPT, changed)


@contextmanager
def browser_verifier(browser: Browser) -> Iterator[BrowserVerifier]:
    """The verifier before a server of its own."""
    with serve_files(STATIC_DIR) as server:
        yield BrowserVerifier(browser, server)
