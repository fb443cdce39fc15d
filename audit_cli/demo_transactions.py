"""What would stand behind the page's counts, if every transaction had been a leaf? Synthetic, and saying so.

The page prints counts; the transactions behind them were never published. So that a stranger can recount
something, the demo invents exactly as many as the page prints: 71,062 commitments to synthetic records. They
reconcile with nothing but themselves: every one carries `provenance: synthetic`, and the printed counts stay
unreconciled.

Deterministic from `SEED`, which is public: whoever runs this module gets the same commitments, byte for byte.
A real agency draws `r` from the operating system and keeps it in an erasable store; a seed would open every
commitment.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256, shake_256
from typing import TYPE_CHECKING, Any

from verifier.hashing import leaf_hash
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = b"seoul-2021: synthetic transactions of the demo city, version 1"
SOURCE = "urn:kr:agency:seoul-smartcity"
COMMITMENT_PREFIX = b"audit-service/commitment/v1\x00"
MAX_BATCH = 20_000
RANDOM_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One printed count: so many transactions of one kind, in one period of one service.

    `ended` is the period's end (00:00 in Seoul on the next day) in UTC: no transaction tells another time.
    """

    service_id: str
    period: str
    kind: str
    count: int
    ended: str


_END_OF_2019 = "2019-12-31T15:00:00.000Z"
_END_OF_JUNE_2020 = "2020-06-30T15:00:00.000Z"
_END_OF_SEPTEMBER_2020 = "2020-09-30T15:00:00.000Z"

CELLS = (
    Cell(service_id="mvoting", period="2019", kind="ballot-proposed", count=420, ended=_END_OF_2019),
    Cell(service_id="used-car", period="2019", kind="record", count=10_077, ended=_END_OF_2019),
    Cell(service_id="employment-contract", period="2019", kind="contract-signed", count=322, ended=_END_OF_2019),
    Cell(
        service_id="youth-allowance",
        period="2019-r1",
        kind="eligibility-check",
        count=26_779,
        ended=_END_OF_2019,
    ),
    Cell(
        service_id="youth-allowance",
        period="2019-r2",
        kind="eligibility-check",
        count=12_459,
        ended=_END_OF_2019,
    ),
    # The page files these two under 2019, but their project ran to June 2020: by then they were counted.
    Cell(
        service_id="democracy-seoul",
        period="2020-06",
        kind="vote-held",
        count=30,
        ended=_END_OF_JUNE_2020,
    ),
    Cell(
        service_id="certificate",
        period="2020-06",
        kind="certificate-issued",
        count=1_622,
        ended=_END_OF_JUNE_2020,
    ),
    Cell(
        service_id="seoul-library",
        period="2020-09",
        kind="residence-check",
        count=19_353,
        ended=_END_OF_SEPTEMBER_2020,
    ),
)

TOTAL = sum(cell.count for cell in CELLS)


@dataclass(frozen=True, kw_only=True)
class SealedBatch:
    """A batch as it is posted: its manifest, still to be signed, and its transactions as canonical JSON."""

    manifest: dict[str, Any]
    transactions: list[bytes]


def sealed_batches() -> Iterator[SealedBatch]:
    """Which sealed batches make up the demo's synthetic transactions? The same ones at every run."""
    for cell in CELLS:
        batches = -(-cell.count // MAX_BATCH)
        for number in range(batches):
            first = cell.count * number // batches
            last = cell.count * (number + 1) // batches
            yield _seal(cell, number, range(first + 1, last + 1))


def commitment(record: bytes, random: bytes) -> bytes:
    """What may stand in the log for a record: SHA-256(prefix ‖ 0x00 ‖ r ‖ SHA-256(canonical record)).

    Without `r` (32 bytes) nobody can try out records until one fits; once `r` is erased, nobody ever can.
    """
    return sha256(COMMITMENT_PREFIX + random + sha256(record).digest()).digest()


def synthetic_record(cell: Cell, number: int) -> bytes:
    """Which invented record does transaction `number` of a cell commit to? Canonical JSON, about nobody."""
    return b'{"kind":"%s","number":%d,"period":"%s","provenance":"synthetic","service":"%s"}' % (
        cell.kind.encode(),
        number,
        cell.period.encode(),
        cell.service_id.encode(),
    )


def randomness(cell: Cell, batch_number: int, count: int) -> bytes:
    """Which `r` has each transaction of a batch? 32 bytes each of SHAKE-256 over seed and batch."""
    name = f"/{cell.service_id}/{cell.period}/{batch_number}".encode()
    return shake_256(SEED + name).digest(RANDOM_BYTES * count)


def _seal(cell: Cell, batch_number: int, numbers: range) -> SealedBatch:
    random = randomness(cell, batch_number, len(numbers))
    # Sorted by commitment: with salted hashes this is as good as shuffled, and the order in which the records
    # came is gone.
    commitments = sorted(
        commitment(synthetic_record(cell, number), random[at : at + RANDOM_BYTES])
        for number, at in zip(numbers, range(0, len(random), RANDOM_BYTES), strict=True)
    )
    subject = f"service/{cell.service_id}/{cell.period}"
    batch_id = sha256(SEED + f"/{subject}/{batch_number}/batch".encode()).hexdigest()[:32]
    lines = _transaction_lines(cell, subject, batch_id, commitments)
    manifest = {
        "specversion": "1.0",
        "id": f"{batch_id}/0",
        "source": SOURCE,
        "type": "service.batch-sealed.v1",
        "subject": subject,
        "time": cell.ended,
        "data": {
            "batch_id": batch_id,
            "period": cell.period,
            "count": len(lines),
            "counts_by_kind": [{"kind": cell.kind, "count": len(lines)}],
            "submissions_root": root_of_leaf_hashes([leaf_hash(line) for line in lines]).hex(),
            "provenance": "synthetic",
        },
    }
    return SealedBatch(manifest=manifest, transactions=lines)


def _transaction_lines(cell: Cell, subject: str, batch_id: str, commitments: list[bytes]) -> list[bytes]:
    """Canonical JSON (RFC 8785) by template: members sorted by name, nothing in them that needs escaping."""
    before_id = f'","kind":"{cell.kind}","period":"{cell.period}","provenance":"synthetic"}},"id":"{batch_id}/'
    after_id = (
        f'","source":"{SOURCE}","specversion":"1.0","subject":"{subject}","time":"{cell.ended}"'
        ',"type":"service.transaction-recorded.v1"}'
    )
    return [
        f'{{"data":{{"commitment":"{digest.hex()}{before_id}{number}{after_id}'.encode()
        for number, digest in enumerate(commitments, 1)
    ]
