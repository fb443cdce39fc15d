"""Are the bytes of a log read alike from a directory and from an address, and is nothing else let in?"""

from __future__ import annotations

import gzip
import socket
from typing import TYPE_CHECKING

import pytest

from projections.log_source import (
    MAX_CHECKPOINT_BYTES,
    DirectoryLog,
    LogSource,
    ResourceMissing,
    ResourceUnacceptable,
    SourceUnreachable,
    UrlLog,
    open_log,
    truncate_bundle,
)
from projections.read_ahead import read_ahead
from tests.support.log_builder import small_log
from tests.support.static_server import StaticServer, serve_files
from verifier.bundles import encode_bundle
from verifier.tiles import Tile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 319  # 256 + 63: one full tile and one partial one


@pytest.fixture
def log(tmp_path: Path) -> Path:
    built = small_log(transactions=300)
    assert len(built.entries) == SIZE
    built.publish(tmp_path)
    return tmp_path


@pytest.fixture
def server(log: Path) -> Iterator[StaticServer]:
    with serve_files(log) as served:
        yield served


@pytest.fixture(params=["directory", "prefix", "address"])
def source(request: pytest.FixtureRequest, log: Path) -> Iterator[LogSource]:
    if request.param == "address":
        with serve_files(log) as served:
            yield open_log(f"{served.address}/log")
    else:
        yield open_log(str(log if request.param == "directory" else log / "log"))


def test_checkpoint_tiles_and_bundles_come_as_they_are_kept(source: LogSource, log: Path) -> None:
    assert source.fetch_checkpoint() == (log / "log/checkpoint").read_bytes()
    assert source.fetch_tile(Tile(0, 0)) == (log / "log/tile/0/000").read_bytes()
    assert source.fetch_tile(Tile(0, 1, 63)) == (log / "log/tile/0/001.p/63").read_bytes()
    assert source.fetch_bundle(0, 256) == (log / "log/tile/entries/000").read_bytes()
    assert source.fetch_bundle(1, 63) == (log / "log/tile/entries/001.p/63").read_bytes()


def test_a_full_tile_stands_in_for_a_partial_one_and_is_cut(source: LogSource, log: Path) -> None:
    """tlog-tiles: a log may delete a partial tile once the full one exists."""
    tile = (log / "log/tile/0/000").read_bytes()
    assert source.fetch_tile(Tile(0, 0, 17)) == tile[: 17 * 32]
    bundle = (log / "log/tile/entries/000").read_bytes()
    assert source.fetch_bundle(0, 256).startswith(source.fetch_bundle(0, 17))
    assert source.fetch_bundle(0, 17) == truncate_bundle(bundle, width=17, path="")


def test_what_is_missing_is_named(source: LogSource) -> None:
    with pytest.raises(ResourceMissing, match=r"tile/0/007: missing"):
        source.fetch_tile(Tile(0, 7))
    with pytest.raises(ResourceMissing, match=r"tile/entries/007\.p/3: missing, and the full one too"):
        source.fetch_bundle(7, 3)


def test_a_tile_of_another_length_is_refused(source: LogSource, log: Path) -> None:
    for change in (lambda data: data[:-1], lambda data: data + b"\0"):
        path = log / "log/tile/0/000"
        good = path.read_bytes()
        path.write_bytes(change(good))
        with pytest.raises(ResourceUnacceptable, match="tile/0/000"):
            source.fetch_tile(Tile(0, 0))
        path.write_bytes(good)


def test_a_resource_larger_than_any_is_not_read(source: LogSource, log: Path) -> None:
    (log / "log/checkpoint").write_bytes(bytes(MAX_CHECKPOINT_BYTES + 1))
    with pytest.raises(ResourceUnacceptable, match="checkpoint: more than"):
        source.fetch_checkpoint()


