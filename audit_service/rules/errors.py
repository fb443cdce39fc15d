"""Which rule is broken, where, and what would have passed?

One error for all rules: whoever reads it acts on `rule_id`, whose sentence stands in `rulebook.RULES`.
Messages name what was expected and what was found as amounts, dates and states; free text of the input is
never echoed.
"""

from __future__ import annotations

from typing import Any


class RuleBroken(Exception):
    """A rule refuses an event: nothing has been changed.

    `stream` is the subject that the event was meant for ("" while the subject itself is not well formed),
    `columns` the figures that do not fit, each by its name, and `allowed` the value or the bound that would pass.
    """

    def __init__(
        self,
        rule_id: str,
        message: str,
        *,
        stream: str,
        columns: dict[str, Any] | None = None,
        allowed: int | str | None = None,
    ) -> None:
        super().__init__(f"{rule_id}: {message}")
        self.rule_id = rule_id
        self.message = message
        self.stream = stream
        self.columns = columns
        self.allowed = allowed

    def __reduce__(self) -> tuple[Any, ...]:
        # The default passes `args` alone, without the keyword-only fields: a worker process could not report.
        return (_rebuild, (self.rule_id, self.message, self.stream, self.columns, self.allowed))


def _rebuild(
    rule_id: str, message: str, stream: str, columns: dict[str, Any] | None, allowed: int | str | None
) -> RuleBroken:
    return RuleBroken(rule_id, message, stream=stream, columns=columns, allowed=allowed)
