"""How do twenty thousand service transactions become one sealed batch that says nothing about anybody?

What leaves the agency is, for each transaction, its kind, its period and a salted commitment; what stays is the
record and the 32 random bytes that open it. Nothing else may tell them apart:

1. Cells smaller than the service's smallest one are merged into a kind that the service registered for this
   (`other_kind`); where none is registered, or too few remain, the batch is refused before anything is built.
2. The order is drawn anew, by the operating system's randomness.
3. Ids are `<random batch id>/<n>`, and every `time` is the end of the period, which must be over.
4. The manifest comes first; its signature covers the RFC 6962 root over all that follow.

Keep `openings` where they can be erased: with its random bytes gone, a commitment opens for nobody ever again.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from audit_client.errors import NotUsable
from audit_client.signing import encode, sign
from verifier.hashing import leaf_hash
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COMMITMENT_PREFIX = b"audit-service/commitment/v1\x00"
RANDOM_BYTES = 32
MAX_TRANSACTIONS = 20_000
KST = timezone(timedelta(hours=9))
_PERIOD = re.compile(r"(\d{4})(?:-(?:(\d{2})|Q([1-4])))?(?:-r\d{1,2})?", re.ASCII)
_MONTHS_OF_A_YEAR = 12


@dataclass(frozen=True, kw_only=True)
class ServiceRules:
    """What the service's own registration says: whose it is, its kinds, and how small a cell may be.

    `period_form` is how long its periods are: MONTH, QUARTER, YEAR, or None where it does not say.
    """

    service_id: str
    owner: str
    kinds: frozenset[str]
    minimum_cell: int
    period_form: str | None = None


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """One transaction as the agency knows it; the record never leaves it."""

    kind: str
    record: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What opens the commitment of transaction `number`: to be kept apart, and erasable."""

    number: int
    commitment: str
    random: str
    kind: str
    record: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SealedBatch:
    """A batch ready to be sent: the signed manifest and the canonical bytes of its transactions, in order."""

    batch_id: str
    manifest: dict[str, Any]
    transactions: tuple[bytes, ...]
    openings: tuple[Opening, ...]

    @classmethod
    def of_events(cls, events: Sequence[Mapping[str, Any]]) -> SealedBatch:
        """A batch that was sealed before, to be sent again; its openings are where they were kept.

        Raises:
            NotUsable: the events are not a signed manifest and its transactions.
        """
        manifest, *transactions = events
        try:
            batch_id, count = manifest["data"]["batch_id"], manifest["data"]["count"]
        except (KeyError, TypeError):
            raise NotUsable("a sealed batch begins with its manifest") from None
        if "signature" not in manifest or count != len(transactions):
            raise NotUsable("a sealed batch is a signed manifest and as many transactions as it counts")
        lines = tuple(encode(transaction) for transaction in transactions)
        return cls(batch_id=batch_id, manifest=dict(manifest), transactions=lines, openings=())

    @property
    def lines(self) -> list[bytes]:
        """All submissions of the batch, the manifest first."""
        return [encode(self.manifest), *self.transactions]


