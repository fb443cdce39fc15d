"""What does it cost to let an event in: to read it strictly, to check its form, to check its signature?

`python benchmarks/submission.py`

One event of some 600 bytes, best of several rounds in one process, everything in one run:

  json.loads                what reading costs without any strictness: every ratio is against this
  strict, canonical bytes   bytes that are their own canonical form (the fast path); at most 5 µs
  strict, other layout      the strict parser, the canonical form, the envelope; at most 60 µs
  whole form                reading and every check that needs no key: envelope, time, payload, personal data
  Ed25519 alone             one verification by `cryptography`, nothing else
  signed over unsigned      what a signature adds to a single post; at most 150 µs

The limits are for an idle core like those of the design's figures. The exit code tells whether all hold.
"""

from __future__ import annotations

import json
import sys
import timeit
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit_service import submission as reading
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    from collections.abc import Callable

CANONICAL_US, LOOSE_US, SIGNATURE_US = 5.0, 60.0, 150.0
ROUNDS = 15

EVENT = {
    "specversion": "1.0",
    "id": "2021/appropriated",
    "source": "urn:kr:agency:seoul-smartcity",
    "type": "budget.appropriated.v1",
    "subject": "budget/seoul-smartcity/2021",
    "time": "2021-01-04T00:00:00.000Z",
    "legaldate": "2021-01-01",
    "data": {
        "rows": [{"line_id": "201-01", "amount_won": 18_000_000}, {"line_id": "201-02", "amount_won": 282_451_000}],
        "total_won": 300_451_000,
        "provenance": "printed",
        "basis": {"title": "2021년도 예산서"},
    },
}


def best_us(function: Callable[[], object], number: int) -> float:
    """The best of the rounds: what the machine does when nothing else is in its way."""
    return min(timeit.repeat(function, number=number, repeat=ROUNDS)) / number * 1e6


def main() -> int:
    """Measure, print, and return 1 if a limit does not hold."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public_key = key.public_key()
    raw_key = public_key.public_bytes_raw()
    signed = encode_canonical(sign_submission(EVENT, key))
    loose = json.dumps(json.loads(signed), indent=1, ensure_ascii=False).encode()
    signature = key.sign(signed)

    def read_loose() -> object:
        return reading._decode(reading._decoder.decode, reading._canonicalise(loose))  # noqa: SLF001

    rows: list[tuple[str, float, float | None]] = []
    json_us = best_us(lambda: json.loads(signed), 5000)
    form_us = best_us(lambda: reading.parse(signed), 2000)
    whole_us = best_us(lambda: reading.prepare_one(signed, lambda _kid: raw_key), 300)
    ed25519_us = best_us(lambda: public_key.verify(signature, signed), 300)
    rows.append(("json.loads", json_us, None))
    fast_us = best_us(lambda: reading._canonical_submission(signed), 5000)  # noqa: SLF001
    rows.append(("strict, canonical bytes", fast_us, CANONICAL_US))
    rows.append(("strict, other layout", best_us(read_loose, 2000), LOOSE_US))
    rows.append(("whole form", form_us, None))
    rows.append(("Ed25519 alone", ed25519_us, None))
    rows.append(("signed over unsigned", whole_us - form_us, SIGNATURE_US))

    print(f"one event of {len(signed)} bytes; best of {ROUNDS} rounds\n")
    print(f"{'':26}{'µs':>8}{'x json.loads':>14}{'at most':>10}")
    for name, cost_us, limit_us in rows:
        limit = "" if limit_us is None else f"{limit_us:.0f}"
        print(f"{name:26}{cost_us:8.1f}{cost_us / json_us:14.2f}{limit:>10}")
    print(f"\na signed post costs {(whole_us - form_us) / ed25519_us:.2f} x Ed25519 alone over an unsigned one")
    missed = [name for name, cost_us, limit_us in rows if limit_us is not None and cost_us > limit_us]
    if missed:
        print(f"over the limit: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