@pytest.mark.parametrize("entries", [[], [b""], [b"a", b"", b"ccc"]])
def test_a_bundle_is_cut_after_each_of_its_entries(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    for width in range(len(entries) + 1):
        assert truncate_bundle(data, width=width, path="") == encode_bundle(entries[:width])
    with pytest.raises(ResourceUnacceptable, match=f"found {len(entries)}"):
        truncate_bundle(data, width=len(entries) + 1, path="b")


def test_a_directory_without_a_log_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="neither log/checkpoint nor checkpoint"):
        DirectoryLog(tmp_path)


def test_a_directory_where_a_file_should_be_is_refused(log: Path) -> None:
    (log / "log/tile/0/000").unlink()
    (log / "log/tile/0/000").mkdir()
    with pytest.raises(ResourceUnacceptable, match="is a directory"):
        DirectoryLog(log).fetch_tile(Tile(0, 0))


# --- addresses ------------------------------------------------------------------------------------------


def test_an_address_may_name_the_checkpoint(server: StaticServer) -> None:
    assert UrlLog(f"{server.address}/log/checkpoint").place == f"{server.address}/log"


def test_a_redirect_is_not_followed(server: StaticServer) -> None:
    elsewhere = {"Location": f"{server.address}/log/tile/0/000"}
    server.answers["/log/checkpoint"] = lambda: (302, elsewhere, b"")
    with pytest.raises(ResourceUnacceptable, match="leads elsewhere"):
        UrlLog(f"{server.address}/log").fetch_checkpoint()
    assert server.requests == ["/log/checkpoint"]


def test_a_busy_server_is_asked_again_however_long_it_wants_us_to_wait(server: StaticServer) -> None:
    states = iter([503, 429])

    def busy() -> tuple[int, dict[str, str], bytes]:
        status = next(states, 200)
        return status, {"Retry-After": "86400"}, b"at last"

    server.answers["/log/checkpoint"] = busy
    assert UrlLog(f"{server.address}/log").fetch_checkpoint() == b"at last"


@pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 500])
def test_other_answers_are_refused(server: StaticServer, status: int) -> None:
    server.answers["/log/checkpoint"] = lambda: (status, {}, b"")
    with pytest.raises(ResourceUnacceptable, match=f"HTTP {status}"):
        UrlLog(f"{server.address}/log").fetch_checkpoint()


def test_a_compressed_bundle_is_read_and_capped(server: StaticServer) -> None:
    """tlog-tiles allows gzip whether it was asked for or not; a small file must not unfold without end."""
    bundle = encode_bundle([b"entry"] * 61)
    packed = {"Content-Encoding": "gzip"}
    server.answers["/log/tile/entries/001.p/63"] = lambda: (200, packed, gzip.compress(bundle))
    assert UrlLog(f"{server.address}/log").fetch_bundle(1, 63) == bundle
    server.answers["/log/checkpoint"] = lambda: (200, packed, gzip.compress(bytes(50_000_000)))
    with pytest.raises(ResourceUnacceptable, match="more than"):
        UrlLog(f"{server.address}/log").fetch_checkpoint()


def test_nobody_listening_is_not_a_statement_about_the_log() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SourceUnreachable, match="no answer"):
        UrlLog(f"http://127.0.0.1:{port}/log").fetch_checkpoint()


@pytest.mark.parametrize("place", ["http://", "http:///log", "https://host/log?x=1", "http://[::1/log"])
def test_what_is_no_address_is_refused(place: str) -> None:
    with pytest.raises(SourceUnreachable):
        open_log(place)


# --- reading ahead --------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_reading_ahead_keeps_the_order_and_raises_in_its_place(workers: int) -> None:
    assert list(read_ahead(range(20), lambda job: job * job, workers=workers)) == [(n, n * n) for n in range(20)]
    results = read_ahead([3, 2, 1, 0, 5], lambda job: 6 // job, workers=workers)
    assert [next(results), next(results), next(results)] == [(3, 2), (2, 3), (1, 6)]
    with pytest.raises(ZeroDivisionError):
        next(results)
