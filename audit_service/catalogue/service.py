"""What does a public service report, and what stands behind its counts?

Stream `service/<service id>` holds the registration and the published counts; stream
`service/<service id>/<period>` holds one period's sealed batches: a signed manifest and, right behind it,
its transactions, which carry a salted commitment and nothing about a person.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from audit_service.catalogue.common import (
    Code,
    Count,
    Payload,
    PositiveCount,
    Provenance,
    Sha256Hex,
    Text,
)

Period = Annotated[str, Meta(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]))?(-r[0-9]{1,2})?(?!\n)$")]


class ServiceKind(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A kind of transaction of a service."""

    code: Code
    name_ko: Text
    name_en: Text | UnsetType = UNSET


class ServiceRegistered(Payload, kw_only=True):
    """A service with the one unit it counts in; without the unit a total means nothing."""

    name_ko: Text
    name_en: Text
    unit_ko: Text
    unit_en: Text
    kinds: Annotated[list[ServiceKind], Meta(min_length=1)]
    minimum_cell: Annotated[int, Meta(ge=5, le=1000)]
    project_id: Code | UnsetType = UNSET
    status: Literal["operating", "planned"]


class CountPublished(Payload, kw_only=True):
    """A count that the city published; it stays unreconciled where no transactions stand behind it.

    `period` names the period of `service/<service id>/<period>` that it counts; without it, all of them.
    """

    count_id: Code
    kind: Code
    count: Count
    unit_ko: Text
    period: Period | UnsetType = UNSET
    period_ko: Text
    text_printed: Text | UnsetType = UNSET


class KindCount(Struct, forbid_unknown_fields=True, kw_only=True):
    """How many transactions of one kind a batch holds."""

    kind: Code
    count: PositiveCount


class BatchSealed(Payload, kw_only=True):
    """The manifest of a sealed batch: it opens the batch and speaks for every transaction in it.

    `submissions_root` (hex) is the RFC 6962 root over the canonical submissions of the transactions, in
    order. The id of the n-th transaction (from 1) is `<batch_id>/<n>`; the manifest's own id is `<batch_id>/0`.
    """

    batch_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,100}(?!\n)$")]
    period: Period
    count: PositiveCount
    counts_by_kind: Annotated[list[KindCount], Meta(min_length=1)]
    submissions_root: Sha256Hex


class TransactionRecorded(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False):
    """One service transaction: its kind, its period and a salted commitment (64 lower-case hex digits).

    `commitment = SHA-256("audit-service/commitment/v1" ‖ 0x00 ‖ r ‖ SHA-256(canonical record))` with 32 fresh
    random bytes `r`; record and `r` never enter the log. The form of the commitment is checked by the rules,
    not by a pattern here: this is the one type that arrives by the ten thousand.
    """

    commitment: str
    kind: str
    period: str
    provenance: Provenance | UnsetType = UNSET


TYPES: dict[str, type[Struct]] = {
    "service.registered.v1": ServiceRegistered,
    "service.count-published.v1": CountPublished,
    "service.batch-sealed.v1": BatchSealed,
    "service.transaction-recorded.v1": TransactionRecorded,
}
