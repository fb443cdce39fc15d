"""How is the service doing, in figures? `/metrics`, in the text format that Prometheus reads.

What happens is counted in `audit_service.metrics`; what stands still is asked here, at each reading. A figure that
cannot be told (the database is away) is left out, and `audit_ready` says 0.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import Response

from api.caching import NO_STORE
from api.health import readiness
from api.openapi import METRICS_DOCS
from audit_service.metrics import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.ports import Services


class ServiceCollector(Collector):
    """The gauges of one service."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Ask every part once."""
        ledger = self._services.ledger
        health = readiness(self._services)
        yield _gauge("audit_ready", "1 when submissions would be recorded, signed and published.", _is(health, "ready"))
        yield _gauge("audit_queue_requests", "Requests that wait for the writer.", ledger.queue_length)
        yield _gauge("audit_queue_limit_requests", "Requests that may wait; beyond it: 503.", ledger.queue_limit)
        yield self._tree_sizes()
        yield self._checkpoint_age()
        yield from self._witnesses()
        yield from self._disks()

    def _tree_sizes(self) -> GaugeMetricFamily:
        sizes = GaugeMetricFamily(
            "audit_tree_size",
            "How far each step has come: number of entries recorded, signed, published, projected.",
            labels=["step"],
        )
        ledger, models = self._services.ledger, self._services.read_models
        for step, size in {
            "recorded": lambda: ledger.recorded_size,
            "signed": lambda: ledger.signed().size,
            "published": lambda: ledger.published_size,
            "projected": models.position,
        }.items():
            # Whatever it is, it makes `audit_ready` 0; the other figures are still worth having.
            with suppress(Exception):
                sizes.add_metric([step], size())
        return sizes

    def _checkpoint_age(self) -> GaugeMetricFamily:
        age = GaugeMetricFamily("audit_checkpoint_age_seconds", "Since /log/checkpoint was published last.")
        with suppress(OSError):
            published = (self._services.ledger.public_dir / "checkpoint").stat().st_mtime
            age.add_metric([], max(0.0, time.time() - published))
        return age

    def _witnesses(self) -> Iterator[GaugeMetricFamily]:
        # No witness cosigns yet: the policy of the genesis says `quorum none`.
        yield _gauge("audit_witness_cosignatures", "Cosignatures on /log/checkpoint; 0: there are no witnesses yet.", 0)
        yield _gauge("audit_witness_quorum", "Cosignatures that the log's policy asks for; 0: none yet.", 0)

    def _disks(self) -> Iterator[GaugeMetricFamily]:
        free = GaugeMetricFamily("audit_disk_free_bytes", "What the service may still write there.", labels=["store"])
        size = GaugeMetricFamily("audit_disk_size_bytes", "Size of the file system.", labels=["store"])
        for store, folder in self._services.ledger.folders.items():
            with suppress(OSError):
                found = os.statvfs(folder)
                free.add_metric([store], found.f_bavail * found.f_frsize)
                size.add_metric([store], found.f_blocks * found.f_frsize)
        yield free
        yield size


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _is(health: dict[str, object], status: str) -> int:
    return int(health["status"] == status)


def metrics_router(services: Services) -> APIRouter:
    """The route of this module."""
    router = APIRouter(tags=["health"])
    # Described by hand: to be asked for its figures when the application is built would be too early.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(services))

    @router.get("/metrics", summary="Figures for Prometheus", openapi_extra=METRICS_DOCS, response_class=Response)
    def metrics() -> Response:
        """Counters, histograms and gauges in the Prometheus text format."""
        return Response(
            generate_latest(REGISTRY) + generate_latest(registry),
            headers={"Cache-Control": NO_STORE, "Content-Type": CONTENT_TYPE_PLAIN_0_0_4},
        )

    return router
