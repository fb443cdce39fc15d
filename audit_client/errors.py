"""What can go wrong for an agency that submits, sorted by who can act?

    ClientError
    ├── NotUsable             the agency's own key, event or records cannot be used as they are
    ├── Refused               the service read it and said no; its problem document says why
    ├── NoAnswer              the service did not answer in time: send the same again, nothing is recorded twice
    └── EvidenceDoesNotHold   the service answered, and what it shows does not prove what it says: keep both

Messages name what was expected and what was found, never a key or a token.
"""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """A submission did not end with a checked receipt; catch this to catch all four."""


class NotUsable(ClientError):
    """The agency's own key, event or records cannot be used as they are; nothing was sent."""


class NoAnswer(ClientError):
    """The service did not answer in time; the same submission may be sent again."""


class EvidenceDoesNotHold(ClientError):
    """What the service showed does not prove that the submission is in the log that was pinned."""


class Refused(ClientError):
    """The service refused the submission; `problem` is its RFC 9457 document."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        parts = (self.rule_id, problem.get("title"), problem.get("detail"))
        super().__init__(" · ".join(str(part) for part in parts if part) or "refused without an explanation")

    @property
    def rule_id(self) -> str | None:
        """The rule that the submission would break, where it is one."""
        found = self.problem.get("rule_id")
        return found if isinstance(found, str) else None
