"""A simulated log: a signed log directory from a list of submissions, made with the verifier alone.

No server, no database, no rules: a builder can also write what no honest service would record, which is what
the replay's tests are about. Keys come from fixed seeds, times from a counter: the same calls give the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_service.catalogue.event import decode_event
from audit_service.catalogue.types import requires_legal_date
from projections.folds.all import fold_all
from projections.folds.answers import answer_to_bytes, fold_answer, fold_keys
from projections.saved_answers import answer_path
from verifier.bundles import encode_bundle
from verifier.canonical import encode_canonical
from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.encoding import encode_base64url
from verifier.envelope import approve_submission, key_id, sign_submission
from verifier.hashing import leaf_hash
from verifier.notes import NoteSigner
from verifier.subtrees import SubtreeHashes
from verifier.tiles import TILE_WIDTH, bundle_path, bundles_for_size, tile_bytes, tile_path, tiles_for_size
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ORIGIN = "ledger.example/simulated"
CITY = "city"
ROADS = "roads"
SCOPES = {CITY: ("registry.*",), ROADS: ("budget.*", "contract.*", "project.*", "service.*")}
BUDGET = f"budget/{ROADS}/2021"
NEXT_BUDGET = f"budget/{ROADS}/2022"
CONTRACT = "contract/lamps"
SERVICE = "service/library"
PERIOD = "service/library/2021-03"
TIME = "2021-03-01T00:00:00.000Z"
PERIOD_END = "2021-03-31T15:00:00.000Z"


def private_key(name: str) -> Ed25519PrivateKey:
    """The key of this name, always the same."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public_key(name: str) -> dict[str, str]:
    raw = private_key(name).public_key().public_bytes_raw()
    return {"kid": key_id(raw), "public_key": encode_base64url(raw)}


