"""Where do the bytes of a log come from: a mirrored directory, or the address of a running log?

Both speak tlog-tiles (https://c2sp.org/tlog-tiles): a checkpoint, tiles of hashes, bundles of entries.
Nothing here is trusted and nothing here is judged: sizes are capped, lengths are made what was asked for,
and the replay checks every byte. A missing or ill-formed resource is a statement about the log
(`ResourceMissing`, `ResourceUnacceptable`); a place that cannot be reached is not (`SourceUnreachable`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import urllib3

from verifier.bundles import MAX_ENTRY_BYTES
from verifier.hashing import HASH_BYTES
from verifier.tiles import TILE_WIDTH, Tile, bundle_path, tile_path

# A checkpoint with 16 signatures is 4 kB; ML-DSA-44 lines are 3.3 kB each (tlog-cosignature).
MAX_CHECKPOINT_BYTES = 128 * 1024
MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES
MAX_JSON_BYTES = 64 * 1024 * 1024

_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 30.0
_RETRIES = 3
_CHUNK_BYTES = 64 * 1024


class LogSourceError(Exception):
    """A resource of a log could not be had; `resource` names it (a path below the log's prefix)."""

    def __init__(self, resource: str, message: str) -> None:
        super().__init__(f"{resource}: {message}")
        self.resource = resource


class ResourceMissing(LogSourceError):
    """The log does not hold this resource, although its checkpoint says that it must."""


class ResourceUnacceptable(LogSourceError):
    """The resource is too large, too short, or answered in a way that tlog-tiles does not know."""


class SourceUnreachable(LogSourceError):
    """The place itself does not answer, or holds no log: nothing is said about any log."""


class LogSource(Protocol):
    """A place that serves one log."""

    place: str

    def fetch_checkpoint(self) -> bytes:
        """The signed checkpoint as it is served."""

    def fetch_tile(self, tile: Tile) -> bytes:
        """The hashes of a tile: exactly `tile.width` times 32 bytes."""

    def fetch_bundle(self, index: int, width: int) -> bytes:
        """The first `width` entries of entry bundle number `index`, still encoded."""


class _PrefixedLog:
    """A log below one prefix; how a path is read is what the two kinds of places differ in."""

    place: str

    def read(self, path: str, max_bytes: int) -> bytes:
        """The whole resource; raises `ResourceMissing` where there is none."""
        raise NotImplementedError

    def fetch_checkpoint(self) -> bytes:
        """The signed checkpoint as it is served; a place without one is no log."""
        try:
            return self.read("checkpoint", MAX_CHECKPOINT_BYTES)
        except ResourceMissing as error:
            raise SourceUnreachable(self.place, f"no log here ({error})") from error

    def fetch_tile(self, tile: Tile) -> bytes:
        """Exactly the hashes that were asked for (see `LogSource`)."""
        path, expected = tile_path(tile), tile.width * HASH_BYTES
        data = self._read_if_there(path, MAX_TILE_BYTES)
        if data is None:
            full = self._read_full_instead(path, tile_path(Tile(tile.level, tile.index)), MAX_TILE_BYTES)
            data = full[:expected]
        if len(data) != expected:
            raise ResourceUnacceptable(path, f"expected {expected} bytes, found {len(data)}")
        return data

    def fetch_bundle(self, index: int, width: int) -> bytes:
        """The bundle as it is served; only where a full one stands in for a partial one it is cut."""
        path = bundle_path(index, width)
        data = self._read_if_there(path, MAX_BUNDLE_BYTES)
        if data is None:
            full = self._read_full_instead(path, bundle_path(index), MAX_BUNDLE_BYTES)
            data = truncate_bundle(full, width=width, path=path)
        return data

    def _read_if_there(self, path: str, max_bytes: int) -> bytes | None:
        try:
            return self.read(path, max_bytes)
        except ResourceMissing:
            return None

    def _read_full_instead(self, path: str, full: str, max_bytes: int) -> bytes:
        # tlog-tiles, "Partial Tiles": a log may delete a partial once the full one exists; a client falls
        # back to the full one and takes the part it asked for.
        if path == full:
            raise ResourceMissing(path, "missing")
        try:
            return self.read(full, max_bytes)
        except ResourceMissing:
            raise ResourceMissing(path, "missing, and the full one too") from None


class DirectoryLog(_PrefixedLog):
    """A log in a directory: a mirror (`DIR/log/checkpoint`) or the log's prefix itself (`DIR/checkpoint`)."""

    def __init__(self, path: Path | str) -> None:
        directory = Path(path)
        for prefix in (directory / "log", directory):
            if (prefix / "checkpoint").is_file():
                self.prefix = prefix
                self._prefix_text = f"{prefix}{os.sep}"
                self.place = str(directory)
                return
        raise SourceUnreachable(
            str(directory), "no log here: neither log/checkpoint nor checkpoint is in this directory"
        )

    def read(self, path: str, max_bytes: int) -> bytes:
        """The whole file below the prefix."""
        # Paths are built from integers (verifier.tiles), never from text of others: nothing leads outside.
        try:
            with open(self._prefix_text + path, "rb", buffering=0) as file:  # noqa: PTH123 - two files for each 256 entries: joining Path objects would be felt
                # Not read(max_bytes + 1): a buffer of 17 MB for a bundle of 90 kB is slower than the hashing.
                if os.fstat(file.fileno()).st_size > max_bytes:
                    raise ResourceUnacceptable(path, f"more than {max_bytes} bytes")
                return file.readall()
        except (FileNotFoundError, NotADirectoryError):
            raise ResourceMissing(path, "missing") from None
        except IsADirectoryError:
            raise ResourceUnacceptable(path, "is a directory") from None


class UrlLog(_PrefixedLog):
    """A log at an address such as `http://127.0.0.1:8000/log`."""

    def __init__(self, url: str) -> None:
        self.place = url.rstrip("/").removesuffix("/checkpoint")
        self._web = WebReader(self.place)

    def read(self, path: str, max_bytes: int) -> bytes:
        """The whole body below the address."""
        return self._web.read(path, max_bytes)


class WebReader:
    """Reads resources below one address: with timeouts, retries and a cap, never elsewhere.

    Args:
        base: `http` or `https` address without a query; resources are joined to it with one slash.
    """

    def __init__(self, base: str) -> None:
        try:
            parts = urlsplit(base)
        except ValueError:
            raise SourceUnreachable(base, "not an http or https address") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise SourceUnreachable(base, "not an http or https address")
        self.base = base.rstrip("/")
        self._pool = urllib3.PoolManager(
            maxsize=8,
            timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S),
            retries=urllib3.Retry(
                total=_RETRIES,
                redirect=0,
                raise_on_redirect=False,
                status_forcelist=(429, 502, 503, 504),
                backoff_factor=0.2,
                # A server must not decide how long an auditor sleeps.
                respect_retry_after_header=False,
            ),
            # A bundle may come gzip-encoded whether asked for or not (tlog-tiles); it is decoded below.
            headers={"Accept-Encoding": "identity", "User-Agent": "audit-service (auditor)"},
        )

    def read(self, path: str, max_bytes: int) -> bytes:
        """The body of `base/path`.

        Raises:
            ResourceMissing: 404 or 410.
            ResourceUnacceptable: another status, a redirect, or more than `max_bytes`.
            SourceUnreachable: no connection, or no complete answer in time.
        """
        try:
            response = self._pool.request("GET", f"{self.base}/{path}", redirect=False, preload_content=False)
            try:
                _require_success(path, response)
                return _read_capped(path, response, max_bytes)
            finally:
                response.release_conn()
        except urllib3.exceptions.LocationParseError:
            raise SourceUnreachable(self.base, "not an http or https address") from None
        except urllib3.exceptions.HTTPError as error:
            raise SourceUnreachable(f"{self.base}/{path}", f"no answer ({_reason(error)})") from error


