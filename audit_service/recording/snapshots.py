"""How is a stream of a hundred thousand events loaded without deciding about all of them again?

A snapshot is what a stream's rules remember after its event at some position, in a file of its own. It is a cache:
losing all of them loses nothing, and one that is torn, altered, of other code, or of another history than the
recorded one is passed over. It is bound to the log by a key that is derived from the log's, and to its place by
the leaf hash of the last event that it covers.

Snapshots are written from live state each time a stream has grown to double, and when the service stops: so what they
cost for each event does not grow with the stream.
"""

from __future__ import annotations

import gc
import hashlib
import hmac
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from audit_service import catalogue, rules
from audit_service.rules.states import BudgetState, ContractState, PeriodState, ProjectState, ServiceState

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_service.aggregates import Stream

logger = logging.getLogger(__name__)

# A shorter stream is loaded from its events sooner than its file is opened.
MINIMUM_EVENTS = 1_000
_MAC_BYTES = 32
_DECODERS: dict[type, msgspec.msgpack.Decoder[Any]] = {
    state: msgspec.msgpack.Decoder(state)
    for state in (BudgetState, ContractState, ProjectState, ServiceState, PeriodState)
}
_encode = msgspec.msgpack.Encoder().encode


class Snapshot(Struct, array_like=True, frozen=True):
    """What a file holds, behind its MAC."""

    code: bytes
    subject: str
    version: int
    leaf_hash: bytes
    state: msgspec.Raw


_decoder = msgspec.msgpack.Decoder(Snapshot)


class Snapshots:
    """The snapshots of one log, in one folder."""

    def __init__(self, folder: Path, key: bytes, *, read_leaf_hash: Callable[[str, int], bytes | None]) -> None:
        self._folder = folder
        self._key = hmac.digest(key, b"audit-service/snapshots/v1", "sha256")
        self._code = code_digest()
        self._read_leaf_hash = read_leaf_hash
        self._kept: dict[str, int] = {}
        self._writing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshots")

    def load(self, stream: Stream) -> None:
        """Take over the newest snapshot of an empty stream, if there is one that fits; else leave it empty."""
        decoder = _DECODERS.get(type(stream.state))
        if decoder is None:
            return
        try:
            found = self._read(self._path(stream.id).read_bytes())
            if found is None or found.subject != stream.id or found.code != self._code:
                logger.info("a snapshot does not fit and is passed over", extra={"stream": stream.id})
                return
            state = _decode_uncollected(decoder, found.state)
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError):
            # Whatever is wrong with a cache, the events are there.
            logger.warning("a snapshot cannot be read and is passed over", exc_info=True, extra={"stream": stream.id})
            return
        if self._read_leaf_hash(stream.id, found.version) != found.leaf_hash:
            logger.warning("a snapshot is of another history and is passed over", extra={"stream": stream.id})
            return
        stream.state = state
        stream.version = self._kept[stream.id] = found.version

    def offer(self, stream: Stream) -> None:
        """Keep the state of a stream that has at least doubled; called by the writer after a commit."""
        if stream.version >= max(MINIMUM_EVENTS, 2 * self._kept.get(stream.id, 0)):
            self._keep(stream)

    def close(self, streams: list[Stream]) -> None:
        """Keep what moved since the last snapshots, and end; returns when everything is written."""
        for stream in streams:
            if stream.version >= self._kept.get(stream.id, 0) + MINIMUM_EVENTS:
                self._keep(stream)
        self._writing.shutdown()

    def _keep(self, stream: Stream) -> None:
        if type(stream.state) not in _DECODERS:
            return
        # The state is encoded here, where nobody changes it; the file may take its time.
        self._kept[stream.id] = stream.version
        try:
            state = _encode(stream.state)
        except (TypeError, ValueError, OverflowError):
            logger.warning("a state cannot be kept; nothing depends on it", exc_info=True, extra={"stream": stream.id})
            return
        self._writing.submit(self._write, stream.id, stream.version, state)

    def _write(self, subject: str, version: int, state: bytes) -> None:
        try:
            leaf_hash = self._read_leaf_hash(subject, version)
            if leaf_hash is None:
                return
            body = _encode(Snapshot(self._code, subject, version, leaf_hash, msgspec.Raw(state)))
            path = self._path(subject)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            temporary = path.with_suffix(".tmp")
            # Not synced: after a power cut a torn file does not fit its MAC.
            temporary.write_bytes(hmac.digest(self._key, body, "sha256") + body)
            os.replace(temporary, path)  # noqa: PTH105 - one call that is atomic
        except Exception:
            logger.warning("a snapshot was not written; nothing depends on it", exc_info=True)

    def _read(self, data: bytes) -> Snapshot | None:
        mac, body = data[:_MAC_BYTES], data[_MAC_BYTES:]
        if not hmac.compare_digest(mac, hmac.digest(self._key, body, "sha256")):
            return None
        return _decoder.decode(body)

    def _path(self, subject: str) -> Path:
        return self._folder / f"{hashlib.sha256(subject.encode()).hexdigest()}.snapshot"


def _decode_uncollected(decoder: msgspec.msgpack.Decoder[Any], state: msgspec.Raw) -> Any:
    """Decode without the collector: it would walk a hundred thousand new values again and again, all of them alive."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return decoder.decode(state)
    finally:
        if enabled:
            gc.enable()


@cache
def code_digest() -> bytes:
    """Which rules are these? A state that other rules remembered is not theirs. Read once: so are the rules."""
    digest = hashlib.sha256()
    for package in (catalogue, rules):
        for path in sorted(Path(str(package.__file__)).parent.glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()
