"""How is a large log of sealed service transactions made for the replay's benchmark? Deterministic, never timed.

A genesis entry, one service, then batches of 10,000 transactions over the months of a year, each behind its
signed manifest: what the demo city posts, only more of it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_service.catalogue.periods import period_end
from audit_service.catalogue.service import TransactionRecorded
from projections.replay_transactions import TransactionEntry
from verifier.bundles import encode_bundle
from verifier.canonical import encode_canonical
from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.encoding import encode_base64url
from verifier.envelope import approve_submission, key_id, sign_submission
from verifier.hashing import leaf_hash
from verifier.notes import NoteSigner
from verifier.right_edge import RightEdge
from verifier.subtrees import SubtreeHashes
from verifier.tiles import TILE_WIDTH, bundle_path, tile_bytes, tile_path, tiles_for_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORIGIN = "benchmark.ledger.example"
BATCH = 10_000
KINDS = ("vote", "proposal", "opinion", "report")
TIME = "2021-03-01T00:00:00.000Z"
_encode = msgspec.json.Encoder().encode


def signer() -> NoteSigner:
    """The log's key."""
    return NoteSigner.from_seed(ORIGIN, hashlib.sha256(b"log").digest())


def build_log(prefix: Path, size: int) -> None:
    """Write a log of `size` entries to `prefix`; done before, it stays."""
    if (prefix / "checkpoint").exists():
        return
    tree = SubtreeHashes()
    bundle: list[bytes] = []
    for number, entry in enumerate(_entries(size), start=1):
        bundle.append(entry)
        if len(bundle) == TILE_WIDTH or number == size:
            place = bundle_path((number - 1) // TILE_WIDTH, len(bundle))
            _write(prefix / place, encode_bundle(bundle))
            tree.extend([leaf_hash(each) for each in bundle])
            bundle = []
    for tile in tiles_for_size(0, size):
        _write(prefix / tile_path(tile), tile_bytes(tile, tree.read))
    text = encode_checkpoint(Checkpoint(ORIGIN, size, tree.root()))
    _write(prefix / "checkpoint", signer().sign(text))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def _public(name: str) -> dict[str, str]:
    raw = _key(name).public_key().public_bytes_raw()
    return {"kid": key_id(raw), "public_key": encode_base64url(raw)}


def _attributes(event_type: str, subject: str, event_id: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "urn:kr:agency:seoul",
        "type": event_type,
        "subject": subject,
        "time": TIME,
        "data": data,
    }


def _signed(event_type: str, subject: str, event_id: str, data: dict[str, Any], position: int) -> bytes:
    signed = sign_submission(_attributes(event_type, subject, event_id, data), _key("seoul"))
    return encode_canonical({**signed, "position": position, "recordedtime": TIME})


def _genesis() -> bytes:
    agency = {"code": "seoul", "name_ko": "서울", "name_en": "Seoul"}
    data = {
        "origin": ORIGIN,
        "log_key": str(signer().vkey),
        "root_keys": [_public(f"root-{number}") for number in (1, 2, 3)],
        "root_threshold": 2,
        "publisher_key": _public("publisher"),
        "policy": "quorum none",
        "agencies": [{**agency, "keys": [{**_public("seoul"), "scopes": ["registry.*", "service.*"]}]}],
    }
    unsigned = _attributes("registry.log-created.v1", "registry/log", "genesis", data)
    approved = approve_submission(sign_submission(unsigned, _key("root-1")), _key("root-2"))
    return encode_canonical({**approved, "position": 1, "recordedtime": TIME})


def _entries(size: int) -> Iterator[bytes]:
    yield _genesis()
    kinds = [{"code": kind, "name_ko": kind} for kind in KINDS]
    names = {"name_ko": "엠보팅", "name_en": "mVoting", "unit_ko": "건", "unit_en": "cases", "kinds": kinds}
    service = {**names, "minimum_cell": 5, "status": "operating"}
    yield _signed("service.registered.v1", "service/mvoting", "mvoting", service, 1)
    positions: dict[str, int] = {}
    made, number = 2, 0
    while made < size:
        number += 1
        # The last batch fills the log exactly; a batch too small for its kinds' cells has one kind.
        count = min(BATCH, size - made - 1)
        if size - made - 1 - count in range(1, 100):
            count -= 100
        yield from _batch(number, count, positions)
        made += 1 + count


def _batch(number: int, count: int, positions: dict[str, int]) -> Iterator[bytes]:
    period = f"2021-{(number - 1) % 12 + 1:02}"
    subject = f"service/mvoting/{period}"
    first = positions.get(subject, 0) + 1
    kinds = KINDS if count >= 100 else KINDS[:1]
    batch_id = f"mvoting-2021-{number:04}"
    transactions, edge, counts = [], RightEdge(), dict.fromkeys(kinds, 0)
    for place in range(1, count + 1):
        kind = kinds[place % len(kinds)]
        counts[kind] += 1
        entry = _encode(_transaction(batch_id, place, kind, period, first + place))
        transactions.append(entry)
    edge.extend([leaf_hash(_submission_of(entry)) for entry in transactions])
    manifest = {
        "batch_id": batch_id,
        "period": period,
        "count": count,
        "counts_by_kind": [{"kind": kind, "count": counted} for kind, counted in counts.items()],
        "submissions_root": edge.root().hex(),
        "provenance": "synthetic",
    }
    positions[subject] = first + count
    yield _signed("service.batch-sealed.v1", subject, f"{batch_id}/0", manifest, first)
    yield from transactions


def _transaction(batch_id: str, place: int, kind: str, period: str, position: int) -> TransactionEntry:
    commitment = hashlib.sha256(f"{batch_id} {place}".encode()).hexdigest()
    return TransactionEntry(
        data=TransactionRecorded(commitment=commitment, kind=kind, period=period),
        id=f"{batch_id}/{place}",
        position=position,
        recorded_time=TIME,
        source="urn:kr:agency:seoul",
        specversion="1.0",
        subject=f"service/mvoting/{period}",
        time=period_end(period),
        type="service.transaction-recorded.v1",
    )


def _submission_of(entry: bytes) -> bytes:
    start = entry.index(b',"position":')
    return entry[:start] + entry[entry.index(b',"source":', start) :]
