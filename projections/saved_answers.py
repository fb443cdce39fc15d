"""How are the service's answers kept beside a mirrored log, so that a replay can be compared with them?

    DIR/answers/<kind>/<key, percent-encoded>.json        the answer's bytes, as the service sent them

The list of answers (`GET /v1/answers`) comes from the service and is believed in nothing: kinds and
keys are turned into file names that cannot lead outside, and addresses stay below the service's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from projections.log_source import MAX_JSON_BYTES, ResourceUnacceptable, WebReader
from projections.read_ahead import read_ahead
from verifier.canonical import parse_strict
from verifier.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWERS_PATH = "v1/answers"
MAX_ANSWERS = 100_000
_KIND = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)
_HREF = re.compile(r"/v1/[A-Za-z0-9._~/%:-]{1,400}", re.ASCII)
_MAX_NAME_BYTES = 200  # a file name may have 255
_WORKERS = 4


@dataclass(frozen=True)
class ListedAnswer:
    """One answer of the service's list: its kind, its key, and where it is."""

    kind: str
    key: str
    href: str


@dataclass(frozen=True)
class SavedAnswer:
    """One answer in a directory."""

    kind: str
    key: str
    path: Path


def fetch_answers(service: str) -> Iterator[tuple[ListedAnswer, bytes]]:
    """Every answer of the service at this address, with its bytes.

    Raises:
        LogSourceError: the list or an answer is missing, ill-formed, or out of reach.
    """
    web = WebReader(service)
    listed = parse_answer_list(web.read(ANSWERS_PATH, MAX_JSON_BYTES))
    yield from read_ahead(listed, lambda answer: web.read(answer.href.lstrip("/"), MAX_JSON_BYTES), workers=_WORKERS)


def parse_answer_list(data: bytes) -> list[ListedAnswer]:
    """Read the service's list of answers.

    Raises:
        ResourceUnacceptable: it is not a list of kinds, keys and addresses of the service itself.
    """
    try:
        document = parse_strict(data)
    except MalformedInput as error:
        raise ResourceUnacceptable(ANSWERS_PATH, str(error)) from error
    rows = document.get("answers") if isinstance(document, dict) else document
    if not isinstance(rows, list) or len(rows) > MAX_ANSWERS:
        raise ResourceUnacceptable(ANSWERS_PATH, "not a list of answers")
    return [_parse_listed(row) for row in rows]


def _parse_listed(row: object) -> ListedAnswer:
    fields = row if isinstance(row, dict) else {}
    kind, key, href = (fields.get(name) for name in ("kind", "key", "href"))
    if not (isinstance(kind, str) and isinstance(key, str) and isinstance(href, str)):
        raise ResourceUnacceptable(ANSWERS_PATH, "an answer without kind, key and href")
    if not _KIND.fullmatch(kind) or not _HREF.fullmatch(href) or ".." in href:
        raise ResourceUnacceptable(ANSWERS_PATH, "an answer whose kind or address cannot be one")
    if not key or len(_file_name(key)) > _MAX_NAME_BYTES:
        raise ResourceUnacceptable(ANSWERS_PATH, "an answer whose key cannot be one")
    return ListedAnswer(kind, key, href)


def answer_path(directory: Path, kind: str, key: str) -> Path:
    """Where is the answer of this kind and key kept? Slashes and everything unusual is percent-encoded."""
    return directory / kind / _file_name(key)


def _file_name(key: str) -> str:
    # No name begins with a dot: such files are hidden, and are what a broken write leaves behind.
    name = quote(key, safe="")
    return f"%2E{name[1:]}.json" if name.startswith(".") else f"{name}.json"


def saved_answers(directory: Path) -> list[SavedAnswer]:
    """All answers in a directory, by kind and key; hidden files and other suffixes are passed over."""
    return [
        SavedAnswer(kind=path.parent.name, key=unquote(path.stem), path=path)
        for path in sorted(directory.glob("*/*.json"))
        if not path.name.startswith(".")
    ]


def tree_size_of(answer: bytes) -> int:
    """At how many entries was this answer computed?

    Raises:
        MalformedInput: it is no answer, or does not say.
    """
    document = parse_strict(answer)
    size = document.get("tree_size") if isinstance(document, dict) else None
    if type(size) is not int or size < 1:
        raise MalformedInput("answer: expected an object with its tree_size")
    return size
