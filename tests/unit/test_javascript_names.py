"""Does the verifier in JavaScript speak as the one in Python: the same modules, functions, constants and errors?"""

from __future__ import annotations

import importlib
import re

import pytest

from api.static_files import STATIC_DIR
from verifier import errors

# What Python has by itself, and the page: neither has a twin.
_ALONE = {"builtins", "page"}
SOURCES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted(STATIC_DIR.joinpath("verify").glob("*.js"))
    if path.stem not in _ALONE
}
_EXPORTED = re.compile(r"^export (?:async )?(?:function|const|class) (\w+)", re.MULTILINE)
_THROWN = re.compile(r"throw new (\w+)")


@pytest.mark.parametrize("module", SOURCES)
def test_every_export_has_its_twin(module: str) -> None:
    twin = importlib.import_module(f"verifier.{module}")
    exported = _EXPORTED.findall(SOURCES[module])
    assert exported
    for name in exported:
        assert hasattr(twin, name), name
        value = getattr(twin, name)
        if isinstance(value, int):
            assert _integer(SOURCES[module], name) == value


@pytest.mark.parametrize("module", SOURCES)
def test_nothing_is_thrown_but_the_three_errors(module: str) -> None:
    known = {error.__name__ for error in errors.VerificationError.__subclasses__()}
    assert set(_THROWN.findall(SOURCES[module])) <= known


def test_only_modules_of_this_folder_and_vendored_ones_are_imported() -> None:
    for source in SOURCES.values():
        for imported in re.findall(r'from "([^"]+)"', source):
            assert re.fullmatch(r"\./\w+\.js|\.\./vendor/noble-[a-z0-9.-]+/\w+\.js", imported)
            assert STATIC_DIR.joinpath("verify", imported).is_file()


def _integer(source: str, name: str) -> int:
    written = re.search(rf"^export const {name} = ([^;]+);", source, re.MULTILINE)
    assert written is not None
    return int(eval(re.sub(r"(\d)n\b", r"\1", written[1])))  # noqa: S307 - a number of our own source
