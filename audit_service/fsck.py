"""Which byte of this ledger is wrong? Everything is computed anew from the entries and compared.

An entry, or its hash, stands in up to five places: the row of the database, its column `leaf_hash`, the published
bundle, the published tile of level 0, and the journal until it is published. What most of them say is taken for the
truth, the signed root has the last word about it, and every place that says otherwise is named: file and byte, or row,
column and index. The checks only read; the service must not run meanwhile.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from audit_service.clock import korean_day, parse_time
from audit_service.fsck_places import Finding, first_difference
from audit_service.recording.rebuild import idempotency_key
from verifier.bundles import decode_bundle, encode_bundle
from verifier.checkpoints import verify_checkpoint
from verifier.envelope import parse_entry
from verifier.errors import VerificationError
from verifier.hashing import HASH_BYTES, leaf_hash
from verifier.right_edge import RightEdge
from verifier.subtrees import SubtreeHashes
from verifier.tiles import TILE_WIDTH, Tile, parse_path, tile_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from audit_service.fsck_journal import JournalReader
    from audit_service.publication.layout import PublicFiles
    from verifier.checkpoints import Checkpoint
    from verifier.notes import VerifierKey


class _Row(NamedTuple):
    log_index: int
    subject: str
    position: int
    topic: str
    state: bytes
    leaf_hash: bytes


@dataclass(kw_only=True)
class LedgerCheck:
    """One check of one ledger; `findings` is empty if every byte is as it must be.

    `progress` is told how many entries were looked at, and how many there are.
    """

    engine: Engine
    files: PublicFiles
    read_journal: JournalReader
    vkey: VerifierKey
    progress: Callable[[int, int], None] = lambda _done, _all: None
    findings: list[Finding] = field(default_factory=list)
    hashes: SubtreeHashes = field(default_factory=SubtreeHashes)
    _entries: dict[int, bytes] = field(default_factory=dict)

    def run(self) -> list[Finding]:
        """Look at everything; in the order in which a reader depends on it."""
        self._check_database_file()
        records = self.read_journal(self.vkey, self.findings)
        self._from_journal = {
            index: entry
            for record in records
            for index, entry in enumerate(record.entries, record.tree_size - len(record.entries))
        }
        self._published = self._read_checkpoint()
        self._size = self._tree_size()
        keys = self._submissions()
        for first in range(0, self._size, TILE_WIDTH):
            self._check_block(first, min(TILE_WIDTH, self._size - first), keys)
            self.progress(min(first + TILE_WIDTH, self._size), self._size)
        for row in keys:
            self._find(f"submissions ({row[0]}, {row[1]})", None, "no entry of the log belongs to this row")
        self._check_head()
        self._check_archive()
        self._check_files()
        for record in records:
            if 0 < record.tree_size <= self.hashes.size and self.hashes.root(record.tree_size) != record.root_hash:
                self._find("journal", record.tree_size - 1, f"another root hash was signed at size {record.tree_size}")
        return self.findings

    def _find(self, place: str, index: int | None, what: str, *, offset: int | None = None) -> None:
        self.findings.append(Finding(place=place, index=index, offset=offset, what=what))

    # --- the entries ---

    def _check_database_file(self) -> None:
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                for row in connection.exec_driver_sql("PRAGMA integrity_check"):
                    if row[0] != "ok":
                        self._find("database", None, f"SQLite says: {row[0]}")

    def _tree_size(self) -> int:
        with self.engine.connect() as connection:
            # Not the largest index: that could be the one with the wrong bit.
            count = connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one()
            size: int = max(count, self._published.tree_size if self._published else 0)
            for row in connection.exec_driver_sql("SELECT log_index FROM events WHERE log_index >= ?", (size,)):
                self._find(f"events {row[0]}", None, "the log does not reach that far")
        return size

    def _submissions(self) -> Iterator[tuple[str, str, bytes, int, int]]:
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT source, submission_id, digest, first_index, entry_count FROM submissions ORDER BY first_index"
            )
            for row in rows:
                yield tuple(row)

    def _check_block(self, first: int, width: int, keys: Iterator[tuple[str, str, bytes, int, int]]) -> None:
        rows = self._rows(first, width)
        bundled = self._bundled(first)
        tile = self._level_0(first)
        for index in range(first, first + width):
            row = rows.get(index)
            votes: Counter[bytes] = Counter()
            copies = [bundled.get(index), self._from_journal.get(index)]
            if row is not None:
                copies.append(row.state)
                votes[row.leaf_hash] += 1
            if index in tile:
                votes[tile[index]] += 1
            for entry in copies:
                if entry is not None:
                    votes[leaf_hash(entry)] += 1
            truth = votes.most_common(1)[0][0] if votes else bytes(HASH_BYTES)
            self.hashes.extend([truth])
            entry = next((copy for copy in copies if copy is not None and leaf_hash(copy) == truth), None)
            self._check_row(index, row, truth, entry)
            if entry is None:
                self._find(f"events {index}", index, "no copy of this entry gives the hash that stands in the log")
                continue
            self._entries[index] = entry
            self._check_key(index, entry, keys)
        self._check_bundle(first)

    def _rows(self, first: int, width: int) -> dict[int, _Row]:
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT log_index, originator_id, originator_version, topic, state, leaf_hash FROM events"
                " WHERE log_index >= ? AND log_index < ?",
                (first, first + width),
            ).all()
        return {row[0]: _Row(*row) for row in rows}

    def _bundled(self, first: int) -> dict[int, bytes]:
        for width, path in self._bundle_files(first):
            try:
                return dict(enumerate(decode_bundle(path.read_bytes(), expected=width), first))
            except VerificationError:
                continue  # named by `_check_bundle`, which knows what should stand there
        return {}

    def _bundle_files(self, first: int) -> Iterator[tuple[int, Path]]:
        """All files of one bundle, the widest first; the published size says which must be there."""
        index = first // TILE_WIDTH
        for width in range(TILE_WIDTH, 0, -1):
            path = self.files.bundle(index, width)
            if path.exists():
                yield width, path

    def _level_0(self, first: int) -> dict[int, bytes]:
        index = first // TILE_WIDTH
        for width in range(TILE_WIDTH, 0, -1):
            path = self.files.tile(Tile(0, index, width))
            if path.exists():
                data = path.read_bytes()
                return {first + i: data[i * HASH_BYTES : (i + 1) * HASH_BYTES] for i in range(len(data) // HASH_BYTES)}
        return {}

    def _check_row(self, index: int, row: _Row | None, truth: bytes, entry: bytes | None) -> None:
        place = f"events {index}"
        if row is None:
            self._find(place, index, "the row is missing")
            return
        if row.leaf_hash != truth:
            self._find(f"{place}.leaf_hash", index, "not the hash of the entry", offset=first_difference(row[5], truth))
        if leaf_hash(row.state) != truth:
            offset = None if entry is None else first_difference(row.state, entry)
            self._find(f"{place}.state", index, "not the entry that stands in the log", offset=offset)
        if entry is None:
            return
        attributes = parse_entry(entry)
        for name, found, attribute in (
            ("originator_id", row.subject, "subject"),
            ("originator_version", row.position, "position"),
            ("topic", row.topic, "type"),
        ):
            if found != attributes[attribute]:
                self._find(f"{place}.{name}", index, f"not the entry's `{attribute}`")

    def _check_key(self, index: int, entry: bytes, keys: Iterator[tuple[str, str, bytes, int, int]]) -> None:
        expected = idempotency_key(entry, index)
        if expected is None:
            return
        found = next(keys, None)
        if found != tuple(expected):
            self._find(f"submissions ({expected.source}, {expected.submission_id})", index, "not the row of this entry")

    def _check_bundle(self, first: int) -> None:
        """Compare every file of one bundle, byte for byte."""
        for width, path in self._bundle_files(first):
            entries = [self._entries.get(index) for index in range(first, first + width)]
            whole = [entry for entry in entries if entry is not None]
            if len(whole) == width:
                self._compare(path, encode_bundle(whole), first)
        for index in range(first, first + TILE_WIDTH):
            self._entries.pop(index, None)

    # --- what follows from them ---

    def _read_checkpoint(self) -> Checkpoint | None:
        path = self.files.checkpoint
        if not path.exists():
            return None
        try:
            return verify_checkpoint(path.read_bytes(), vkey=self.vkey)
        except VerificationError as error:
            self._find("checkpoint", None, f"not a checkpoint of this log: {error}", offset=self._note_difference())
            return None

    def _note_difference(self) -> int | None:
        """The first byte that differs from the newest note of the archive."""
        with self.engine.connect() as connection:
            note = connection.exec_driver_sql("SELECT note FROM checkpoints ORDER BY tree_size DESC").scalar()
        return None if note is None else first_difference(self.files.checkpoint.read_bytes(), note)

    def _check_head(self) -> None:
        edge = RightEdge()
        edge.extend([self.hashes.read(0, index) for index in range(self.hashes.size)])
        with self.engine.connect() as connection:
            size, root, right_edge, recorded_time = connection.exec_driver_sql(
                "SELECT tree_size, root_hash, right_edge, recorded_time FROM head"
            ).one()
            last = connection.exec_driver_sql("SELECT state FROM events ORDER BY log_index DESC LIMIT 1").scalar()
        if size != edge.size:
            self._find("head.tree_size", None, f"expected {edge.size}")
        if root != edge.root():
            self._find(
                "head.root_hash", None, "not the root of the entries", offset=first_difference(root, edge.root())
            )
        if right_edge != edge.to_bytes():
            offset = first_difference(right_edge, edge.to_bytes())
            self._find("head.right_edge", None, "not the right edge of the entries", offset=offset)
        try:
            expected = parse_entry(last)["recordedtime"] if last is not None else recorded_time
        except VerificationError:
            return  # that row is named already
        if recorded_time != expected:
            self._find("head.recorded_time", None, "not the time of the newest entry")
        if self._published and self.hashes.root(self._published.tree_size) != self._published.root_hash:
            self._find("checkpoint", None, "the entries do not give the published root hash")

    def _check_archive(self) -> None:
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT tree_size, root_hash, note, published_time, day FROM checkpoints ORDER BY tree_size"
            ).all()
        for size, root, note, published_time, day in rows:
            place = f"checkpoints {size}"
            try:
                checkpoint = verify_checkpoint(note, vkey=self.vkey)
            except VerificationError as error:
                self._find(f"{place}.note", None, f"not a checkpoint of this log: {error}")
                continue
            if checkpoint.tree_size != size:
                self._find(f"{place}.tree_size", None, f"the note says {checkpoint.tree_size}")
            elif size > self.hashes.size or self.hashes.root(size) != checkpoint.root_hash:
                self._find(f"{place}.note", None, "the entries do not give its root hash")
            if root != checkpoint.root_hash:
                self._find(
                    f"{place}.root_hash", None, "not the note's", offset=first_difference(root, checkpoint.root_hash)
                )
            try:
                expected_day = korean_day(parse_time(published_time))
            except ValueError:
                self._find(f"{place}.published_time", None, "not a time")
                continue
            if day != expected_day:
                self._find(f"{place}.day", None, "not the Korean day of its time")

    def _check_files(self) -> None:
        """Every file below the public folder: hash tiles byte for byte, and nothing that does not belong there."""
        for path in sorted(self.files.log.rglob("*")):
            name = str(path.relative_to(self.files.log))
            if path.is_dir() or name == "checkpoint":
                continue
            try:
                coordinates = parse_path(name)
            except VerificationError:
                if not path.name.startswith("."):
                    self._find(name, None, "no file of a log has such a name")
                continue
            if isinstance(coordinates, Tile):
                try:
                    self._compare(path, tile_bytes(coordinates, self.hashes.read), None)
                except LookupError:
                    self._find(name, None, "the log does not reach that far")

    def _compare(self, path: Path, expected: bytes, first: int | None) -> None:
        data = path.read_bytes()
        if data != expected:
            name = str(path.relative_to(self.files.log))
            self._find(name, first, "not the bytes that the entries give", offset=first_difference(data, expected))
