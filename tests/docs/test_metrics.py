"""Do figures, alerts and runbooks speak of the same things? None without the others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.api_city import open_api_city

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations" / "alerts.md").read_text(encoding="utf-8")
# What Prometheus adds by itself.
_OF_PROMETHEUS = {"up"}
_FUNCTIONS = {"increase", "rate", "sum", "histogram_quantile", "by", "and", "ignoring", "le", "step", "status", "job"}


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Metric]]:
    """What a service really answers, by name."""
    with open_api_city(tmp_path_factory.mktemp("metrics") / "city", with_page=False) as city:
        answer = city.client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        yield {family.name: family for family in text_string_to_metric_families(answer.text)}


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_figure_is_described_and_no_other(families: dict[str, Metric]) -> None:
    rows = re.findall(r"^\| (`audit_[^|]+) \|", section("Figures"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(families)
    assert all(family.documentation for family in families.values())


def test_an_alert_asks_for_figures_that_exist(families: dict[str, Metric]) -> None:
    samples = {sample.name for family in families.values() for sample in family.samples}
    labels = {name for family in families.values() for sample in family.samples for name in sample.labels}
    assert samples >= {"audit_step_seconds_bucket", "audit_recording_failures_total"}
    for rule in rules():
        named = set(re.findall(r"[a-z_]{2,}", re.sub(r'"[^"]*"|\[\w+\]', "", rule["expr"])))
        assert named - _FUNCTIONS - labels <= samples | _OF_PROMETHEUS, rule["alert"]


def test_an_alert_asks_for_steps_and_stores_that_exist(families: dict[str, Metric]) -> None:
    values = {value for family in families.values() for sample in family.samples for value in sample.labels.values()}
    for rule in rules():
        for asked in re.findall(r'(?:step|store)=~?"([^"]+)"', rule["expr"]):
            assert set(asked.split("|")) <= values, rule["alert"]


def test_every_alert_has_its_runbook_and_no_other() -> None:
    alerts = [rule["alert"] for rule in rules()]
    assert len(alerts) == len(set(alerts))
    assert [title for title in re.findall(r"^## (.+)$", PAGE, re.MULTILINE) if title != "Figures"] == alerts
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/operations/alerts.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}
        for word in ("**Means**", "**Look**", "**Do**"):
            assert section(rule["alert"]).count(word) == 1, rule["alert"]


def test_every_figure_serves_an_alert_or_explains_one(families: dict[str, Metric]) -> None:
    used = PAGE.partition("\n## LedgerDown\n")[2] + "".join(rule["expr"] for rule in rules())
    assert {name for name in families if name not in used} == set()
