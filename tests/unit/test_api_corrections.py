"""Do both versions of what is corrected, and counts with and without voids, reach the answers and the page?"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from audit_cli.demo_city import DIVISION
from audit_cli.demo_transactions import sealed_batches
from tests.support.api_city import SOURCE, open_api_city
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.api_city import ApiCity

PERIOD = "service/employment-contract/2019"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiCity]:
    """A city of its own, with one effect corrected and one transaction voided."""
    with open_api_city(tmp_path_factory.mktemp("corrected") / "data") as city:
        for body in (
            city.effect(1, text="나무 그늘"),
            city.effect(2, data={"text_ko": "나무와 그늘", "provenance": "illustrative", "corrects": "park/effect-1"}),
            _void(city),
        ):
            response = city.post(body)
            assert response.status_code == 201, response.text
        city.wait_until_published()
        yield city


def _void(city: ApiCity) -> bytes:
    (batch,) = (batch for batch in sealed_batches() if batch.manifest["subject"] == PERIOD)
    recorded = json.loads(batch.transactions[0])["data"]
    data = {name: recorded[name] for name in ("commitment", "kind", "provenance")} | {"reason_code": "TEST"}
    return _signed(city, "service.transaction-voided.v1", PERIOD, "void-1", data)


def _signed(city: ApiCity, event_type: str, subject: str, event_id: str, data: dict[str, Any]) -> bytes:
    submission = {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE,
        "type": event_type,
        "subject": subject,
        "time": "2021-01-04T00:00:00.000Z",
        "data": data,
    }
    return encode_canonical(sign_submission(submission, city.credentials[DIVISION].private_key))


def page(city: ApiCity, path: str) -> str:
    markup = city.client.get(path).text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def test_both_versions_stand_in_the_register_and_on_the_page(city: ApiCity) -> None:
    rows = city.json("/v1/projects/shared-admin")["tables"]["effects"]
    old, new = (row for row in rows if row["text_ko"].startswith("나무"))
    assert (new["id"], new["corrects"], new["corrected_by"]) == (old["id"] + "~2", "park/effect-1", None)
    assert city.json(f"/v1/events?source={SOURCE}&id=park/effect-2")["entries"][0]["index"] == old["corrected_by"]
    shown = page(city, "/")
    assert "나무 그늘 1 정정됨" in shown
    assert "나무와 그늘" in shown
    assert f'href="/entries/{old["corrected_by"]}"' in city.client.get("/").text


def test_counts_are_shown_gross_and_net(city: ApiCity) -> None:
    (total,) = city.json("/v1/services/employment-contract")["tables"]["transaction_totals"]
    assert (total["count"], total["voided"], total["net"]) == (322, 1, 321)
    assert "322 (무효 1 빼면 321)" in page(city, "/")
    assert "322 (net 321 without 1 voided)" in page(city, "/en")


def test_a_correction_on_a_type_that_has_none_is_refused(city: ApiCity) -> None:
    data = {
        "fiscal_year": 2025,
        "account": "a",
        "account_ko": "가",
        "opens_on": "2025-01-01",
        "closes_on": "2025-12-31",
    }
    body = _signed(city, "registry.organisation-named.v1", "registry/agency/x", "n", {"code": "x", "name_ko": "가"})
    assert city.post(body).json()["rule_id"] != "envelope.corrects-unexpected"
    submission = json.loads(
        _signed(city, "budget.fiscal-year-opened.v1", f"budget/{DIVISION}/2025", "y", data | {"corrects": "e"})
    )
    del submission["signature"]
    submission["legaldate"] = "2025-01-01"
    signed = encode_canonical(sign_submission(submission, city.credentials[DIVISION].private_key))
    assert city.post(signed).json()["rule_id"] == "envelope.corrects-unexpected"


def test_the_checks_of_a_project_are_shown(city: ApiCity) -> None:
    shown = page(city, "/")
    assert "2021년 사업비 516,451 = 본예산 516,451" in shown
    assert "5회 = 5회 8명 = 8명" in shown
    assert "Funding of 2021, 516,451 = appropriated, 516,451" in page(city, "/en")
