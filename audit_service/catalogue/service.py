"""What does a public service report, and what stands behind its counts?

Stream `service/<service id>` holds the registration, the published counts, ballots and schemes of checks; stream
`service/<service id>/<period>` holds one period's sealed batches: a signed manifest and, right behind it, its
transactions, which carry a salted commitment and nothing about a person. There too stands what became of them
(voided, side record erased), and the credentials of the period.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from audit_service.catalogue.common import (
    Code,
    CommitmentHex,
    Count,
    Date,
    Payload,
    PositiveCount,
    Provenance,
    Sha256Hex,
    Text,
)

Period = Annotated[str, Meta(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]))?(-r[0-9]{1,2})?(?!\n)$")]
BatchId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,100}(?!\n)$")]
# 2^20 credentials in one list are 128 KiB of bits: what a wallet can still fetch whole, and so without being seen.
StatusIndex = Annotated[int, Meta(ge=0, le=1_048_575)]


class ServiceKind(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A kind of transaction of a service."""

    code: Code
    name_ko: Text
    name_en: Text | UnsetType = UNSET


class ServiceRegistered(Payload, kw_only=True):
    """A service with the one unit it counts in; without the unit a total means nothing.

    `minimum_cell` is the smallest count that says nothing about few people (k). `period_form`: how long its periods
    are. `record_schema_sha256`: the digest of the schema of the records behind its commitments, which never enter the
    log; `retention_months`: how long they are kept after the end of their period. The law it rests on is the `basis`.
    """

    name_ko: Text
    name_en: Text
    unit_ko: Text
    unit_en: Text
    kinds: Annotated[list[ServiceKind], Meta(min_length=1)]
    minimum_cell: Annotated[int, Meta(ge=5, le=1000)]
    project_id: Code | UnsetType = UNSET
    status: Literal["operating", "planned"]
    period_form: Literal["MONTH", "QUARTER", "YEAR"] | UnsetType = UNSET
    record_schema_sha256: Sha256Hex | UnsetType = UNSET
    retention_months: Annotated[int, Meta(ge=1, le=1200)] | UnsetType = UNSET


class CountPublished(Payload, kw_only=True):
    """A count that the city published; it stays unreconciled where no transactions stand behind it.

    `period` names the period of `service/<service id>/<period>` that it counts; without it, all of them. With
    `corrects` it takes the place of an earlier count of the same id; both remain visible.
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

    batch_id: BatchId
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


class TransactionVoided(Payload, kw_only=True):
    """A recorded transaction counts no more (무효): the leaf stays, counts are shown gross and net.

    It is named by its commitment, which says nothing about anybody; the reason is a code and never a text.
    """

    commitment: CommitmentHex
    kind: Code
    reason_code: Literal["DUPLICATE", "ENTRY_ERROR", "TEST", "WITHDRAWN"]


class SideRecordErased(Payload, kw_only=True):
    """The record and the random bytes behind one commitment are erased (파기): it opens for nobody any more.

    The leaf stays, and so do counts and proofs. `deletion_receipt_sha256` is the digest of the store's receipt. It
    never says whose record it was.
    """

    commitment: CommitmentHex
    cause: Literal["RETENTION", "REQUEST", "COURT"]
    erased_on: Date
    deletion_receipt_sha256: Sha256Hex


class BatchRecordsErased(Payload, kw_only=True):
    """All records behind a sealed batch that were not erased one by one are erased: their time to be kept is over.

    `count` is how many these were.
    """

    batch_id: BatchId
    count: PositiveCount
    cause: Literal["RETENTION", "COURT"]
    erased_on: Date
    deletion_receipt_sha256: Sha256Hex


class BallotOpened(Payload, kw_only=True):
    """A ballot is announced before anybody votes: its question and options by digest, how many may vote, and when."""

    ballot_id: Code
    question_sha256: Sha256Hex
    options_sha256: Sha256Hex
    option_codes: Annotated[list[Code], Meta(min_length=2, max_length=100)]
    electorate_count: PositiveCount
    opens_on: Date
    closes_on: Date


class BallotSealed(Payload, kw_only=True):
    """The ballot box after the last day: how many ballots lie in it, and the RFC 6962 root over them.

    Its leaves are the ballots' commitments, 32 bytes each, sorted. A voter's receipt proves that a ballot lies in the
    box, never which choice it holds: a receipt that opened the choice could be sold.
    """

    ballot_id: Code
    ballots_cast: Count
    box_root: Sha256Hex


class OptionCount(Struct, forbid_unknown_fields=True, kw_only=True):
    """How many ballots chose one option."""

    option: Code
    count: Count


class BallotTallied(Payload, kw_only=True):
    """What the sealed ballots say: one count for every option, and how many say nothing valid."""

    ballot_id: Code
    tally: Annotated[list[OptionCount], Meta(min_length=2, max_length=100)]
    invalid_count: Count


class CredentialIssued(Payload, kw_only=True):
    """A credential (such as a certificate in a wallet) is issued: its place in a status list, and its commitment.

    The status list belongs to the stream of the period that it was opened in. Places are drawn at random, and the
    entry's `time` is the period's end: neither tells when, or after whom, somebody came.
    """

    kind: Code
    status_list_id: Code
    status_index: StatusIndex
    commitment: CommitmentHex


class CredentialRevoked(Payload, kw_only=True):
    """A credential is valid no more, by its place in its status list; for ever."""

    kind: Code
    status_list_id: Code
    status_index: StatusIndex


class CheckKind(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One of the checks that a person passes through together."""

    code: Code
    name_ko: Text
    name_en: Text | UnsetType = UNSET


class CheckSchemeRegistered(Payload, kw_only=True):
    """Which checks does one sealed transaction of a kind answer, all at once?

    One leaf is one person in one round: its commitment covers the answers to all checks, so that neither a single
    answer nor the number of refusals is ever seen. `round` names the one period that it is about; without it, all.
    """

    scheme_id: Code
    name_ko: Text
    name_en: Text | UnsetType = UNSET
    kind: Code
    round: Period | UnsetType = UNSET
    check_kinds: Annotated[list[CheckKind], Meta(min_length=1, max_length=100)]


TYPES: dict[str, type[Struct]] = {
    "service.registered.v1": ServiceRegistered,
    "service.count-published.v1": CountPublished,
    "service.batch-sealed.v1": BatchSealed,
    "service.transaction-recorded.v1": TransactionRecorded,
    "service.transaction-voided.v1": TransactionVoided,
    "service.side-record-erased.v1": SideRecordErased,
    "service.batch-records-erased.v1": BatchRecordsErased,
    "service.ballot-opened.v1": BallotOpened,
    "service.ballot-sealed.v1": BallotSealed,
    "service.ballot-tallied.v1": BallotTallied,
    "service.credential-issued.v1": CredentialIssued,
    "service.credential-revoked.v1": CredentialRevoked,
    "service.check-scheme-registered.v1": CheckSchemeRegistered,
}
# Those that stand on `service/<service id>/<period>`.
PERIOD_TYPES = frozenset(
    {
        "service.batch-sealed.v1",
        "service.transaction-recorded.v1",
        "service.transaction-voided.v1",
        "service.side-record-erased.v1",
        "service.batch-records-erased.v1",
        "service.credential-issued.v1",
        "service.credential-revoked.v1",
    }
)
