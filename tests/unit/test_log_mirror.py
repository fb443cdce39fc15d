"""Is a mirror whole, does it go on where it stopped, and does it refuse what its checkpoint does not cover?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from projections.log_mirror import Mirrored, MirrorRefused, mirror_log
from projections.log_source import DirectoryLog, ResourceUnacceptable
from projections.replay import replay
from projections.saved_answers import answer_path, parse_answer_list, saved_answers
from tests.support.log_builder import LogBuilder, small_log, write_log
from verifier.notes import NoteSigner, VerifierKey

if TYPE_CHECKING:
    from pathlib import Path


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def published(log: LogBuilder, directory: Path, size: int | None = None) -> Path:
    """The log as it was when it had so many entries."""
    write_log(directory, log.entries[:size], log.signer)
    return directory


def mirror(source: Path, target: Path, log: LogBuilder) -> Mirrored:
    return mirror_log(DirectoryLog(source), target, vkey=log.signer.vkey)


@pytest.fixture(scope="module")
def log() -> LogBuilder:
    return small_log(transactions=700)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 719])
def test_a_mirror_is_the_log_byte_for_byte(log: LogBuilder, tmp_path: Path, size: int) -> None:
    source = published(log, tmp_path / "log", size)
    mirrored = mirror(source, tmp_path / "copy", log)
    assert files(tmp_path / "copy") == files(source)
    assert (mirrored.checkpoint.tree_size, mirrored.old_size, mirrored.kept) == (size, 0, 0)
    assert mirrored.fetched == len(files(source)) - 1  # all but the checkpoint


def test_a_mirror_goes_on_where_it_stopped_and_keeps_what_is_full(log: LogBuilder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for size in (1, 200, 300, 600, 719):
        mirrored = mirror(published(log, tmp_path / f"log-{size}", size), copy, log)
        assert files(copy) == files(tmp_path / f"log-{size}")  # older partial tiles are gone
    assert mirrored.old_size == 600
    assert mirrored.kept == 4  # two full tiles and their bundles
    assert mirror(tmp_path / "log-719", copy, log).old_size == 719  # again: nothing new


def test_a_mirrored_log_replays(log: LogBuilder, tmp_path: Path) -> None:
    mirror(published(log, tmp_path / "log"), tmp_path / "copy", log)
    assert replay(DirectoryLog(tmp_path / "copy"), vkey=log.signer.vkey).holds


def test_a_file_that_broke_in_the_mirror_is_fetched_again(log: LogBuilder, tmp_path: Path) -> None:
    source, copy = published(log, tmp_path / "log"), tmp_path / "copy"
    mirror(source, copy, log)
    (copy / "tile/0/001").write_bytes(b"broken")
    (copy / "tile/entries/001").write_bytes(b"")
    assert mirror(source, copy, log).kept == 3  # the other full tile and two bundles
    assert files(copy) == files(source)


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/002.p/207", "tile/1/000.p/2", "tile/entries/001", "checkpoint"])
@pytest.mark.parametrize("missing", [False, True])
def test_what_does_not_hold_is_refused_and_the_old_checkpoint_stays(
    log: LogBuilder, tmp_path: Path, name: str, *, missing: bool
) -> None:
    copy = tmp_path / "copy"
    mirror(published(log, tmp_path / "old", 200), copy, log)
    old = (copy / "checkpoint").read_bytes()
    bad = published(log, tmp_path / "log") / name
    data = bad.read_bytes()
    bad.unlink() if missing and name != "checkpoint" else bad.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(MirrorRefused):
        mirror(tmp_path / "log", copy, log)
    assert (copy / "checkpoint").read_bytes() == old


def test_a_log_that_went_back_is_refused_and_kept_as_evidence(log: LogBuilder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    mirror(published(log, tmp_path / "log"), copy, log)
    before = files(copy)
    with pytest.raises(MirrorRefused, match=r"went back or forked: size 719 was mirrored before, now it shows 300"):
        mirror(published(log, tmp_path / "shorter", 300), copy, log)
    evidence = {name: data for name, data in files(copy).items() if name not in before}
    assert list(evidence.values()) == [(tmp_path / "shorter/checkpoint").read_bytes()]


@pytest.mark.parametrize("size", [300, 719])
def test_a_forked_log_is_refused_and_kept_as_evidence(log: LogBuilder, tmp_path: Path, size: int) -> None:
    """The same key signs another history: an entry that was mirrored before is not in it."""
    copy = tmp_path / "copy"
    mirror(published(log, tmp_path / "log", size), copy, log)
    before = files(copy)
    write_log(tmp_path / "fork", [*log.entries[:100], b"{}", *log.entries[101:]], log.signer)
    with pytest.raises(MirrorRefused, match="went back or forked: consistency of size"):
        mirror(tmp_path / "fork", copy, log)
    after = files(copy)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1


def test_a_log_of_another_key_or_origin_is_refused(log: LogBuilder, tmp_path: Path) -> None:
    source, copy = published(log, tmp_path / "log"), tmp_path / "copy"
    stranger = NoteSigner.from_seed(log.signer.vkey.name, bytes(32)).vkey
    with pytest.raises(MirrorRefused, match="expected a signature by"):
        mirror_log(DirectoryLog(source), copy, vkey=stranger)
    assert not files(copy)
    mirror(source, copy, log)
    other = LogBuilder(origin="ledger.example/other")
    with pytest.raises(MirrorRefused, match="mirror into another place"):
        mirror(published(other, tmp_path / "other"), copy, other)


def test_without_a_key_the_root_is_checked_all_the_same(log: LogBuilder, tmp_path: Path) -> None:
    source = published(log, tmp_path / "log")
    mirror_log(DirectoryLog(source), tmp_path / "copy", vkey=None)
    shutil.rmtree(tmp_path / "copy")
    path = source / "tile/1/000.p/2"
    path.write_bytes(bytes(64))
    with pytest.raises(MirrorRefused, match=r"root of size 719.*tile/1/000\.p/2"):
        mirror_log(DirectoryLog(source), tmp_path / "copy", vkey=None)


def test_progress_counts_every_file_once(log: LogBuilder, tmp_path: Path) -> None:
    source = published(log, tmp_path / "log")
    seen: list[tuple[int, int]] = []
    vkey = VerifierKey.parse(log.vkey)
    mirror_log(DirectoryLog(source), tmp_path / "copy", vkey=vkey, progress=lambda *done: seen.append(done))
    assert seen == [(number, len(seen)) for number in range(1, len(seen) + 1)]


# --- saved answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["seoul/2021", "..", ".", "a b", "가로등", "%2F", "x.json"])
def test_every_key_has_a_file_of_its_own_inside_the_directory(tmp_path: Path, key: str) -> None:
    path = answer_path(tmp_path, "budget-book", key)
    assert path.parent == tmp_path / "budget-book"
    path.parent.mkdir()
    path.write_bytes(b"{}")
    assert [(saved.kind, saved.key) for saved in saved_answers(tmp_path)] == [("budget-book", key)]


def test_a_list_of_answers_is_read_strictly() -> None:
    good = '{"kind":"settlement","key":"seoul","href":"/v1/settlements/seoul"}'
    for text in (f"[{good}]", f'{{"tree_size":3,"answers":[{good}]}}'):
        (listed,) = parse_answer_list(text.encode())
        assert (listed.kind, listed.key, listed.href) == ("settlement", "seoul", "/v1/settlements/seoul")
    for bad in (
        "7",
        "[7]",
        "{}",
        "[",
        f"[{good[:-1]}]",
        good,
        f"[{good}]".replace('"settlement"', '"../settlement"'),
        f"[{good}]".replace('"seoul"', '""'),
        f"[{good}]".replace('"seoul"', f'"{"a" * 300}"'),
        f"[{good}]".replace("/v1/", "http://elsewhere/v1/"),
        f"[{good}]".replace("/v1/", "//elsewhere/v1/"),
        f"[{good}]".replace("/v1/", "/v1/../"),
        f"[{good}]".replace("/v1/", "/log/"),
    ):
        with pytest.raises(ResourceUnacceptable, match="v1/answers"):
            parse_answer_list(bad.encode())
