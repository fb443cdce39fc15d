"""Which files of this package may a browser load, and how does it know that they are the right ones?

Every file is listed when the application starts and served from that list: no path of a request ever reaches the
file system. An address carries the beginning of the file's SHA-256, so it may be kept for ever. The modules of the
verifier import one another by relative addresses: they share one digest, over all of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import Response

from api.caching import IMMUTABLE
from api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

STATIC_DIR = Path(__file__).parent / "static"
PREFIX = "/static/"
_MODULES = ("verify/", "vendor/noble-")
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain",
    "": "text/plain",
}


@dataclass(frozen=True)
class StaticFile:
    """A file of the package: its bytes are read once, at start."""

    content: bytes
    media_type: str
    digest: str


class StaticFiles:
    """All files below a folder that have a known media type."""

    def __init__(self, folder: Path = STATIC_DIR) -> None:
        contents = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in _MEDIA_TYPES
        }
        modules = _digest(b"".join(_digest(contents[name]).encode() for name in contents if name.startswith(_MODULES)))
        self._files: Mapping[str, StaticFile] = {
            name: StaticFile(
                content,
                media_type=_MEDIA_TYPES[Path(name).suffix],
                digest=modules if name.startswith(_MODULES) else _digest(content),
            )
            for name, content in contents.items()
        }

    def url(self, name: str) -> str:
        """The address of a file, with its digest.

        Raises:
            KeyError: there is no such file; a template names it wrongly.
        """
        return f"{PREFIX}{self._files[name].digest}/{name}"

    def get(self, digest: str, name: str) -> StaticFile:
        """The file of exactly this content.

        Raises:
            Problem: `not-found`.
        """
        file = self._files.get(name)
        if file is None or file.digest != digest:
            raise Problem("not-found", "no such file in this version")
        return file


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def static_router(files: StaticFiles) -> APIRouter:
    """The route of this module."""
    router = APIRouter(include_in_schema=False)

    @router.get(PREFIX + "{digest}/{name:path}", response_class=Response)
    async def read_static(digest: str, name: str) -> Response:
        """One file."""
        file = files.get(digest, name)
        return Response(file.content, headers={"Cache-Control": IMMUTABLE}, media_type=file.media_type)

    return router
