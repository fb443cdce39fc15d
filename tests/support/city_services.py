"""Which transactions do the services of the simulated city have? One service per agency, sealed month by month."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from tests.support.city_agenda import Agenda, Desk, Group, Submission, day, end_of_month

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

KINDS = ("loan", "return", "renewal")
MINIMUM_CELL = 5
# A batch is one atomic group: this bounds what is in memory at once.
BATCH_LIMIT = 5_000


class ServiceDesk:
    """One agency's service: registered once, sealed monthly, counted yearly."""

    def __init__(self, agenda: Agenda, desk: Desk, random: Random, *, monthly: int) -> None:
        self.agenda, self.desk, self.random, self.monthly = agenda, desk, random, monthly
        self.service_id = f"{desk.code}-library"
        self.counted = 0
        self._transactions = 0

    def register(self) -> Iterator[Group]:
        """The service is registered."""
        data = {
            "name_ko": "도서관",
            "name_en": "Library",
            "unit_ko": "건",
            "unit_en": "cases",
            "kinds": [{"code": kind, "name_ko": kind} for kind in KINDS],
            "minimum_cell": MINIMUM_CELL,
            "status": "operating",
            "provenance": "synthetic",
        }
        yield [self.desk.submit("service.registered.v1", f"service/{self.service_id}", data)]

    def plan_year(self, fiscal_year: int) -> None:
        """Seal every month on its last days, and publish the year's count after it."""
        if self.monthly < MINIMUM_CELL:
            return
        for month in range(1, 13):
            self.agenda.plan(day(fiscal_year, month, 28), lambda month=month: self._seal(f"{fiscal_year}-{month:02}"))
        self.agenda.plan(day(fiscal_year + 1, 1, 20), lambda: self._publish(fiscal_year))

    def _seal(self, period: str) -> Iterator[Group]:
        left = self.monthly
        while left >= MINIMUM_CELL:
            size = min(left, BATCH_LIMIT)
            # What is too small to be a batch of its own goes with this one.
            size = left if left - size < MINIMUM_CELL else size
            left -= size
            yield self._batch(period, size)

    def _batch(self, period: str, size: int) -> Group:
        cells = self._cells(size)
        batch_id = self.desk.new_id("b")
        subject, time = f"service/{self.service_id}/{period}", end_of_month(period)
        manifest = {
            "batch_id": batch_id,
            "period": period,
            "count": size,
            "counts_by_kind": [{"kind": kind, "count": cells[kind]} for kind in sorted(cells)],
            # The root is checked where the bytes are: the rules that this city is made for never see it.
            "submissions_root": sha256(batch_id.encode()).hexdigest(),
            "provenance": "synthetic",
        }
        group = [self.desk.submit("service.batch-sealed.v1", subject, manifest, event_id=f"{batch_id}/0")]
        source, kinds = self.desk.source, [kind for kind, count in cells.items() for _ in range(count)]
        self.random.shuffle(kinds)
        prefix = f"{self.service_id} {batch_id} "
        for number, kind in enumerate(kinds, start=1):
            commitment = sha256(f"{prefix}{number}".encode()).hexdigest()
            data = {"commitment": commitment, "kind": kind, "period": period}
            group.append(
                Submission("service.transaction-recorded.v1", subject, source, f"{batch_id}/{number}", time, None, data)
            )
        self.counted += size
        return group

    def _cells(self, size: int) -> dict[str, int]:
        """Split a batch into kinds, no cell too small."""
        cells = {}
        for kind in KINDS[:-1]:
            if size >= 3 * MINIMUM_CELL:
                cells[kind] = self.random.randint(MINIMUM_CELL, size // 2)
                size -= cells[kind]
        return {**cells, KINDS[-1]: size}

    def _publish(self, fiscal_year: int) -> Iterator[Group]:
        data = {
            "count_id": f"{fiscal_year}",
            "kind": KINDS[-1],
            "count": self.random.randint(1, 10_000),
            "unit_ko": "건",
            "period_ko": f"{fiscal_year}년",
            "provenance": "synthetic",
        }
        yield [self.desk.submit("service.count-published.v1", f"service/{self.service_id}", data)]
