"""How does an entry of the log become an event that rules and folds understand?

An *event* is a fact of the city; an *entry* is its bytes in the log (canonical JSON, RFC 8785). The structs
here list their fields in the order of the canonical form, so encoding one yields canonical bytes
whenever `data` is canonical.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from audit_service.catalogue.types import EVENT_TYPES


class Submission(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False):
    """A CloudEvent 1.0 as an agency submits it (entry format, attributes marked *agency*)."""

    approval: str | UnsetType = UNSET
    data: Raw
    expectedposition: int | UnsetType = UNSET
    id: str
    legaldate: str | UnsetType = UNSET
    sequence: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    source: str
    specversion: str
    subject: str
    time: str
    type: str


class Entry(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False):
    """A submission with what the service adds: `position` in its stream and `recordedtime`."""

    approval: str | UnsetType = UNSET
    data: Raw
    expectedposition: int | UnsetType = UNSET
    id: str
    legaldate: str | UnsetType = UNSET
    position: int
    recordedtime: str
    sequence: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    source: str
    specversion: str
    subject: str
    time: str
    type: str


_SEQUENCE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def parse_sequence(text: str | UnsetType) -> int | None:
    """The number of a submission; None where there is none, or where the text is not of its form."""
    return int(text) if isinstance(text, str) and _SEQUENCE.fullmatch(text) else None


class Event(Struct, kw_only=True, gc=False):
    """One event with its typed payload: what rules decide about and folds add up.

    `position` is its place in the stream from 1 (0 while it is only submitted). `index` is its place in the log
    (-1 where nobody said it): no part of the entry, but rules about keys need it, so whoever decides or
    replays sets it first. `sequence` is the agency's own number of the submission, where it numbers them.
    """

    type: str
    subject: str
    source: str
    id: str
    time: str
    legal_date: str | None
    position: int
    recorded_time: str
    data: Any
    index: int = -1
    sequence: int | None = None


_entry_decoder = msgspec.json.Decoder(Entry)
DATA_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(payload) for name, payload in EVENT_TYPES.items()
}


def decode_entry(entry: bytes) -> Entry:
    """Read an entry's envelope without looking into `data`.

    Raises:
        msgspec.DecodeError: the bytes are not an entry.
    """
    return _entry_decoder.decode(entry)


def event_of(entry: Entry) -> Event:
    """Read the typed payload of an entry.

    Raises:
        KeyError: the type is not in the catalogue.
        msgspec.DecodeError: `data` does not fit the type.
    """
    legal_date = entry.legaldate
    return Event(
        type=entry.type,
        subject=entry.subject,
        source=entry.source,
        id=entry.id,
        time=entry.time,
        legal_date=None if isinstance(legal_date, UnsetType) else legal_date,
        position=entry.position,
        recorded_time=entry.recordedtime,
        data=DATA_DECODERS[entry.type].decode(entry.data),
        sequence=parse_sequence(entry.sequence),
    )


def decode_event(entry: bytes) -> Event:
    """Read an entry of the log as a typed event; raises as `decode_entry` and `event_of` do."""
    return event_of(_entry_decoder.decode(entry))
