"""T21 again, by somebody else's hands: schemathesis reads /openapi.json and makes up requests, fitting and unfitting.

No answer may be ours to blame (5xx), every refusal is a problem document, and nothing is recorded by requests that
nobody signed. The submission route is also tried with a valid token, so that the bodies are really read.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from audit_cli.demo_city import DIVISION
from tests.support.api_city import open_api_city

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case

    from tests.support.api_city import ApiCity

EXAMPLES = 40
_settings = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Tried:
    """Which operations were tried in which mode, and what came back."""

    def __init__(self) -> None:
        self.operations: set[tuple[str, GenerationMode]] = set()
        self.statuses: Counter[int] = Counter()

    def call(self, case: Case, headers: dict[str, str]) -> None:
        answer = case.call(headers=headers)
        self.statuses[answer.status_code] += 1
        assert answer.status_code < 500, case.as_curl_command()
        if answer.status_code >= 400:
            (media_type,) = answer.headers["content-type"]
            assert media_type == "application/problem+json", case.as_curl_command()

    def operation(self, operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
        @_settings
        @given(case=operation.as_strategy(generation_mode=mode))
        def run(case: Case) -> None:
            self.call(case, headers)

        try:
            run()
        except Unsatisfiable:
            # A route without parameters has nothing that could be wrong; the test below counts the others.
            return
        self.operations.add((operation.label, mode))


@pytest.fixture(scope="module")
def api_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiCity]:
    with open_api_city(tmp_path_factory.mktemp("openapi") / "city") as opened:
        yield opened


@pytest.mark.parametrize("with_token", [False, True])
def test_t21_requests_made_from_the_openapi_document(api_city: ApiCity, *, with_token: bool) -> None:
    size = api_city.json("/v1/log")["tree_size"]
    token = api_city.credentials[DIVISION].token
    headers = {"Authorization": f"Bearer {token}"} if with_token else {}
    schema = schemathesis.openapi.from_asgi("/openapi.json", api_city.client.app)
    operations = [result.ok() for result in schema.get_all_operations()]
    tried = Tried()
    for operation in operations:
        if with_token and operation.label != "POST /v1/events":
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            tried.operation(operation, mode, headers)
    labels = {label for label, mode in tried.operations if mode is GenerationMode.POSITIVE}
    assert labels == ({"POST /v1/events"} if with_token else {operation.label for operation in operations})
    assert any(mode is GenerationMode.NEGATIVE for _, mode in tried.operations)
    assert tried.statuses[200] or with_token
    assert not with_token or set(tried.statuses) - {401}, "with a token the bodies are read"
    assert api_city.json("/v1/log")["tree_size"] == size
