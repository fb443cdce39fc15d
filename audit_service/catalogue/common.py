"""Which kinds of values may stand in the payload of any event?

Money is integer won, dates are legal dates in Korean time (KST), text is NFC and never a person's name.
Limits follow the entry format: integers within ±(2^53-1) (RFC 8785 section 3.2.2.3), no floats.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

MAX_SAFE_INTEGER = 2**53 - 1

Won = Annotated[int, Meta(ge=-MAX_SAFE_INTEGER, le=MAX_SAFE_INTEGER)]
PositiveWon = Annotated[int, Meta(gt=0, le=MAX_SAFE_INTEGER)]
NonNegativeWon = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)]
Count = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)]
PositiveCount = Annotated[int, Meta(gt=0, le=MAX_SAFE_INTEGER)]
FiscalYear = Annotated[int, Meta(ge=1948, le=2999)]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
LongText = Annotated[str, Meta(min_length=1, max_length=8000)]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:/-]{1,128}(?!\n)$")]
Date = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?!\n)$")]
Month = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])(?!\n)$")]
# A source that gives a year, a month or a day is recorded as precisely as it speaks, no more.
PartialDate = Annotated[str, Meta(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?(?!\n)$")]
Sha256Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
ObjectCode = Annotated[str, Meta(pattern=r"^[0-9]{3}-[0-9]{2}(?!\n)$")]

# A share in basis points: 10,000 are the whole.
BasisPoints = Annotated[int, Meta(ge=0, le=1_000_000)]
CommitmentHex = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]

Provenance = Literal["printed", "derived", "illustrative", "synthetic"]
Fund = Literal["NATIONAL", "CITY", "DISTRICT", "OTHER"]


class Document(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A document by its title and digest; its bytes stay outside the log and may be erased there."""

    title: Text
    sha256: Sha256Hex | UnsetType = UNSET
    media_type: Text | UnsetType = UNSET
    size_bytes: Count | UnsetType = UNSET


class Basis(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The document that a fact rests on (근거)."""

    title: Text
    document_number: Text | UnsetType = UNSET
    date: PartialDate | UnsetType = UNSET
    sha256: Sha256Hex | UnsetType = UNSET


class Party(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Somebody the city deals with: an organisation by its public code, or a salted commitment; never a person's name.

    A sole proprietor (개인사업자) is a person: committed. `NOT_STATED` only where the source of an import is silent.
    """

    kind: Literal["CORPORATION", "PUBLIC_BODY", "COMMITTED", "NOT_STATED"]
    organisation_id: Code | UnsetType = UNSET
    commitment: CommitmentHex | UnsetType = UNSET


class Payload(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What any `data` may carry beside its own fields (entry format, attribute `data`)."""

    basis: Basis | UnsetType = UNSET
    documents: list[Document] | UnsetType = UNSET
    actor_role: Text | UnsetType = UNSET
    corrects: Code | UnsetType = UNSET
    provenance: Provenance | UnsetType = UNSET
    note_ko: Text | UnsetType = UNSET
    note_en: Text | UnsetType = UNSET
