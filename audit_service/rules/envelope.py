"""Is an event well formed around its payload? Type, subject, source, id and legal date.

Asked at entry and in replay alike. Section 3 of the design gives the attributes. Forms that agencies repeat
(subject, source) are remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from audit_service.catalogue.types import CORRECTING, EVENT_TYPES, requires_legal_date, subject_pattern
from audit_service.rules.dates import is_calendar_date
from audit_service.rules.errors import RuleBroken

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

_SOURCE = re.compile(r"urn:kr:agency:[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_DATED = frozenset(name for name in EVENT_TYPES if requires_legal_date(name))
_CORRECTS_NOTHING = frozenset(
    name for name, payload in EVENT_TYPES.items() if name not in CORRECTING and "corrects" in payload.__struct_fields__
)
_ID = re.compile(r"[A-Za-z0-9._:/-]{1,128}", re.ASCII)


def check_envelope(event: Event) -> None:
    """Are the attributes around the payload well formed?

    Raises:
        RuleBroken: `envelope.type-unknown`, `envelope.subject-form`, `envelope.source-form`, `envelope.id-form`,
            `envelope.legal-date-missing`, `envelope.legal-date-invalid`, `envelope.legal-date-unexpected` or
            `envelope.corrects-unexpected`.
    """
    if event.type not in EVENT_TYPES:
        raise RuleBroken("envelope.type-unknown", "the catalogue has no such type", stream="")
    if not _subject_fits(event.type, event.subject):
        raise RuleBroken("envelope.subject-form", "this type stands on subjects of another form", stream="")
    if not _source_fits(event.source):
        raise RuleBroken("envelope.source-form", "a source is urn:kr:agency:<code>", stream=event.subject)
    if _ID.fullmatch(event.id) is None:
        raise RuleBroken("envelope.id-form", "an id is 1 to 128 of A-Z a-z 0-9 . _ : / -", stream=event.subject)
    _check_legal_date(event)
    if event.type in _CORRECTS_NOTHING and isinstance(event.data.corrects, str):
        # Silently passed over, it would look like a correction and be none.
        raise RuleBroken("envelope.corrects-unexpected", "this type corrects no earlier event", stream=event.subject)


@lru_cache(maxsize=4096)
def _subject_fits(event_type: str, subject: str) -> bool:
    return subject_pattern(event_type).fullmatch(subject) is not None


@lru_cache(maxsize=1024)
def _source_fits(source: str) -> bool:
    return _SOURCE.fullmatch(source) is not None


def _check_legal_date(event: Event) -> None:
    day = event.legal_date
    if event.type in _DATED:
        if day is None:
            raise RuleBroken("envelope.legal-date-missing", "a legal date is required", stream=event.subject)
        if len(day) != 10 or not is_calendar_date(day):
            raise RuleBroken("envelope.legal-date-invalid", "a legal date is a day, YYYY-MM-DD", stream=event.subject)
    elif day is not None:
        # On a service transaction a day would leak when it happened; elsewhere it would decide nothing.
        raise RuleBroken(
            "envelope.legal-date-unexpected",
            "this type has no legal effect, so no date",
            stream=event.subject,
        )