def seal(
    transactions: Iterable[Transaction],
    *,
    rules: ServiceRules,
    period: str,
    key: Ed25519PrivateKey,
    other_kind: str | None = None,
    now: datetime | None = None,
    draw_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> SealedBatch:
    """Seal one period's transactions by the four steps above.

    Raises:
        NotUsable: too many or too few transactions, an unknown kind, a period that is not over, or of another length
            than the service's.
    """
    ended = period_end(period)
    if rules.period_form not in (None, period_form(period)):
        raise NotUsable(f"the service {rules.service_id} has periods of the form {rules.period_form}, not {period}")
    if ended > (datetime.now(UTC) if now is None else now):
        raise NotUsable(f"the period {period} is not over; a batch is sealed after it")
    drawn = [(one, draw_bytes(RANDOM_BYTES)) for one in transactions]
    if len(drawn) > MAX_TRANSACTIONS:
        raise NotUsable(f"a batch holds at most {MAX_TRANSACTIONS} transactions, these are {len(drawn)}; split them")
    # 1.
    shown_as = merge_small_cells(Counter(one.kind for one, _ in drawn), rules=rules, other_kind=other_kind)
    # 2.
    secrets.SystemRandom().shuffle(drawn)
    # 3.
    batch_id = draw_bytes(16).hex()
    envelope = {
        "specversion": "1.0",
        "source": rules.owner,
        "subject": f"service/{rules.service_id}/{period}",
        "time": ended.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    openings = tuple(
        Opening(
            number=number,
            commitment=commitment(encode(one.record), salt).hex(),
            random=salt.hex(),
            kind=one.kind,
            record=one.record,
        )
        for number, (one, salt) in enumerate(drawn, 1)
    )
    lines = tuple(
        encode(
            {
                **envelope,
                "type": "service.transaction-recorded.v1",
                "id": f"{batch_id}/{opening.number}",
                "data": {"commitment": opening.commitment, "kind": shown_as[opening.kind], "period": period},
            }
        )
        for opening in openings
    )
    # 4.
    manifest = {
        **envelope,
        "type": "service.batch-sealed.v1",
        "id": f"{batch_id}/0",
        "data": _manifest_data(batch_id, period, lines, [shown_as[opening.kind] for opening in openings]),
    }
    return SealedBatch(batch_id=batch_id, manifest=sign(manifest, key), transactions=lines, openings=openings)


def commitment(record: bytes, random: bytes) -> bytes:
    """What may stand in the log for a record: SHA-256(prefix ‖ 0x00 ‖ r ‖ SHA-256(canonical record))."""
    return sha256(COMMITMENT_PREFIX + random + sha256(record).digest()).digest()


def merge_small_cells(counts: Mapping[str, int], *, rules: ServiceRules, other_kind: str | None) -> dict[str, str]:
    """As which kind is each kind shown? Itself, or `other_kind` where its cell says too much about few people.

    The merged cell takes in the smallest of the others until it is large enough itself.

    Raises:
        NotUsable: there is no kind to merge into, or even all together are too few.
    """
    unknown = (set(counts) | ({other_kind} if other_kind else set())) - rules.kinds
    if unknown:
        raise NotUsable(f"the service {rules.service_id} has no kind {', '.join(sorted(unknown))}")
    if sum(counts.values()) < rules.minimum_cell:
        raise NotUsable(
            f"{sum(counts.values())} transactions are fewer than the smallest cell, {rules.minimum_cell}; "
            "wait, or take a longer period"
        )
    merged = {kind for kind, count in counts.items() if count < rules.minimum_cell}
    if not merged:
        return {kind: kind for kind in counts}
    if other_kind is None:
        raise NotUsable(
            f"{len(merged)} kinds have fewer than {rules.minimum_cell} transactions "
            f"({', '.join(sorted(merged))}); name a registered kind to merge them into, wait, or take a longer period"
        )
    merged |= {other_kind} & set(counts)
    for kind in sorted(set(counts) - merged, key=lambda kind: (counts[kind], kind)):
        if sum(counts[one] for one in merged) >= rules.minimum_cell:
            break
        merged.add(kind)
    return {kind: other_kind if kind in merged else kind for kind in counts}


def period_end(period: str) -> datetime:
    """When is a period over? At midnight in Seoul after its last day.

    >>> period_end("2021-Q1").astimezone(UTC).isoformat()
    '2021-03-31T15:00:00+00:00'

    Raises:
        NotUsable: the text names no period.
    """
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise NotUsable("a period is a year, a quarter (2021-Q1) or a month (2021-03)")
    year = int(match[1])
    last_month = int(match[2]) if match[2] else int(match[3]) * 3 if match[3] else _MONTHS_OF_A_YEAR
    if not 1 <= last_month <= _MONTHS_OF_A_YEAR or not 1 <= year < 9999:
        raise NotUsable("a period is a year, a quarter (2021-Q1) or a month (2021-03)")
    year, last_month = (year + 1, 0) if last_month == _MONTHS_OF_A_YEAR else (year, last_month)
    return datetime(year, last_month + 1, 1, tzinfo=KST)


def period_form(period: str) -> str:
    """Is this a MONTH, a QUARTER or a YEAR? A text that names no period counts as the last.

    >>> period_form("2021-03"), period_form("2021-Q1-r2"), period_form("2019")
    ('MONTH', 'QUARTER', 'YEAR')
    """
    match = _PERIOD.fullmatch(period)
    return "MONTH" if match and match[2] else "QUARTER" if match and match[3] else "YEAR"


def _manifest_data(batch_id: str, period: str, lines: Sequence[bytes], kinds: Sequence[str]) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "period": period,
        "count": len(lines),
        "counts_by_kind": [{"kind": kind, "count": count} for kind, count in sorted(Counter(kinds).items())],
        "submissions_root": root_of_leaf_hashes([leaf_hash(line) for line in lines]).hex(),
    }
