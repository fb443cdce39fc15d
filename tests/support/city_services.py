"""Which transactions do the services of the simulated city have? One service per agency, sealed month by month.

Beside them ballots, credentials, a scheme of checks; some transactions are voided, some side records erased.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from audit_service.catalogue.periods import period_end
from tests.support.city_agenda import Agenda, Data, Desk, Group, Submission, day, iso

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
        yield self._post("registered", {**data, "period_form": "MONTH", "retention_months": 12})
        checks = [{"code": "residence", "name_ko": "거주"}, {"code": "age", "name_ko": "나이"}]
        scheme = {"scheme_id": "eligibility", "name_ko": "자격 확인", "kind": KINDS[0], "check_kinds": checks}
        yield self._post("check-scheme-registered", scheme)

    def _post(self, kind: str, data: Data, *, period: str | None = None, time: str | None = None) -> Group:
        subject = f"service/{self.service_id}" + (f"/{period}" if period else "")
        made = self.desk.submit(f"service.{kind}.v1", subject, data)
        return [made if time is None else made._replace(time=time)]

    def plan_year(self, fiscal_year: int) -> None:
        """Seal every month when it is over, and publish the year's count after it."""
        if self.monthly < MINIMUM_CELL:
            return
        for month in range(1, 13):
            sealed_on = day(fiscal_year + month // 12, month % 12 + 1, 3)
            self.agenda.plan(sealed_on, lambda month=month: self._seal(f"{fiscal_year}-{month:02}"))
        self.agenda.plan(day(fiscal_year + 1, 1, 20), lambda: self._publish(fiscal_year))
        self.agenda.plan(day(fiscal_year, 4, 3), lambda: self._open_ballot(fiscal_year))

    def _seal(self, period: str) -> Iterator[Group]:
        left = self.monthly
        while left >= MINIMUM_CELL:
            size = min(left, BATCH_LIMIT)
            # What is too small to be a batch of its own goes with this one.
            size = left if left - size < MINIMUM_CELL else size
            left -= size
            batch = self._batch(period, size)
            yield batch
        yield from self._afterwards(period, batch)

    def _batch(self, period: str, size: int) -> Group:
        cells = self._cells(size)
        batch_id = self.desk.new_id("b")
        subject, time = f"service/{self.service_id}/{period}", period_end(period)
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

    def _afterwards(self, period: str, batch: Group) -> Iterator[Group]:
        """One transaction is voided, one record erased, at last all of the batch; a credential comes and goes."""
        manifest, first, second, *_ = batch
        synthetic = {"provenance": "synthetic"}
        if self.random.randrange(3) == 0:
            voided = {"commitment": first.data["commitment"], "kind": first.data["kind"]}
            yield self._post("transaction-voided", {**voided, "reason_code": "DUPLICATE", **synthetic}, period=period)
            erased = {"erased_on": iso(self.agenda.today), "deletion_receipt_sha256": "0" * 64, **synthetic}
            single = {"commitment": second.data["commitment"], "cause": "REQUEST", **erased}
            yield self._post("side-record-erased", single, period=period)
            rest = {"batch_id": manifest.data["batch_id"], "count": len(batch) - 2, "cause": "RETENTION", **erased}
            yield self._post("batch-records-erased", rest, period=period)
        place = {"kind": KINDS[0], "status_list_id": f"{period}-list", "status_index": self.random.randrange(1 << 20)}
        commitment = sha256(f"{self.service_id} {period} credential".encode()).hexdigest()
        issued = {**place, "commitment": commitment}
        yield self._post("credential-issued", issued, period=period, time=period_end(period))
        if self.random.randrange(3) == 0:
            yield self._post("credential-revoked", place, period=period)

    def _open_ballot(self, fiscal_year: int) -> Iterator[Group]:
        ballot = {"ballot_id": f"ballot-{fiscal_year}", "question_sha256": "1" * 64, "options_sha256": "2" * 64}
        voters = self.random.randint(100, 10_000)
        days = {"opens_on": iso(self.agenda.today), "closes_on": iso(self.agenda.today + 7)}
        yield self._post("ballot-opened", {**ballot, "option_codes": ["yes", "no"], "electorate_count": voters, **days})
        self.agenda.plan(self.agenda.today + 9, lambda: self._close_ballot(ballot["ballot_id"], voters))

    def _close_ballot(self, ballot_id: str, voters: int) -> Iterator[Group]:
        cast = self.random.randint(10, voters)
        yield self._post("ballot-sealed", {"ballot_id": ballot_id, "ballots_cast": cast, "box_root": "3" * 64})
        yes, invalid = cast // 2, cast // 10
        tally = [{"option": "yes", "count": yes}, {"option": "no", "count": cast - yes - invalid}]
        yield self._post("ballot-tallied", {"ballot_id": ballot_id, "tally": tally, "invalid_count": invalid})

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
            "count": self.random.randint(MINIMUM_CELL, 10_000),
            "unit_ko": "건",
            "period_ko": f"{fiscal_year}년",
            "provenance": "synthetic",
        }
        yield self._post("count-published", data)
