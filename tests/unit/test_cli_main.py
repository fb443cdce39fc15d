"""Does `audit` say in one line what was wrong, with the right exit code, and load nothing that it does not need?"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_cli import main as main_module
from audit_cli.errors import DoesNotHold
from audit_cli.main import CHECKING, COMMANDS, load_command, main
from audit_cli.output import Output, printable, table
from tests.support.log_builder import small_log

if TYPE_CHECKING:
    import argparse

ROOT = Path(__file__).resolve().parents[2]
VKEY = small_log().vkey


def audit(*arguments: str | Path, code: str = "") -> subprocess.CompletedProcess[str]:
    """A real process: `audit …`, or python code that calls it."""
    command = ["-c", code] if code else ["-m", "audit_cli.main"]
    return subprocess.run(
        [sys.executable, *command, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=ROOT
    )


WRONG_USE = [
    ([], "which command?"),
    (["vrify"], "there is no command 'vrify' (did you mean `verify`?)"),
    (["xyz"], "see `audit --help`"),
    (["--what"], "there is no option --what"),
    (["verify"], "required"),
    (["verify", "no-such.tlog-proof", "--entry", "e", "--vkey", VKEY], "cannot read no-such.tlog-proof"),
    (["verify", ".", "--entry", "e", "--vkey", VKEY], "cannot read ."),
    (["verify", "p", "--entry", "e", "--vkey", "nonsense"], "--vkey: verifier key: expected"),
    (["verify", "p", "--entry", "e", "--vkey", "nonsense"], "name one that exists"),
    (["verify", "p", "--entry", "e", "--vkey", "@no-such-file"], "cannot read no-such-file"),
    (["verify", "p", "--entry", "e", "--vkey", "pyproject.toml"], "--vkey in pyproject.toml"),
    (["verify", "p", "--entry", "e", "--vkey", VKEY.replace("+", "+0", 1)], "expected <name>+<key id>"),
    (["verify", "p", "--entry", "e", "--vkey", VKEY, "--jsn"], "unrecognized arguments: --jsn"),
    (["replay"], "required"),
    (["replay", "docs", "--vkey", VKEY], "no log here"),
    (["replay", "no-such-folder", "--vkey", VKEY], "no log here"),
    (["replay", "http://", "--vkey", VKEY], "not an http or https address"),
    (["replay", "http://127.0.0.1:1/log", "--vkey", VKEY], "no answer"),
    (["replay", "docs", "--vkey", VKEY, "--max-violations", "many"], "invalid int value"),
    (["replay", "docs", "--vkey", VKEY, "--max-violations", "0"], "must be 1 or more"),
    (["replay", "docs", "--vkey", VKEY, "--answers", "docs", "--no-answers"], "not allowed with"),
    (["mirror", "http://127.0.0.1:1/log"], "required: DIR"),
    (["mirror", "http://127.0.0.1:1/log", "pyproject.toml"], "is not a directory"),
]


@pytest.mark.parametrize(("arguments", "says"), WRONG_USE, ids=[" ".join(case[0])[:40] for case in WRONG_USE])
def test_wrong_use_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if "without --vkey" not in line]
    assert out == ""
    assert len(lines) == 1
    assert lines[0].startswith("audit")
    assert says in lines[0]


def test_a_real_process_agrees() -> None:
    wrong = audit("verify", "--entry")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert re.fullmatch(r"audit verify: .*expected one argument.*\n", wrong.stderr)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], *[[name, "--help"] for name in CHECKING]])
def test_help_helps(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert "examples:" in out
    assert "--vkey" in out
    assert err == ""
    assert max(map(len, out.splitlines())) <= 120


def test_every_command_is_listed_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    text = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.summary)}$", text, re.MULTILINE)


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"audit \S.*\n", capsys.readouterr().out)


def test_checking_commands_load_nothing_of_the_server() -> None:
    """What an auditor runs imports neither database, nor web framework, nor the city's write side."""
    found = audit(
        code="import json, sys\n"
        "from audit_cli.main import CHECKING, load_command\n"
        "for name in CHECKING: load_command(name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('audit_service.')]))\n"
    )
    tops, ours = (json.loads(line) for line in found.stdout.splitlines())
    assert not {
        "eventsourcing",
        "sqlalchemy",
        "fastapi",
        "starlette",
        "uvicorn",
        "alembic",
        "jinja2",
        "merklelib",
    } & set(tops)
    assert all(name.startswith(("audit_service.catalogue", "audit_service.rules")) for name in ours)
    assert {"verifier", "msgspec", "urllib3"} <= set(tops)