def milliseconds(number: int) -> str:
    """The recorded time of entry `number`: one millisecond after the other."""
    seconds, thousandths = divmod(number, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"2021-04-01T{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}Z"


class LogBuilder:
    """The entries of a log that begins with its genesis entry."""

    def __init__(self, *, origin: str = ORIGIN) -> None:
        self.signer = NoteSigner.from_seed(origin, hashlib.sha256(b"log").digest())
        self.entries: list[bytes] = []
        self._positions: dict[str, int] = {}
        self._numbers = 0
        self.record(self._genesis(origin))

    @property
    def vkey(self) -> str:
        return str(self.signer.vkey)

    # --- submissions ------------------------------------------------------------------------------------

    def _genesis(self, origin: str) -> dict[str, Any]:
        agencies = [
            {"code": code, "name_ko": code, "name_en": code, "keys": [{**public_key(code), "scopes": list(scopes)}]}
            for code, scopes in SCOPES.items()
        ]
        data = {
            "origin": origin,
            "log_key": self.vkey,
            "root_keys": [public_key(f"root-{number}") for number in (1, 2, 3)],
            "root_threshold": 2,
            "publisher_key": public_key("publisher"),
            "policy": "quorum none",
            "agencies": agencies,
        }
        unsigned = self.submission("registry.log-created.v1", "registry/log", data, source=CITY, id="genesis")
        return approve_submission(sign_submission(unsigned, private_key("root-1")), private_key("root-2"))

    def submission(
        self,
        event_type: str,
        subject: str,
        data: dict[str, Any],
        *,
        source: str = ROADS,
        id: str | None = None,  # noqa: A002 - the attribute's name in the entry format
        legaldate: str = "2021-06-15",
    ) -> dict[str, Any]:
        """An unsigned submission; ids count up."""
        self._numbers += 1
        attributes = {
            "specversion": "1.0",
            "id": id or f"event-{self._numbers}",
            "source": f"urn:kr:agency:{source}",
            "type": event_type,
            "subject": subject,
            "time": TIME,
            "data": data,
        }
        return attributes | ({"legaldate": legaldate} if requires_legal_date(event_type) else {})

    def submit(
        self, event_type: str, subject: str, data: dict[str, Any], *, key: str | None = None, **attributes: Any
    ) -> int:
        """Sign a submission by its source (or by the key of another name) and record it."""
        unsigned = self.submission(event_type, subject, data, **attributes)
        return self.record(sign_submission(unsigned, private_key(key or attributes.get("source", ROADS))))

    # --- recording --------------------------------------------------------------------------------------

    def record(self, submission: dict[str, Any], **service: Any) -> int:
        """Add what the service adds (or what `service` says instead) and append; returns the index."""
        position = self._positions.get(submission["subject"], 0) + 1
        added = {"position": position, "recordedtime": milliseconds(len(self.entries)), **service}
        self._positions[submission["subject"]] = added["position"]
        self.entries.append(encode_canonical({**submission, **added}))
        return len(self.entries) - 1

    def seal(
        self,
        count: int,
        *,
        batch_id: str = "batch-1",
        kind: str = "loan",
        key: str | None = None,
        time: str = PERIOD_END,
    ) -> int:
        """Record a sealed batch of synthetic transactions; returns the index of its manifest."""
        transactions = [self.transaction(batch_id, number, kind) | {"time": time} for number in range(1, count + 1)]
        root = root_of_leaf_hashes([leaf_hash(encode_canonical(each)) for each in transactions])
        manifest = {
            "batch_id": batch_id,
            "period": PERIOD.rpartition("/")[2],
            "count": count,
            "counts_by_kind": [{"kind": kind, "count": count}],
            "submissions_root": root.hex(),
            "provenance": "synthetic",
        }
        index = self.submit("service.batch-sealed.v1", PERIOD, manifest, id=f"{batch_id}/0", key=key)
        for each in transactions:
            self.record(each)
        return index

    def transaction(self, batch_id: str, number: int, kind: str = "loan") -> dict[str, Any]:
        """The submission of the n-th transaction of a batch."""
        data = {
            "commitment": hashlib.sha256(f"{batch_id} {number}".encode()).hexdigest(),
            "kind": kind,
            "period": PERIOD.rpartition("/")[2],
            "provenance": "synthetic",
        }
        made = self.submission("service.transaction-recorded.v1", PERIOD, data, id=f"{batch_id}/{number}")
        return made | {"time": PERIOD_END}

    # --- publishing -------------------------------------------------------------------------------------

    def publish(self, directory: Path) -> None:
        """Write `directory/log` as the service serves it, and `directory/answers` as it answers."""
        write_log(directory / "log", self.entries, self.signer)
        write_answers(directory / "answers", self.entries)


def write_log(prefix: Path, entries: Sequence[bytes], signer: NoteSigner, *, old_size: int = 0) -> None:
    """Write checkpoint, tiles and bundles of these entries; `old_size` of them are there already."""
    tree = SubtreeHashes(map(leaf_hash, entries))
    for tile in tiles_for_size(old_size, tree.size):
        write_file(prefix / tile_path(tile), tile_bytes(tile, tree.read))
    for bundle in bundles_for_size(old_size, tree.size):
        first = bundle.index * TILE_WIDTH
        content = encode_bundle(entries[first : first + bundle.width])
        write_file(prefix / bundle_path(bundle.index, bundle.width), content)
    checkpoint = Checkpoint(signer.vkey.name, tree.size, tree.root())
    write_file(prefix / "checkpoint", signer.sign(encode_checkpoint(checkpoint)))


def write_answers(directory: Path, entries: Sequence[bytes]) -> None:
    """Answer every kind and key at the tree size of these entries, as the service does."""
    folds = fold_all()
    for index, entry in enumerate(entries):
        folds.apply(index, decode_event(entry))
    for kind, keys in fold_keys(folds).items():
        for key in keys:
            answer = fold_answer(folds, kind, key, tree_size=len(entries))
            assert answer is not None
            write_file(answer_path(directory, kind, key), answer_to_bytes(answer))


def write_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def small_log(*, transactions: int = 40) -> LogBuilder:
    """A log with something of everything that a replay checks: pairs, a contract, a sealed batch."""
    log = LogBuilder()
    open_year(log, BUDGET, 2021)
    open_year(log, NEXT_BUDGET, 2022)
    resolved = {"rows": [_row("lamps", 900_000)], "total_won": 900_000, "basis": {"title": "본예산 의결"}}
    log.submit("budget.appropriated.v1", BUDGET, resolved)
    log.submit("budget.allotted.v1", BUDGET, {"line_id": "lamps", "quarter": 2, "amount_won": 600_000})
    line = {"subject": BUDGET, "line_id": "lamps"}
    plan = {"title_ko": "가로등", "category": "WORKS", "project_id": "lights", "budget_lines": [line]}
    log.submit("contract.planned.v1", CONTRACT, plan)
    signed = {"contract_type": "SINGLE", "fiscal_year": 2021, "amount_won": 500_000, "start": "2021-02"}
    obligation = {"obligation_id": "o-1", "line_id": "lamps", "amount_won": 500_000}
    log.submit("budget.obligation-incurred.v1", BUDGET, {**obligation, "contract_process_id": "lamps"})
    log.submit("contract.signed.v1", CONTRACT, {**signed, "end": "2021-11", "budget_lines": [line]})
    work = {"inspection_id": "i-1", "instalment": 1}
    log.submit("contract.inspected.v1", CONTRACT, {**work, "kind": "PROGRESS", "result": "PASS"})
    log.submit("contract.accepted.v1", CONTRACT, {**work, "accepted_won": 500_000})
    pay(log, 1, 300_000)
    carry_over(log, 100_000)
    kinds = [{"code": "loan", "name_ko": "대출"}]
    named = {"name_ko": "도서관", "name_en": "Library", "unit_ko": "건", "unit_en": "loans", "kinds": kinds}
    log.submit("service.registered.v1", SERVICE, {**named, "minimum_cell": 5, "status": "operating"})
    log.seal(transactions)
    log.submit(
        "registry.organisation-named.v1", "registry/agency/roads", {"code": "roads", "name_ko": "도로과"}, source=CITY
    )
    return log


def open_year(log: LogBuilder, subject: str, year: int) -> None:
    opened = {"fiscal_year": year, "account": "general", "account_ko": "일반회계"}
    days = {"opens_on": f"{year}-01-01", "closes_on": f"{year}-12-31"}
    legaldate = f"{year}-01-01"
    log.submit("budget.fiscal-year-opened.v1", subject, {**opened, **days}, legaldate=legaldate)
    line = {"line_id": "lamps", "name_ko": "가로등", "project_id": "lights", "division": "roads", "fund": "CITY"}
    log.submit("budget.line-defined.v1", subject, line, legaldate=legaldate)


def pay(log: LogBuilder, number: int, amount_won: int, *, both: bool = True) -> None:
    """A payment on the contract: the pair of two entries, or only its first half."""
    paid = {"payment_id": f"p-{number}", "obligation_id": "o-1", "line_id": "lamps", "amount_won": amount_won}
    payee = {"kind": "CORPORATION", "organisation_id": "lamp-makers"}
    first, second = f"paid-{number}", f"contract-paid-{number}"
    log.submit("budget.paid.v1", BUDGET, {**paid, "payee": payee, "contract_paid_id": second}, id=first)
    if both:
        answer = {"instalment": 1, "payment_id": f"p-{number}", "amount_won": amount_won}
        log.submit(
            "contract.paid.v1", CONTRACT, {**answer, "budget_paid_id": first, "budget_subject": BUDGET}, id=second
        )


def carry_over(log: LogBuilder, amount_won: int, *, both: bool = True) -> None:
    """Money carried into the next year: the pair of two entries, or only its first half."""
    moved = {"kind": "ACCIDENTAL", "amount_won": amount_won, "line_id": "lamps"}
    out = {"to_subject": NEXT_BUDGET, "to_line_id": "lamps", "carry_in_id": "carried-in", "ancillary": True}
    log.submit("budget.carried-over.v1", BUDGET, {**moved, **out}, id="carried-out", legaldate="2021-12-31")
    if both:
        into = {"from_subject": BUDGET, "from_line_id": "lamps", "carried_over_id": "carried-out"}
        log.submit(
            "budget.carry-in-received.v1", NEXT_BUDGET, {**moved, **into}, id="carried-in", legaldate="2022-01-01"
        )


def _row(line_id: str, amount_won: int) -> dict[str, Any]:
    return {"line_id": line_id, "amount_won": amount_won}
