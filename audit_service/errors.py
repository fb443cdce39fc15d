"""What can go wrong on the city's side, sorted by who can act?

    AuditServiceError
    ├── SubmissionRefused            the submitter: nothing of this submission was recorded
    │   ├── SubmissionMalformed      not strict JSON, or not a CloudEvent of the entry format
    │   ├── PayloadInvalid           the type is known, `data` does not fit it
    │   ├── TypeUnknown              the type is not in the catalogue
    │   ├── SubmissionTooLarge       an entry may hold 65,535 bytes
    │   ├── SignatureRefused         no signature, a bad one, or a key that may not sign this
    │   ├── IdTaken                  the same (source, id) stands in the log with other bytes
    │   ├── PositionTaken            `expectedposition` is not the stream's next position
    │   └── BatchRefused             another item of the same atomic batch was refused
    ├── NotAuthorised                the caller: no token, or one that may not do this
    ├── NotInLog                     the reader: no such index, size or checkpoint
    ├── Overloaded                   the caller: later; the queue is full or the service is stopping
    │   ├── ClockBehind              the operator: the machine's clock went back, nothing is signed
    │   ├── JournalFull              the operator: recorded, but there is no room for the signature's record
    │   └── JournalUnavailable       the operator: recorded, but the journal's database does not answer
    ├── ReportRowsDamaged            us: kept rows of a report are not those that the log commits to
    ├── RecordingFailed              us: the commit failed, the caller may repeat the same submission
    ├── Quarantined                  the operator: signing now could contradict what was signed before
    │   ├── AnotherWriter            another process holds the lock of this log
    │   └── Fenced                   another process has taken over: this one may not write any more
    └── ConfigurationError           the operator: a setting, a key file or the data directory

`audit_service.rules.errors.RuleBroken` stands beside this tree: it is a verdict, and auditors raise it too.
"""

from __future__ import annotations


class AuditServiceError(Exception):
    """Root of the city's side."""

    slug = "internal"


class SubmissionRefused(AuditServiceError):
    """Nothing of this submission was recorded; `rule_id` names the rule, `message` never echoes input."""

    slug = "submission-refused"

    def __init__(self, message: str, *, rule_id: str) -> None:
        super().__init__(message)
        self.message = message
        self.rule_id = rule_id


class SubmissionMalformed(SubmissionRefused):
    """The bytes are not strict JSON, or not a submission of the entry format."""

    slug = "malformed-submission"


class PayloadInvalid(SubmissionRefused):
    """`data` does not fit its type."""

    slug = "schema-invalid"


class TypeUnknown(SubmissionRefused):
    """The type is not in the catalogue."""

    slug = "unknown-type"


class SubmissionTooLarge(SubmissionRefused):
    """The entry would not fit an entry bundle (65,535 bytes)."""

    slug = "too-large"


class SignatureRefused(SubmissionRefused):
    """No signature, a bad one, or a key that is not known here."""

    slug = "signature-invalid"


class IdTaken(SubmissionRefused):
    """The same (source, id) stands in the log with other bytes."""

    slug = "duplicate-id"


class PositionTaken(SubmissionRefused):
    """`expectedposition` is not the next position of the stream."""

    slug = "position-conflict"


class BatchRefused(SubmissionRefused):
    """This item is fine, but the atomic batch that it belongs to was refused."""

    slug = "batch-refused"


class NotAuthorised(AuditServiceError):
    """No token, an unknown one, or one that may not do this."""

    slug = "not-authorised"

    def __init__(self, message: str, *, authenticated: bool) -> None:
        super().__init__(message)
        self.message = message
        self.authenticated = authenticated


class NotInLog(AuditServiceError):
    """No such index, tree size or checkpoint; the message says what exists."""

    slug = "not-in-log"


class Overloaded(AuditServiceError):
    """The queue is full or the service is stopping; the same request may be sent again later."""

    slug = "overloaded"

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ClockBehind(Overloaded):
    """The machine's clock is behind what was recorded: nothing is signed until it is right again."""

    slug = "clock-behind"


class ReportRowsDamaged(AuditServiceError):
    """The kept rows of a published report are not those that the log commits to; nothing of them is shown."""

    slug = "report-rows-damaged"


class RecordingFailed(AuditServiceError):
    """The commit failed, or its answer was lost: the same submission may be sent again, and is recorded once."""

    slug = "recording-failed"


class JournalFull(Overloaded):
    """There is no room for the journal's record: recorded, not signed; signed as soon as there is room."""


class JournalUnavailable(Overloaded):
    """The journal's database does not answer: recorded, signed as soon as it does."""


class Quarantined(AuditServiceError):
    """The stores contradict each other; signing now could contradict what was signed before.

    The message says what was found, `remedy` what the operator can do. Both are shown to callers, so neither names
    a file of this machine: the log is public, and so is why it stands still.
    """

    slug = "quarantined"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class AnotherWriter(Quarantined):
    """Another process holds the lock of this log."""


class Fenced(Quarantined):
    """Another process has taken over with a later epoch; what this one writes does not count."""


class ConfigurationError(AuditServiceError):
    """A setting, a key file or the data directory is not usable; the message says what to do."""

    slug = "configuration"
