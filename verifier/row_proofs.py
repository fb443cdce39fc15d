"""Is this row, or no row of this key, in a report that the log holds, checked from one file without network?

The file (docs/report-proof.md) is the canonical JSON of one object; texts in it are the exact bytes that are hashed:

    format       "ledger-row-proof/v1"
    claim        "present" or "absent"
    row_key      the key that was asked for
    rows         what the claim rests on, each {index, path, row}: the row of that key; or its one or two neighbours
    entry        the report.published entry: row count and rows root
    index        the entry's index in the log
    inclusion    the entry's path to the root of the checkpoint
    checkpoint   the signed checkpoint, as the log's key signed it

A row is absent when the keys of two rows with neighbouring indexes enclose it, or the first row's key comes after it,
or the last row's before it, or the report has no rows at all. Hashes are in base64, the leaf's sibling first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.canonical import encode_canonical
from verifier.checkpoints import Checkpoint, verify_checkpoint
from verifier.envelope import signature_kid, verify_signature
from verifier.errors import MalformedInput, ProofDoesNotHold
from verifier.hashing import leaf_hash
from verifier.json_proofs import (
    encode_path,
    encode_text,
    parse_integer,
    parse_path,
    parse_proof_object,
    parse_text,
    require_format,
    require_members,
)
from verifier.reports import (
    Report,
    parse_report_entry,
    parse_row,
    require_report_place,
    require_row_key,
    row_order,
)
from verifier.tree import verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verifier.notes import VerifierKey

FORMAT = "ledger-row-proof/v1"
MAX_ROW_PROOF_BYTES = 262_144
PRESENT, ABSENT = "present", "absent"

_WHAT = "row proof"
_MEMBERS = frozenset({"format", "claim", "row_key", "rows", "entry", "index", "inclusion", "checkpoint"})
_ROW_MEMBERS = frozenset({"index", "path", "row"})


def _say_nothing(_line: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row's bytes, its index among the rows, and its path to the rows root."""

    row: bytes
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RowProof:
    """A row proof that was read and not yet believed; `claim` is `PRESENT` or `ABSENT`."""

    claim: str
    row_key: str
    rows: tuple[PlacedRow, ...]
    entry: bytes
    index: int
    inclusion: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True)
class ProvenRow:
    """What `verify_row_proof` found: the report at `index` of the log has this row, or (`row` is None) no such row.

    `publisher_kid` is the key that says it signed the report; its signature was checked if `publisher_checked`.
    """

    row_key: str
    row: dict[str, Any] | None
    report: Report
    index: int
    source: str
    publisher_kid: str
    publisher_checked: bool
    checkpoint: Checkpoint


def verify_row_proof(
    proof: bytes,
    *,
    vkey: VerifierKey,
    origin: str | None = None,
    publisher_key: bytes | None = None,
    kind: str | None = None,
    key: str | None = None,
    row_key: str | None = None,
    on_step: Callable[[str], None] = _say_nothing,
) -> ProvenRow:
    """Check a row proof; the log's key is pinned by the caller, and so is what the caller asked for, where given.

    1. Read the file.
    2. The log's key has signed the checkpoint, and it is of this origin (the name of the key if not given).
    3. The entry leads, at its index, to the root of the checkpoint.
    4. The entry publishes a report: of its stream, signed, computed from entries before its own.
    5. It is the report and the row that were asked for; the publisher's key, if given, has signed it.
    6. Every row leads, at its index among `row_count`, to the rows root.
    7. The rows bear the claim: the one row has the key; or no row can stand where the key would.

    `on_step` is told of every step that passed, in one line.

    Raises:
        MalformedInput: a part is not of its form, or another report or row than the one asked for.
        SignatureDoesNotHold: the log's or the publisher's key has not signed.
        ProofDoesNotHold: hashes do not lead to a root, or the rows do not bear the claim.
    """
    # 1.
    parsed = parse_row_proof(proof)
    on_step(f"the file is a row proof, which claims that the row is {parsed.claim}")
    # 2.
    checkpoint = verify_checkpoint(parsed.checkpoint, vkey=vkey, origin=origin)
    on_step(f"{vkey.name} signed the checkpoint: size {checkpoint.tree_size}, root {checkpoint.root_hash.hex()}")
    # 3.
    verify_inclusion(
        leaf_hash(parsed.entry),
        index=parsed.index,
        tree_size=checkpoint.tree_size,
        proof=parsed.inclusion,
        root=checkpoint.root_hash,
    )
    on_step(f"entry {parsed.index} leads to that root")
    # 4.
    report, attributes = parse_report_entry(parsed.entry)
    require_report_place(report, index=parsed.index)
    on_step(_say_report(report, source=attributes["source"]))
    # 5.
    _require_asked("kind", kind, report.kind)
    _require_asked("key", key, report.key)
    _require_asked("row", row_key, parsed.row_key)
    if publisher_key is not None:
        verify_signature(attributes, public_key=publisher_key)
        on_step(f"the pinned publisher's key signed it: {signature_kid(attributes['signature'])}")
    # 6. and 7.
    row = verify_rows(parsed.rows, claim=parsed.claim, row_key=parsed.row_key, report=report)
    where = "no row has" if row is None else f"row {parsed.rows[0].index} of {report.row_count} has"
    on_step(f"{where} the key {parsed.row_key}")
    return ProvenRow(
        row_key=parsed.row_key,
        row=row,
        report=report,
        index=parsed.index,
        source=attributes["source"],
        publisher_kid=signature_kid(attributes["signature"]),
        publisher_checked=publisher_key is not None,
        checkpoint=checkpoint,
    )


