"""How does a command speak: results on stdout, progress on stderr, for people or for programs?

Text for people goes to stdout as it comes; with `--json` exactly one JSON document goes there instead.
Progress goes to stderr and never mixes with results. Text that comes out of a log was written by others:
control characters in it are shown as escapes, so that an entry cannot repaint the auditor's terminal.
"""

from __future__ import annotations

import io
import json
import sys
import time
import unicodedata
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_TERMINAL_INTERVAL_S = 0.1
_PLAIN_INTERVAL_S = 5.0


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Which options about speaking does every checking command have?"""
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    group.add_argument("--quiet", action="store_true", help="print no progress and no steps, only the verdict")


class Output:
    """The two channels of one command.

    Args:
        as_json: results are one JSON document; lines for people are dropped.
        quiet: no progress, no steps; verdicts and documents are still printed.
        stdout: where results go.
        stderr: where progress goes.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        quiet: bool = False,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._stdout = sys.stdout if stdout is None else stdout
        self._stderr = sys.stderr if stderr is None else stderr
        self._terminal = self._stderr.isatty()
        self._last_progress = float("-inf")
        self._progress_shown = False

    @classmethod
    def of(cls, args: argparse.Namespace) -> Output:
        """The output that `--json` and `--quiet` ask for."""
        return cls(as_json=args.json, quiet=args.quiet)

    def step(self, line: str) -> None:
        """Print a line on the way to a verdict; dropped with `--quiet` and `--json`."""
        if not self.quiet:
            self.verdict(line)

    def verdict(self, line: str) -> None:
        """Print a line that belongs to the verdict; dropped with `--json` only."""
        if not self.as_json:
            self.end_progress()
            self._stdout.write(printable(line) + "\n")

    def document(self, document: Any) -> None:
        """Print the one JSON document of `--json`; dropped without it."""
        if self.as_json:
            self.end_progress()
            # ASCII only: no control or look-alike character of a log reaches the terminal this way either.
            self._stdout.write(json.dumps(document, indent=2, sort_keys=True) + "\n")

    def note(self, line: str) -> None:
        """Print a remark for people on stderr, also with `--json`; dropped with `--quiet`."""
        if not self.quiet:
            self.end_progress()
            self._stderr.write(printable(line) + "\n")
            self._stderr.flush()

    def progress(self, text: str) -> None:
        """Show how far the work is: one rewritten line on a terminal, elsewhere a line now and then."""
        if self.quiet:
            return
        now = time.monotonic()
        interval_s = _TERMINAL_INTERVAL_S if self._terminal else _PLAIN_INTERVAL_S
        if self._last_progress == float("-inf") and not self._terminal:
            self._last_progress = now  # short work says nothing
            return
        if now - self._last_progress < interval_s:
            return
        self._last_progress = now
        if self._terminal:
            self._stderr.write("\r\x1b[K" + printable(text))
            self._progress_shown = True
        else:
            self._stderr.write(printable(text) + "\n")
        self._stderr.flush()

    def end_progress(self) -> None:
        """Clear the line of progress, so that what follows starts on a line of its own."""
        if self._progress_shown:
            self._stderr.write("\r\x1b[K")
            self._stderr.flush()
            self._progress_shown = False


def printable(text: str) -> str:
    r"""Show control characters as escapes; keep line ends and every letter.

    >>> printable("won\x1b[2J 100")
    'won\\x1b[2J 100'
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char == "\n" or unicodedata.category(char) == "Zs"
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Align rows under their headers; Korean letters are two columns wide.

    Args:
        headers: one word for each column.
        rows: the cells as text.
        right: the columns that are set flush right (figures).
    """
    lines = [list(headers), *[list(row) for row in rows]]
    widths = [max(_columns(line[column]) for line in lines) for column in range(len(headers))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(_pad(cell, width=widths[column], right=column in right) for column, cell in enumerate(line)).rstrip()
        for line in lines
    )


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _pad(cell: str, *, width: int, right: bool) -> str:
    space = " " * (width - _columns(cell))
    return space + cell if right else cell + space


def make_stdout_forgiving() -> None:
    """Let a terminal without Korean letters show escapes instead of ending the command with an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
