"""How long does a large city take to publish all its reports, one changed agency, and one row's proof?

`python benchmarks/reports.py`

A simulated city: 50,000 budget lines (25 agencies, 4 fiscal years), 20,000 contracts, 10^6 events, most of them
sealed transactions. The events are fed to the folds as objects, with stand-ins of 300 bytes for their entries: no
signature and no database of a ledger is timed. What is timed is everything that a publication does:

  all reports       rows of every report from the folds, trees by merklelib with every root computed again, rows kept in
                    SQLite (WAL, FULL), submissions signed; the aim is 10 seconds
  one agency        one payment, then the same for what it moved; the aim is 0.5 seconds
  one row           its proof, and its check with a pinned key; the aim is 5 ms and 8 KB

Printed beside: hashing the same rows once with SHA-256, what nobody can do without, and the ratio to it.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import resource
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.report_trees import ReportTrees, prove_row
from audit_service.catalogue.event import Event
from audit_service.catalogue.types import EVENT_TYPES
from audit_service.closed_trees import MerklelibTree
from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import upgrade
from projections.folds.all import Changes
from projections.read_models.reports import ReportRows
from projections.reports.definitions import ReportRef
from projections.reports.found import FoundReport
from projections.reports.publishing import ReportPublisher
from projections.reports.state import LogState
from verifier.canonical import encode_canonical
from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.envelope import sign_submission
from verifier.hashing import leaf_hash
from verifier.notes import NoteSigner
from verifier.reports import parse_report_entry
from verifier.row_proofs import verify_row_proof
from verifier.subtrees import SubtreeHashes
from verifier.tree import inclusion_proof

if TYPE_CHECKING:
    from collections.abc import Iterator

AGENCIES, YEARS = 25, (2018, 2019, 2020, 2021)
LINES_PER_PROJECT = 5
AIM_ALL_S, AIM_ONE_S, AIM_PROOF_S, AIM_PROOF_BYTES = 10.0, 0.5, 0.005, 8192
_STAND_IN = b"x" * 300


class City:
    """The folds of a large city, fed with events as objects."""

    def __init__(self, *, lines: int, contracts: int, events: int) -> None:
        self.state = LogState()
        self.size = 0
        self._moved = Changes(tables=[], parts=[])
        per_year = lines // (AGENCIES * len(YEARS))
        for agency in range(AGENCIES):
            for year in YEARS:
                self._budget(f"agency-{agency:02}", year, per_year)
        for number in range(contracts):
            self._contract(number)
        self._transactions(events - self.size)

    def event(self, event_type: str, subject: str, data: dict[str, Any], day: str) -> None:
        """Take in one event."""
        payload = msgspec.convert(data, EVENT_TYPES[event_type])
        self.state.apply(
            self.size,
            Event(
                type=event_type,
                subject=subject,
                source="urn:kr:agency:a",
                id=f"e{self.size}",
                time=f"{day}T00:00:00.000Z",
                legal_date=day,
                position=0,
                recorded_time="",
                data=payload,
            ),
            b"%d %s" % (self.size, _STAND_IN),
        )
        self.size += 1

    def _budget(self, agency: str, year: int, lines: int) -> None:
        subject, day = f"budget/{agency}/{year}", f"{year}-03-01"
        opened = {"fiscal_year": year, "account": "general", "account_ko": "일반회계"}
        days = {"opens_on": f"{year}-01-01", "closes_on": f"{year}-12-31"}
        self.event("budget.fiscal-year-opened.v1", subject, {**opened, **days}, day)
        names = [f"line-{number:04}" for number in range(lines)]
        for number, name in enumerate(names):
            defined = {"line_id": name, "name_ko": "사무관리비", "division": "d", "fund": "CITY"}
            project = f"{agency}-p{number // LINES_PER_PROJECT:03}"
            self.event("budget.line-defined.v1", subject, {**defined, "project_id": project}, day)
        rows = [{"line_id": name, "amount_won": 100_000_000} for name in names]
        self.event("budget.appropriated.v1", subject, {"rows": rows, "total_won": 100_000_000 * lines}, day)
        for name in names:
            self.event("budget.allotted.v1", subject, {"line_id": name, "quarter": 1, "amount_won": 90_000_000}, day)
            incurred = {"obligation_id": f"o-{name}", "line_id": name, "amount_won": 50_000_000}
            self.event("budget.obligation-incurred.v1", subject, incurred, day)
            self.pay(agency, year, name, "1")

    def pay(self, agency: str, year: int, line: str, payment: str) -> None:
        """One payment on a line's obligation."""
        paid: dict[str, Any] = {"payment_id": f"{line}-{payment}", "line_id": line, "amount_won": 1_000_000}
        paid["obligation_id"] = f"o-{line}"
        payee = {"kind": "CORPORATION", "organisation_id": "org"}
        self.event("budget.paid.v1", f"budget/{agency}/{year}", {**paid, "payee": payee}, f"{year}-06-01")

    def _contract(self, number: int) -> None:
        subject = f"contract/c-{number:05}"
        line = {"subject": f"budget/agency-{number % AGENCIES:02}/2021", "line_id": "line-0000"}
        plan = {"title_ko": "가로등 유지관리", "category": "SERVICES", "project_id": "p", "budget_lines": [line]}
        self.event("contract.planned.v1", subject, plan, "2021-02-01")
        signed = {"contract_type": "SINGLE", "fiscal_year": 2021, "amount_won": 10_000_000, "start": "2021-02"}
        signed_whole = {**signed, "end": "2021-11", "budget_lines": [line]}
        self.event("contract.signed.v1", subject, signed_whole, "2021-02-02")
        for payment in range(2):
            paid = {"instalment": 1, "payment_id": f"p{payment}", "amount_won": 1_000_000}
            link = {"budget_paid_id": f"b{number}-{payment}", "budget_subject": line["subject"]}
            self.event("contract.paid.v1", subject, {**paid, **link}, "2021-06-01")

    def _transactions(self, count: int) -> None:
        kinds = [{"code": "vote", "name_ko": "투표"}]
        named = {"name_ko": "엠보팅", "name_en": "m-voting", "unit_ko": "건", "unit_en": "votes", "kinds": kinds}
        rest = {"minimum_cell": 5, "status": "operating"}
        self.event("service.registered.v1", "service/s", {**named, **rest}, "2021-01-01")
        for month in range(12):
            subject, some = f"service/s/2021-{month + 1:02}", count // 12
            self.state.folds.apply_transactions(self.size, subject, {"vote": some}, "synthetic")
            self.state.heads.extend(subject, (b"%d %s" % (self.size + n, _STAND_IN) for n in range(some)))
            self.size += some

    @contextmanager
    def held(self) -> Iterator[tuple[LogState, int, Changes]]:
        """As the projector holds its state still."""
        yield self.state, self.size, self.state.take_changes()