def _say_report(report: Report, *, source: str) -> str:
    definition = f"definition {report.definition.name} version {report.definition.version}"
    computed = f"{report.row_count} rows, computed from the first {report.tree_size} entries"
    return f"it publishes report {report.kind}/{report.key} by {source}: {computed}, {definition}"


def verify_rows(rows: Sequence[PlacedRow], *, claim: str, row_key: str, report: Report) -> dict[str, Any] | None:
    """Do these rows show that the report has a row of this key (gives it), or that it has none (None)?

    Raises:
        MalformedInput: a row is none, or its index is not below the report's row count.
        ProofDoesNotHold: a path does not lead to the rows root, or the rows do not bear the claim.
    """
    parsed = []
    for placed in rows:
        parsed.append(parse_row(placed.row))
        verify_inclusion(
            leaf_hash(placed.row),
            index=placed.index,
            tree_size=report.row_count,
            proof=placed.path,
            root=report.rows_root,
        )
    if claim == PRESENT:
        if len(parsed) != 1 or parsed[0]["key"] != row_key:
            raise ProofDoesNotHold("presence: expected the one row with the key that was asked for")
        return parsed[0]
    places = [placed.index for placed in rows]
    keys = [row_order(row["key"]) for row in parsed]
    _require_absent(row_order(row_key), keys=keys, places=places, row_count=report.row_count)
    return None


def _require_absent(asked: bytes, *, keys: list[bytes], places: list[int], row_count: int) -> None:
    """No row can stand where the asked key would: rows are sorted by key."""
    if not row_count:
        holds = not keys
    elif len(keys) == 2:
        holds = places[0] + 1 == places[1] and keys[0] < asked < keys[1]
    elif len(keys) == 1:
        before_first = places[0] == 0 and asked < keys[0]
        after_last = places[0] == row_count - 1 and keys[0] < asked
        holds = before_first or after_last
    else:
        holds = False
    if not holds:
        raise ProofDoesNotHold("absence: expected the rows between which the key would stand")


def _require_asked(name: str, asked: str | None, found: str) -> None:
    if asked is not None and asked != found:
        raise MalformedInput(f"row proof: of another {name} than the one that was asked for")


# --- the file -------------------------------------------------------------------------------------------


def encode_row_proof(proof: RowProof) -> bytes:
    """Write the file of a row proof.

    Raises:
        MalformedInput: a part is no UTF-8 text or has no canonical form.
    """
    return encode_canonical(
        {
            "format": FORMAT,
            "claim": proof.claim,
            "row_key": proof.row_key,
            "rows": [
                {"index": row.index, "path": encode_path(row.path), "row": encode_text(row.row, what=_WHAT)}
                for row in proof.rows
            ],
            "entry": encode_text(proof.entry, what=_WHAT),
            "index": proof.index,
            "inclusion": encode_path(proof.inclusion),
            "checkpoint": encode_text(proof.checkpoint, what=_WHAT),
        }
    )


def parse_row_proof(data: bytes) -> RowProof:
    """Read a row proof without believing it.

    Raises:
        MalformedInput: it is too long, not canonical, of another format, or a member is missing, unknown or not of
            its form.
    """
    value = parse_proof_object(data, what=_WHAT, members=_MEMBERS, max_bytes=MAX_ROW_PROOF_BYTES)
    require_format(value["format"], FORMAT, what=_WHAT)
    if value["claim"] not in (PRESENT, ABSENT):
        raise MalformedInput(f"row proof: expected the claim {PRESENT} or {ABSENT}")
    rows = value["rows"]
    if not isinstance(rows, list) or len(rows) > 2:
        raise MalformedInput("row proof: expected at most two rows")
    return RowProof(
        claim=value["claim"],
        row_key=require_row_key(value["row_key"]),
        rows=tuple(_parse_placed(row) for row in rows),
        entry=parse_text(value["entry"], "entry", what=_WHAT),
        index=parse_integer(value["index"], "index", least=0, what=_WHAT),
        inclusion=parse_path(value["inclusion"], what=_WHAT),
        checkpoint=parse_text(value["checkpoint"], "checkpoint", what=_WHAT),
    )


def _parse_placed(value: object) -> PlacedRow:
    row = require_members(value, _ROW_MEMBERS, what=_WHAT)
    return PlacedRow(
        row=parse_text(row["row"], "row", what=_WHAT),
        index=parse_integer(row["index"], "index", least=0, what=_WHAT),
        path=parse_path(row["path"], what=_WHAT),
    )