def _require_success(path: str, response: urllib3.BaseHTTPResponse) -> None:
    if response.status in {404, 410}:
        raise ResourceMissing(path, f"missing (HTTP {response.status})")
    if 300 <= response.status < 400:
        raise ResourceUnacceptable(path, f"leads elsewhere (HTTP {response.status}); not followed")
    if response.status != 200:
        raise ResourceUnacceptable(path, f"HTTP {response.status} instead of 200")


def _read_capped(path: str, response: urllib3.BaseHTTPResponse, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    length = 0
    # Chunk by chunk, so that a small compressed answer cannot unfold into more than the cap plus a chunk.
    while chunk := response.read(_CHUNK_BYTES, decode_content=True):
        length += len(chunk)
        if length > max_bytes:
            response.close()
            raise ResourceUnacceptable(path, f"more than {max_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    cause = getattr(error, "reason", None) or error
    return type(cause).__name__


def truncate_bundle(data: bytes, *, width: int, path: str) -> bytes:
    """The first `width` entries of an encoded bundle (tlog-tiles, "Log Entries": uint16 length, entry).

    Raises:
        ResourceUnacceptable: the bundle ends before its entry number `width`.
    """
    end = 0
    for number in range(width):
        length = int.from_bytes(data[end : end + 2], "big")
        if end + 2 + length > len(data):
            raise ResourceUnacceptable(path, f"expected {width} entries, found {number}")
        end += 2 + length
    return data[:end]


def open_log(place: str) -> LogSource:
    """The log at an `http(s)` address or in a directory.

    Raises:
        SourceUnreachable: the directory holds no log, or the address is none.
    """
    return UrlLog(place) if place.startswith(("http://", "https://")) else DirectoryLog(place)
