"""Which subcommand of `audit` was asked for, and with what exit code does it end?

Each subcommand is one module with two functions: `add_arguments(parser)` fills an argument parser (with
`parser.description` and, as examples, `parser.epilog`), `run(args)` does the work and returns the exit code.
A module is imported only when its subcommand is asked for: `audit verify` works where no server is
installed.

Exit codes: 0 it holds, 1 it does not hold, 2 wrong use (one line on stderr), 130 interrupted.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.metadata
import os
import sys
from dataclasses import dataclass
from typing import NoReturn, Protocol, cast

from audit_cli.errors import (
    EXIT_HOLDS,
    EXIT_INTERRUPTED,
    EXIT_OUTPUT_CLOSED,
    EXIT_WRONG_USE,
    CommandError,
    WrongUse,
)
from audit_cli.output import make_stdout_forgiving, printable


@dataclass(frozen=True)
class Command:
    """A subcommand: the module that does it and one line for the list in `audit --help`."""

    module: str
    summary: str


CHECKING: dict[str, Command] = {
    "verify": Command("audit_cli.verify", "check one entry, or one row of a report, from a proof file, offline"),
    "mirror": Command("audit_cli.mirror", "copy a log and the service's answers into a directory, verified"),
    "replay": Command("audit_cli.replay", "recompute everything from the log's entries and compare"),
    "report": Command("audit_cli.report", "list, prove, compare and publish the reports that bind the city"),
    "box": Command("audit_cli.box", "check that a ballot is in a sealed ballot box; build one, with its paths"),
    "export": Command("audit_cli.export", "write what a log says in another standard's form, after a replay"),
}
KEEPING: dict[str, Command] = {
    "demo": Command("audit_cli.demo", "set up the demo city, post its events, serve it"),
    "serve": Command("audit_cli.serve", "serve the API, the log and the pages"),
    "init": Command("audit_cli.init", "create a ledger: keys, database, genesis entry"),
    "db": Command("audit_cli.db", "upgrade the database; rebuild the read models"),
    "fsck": Command("audit_cli.fsck", "recompute everything and name the place of every wrong byte"),
    "backup": Command("audit_cli.backup", "copy what may be restored, while the service runs"),
    "restore": Command("audit_cli.restore", "put a backup back, never over what was signed later"),
    "tokens": Command("audit_cli.tokens", "issue, revoke and list the tokens of those who call the service"),
}
WRITING: dict[str, Command] = {
    "keys": Command("audit_cli.keys", "say in the log who may write: register, revoke, rotate, list keys"),
    "log": Command("audit_cli.log", "change the log's policy and witnesses, or end it"),
    "submit": Command("audit_cli.submit", "sign events, send them, check and keep the receipts"),
}
COMMANDS: dict[str, Command] = {**CHECKING, **WRITING, **KEEPING}

_EPILOG = """\
examples:
  audit mirror http://127.0.0.1:8000/log ./copy --vkey @log.vkey
  audit replay ./copy --vkey @log.vkey
  audit verify receipt.tlog-proof --entry entry.json --vkey @log.vkey

exit codes: 0 holds, 1 does not hold, 2 wrong use. `audit COMMAND --help` says more about each command.
"""


class CommandModule(Protocol):
    """What a subcommand's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Fill the parser with options, a description and examples."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work; returns the exit code."""


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose complaints are one clear line and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is."""
        raise WrongUse(f"{message} (see `{self.prog} --help`)")


def main(argv: list[str] | None = None) -> int:
    """Run `audit` with these arguments (default: the process's own); returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    make_stdout_forgiving()
    name = f"audit {arguments[0]}" if arguments and arguments[0] in COMMANDS else "audit"
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except CommandError as error:
        return _complain(name, str(error), error.exit_code)
    except KeyboardInterrupt:
        return _complain(name, "interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our stdout has gone (`audit replay … | head`): nothing more can be said there, and the
        # interpreter must not try to flush it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OUTPUT_CLOSED
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _complain(name, f"{place}{error.strerror or error}", EXIT_WRONG_USE)
    except SystemExit as end:  # argparse, after --help
        return end.code if isinstance(end.code, int) else EXIT_HOLDS
    return code


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        raise WrongUse("which command? (see `audit --help`)")
    name, rest = arguments[0], arguments[1:]
    if name in {"-h", "--help"}:
        _top_parser().print_help()
        return EXIT_HOLDS
    if name == "--version":
        sys.stdout.write(f"audit {_version()}\n")
        return EXIT_HOLDS
    if name not in COMMANDS:
        raise WrongUse(_unknown(name))
    module = load_command(name)
    parser = OneLineParser(
        prog=f"audit {name}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return module.run(parser.parse_args(rest))


def load_command(name: str) -> CommandModule:
    """Import the module of one subcommand.

    Raises:
        WrongUse: this installation lacks what the subcommand needs.
    """
    command = COMMANDS[name]
    try:
        return cast("CommandModule", importlib.import_module(command.module))
    except ModuleNotFoundError as error:
        if name not in KEEPING:
            raise
        missing = error.name or "a module"
        if missing == command.module:
            raise WrongUse(f"this version does not have the command `{name}` yet") from error
        raise WrongUse(
            f"`{missing}` is not installed; this command needs the extra: pip install 'audit-service[server]'"
        ) from error


def _top_parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    listing = [
        "check a log (anybody; needs no server):",
        *[f"  {name:<{width}}  {command.summary}" for name, command in CHECKING.items()],
        "",
        "write to a log (an agency; needs no server):",
        *[f"  {name:<{width}}  {command.summary}" for name, command in WRITING.items()],
        "",
        "keep a log (the city):",
        *[f"  {name:<{width}}  {command.summary}" for name, command in KEEPING.items()],
    ]
    parser = argparse.ArgumentParser(
        prog="audit",
        usage="audit COMMAND [options]",
        description="A public ledger for a city: keep it, copy it, check it.\n\n" + "\n".join(listing),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    return parser


def _unknown(name: str) -> str:
    if name.startswith("-"):
        return f"there is no option {name} before a command (see `audit --help`)"
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "see `audit --help`"
    return f"there is no command {name!r} ({hint})"


def _version() -> str:
    try:
        return importlib.metadata.version("audit-service")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed: run from a checkout)"


def _complain(name: str, message: str, code: int) -> int:
    one_line = printable(" ".join(message.split()))
    sys.stderr.write(f"{name}: {one_line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
