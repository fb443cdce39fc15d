"""Is a whole city the same on either database: posted over HTTP, published, projected, answered and replayed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.log_source import DirectoryLog
from projections.replay import replay
from tests.support.api_city import open_api_city
from tests.support.public_log import judge
from verifier.notes import VerifierKey

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.api_city import ApiCity


def events_of(city: ApiCity) -> list[str]:
    """All entries, page by page, as the list of events links them."""
    found: list[str] = []
    address = "/v1/events?limit=1000"
    while address:
        response = city.client.get(address)
        assert response.status_code == 200, response.text
        found += [event["entry_url"] for event in response.json()["entries"]]
        address = response.links.get("next", {}).get("url", "")
    return found


def test_a_whole_city_is_recorded_published_answered_and_replayed(tmp_path: Path, database: str) -> None:
    with open_api_city(tmp_path / "city") as city:
        size = city.wait_until_published()
        assert (tmp_path / "city" / "ledger.sqlite3").exists() is (database == "sqlite")
        vkey = VerifierKey.parse(city.vkey)
        assert len(events_of(city)) == size
        budget = city.json("/v1/budgets/seoul-smartcity/2021")
        again = city.json(f"/v1/budgets/seoul-smartcity/2021?tree_size={size}")
        assert city.client.get("/").status_code == 200
    assert judge(tmp_path / "city").findings == []
    verdict = replay(DirectoryLog(tmp_path / "city" / "public" / "log"), vkey=vkey)
    assert verdict.holds, verdict.violations
    assert (verdict.entries, budget["tree_size"]) == (size, size)
    # Kept by the projector, and folded from the entries that an index finds.
    assert budget["tables"] == again["tables"]
