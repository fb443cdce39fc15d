"""What may go wrong in a command, sorted by who can act?

CommandError: the command ends with one line on stderr
  - WrongUse: exit 2; arguments, paths or addresses that cannot be used as asked; nothing was judged
  - DoesNotHold: exit 1; something was checked, and it is not as it claims to be
"""

from __future__ import annotations

EXIT_HOLDS = 0
EXIT_DOES_NOT_HOLD = 1
EXIT_WRONG_USE = 2
EXIT_INTERRUPTED = 130
EXIT_OUTPUT_CLOSED = 141


class CommandError(Exception):
    """A command ends early; the message is the one line that the user reads."""

    exit_code = EXIT_WRONG_USE


class WrongUse(CommandError):
    """The command was asked for something that it cannot do as asked; nothing was judged."""


class DoesNotHold(CommandError):
    """What was checked is not as it claims to be."""

    exit_code = EXIT_DOES_NOT_HOLD
