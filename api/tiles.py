"""Where do verifiers and mirrors read the log? The static paths of https://c2sp.org/tlog-tiles below `/log/`.

A path is read strictly into integers, and the file's path is built from these: nothing that a caller writes
reaches the file system. What is not on disk but signed (the partial tile of another signed size) is answered
from the recorded hashes, byte for byte what the file would hold.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time
from starlette.responses import Response

from api.caching import IMMUTABLE, NO_CACHE
from api.negotiation import not_modified
from api.openapi import CHECKPOINT_DOCS, TILE_DOCS
from api.problems import Problem
from verifier.bundles import encode_bundle
from verifier.errors import MalformedInput
from verifier.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, bundle_path, parse_path, tile_bytes, tile_path

if TYPE_CHECKING:
    from api.ports import Ledger, Services
    from verifier.tiles import BundleCoordinates


def _checkpoint(ledger: Ledger, request: Request) -> Response:
    try:
        note = (ledger.public_dir / "checkpoint").read_bytes()
    except FileNotFoundError as error:
        raise Problem("not-found", "nothing is published yet") from error
    etag = f'"{hashlib.sha256(note).hexdigest()[:32]}"'
    headers = {"Cache-Control": NO_CACHE, "ETag": etag}
    if not_modified(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(note, headers=headers, media_type="text/plain")


def _tile(ledger: Ledger, path: str) -> Response:
    try:
        coordinates = parse_path(path)
    except MalformedInput as error:
        raise Problem("not-found", "no tile has such a path") from error
    data = _from_disk(ledger, coordinates)
    if data is None:
        data = _from_record(ledger, coordinates)
    return Response(data, headers={"Cache-Control": IMMUTABLE}, media_type="application/octet-stream")


def _from_disk(ledger: Ledger, coordinates: Tile | BundleCoordinates) -> bytes | None:
    if isinstance(coordinates, Tile):
        rebuilt = tile_path(coordinates)
    else:
        rebuilt = bundle_path(coordinates.index, coordinates.width)
    try:
        return ledger.public_dir.joinpath(rebuilt).read_bytes()
    except FileNotFoundError:
        return None


def _from_record(ledger: Ledger, coordinates: Tile | BundleCoordinates) -> bytes:
    first = coordinates.index * TILE_WIDTH
    level = coordinates.level if isinstance(coordinates, Tile) else 0
    if first + coordinates.width > ledger.signed().size >> (TILE_HEIGHT * level):
        raise Problem("not-found", "the signed log does not reach that far")
    if isinstance(coordinates, Tile):
        return tile_bytes(coordinates, ledger.reader.subtree)
    return encode_bundle(ledger.reader.entries(first, first + coordinates.width))


def tiles_router(services: Services) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(tags=["log"])
    ledger = services.ledger

    @router.get(
        "/log/checkpoint",
        summary="The newest published checkpoint",
        openapi_extra=CHECKPOINT_DOCS,
        response_class=Response,
    )
    def read_checkpoint(request: Request) -> Response:
        """A signed note: origin, tree size, root hash."""
        return _checkpoint(ledger, request)

    @router.get(
        "/log/tile/{path:path}",
        summary="A tile of hashes, or an entry bundle",
        openapi_extra=TILE_DOCS,
        response_class=Response,
    )
    def read_tile(path: str) -> Response:
        """`<level>/<index>[.p/<width>]` or `entries/<index>[.p/<width>]`."""
        return _tile(ledger, f"tile/{path}")

    return router
