"""Which of the media types that we have does the caller want?

Source: RFC 9110 section 12.5.1. The first of ours wins among equals, so that `*/*` and a browser get the first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from api.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
_MAX_HEADER = 1000


def choose(request: Request, *ours: str) -> str:
    """Choose among our media types.

    Raises:
        Problem: `not-acceptable`, with what there is.
    """
    header = request.headers.get("accept", "*/*")
    ranges = [_parse_range(part) for part in header[:_MAX_HEADER].split(",")]
    best, best_quality = "", 0.0
    for media_type in ours:
        quality = _quality_of(media_type, ranges)
        if quality > best_quality:
            best, best_quality = media_type, quality
    if not best:
        raise Problem("not-acceptable", "none of the allowed media types is accepted", allowed=ours)
    return best


def _parse_range(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            value = value.strip()
            return media_range, float(value) if _QUALITY.fullmatch(value) else 0.0
    return media_range, 1.0


def _quality_of(media_type: str, ranges: list[tuple[str, float]]) -> float:
    # The most specific range decides, not the largest quality.
    for wanted in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for media_range, quality in ranges:
            if media_range == wanted:
                return quality
    return 0.0


def not_modified(request: Request, etag: str) -> bool:
    """Does the caller have this representation already? RFC 9110 section 13.1.2, weak comparison."""
    given = request.headers.get("if-none-match", "")
    return given == "*" or etag in [tag.strip().removeprefix("W/") for tag in given.split(",")]
