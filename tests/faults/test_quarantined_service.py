"""A real service on stores that contradict each other: it starts, is read, says why, and writes nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import TYPE_CHECKING

from tests.support.running_server import RunningServer
from tests.support.small_city import budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path


def test_a_quarantined_service_is_read_only_and_says_what_to_do(tmp_path: Path) -> None:
    data_dir = tmp_path / "ledger"
    with small_city(data_dir):
        pass
    shutil.copytree(data_dir / "journal", tmp_path / "old-journal")
    with small_city(data_dir) as city:
        city.post(*budget_year())
    shutil.rmtree(data_dir / "journal")
    shutil.copytree(tmp_path / "old-journal", data_dir / "journal")
    server = RunningServer(data_dir)
    try:
        while server.request("GET", "/healthz").status != 200:
            assert server.process.poll() is None
        ready = server.request("GET", "/readyz")
        assert ready.status == 503
        document = json.loads(ready.data)
        assert document["status"] == "quarantined"
        assert "journal was rolled back" in document["reasons"][0]
        assert "audit init --succeeds" in document["reasons"][0]
        # Reads go on: the published log, entries with their proofs, the pages.
        published = server.get("/log/checkpoint")
        assert b"\n5\n" in published
        assert server.get("/log/tile/entries/000.p/5")
        assert server.get("/v1/events/4")
        assert server.get("/v1/events/4/proof", accept="text/plain")
        assert server.get_json("/v1/log")["tree_size"] == 5
        assert server.get("/", accept="text/html")
        assert b"audit_ready 0" in server.get("/metrics")
        refused = server.post(city.sign(obligation(1, amount_won=1)), agency="roads")
        assert refused.status == 503
        problem = json.loads(refused.data)
        assert problem["type"] == "/docs/problems/quarantined"
        assert "journal was rolled back" in problem["detail"]
        assert server.get("/log/checkpoint") == published
    finally:
        server.stop()


READS = (
    "/v1/log",
    "/v1/events",
    "/v1/events/1",
    "/v1/events/1/proof",
    "/v1/checkpoints",
    "/v1/reports",
    "/",
    "/metrics",
)


def test_where_no_row_can_be_trusted_the_public_files_are_served_all_the_same(tmp_path: Path) -> None:
    data_dir = tmp_path / "ledger"
    with small_city(data_dir) as city:
        city.post(*budget_year())
    connection = sqlite3.connect(data_dir / "ledger.sqlite3")
    connection.execute("DROP TRIGGER events_no_update")
    connection.execute("UPDATE events SET leaf_hash = zeroblob(32) WHERE log_index = 0")
    connection.commit()
    connection.close()
    server = RunningServer(data_dir)
    try:
        while server.request("GET", "/healthz").status != 200:
            assert server.process.poll() is None
        assert "audit db rebuild" in json.loads(server.request("GET", "/readyz").data)["reasons"][0]
        assert b"\n5\n" in server.get("/log/checkpoint")
        assert server.get("/log/tile/entries/000.p/5")
        # What would have to come out of the database is refused with the reason, never with a fault of ours.
        answers = {path: server.request("GET", path).status for path in READS}
        assert set(answers.values()) <= {200, 404, 503}, answers
        assert server.post(city.sign(obligation(1, amount_won=1)), agency="roads").status == 503
    finally:
        server.stop()