def test_a_command_without_its_dependencies_says_what_to_install() -> None:
    without = "import sys; sys.modules['fastapi'] = None\n"  # as if it were not installed
    done = audit(code=without + "from audit_cli.main import main; sys.exit(main(['serve', '--help']))")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "audit serve: `fastapi` is not installed; this command needs the extra: pip install 'audit-service[server]'\n"
    )


def test_a_command_that_is_not_written_yet_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COMMANDS, "serve", main_module.Command("audit_cli.no_such_module", "x"))
    assert main(["serve"]) == 2
    assert "does not have the command `serve` yet" in capsys.readouterr().err


class _Fails:
    """A command that ends as the test wants."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Has none."""

    def run(self, _args: argparse.Namespace) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "audit replay: interrupted\n"),
        (DoesNotHold("the log\nwent \x1b[2J back"), 1, "audit replay: the log went \\x1b[2J back\n"),
        (FileNotFoundError(2, "No such file", "x.json"), 2, "audit replay: x.json: No such file\n"),
    ],
)
def test_a_command_that_ends_early_says_so_in_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_module, "load_command", lambda _name: _Fails(error))
    assert main(["replay"]) == code
    assert capsys.readouterr().err == line


def test_our_own_fault_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main_module, "load_command", lambda _name: _Fails(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["replay"])


def test_ctrl_c_ends_a_real_process_with_one_line(tmp_path: Path) -> None:
    """The command waits on a named pipe that nobody writes to, and is interrupted there."""
    pipe = tmp_path / "entry"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "audit_cli.main", "verify", pipe, "--entry", pipe, "--vkey", VKEY]
    # Whoever starts the tests in the background lets them inherit that SIGINT is ignored: the command must not.
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    finally:
        signal.signal(signal.SIGINT, ignored)
    with started as process:
        try:
            _wait_until_it_opens(pipe)
            process.send_signal(signal.SIGINT)
            _out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, err) == (130, "audit verify: interrupted\n")


def _wait_until_it_opens(pipe: Path) -> None:
    """Until a reader is there, a writer that does not wait is refused."""
    for _ in range(1000):
        try:
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("the command never opened its file")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m audit_cli.main --help | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stderr == ""


# --- output ---------------------------------------------------------------------------------------------


def test_control_characters_of_a_log_do_not_reach_the_terminal() -> None:
    assert printable("가로등 △ 1,000원\n") == "가로등 △ 1,000원\n"
    assert printable("a\x1b]0;title\x07\r\u202eb\x9b") == "a\\x1b]0;title\\x07\\r\\u202eb\\x9b"


def test_tables_align_korean_letters() -> None:
    text = table(["name", "won"], [["가로등", "1,000"], ["lamps", "7"]], right=frozenset({1}))
    assert text.splitlines() == ["name      won", "------  -----", "가로등  1,000", "lamps       7"]


def test_progress_goes_to_stderr_only_and_not_when_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (False, True):
        out = Output(quiet=quiet)
        out.progress("1 of 2")
        out.note("a remark")
        out.step("a step")
        out.verdict("a verdict")
        assert capsys.readouterr() == (("a verdict\n", "") if quiet else ("a step\na verdict\n", "a remark\n"))


def test_json_is_the_only_thing_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=True)
    out.step("a step")
    out.verdict("a verdict")
    out.document({"가": 1})
    assert capsys.readouterr().out == '{\n  "\\uac00": 1\n}\n'


def test_every_command_stands_in_the_table() -> None:
    """A module with `add_arguments` and `run` is a command: whoever writes one enters it in the table."""
    modules = [path for path in (ROOT / "audit_cli").glob("*.py") if path.name != "main.py"]
    found = {path.stem for path in modules if "\ndef add_arguments(" in path.read_text()}
    assert found <= {command.module.removeprefix("audit_cli.") for command in COMMANDS.values()}
    for name in found:
        assert callable(load_command(name).run)
