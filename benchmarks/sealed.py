"""Which sealed batches do the benchmarks send: transactions of one service, and their signed manifest?"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit_service.catalogue.periods import period_end
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission
from verifier.hashing import leaf_hash
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from audit_service.keys import SigningKey

AGENCY = "bench"
# The rules refuse a batch that tells too much about few people.
MINIMUM_CELL = 5

SERVICE = {
    "name_ko": "굴착 허가",
    "name_en": "Digging permits",
    "unit_ko": "건",
    "unit_en": "permits",
    "kinds": [{"code": "permit", "name_ko": "허가"}],
    "minimum_cell": MINIMUM_CELL,
    "status": "operating",
}


def submission(event_type: str, subject: str, data: dict[str, Any], event_id: str, moment: str) -> dict[str, Any]:
    """An unsigned submission."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": f"urn:kr:agency:{AGENCY}",
        "type": event_type,
        "subject": subject,
        "time": moment,
        "data": data,
    }


def make_batch(key: SigningKey, batch_id: str, period: str, count: int) -> list[bytes]:
    """A signed manifest and its transactions, one canonical submission each."""
    moment, subject = period_end(period), f"service/permits/{period}"
    transactions = [
        encode_canonical(
            submission(
                "service.transaction-recorded.v1",
                subject,
                {
                    "commitment": hashlib.sha256(f"{batch_id}/{number}".encode()).hexdigest(),
                    "kind": "permit",
                    "period": period,
                },
                f"{batch_id}/{number}",
                moment,
            )
        )
        for number in range(1, count + 1)
    ]
    manifest = {
        "batch_id": batch_id,
        "period": period,
        "count": count,
        "counts_by_kind": [{"kind": "permit", "count": count}],
        "submissions_root": root_of_leaf_hashes([leaf_hash(line) for line in transactions]).hex(),
    }
    unsigned = submission("service.batch-sealed.v1", subject, manifest, f"{batch_id}/0", moment)
    return [encode_canonical(sign_submission(unsigned, key.private)), *transactions]


def register(key: SigningKey, subject: str, event_id: str) -> bytes:
    """The signed registration of a service: a single event."""
    unsigned = submission("service.registered.v1", subject, SERVICE, event_id, period_end("2021-01"))
    return encode_canonical(sign_submission(unsigned, key.private))
