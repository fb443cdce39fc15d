"""How does the demo speak to its server? As any agency and any citizen would: over HTTP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import urllib3

from audit_cli.errors import CommandError

if TYPE_CHECKING:
    from audit_cli.demo_city import Batch

TIMEOUT_S = 60.0
_POLL_INTERVAL_S = 0.05
_NDJSON = "application/x-ndjson"
_ARRAY = "application/cloudevents-batch+json"
# Above this, lines are posted as they are; below it, as the array that CloudEvents describes.
_ARRAY_LIMIT = 1000


class DemoClient:
    """A client of one service. Every failure ends the demo: a demo that hides an error shows nothing."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT_S)

    def post(self, batch: Batch, token: str) -> dict[str, Any]:
        """Post one atomic batch; returns the service's answer. A batch that is in the log already is fine.

        Raises:
            CommandError: the batch was refused.
        """
        if len(batch.lines) > _ARRAY_LIMIT:
            media_type, body = _NDJSON, b"\n".join(batch.lines) + b"\n"
        else:
            media_type, body = _ARRAY, b"[" + b",".join(batch.lines) + b"]"
        headers = {"Content-Type": media_type, "Authorization": f"Bearer {token}"}
        answer = self._request("POST", "/v1/events?atomic=true", body=body, headers=headers)
        if answer.get("accepted") != len(batch.lines):
            raise CommandError(f"{batch.name}: {answer.get('accepted')} of {len(batch.lines)} events accepted")
        return answer

    def get(self, path: str) -> dict[str, Any]:
        """Fetch a JSON document.

        Raises:
            CommandError: the service did not answer 200.
        """
        return self._request("GET", path)

    def wait_for_answers(self, path: str, tree_size: int) -> None:
        """Wait until the rebuilt answers cover the first `tree_size` entries.

        Raises:
            CommandError: they did not in time.
        """
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            found = self.get(path)["tree_size"]
            if found >= tree_size:
                return
            if time.monotonic() > deadline:
                raise CommandError(f"the answers cover {found} of {tree_size} entries after {TIMEOUT_S:.0f} s")
            time.sleep(_POLL_INTERVAL_S)

    def _request(
        self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        accept = {"Accept": "application/json, application/problem+json"}
        try:
            response = self._pool.request(method, self.address + path, body=body, headers={**accept, **(headers or {})})
            document = response.json()
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise CommandError(f"{method} {path}: {error}") from error
        if response.status not in (200, 201) or not isinstance(document, dict):
            raise CommandError(f"{method} {path}: {response.status} {_reason(document)}")
        return document


def _reason(document: Any) -> str:
    if not isinstance(document, dict):
        return "without an explanation"
    parts = [document.get("rule_id"), document.get("title"), document.get("detail"), document.get("stream")]
    return " · ".join(str(part) for part in parts if part)
