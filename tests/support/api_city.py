"""The demo city behind real doors: the application, its real ledger on disk, and a client in this process.

All events of the printed page, and the smallest of the synthetic batches: enough for every route and page.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from api.server import open_services
from audit_cli.demo_city import (
    AGENCIES,
    CITY,
    DIVISION,
    ORIGIN,
    Credentials,
    event_batches,
    read_credentials,
    transaction_batches,
)
from audit_service.genesis import initialise
from audit_service.settings import read_url
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

NDJSON = "application/x-ndjson"
ONE_EVENT = "application/cloudevents+json"
SOURCE = f"urn:kr:agency:{DIVISION}"
SUBJECT = "project/park"
TIMEOUT_S = 30
_SMALL_BATCH = 500


@dataclass
class ApiCity:
    """A client, and what an agency needs in order to post."""

    client: TestClient
    credentials: dict[str, Credentials]
    public: Path

    @property
    def vkey(self) -> str:
        key: str = self.json("/v1/log")["verifier_keys"][0]
        return key

    def json(self, path: str) -> Any:
        response = self.client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    def post(
        self, body: bytes, media_type: str = ONE_EVENT, *, query: str = "", agency: str = DIVISION, **headers: str
    ) -> Response:
        token = self.credentials[agency].token
        return self.client.post(
            f"/v1/events{query}",
            content=body,
            headers={"Content-Type": media_type, "Authorization": f"Bearer {token}", **headers},
        )

    def effect(self, number: int, *, text: str = "나무 그늘", **changes: Any) -> bytes:
        """One signed event that no rule refuses: an expected effect of a registered project."""
        submission: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"park/effect-{number}",
            "source": SOURCE,
            "type": "project.effect-stated.v1",
            "subject": "project/shared-admin",
            "time": "2021-01-04T00:00:00.000Z",
            "data": {"text_ko": f"{text} {number}", "provenance": "illustrative"},
            **changes,
        }
        return encode_canonical(sign_submission(submission, self.credentials[DIVISION].private_key))

    def wait_until_published(self) -> int:
        """Wait until everything that is signed is also published and rebuilt; gives the tree size."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            ready = self.json("/readyz")
            size: int = ready["signed_size"]
            if ready["published_size"] == ready["projected_size"] == size:
                return size
            assert time.monotonic() < deadline, ready
            time.sleep(0.01)


@contextmanager
def open_api_city(data_dir: Path, *, with_page: bool = True) -> Iterator[ApiCity]:
    """Serve a new city; with the page's events and small batches, or only with its genesis."""
    settings = initialise(
        data_dir, origin=ORIGIN, city=CITY, agencies=AGENCIES, demo=True, database_url=read_url("database_url")
    )
    credentials = {agency.code: read_credentials(settings.keys, agency.code) for agency in AGENCIES}
    with open_services(settings) as app, TestClient(app) as client:
        city = ApiCity(client, credentials, settings.public)
        if with_page:
            _post_page(city)
        city.wait_until_published()
        yield city


def _post_page(city: ApiCity) -> None:
    batches = [*event_batches(city.credentials)]
    batches += [batch for batch in transaction_batches(city.credentials) if len(batch.lines) < _SMALL_BATCH]
    for batch in batches:
        response = city.post(b"\n".join(batch.lines), NDJSON, query="?atomic=true", agency=batch.agency)
        assert response.status_code == 200, response.text
        assert json.loads(response.content)["refused"] == 0
