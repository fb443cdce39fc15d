"""What holds for every answer: headers, problems, pages of the API, files of the package?"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from api import problems
from api.body import BodyBudget, read_body
from api.logs import JsonFormatter
from api.middleware import CONTENT_SECURITY_POLICY, Doorkeeper
from api.problem_types import PROBLEM_TYPES
from api.static_files import STATIC_DIR, StaticFiles
from audit_service import errors
from audit_service.rules.errors import RuleBroken
from verifier.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Message, Receive, Scope, Send

    from tests.support.api_city import ApiCity

PAGES = ("/", "/en", "/entries/0", "/en/entries/56", "/projects/shared-admin", "/docs", "/docs/problems")


def _all_errors(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from _all_errors(child)


def _instance(kind: type[Exception]) -> Exception:
    if issubclass(kind, errors.SubmissionRefused):
        return kind("refused", rule_id="some.rule")
    if issubclass(kind, errors.NotAuthorised):
        return kind("no", authenticated=True)
    return kind("no")


@pytest.mark.parametrize("kind", list(_all_errors(errors.AuditServiceError)), ids=lambda kind: kind.__name__)
def test_every_error_of_the_service_has_a_problem_type(kind: type[Exception]) -> None:
    problem = problems.problem_of(_instance(kind))
    document = problems.problem_document(problem)
    assert document["type"].removeprefix("/docs/problems/") in PROBLEM_TYPES
    if issubclass(kind, errors.SubmissionRefused | errors.NotAuthorised | errors.NotInLog):
        assert 400 <= document["status"] < 500
    if issubclass(kind, errors.SubmissionRefused):
        assert document["rule_id"] == "some.rule"


def test_a_broken_rule_says_what_stands_there_and_what_would_pass() -> None:
    error = RuleBroken(
        "budget.line-overspent", "too much", stream="budget/a/2021", columns={"unspent_won": 5}, allowed=5
    )
    document = problems.problem_document(problems.problem_of(error))
    assert document == {
        "type": "/docs/problems/rule-broken",
        "title": PROBLEM_TYPES["rule-broken"].title,
        "status": 409,
        "detail": "too much",
        "rule_id": "budget.line-overspent",
        "stream": "budget/a/2021",
        "columns": {"unspent_won": 5},
        "allowed": 5,
    }
    not_entitled = RuleBroken("registry.key-scope", "no", stream="budget/a/2021")
    assert problems.problem_of(not_entitled).type.status == 403


def test_what_is_ours_tells_nothing_of_the_inside() -> None:
    for error in (
        errors.RecordingFailed("/var/db"),
        errors.Quarantined("/var/db"),
        ValueError("/var/db"),
        MalformedInput("/var/db"),
    ):
        response = problems.response_to(error)
        assert response.status_code >= 500
        assert b"/var/db" not in response.body


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
def test_every_problem_type_is_a_page(api_city: ApiCity, slug: str) -> None:
    page = api_city.client.get(f"/docs/problems/{slug}")
    assert page.status_code == 200
    assert PROBLEM_TYPES[slug].title_ko in page.text
    assert slug in api_city.client.get("/docs/problems").text


def test_every_answer_carries_the_security_headers(api_city: ApiCity) -> None:
    for path in (*PAGES, "/v1/log", "/log/checkpoint", "/nowhere", "/openapi.json"):
        headers = api_city.client.get(path).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert re.fullmatch("[0-9a-f]{16}", headers["x-request-id"])
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")


def test_what_is_public_may_be_read_from_anywhere_and_pages_may_not(api_city: ApiCity) -> None:
    for path in ("/v1/log", "/log/checkpoint", "/v1/events/0", "/v1/answers"):
        assert api_city.client.get(path).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in api_city.client.get("/").headers


def test_a_callers_request_id_is_kept_only_if_it_is_plain(api_city: ApiCity) -> None:
    for given, kept in (("abcdef-123456", True), ("a b", False), ("x" * 65, False)):
        answer = api_city.client.get("/healthz", headers={"X-Request-Id": given}).headers["x-request-id"]
        assert (answer == given) is kept


@pytest.mark.parametrize("path", [*PAGES, "/v1/log", "/log/checkpoint", "/v1/events/0"])
def test_head_is_get_without_content(api_city: ApiCity, path: str) -> None:
    head = api_city.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(api_city.client.get(path).content))


def test_other_methods_are_refused_as_problems(api_city: ApiCity) -> None:
    for method, path in (("DELETE", "/v1/events/0"), ("PUT", "/log/checkpoint"), ("POST", "/")):
        response = api_city.client.request(method, path)
        assert (response.status_code, response.json()["type"]) == (405, "/docs/problems/method-not-allowed")
        assert response.headers["allow"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_code(api_city: ApiCity, path: str) -> None:
    html = api_city.client.get(path).text
    loaded = re.findall(r'<(?:link|script|img|source|iframe)[^>]*?(?:href|src)="([^"]*)"', html)
    assert loaded
    for address in loaded:
        assert address.startswith("/static/")
        assert api_city.client.get(address).status_code == 200
    assert not re.search(r"<style|style=|<script>|\son[a-z]+=|javascript:", html)
    assert not re.search(r'(?:href|src|action)="(?:https?:)?//', html)


def test_static_files_are_immutable_and_of_the_package(api_city: ApiCity) -> None:
    html = api_city.client.get("/docs").text
    for address in re.findall(r'"(/static/[^"]*)"', html):
        response = api_city.client.get(address)
        assert "immutable" in response.headers["cache-control"]
        digest, _, name = address.removeprefix("/static/").partition("/")
        content = STATIC_DIR.joinpath(name).read_bytes()
        assert hashlib.sha256(content).hexdigest().startswith(digest)
        assert response.content == content


def test_modules_that_import_each_other_stand_under_one_digest(tmp_path: Path) -> None:
    tmp_path.joinpath("verify").mkdir()
    for name in ("verify/one.js", "verify/two.js", "page.css"):
        tmp_path.joinpath(name).write_text("/* as it was */")
    before = StaticFiles(tmp_path)
    tmp_path.joinpath("verify/two.js").write_text("/* another version */")
    after = StaticFiles(tmp_path)
    for files in (before, after):
        assert files.url("verify/one.js").rpartition("/")[0] == files.url("verify/two.js").rpartition("/")[0]
    # A browser that keeps the old address of one module can never load the new version of the other beside it.
    assert before.url("verify/one.js") != after.url("verify/one.js")
    assert before.url("page.css") == after.url("page.css")


def test_vendored_files_are_the_ones_that_were_vetted() -> None:
    folders = [path.parent for path in STATIC_DIR.glob("vendor/*/VENDOR.json")]
    assert folders
    for folder in folders:
        listed = json.loads(folder.joinpath("VENDOR.json").read_text())["sha256"]
        found = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.iterdir()
            if path.name != "VENDOR.json"
        }
        assert found == listed
        assert "LICENSE" in listed


def test_openapi_describes_every_route_and_resolves_every_reference(api_city: ApiCity) -> None:
    document = api_city.json("/openapi.json")
    text = json.dumps(document)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        node: Any = document
        for step in reference.split("/"):
            node = node[step]
    assert "HTTPValidationError" not in text
    post = document["paths"]["/v1/events"]["post"]
    assert set(post["requestBody"]["content"]) == {
        "application/cloudevents+json",
        "application/json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
    }
    assert document["components"]["schemas"]["Paid"]["required"]


class _SlowRequest:
    """A caller that sends one byte and then nothing."""

    async def stream(self) -> Any:
        yield b"{"
        await asyncio.sleep(30)


def test_a_body_that_does_not_arrive_is_given_up() -> None:
    request: Any = _SlowRequest()
    with pytest.raises(problems.Problem) as caught:
        asyncio.run(read_body(request, cap_bytes=10, timeout_s=0.01))
    assert (caught.value.type.status, caught.value.headers["Connection"]) == (408, "close")


def test_bodies_in_flight_are_bounded_together() -> None:
    budget = BodyBudget(100)
    with budget.hold(60):
        with pytest.raises(problems.Problem) as caught, budget.hold(60):
            pass
        assert caught.value.type.status == 503
        assert "Retry-After" in caught.value.headers
    with budget.hold(100):
        pass


def test_an_unforeseen_failure_is_a_problem_with_a_request_id(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("/var/db")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with caplog.at_level(logging.INFO):
        asyncio.run(Doorkeeper(broken, origin="x")(scope, receive, send))
    assert sent[0]["status"] == 500
    assert b"/var/db" not in sent[1]["body"]
    assert (b"x-request-id" in dict(sent[0]["headers"])) is True
    access = next(record for record in caplog.records if record.name == "api.access")
    line = json.loads(JsonFormatter().format(access))
    assert (line["status"], line["origin"], line["level"]) == (500, "x", "info")