class Door:
    """Signs submissions as the publisher does, and keeps the entries that they would become."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._key = Ed25519PrivateKey.from_private_bytes(b"\5" * 32)
        self.entries: dict[int, bytes] = {}
        self.found: dict[ReportRef, FoundReport] = {}

    def city(self) -> str:
        """The source."""
        return "urn:kr:agency:city"

    def now(self) -> str:
        """A moment."""
        return "2022-01-01T00:00:00.000Z"

    def submit(self, submissions: list[dict[str, Any]]) -> list[int | Exception]:
        """Sign and keep."""
        return [self._keep(sign_submission(one, self._key)) for one in submissions]

    def _keep(self, signed: dict[str, Any]) -> int:
        index = self._city.size
        self._city.size += 1
        entry = encode_canonical({**signed, "position": 1, "recordedtime": self.now()})
        self.entries[index] = entry
        report, _ = parse_report_entry(entry)
        self.found[ReportRef(report.kind, report.key)] = FoundReport(index, report)
        return index


class Log:
    """A log of stand-ins in which the reports' entries stand: what a row proof needs of a ledger."""

    def __init__(self, city: City, door: Door) -> None:
        self._entries = door.entries
        hashes = [leaf_hash(door.entries.get(index, b"%d" % index)) for index in range(city.size)]
        self._tree = SubtreeHashes(hashes)
        self.signer = NoteSigner.from_seed("benchmark.example", b"\1" * 32)
        self.size, self.root = city.size, self._tree.root()
        self.note = self.signer.sign(encode_checkpoint(Checkpoint("benchmark.example", self.size, self.root)))
        self.reader = self

    def signed(self) -> Log:
        """The head."""
        return self

    def entry(self, index: int) -> bytes:
        """An entry."""
        return self._entries[index]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Its path."""
        return inclusion_proof(index, tree_size=size, read=self._tree.read)


def main() -> int:
    """Run and print; exit code 1 if a row is not proven."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--contracts", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    args = parser.parse_args()
    # As `audit serve` sets the collector: what lives as long as the process is not walked over again and again.
    gc.set_threshold(50_000, 20, 20)
    begin = time.perf_counter()
    city = City(lines=args.lines, contracts=args.contracts, events=args.events)
    print(f"{city.size:,} events folded in {time.perf_counter() - begin:.1f} s (not timed below)\n")
    # The projector stores the heads of streams with each of its commits: none waits when a publication begins.
    city.state.heads.settle()
    gc.freeze()
    _say_memory("folded")
    with tempfile.TemporaryDirectory() as folder:
        engine = open_sqlite(Path(folder) / "projections.sqlite3")
        upgrade(engine, "projections")
        rows, door = ReportRows(engine), Door(city)
        publisher = ReportPublisher(city, rows, door, MerklelibTree)
        _time_all(publisher, rows, door)
        _time_one_agency(publisher, city)
        _time_one_row(rows, door, city)
        engine.dispose()
    _say_memory("at the end")
    return 0


