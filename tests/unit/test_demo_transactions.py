"""Can a stranger recount and open the demo's synthetic transactions, and do they say what they are?"""

from __future__ import annotations

import json
from hashlib import sha256

from audit_cli.demo_transactions import (
    CELLS,
    MAX_BATCH,
    RANDOM_BYTES,
    TOTAL,
    commitment,
    randomness,
    sealed_batches,
    synthetic_record,
)
from verifier.canonical import require_canonical


def test_batches_are_small_enough_and_cells_large_enough() -> None:
    for batch in sealed_batches():
        (cell,) = batch.manifest["data"]["counts_by_kind"]
        assert 5 <= cell["count"] == len(batch.transactions) <= MAX_BATCH


def test_lines_are_canonical_and_numbered() -> None:
    for batch in sealed_batches():
        for number in (1, len(batch.transactions)):
            transaction = require_canonical(batch.transactions[number - 1])
            assert transaction["id"] == f"{batch.manifest['data']['batch_id']}/{number}"
            assert transaction["data"].keys() == {"commitment", "kind", "period", "provenance"}
            assert transaction["data"]["provenance"] == "synthetic"


def test_generation_is_the_same_at_every_run() -> None:
    first, second = (
        sha256(b"\n".join(line for batch in sealed_batches() for line in batch.transactions)).hexdigest()
        for _ in range(2)
    )
    assert first == second == "f73b8eeb0d65cac19471833a388337720d196c473eda7d77b987dac50e46a2bf"


def test_commitments_open_with_the_documented_formula() -> None:
    cell = CELLS[0]
    random = randomness(cell, 0, cell.count)[:RANDOM_BYTES]
    record = synthetic_record(cell, 1)
    assert require_canonical(record)["provenance"] == "synthetic"
    opened = sha256(b"audit-service/commitment/v1" + b"\x00" + random + sha256(record).digest())
    assert commitment(record, random) == opened.digest()
    (batch,) = (batch for batch in sealed_batches() if batch.manifest["subject"] == "service/mvoting/2019")
    assert any(opened.hexdigest().encode() in line for line in batch.transactions)


def test_commitments_are_all_different() -> None:
    lines = [line for batch in sealed_batches() for line in batch.transactions]
    assert len({json.loads(line)["data"]["commitment"] for line in lines}) == len(lines) == TOTAL
