"""Which numbers did an agency give to its submissions, and which submissions were refused?

Streams `registry/agency/<code>`. A number (the attribute `sequence`) is inside the agency's signature, so a number
that never arrives can be seen; a refused submission leaves a trace, so that it is neither a gap nor a secret.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from audit_service.catalogue.common import Code, Count, Date, Payload, Sha256Hex

# As the attribute `sequence`: larger than the integers of the entry format, so it is text.
Sequence = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,18})(?!\n)$")]
Source = Annotated[str, Meta(pattern=r"^urn:kr:agency:[a-z0-9][a-z0-9-]{0,62}(?!\n)$")]
RuleId = Annotated[str, Meta(pattern=r"^[a-z]{1,32}\.[a-z-]{1,64}(?!\n)$")]


class DayClosed(Payload, kw_only=True):
    """An agency's signed account of one day in Korean time: how many submissions it made, under which numbers.

    A day without submissions has the count 0 and names no numbers.
    """

    day: Date
    first_sequence: Sequence | UnsetType = UNSET
    last_sequence: Sequence | UnsetType = UNSET
    count: Count


class SubmissionRefused(Payload, kw_only=True):
    """The service refused a truly signed submission: whose, which, and by which rule; never what it said.

    `digest` is the SHA-256 of the canonical submission without its signatures. It is left out where the submission
    was refused for personal data: who knows the rest of the bytes could try out what was in them.
    """

    source: Source
    id: Code
    digest: Sha256Hex | UnsetType = UNSET
    rule_id: RuleId
    sequence: Sequence | UnsetType = UNSET


TYPES: dict[str, type[Payload]] = {
    "registry.day-closed.v1": DayClosed,
    "registry.submission-refused.v1": SubmissionRefused,
}
