"""How are values on the command line read, with a complaint that says what would have been right?"""

from __future__ import annotations

from pathlib import Path

from audit_cli.errors import WrongUse
from verifier.errors import MalformedInput
from verifier.notes import VerifierKey

_MAX_KEY_FILE_BYTES = 64 * 1024


def parse_vkey(text: str) -> VerifierKey:
    """The verifier key that the user pins: `NAME+ID+KEY` itself, or a file that holds it.

    A file is named as `@FILE` or by a path that exists; its first line that is no comment (`#`) is the key.

    Raises:
        WrongUse: it is neither, or the key is malformed.
    """
    path = Path(text.removeprefix("@"))
    from_file = text.startswith("@") or _is_file(path)
    vkey = _first_line(path) if from_file else text
    try:
        return VerifierKey.parse(vkey)
    except MalformedInput as error:
        where = f" in {path}" if from_file else ""
        hint = "" if from_file or "+" in text else "; to read it from a file, name one that exists"
        raise WrongUse(f"--vkey{where}: {error}{hint}") from error


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """The whole file.

    Raises:
        WrongUse: it cannot be read, or is larger than anything of its kind.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise WrongUse(f"cannot read {path}: {error.strerror}") from error
    if len(data) > max_bytes:
        raise WrongUse(f"{path} is larger than {max_bytes} bytes: not the file that is meant")
    return data


def _first_line(path: Path) -> str:
    try:
        text = read_file(path, max_bytes=_MAX_KEY_FILE_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise WrongUse(f"--vkey in {path}: not UTF-8 text") from error
    lines = [line.strip() for line in text.splitlines()]
    for line in lines:
        if line and not line.startswith("#"):
            return line
    raise WrongUse(f"--vkey in {path}: the file holds no key")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a name may be, or a NUL: then it names no file
        return False