def _time_all(publisher: ReportPublisher, rows: ReportRows, door: Door) -> None:
    begin, processor = time.perf_counter(), time.process_time()
    published = publisher.publish()
    seconds, processor = time.perf_counter() - begin, time.process_time() - processor
    count = sum(one.row_count for one in published)
    _say("all reports", seconds, AIM_ALL_S, f"{len(published):,} reports, {count:,} rows; processor {processor:.2f} s")
    _say_memory("published")
    floor = 0.0
    for one in published:
        report = rows.rows(one.ref, one.tree_size) or ()
        begin = time.process_time()
        for _, row in report:
            hashlib.sha256(b"\0" + row).digest()
        floor += time.process_time() - begin
    print(f"  hashing these rows once: processor {floor:.2f} s; publishing is {processor / floor:.0f} times that")
    assert len(door.found) == len(published)


def _time_one_agency(publisher: ReportPublisher, city: City) -> None:
    best, moved, processor = float("inf"), 0, 0.0
    for attempt in range(3):
        city.pay("agency-07", 2021, "line-0003", f"more-{attempt}")
        begin, processor = time.perf_counter(), time.process_time()
        moved = len(publisher.publish())
        best = min(best, time.perf_counter() - begin)
        processor = time.process_time() - processor
    _say("one agency", best, AIM_ONE_S, f"{moved} reports moved; best of 3; processor {processor:.2f} s")


def _time_one_row(rows: ReportRows, door: Door, city: City) -> None:
    log: Any = Log(city, door)
    trees = ReportTrees(rows)
    found = door.found[ReportRef("contract-register", "all")]
    begin = time.perf_counter()
    known = trees.rows_of(found)
    print(f"  the tree of {known.tree.size:,} rows for the first request: {time.perf_counter() - begin:.2f} s")
    keys = known.keys[:: max(1, len(known.keys) // 200)]
    begin = time.perf_counter()
    proofs = [prove_row(log, trees.rows_of(found), key) for key in (*keys, "c-00007/none")]
    seconds = (time.perf_counter() - begin) / len(proofs)
    largest = max(map(len, proofs))
    _say("one row", seconds, AIM_PROOF_S, f"its proof, mean of {len(proofs)}; the largest has {largest:,} bytes")
    assert largest < AIM_PROOF_BYTES
    begin = time.perf_counter()
    for proof in proofs:
        verify_row_proof(proof, vkey=log.signer.vkey)
    print(f"  checking it: {(time.perf_counter() - begin) / len(proofs) * 1000:.2f} ms")


def _say_memory(when: str) -> None:
    print(f"  peak memory {when}: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def _say(what: str, seconds: float, aim_s: float, more: str) -> None:
    print(f"{what:<12} {seconds:8.4f} s   aim {aim_s:g} s, {seconds / aim_s:5.2f} of it   {more}")


if __name__ == "__main__":
    sys.exit(main())
