"""What do row proofs look like, right ones and wrong ones? A small log that publishes one report, from fixed seeds.

Trees are those of `tests.support.trees` (the definition, word for word), signatures are real, so a wrong proof is
wrong in exactly the one thing that a test changes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support import trees
from tests.support.golden_entry import LOG, ORIGIN, PUBLISHER_KEY, public_key, recorded
from verifier.canonical import encode_canonical
from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.encoding import encode_base64url
from verifier.envelope import sign_submission
from verifier.hashing import leaf_hash
from verifier.reports import encode_rows, row_order
from verifier.row_proofs import ABSENT, PRESENT, PlacedRow, RowProof, encode_row_proof

SETTLEMENT_ROWS: list[dict[str, Any]] = [
    {
        "key": f"settlements/{year}/blockchain",
        "table": "settlements",
        "id": f"{year}/blockchain",
        "cells": {"fiscal_year": year, "project_ko": "블록체인 기반 공유행정 도입", "unspent_won": unspent_won},
        "provenance": ["printed"],
        "entries": [2, 3],
    }
    for year, unspent_won in ((2018, 133_369_000), (2019, 541_831_000), (2020, -1), (2021, 9_007_199_254_740_991))
]
# Keys whose order by UTF-8 bytes is not their order by UTF-16 units: U+FF5E comes before U+1F3DB only as bytes.
WIDE_KEYS: list[dict[str, Any]] = [{"key": key} for key in ("a", "a/b", "가", "～", "🏛", "🏛/1", '～/"\\\n')]


@dataclass(frozen=True)
class ReportLog:
    """A log of `size` entries whose entry `index` publishes one report over `rows`; what is not said is right."""

    rows: list[bytes]
    kind: str = "settlement"
    key: str = "seoul-smartcity"
    index: int = 5
    size: int = 11
    data: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def leaves(self) -> tuple[bytes, ...]:
        """The leaf hashes of the rows."""
        return tuple(leaf_hash(row) for row in self.rows)

    @property
    def entry(self) -> bytes:
        """The entry that publishes the report."""
        data = {
            "kind": self.kind,
            "key": self.key,
            "tree_size": self.index,
            "row_count": len(self.rows),
            "rows_root": trees.root(self.leaves).hex(),
            "definition": {"name": self.kind, "version": 1, "sha256": "ab" * 32},
            **self.data,
        }
        submission = {
            "specversion": "1.0",
            "id": f"report-{self.kind}-{self.index}",
            "source": "urn:kr:agency:seoul",
            "type": "report.published.v1",
            "subject": f"report/{self.kind}/{self.key}",
            "time": "2022-02-28T15:00:00.000Z",
            "data": data,
            **self.attributes,
        }
        signed = sign_submission(submission, PUBLISHER_KEY)
        return recorded(signed, position=1, recordedtime="2022-02-28T15:00:00.001Z")

    def proof(self, claim: str, row_key: str, places: list[int]) -> RowProof:
        """The proof that shows the rows at these places, whether or not they bear the claim."""
        log = [leaf_hash(b"entry %d" % number) for number in range(self.size)]
        log[self.index] = leaf_hash(self.entry)
        root = trees.root(tuple(log))
        placed = [PlacedRow(self.rows[n], n, tuple(trees.path(n, self.leaves))) for n in places]
        return RowProof(
            claim=claim,
            row_key=row_key,
            rows=tuple(placed),
            entry=self.entry,
            index=self.index,
            inclusion=tuple(trees.path(self.index, tuple(log))),
            checkpoint=LOG.sign(encode_checkpoint(Checkpoint(ORIGIN, self.size, root))),
        )

    def right_proof(self, row_key: str) -> RowProof:
        """The right proof for this key, of presence or of absence."""
        keys = [row_order(_key(row)) for row in self.rows]
        asked = row_order(row_key)
        if asked in keys:
            return self.proof(PRESENT, row_key, [keys.index(asked)])
        after = sum(1 for key in keys if key < asked)
        return self.proof(ABSENT, row_key, [n for n in (after - 1, after) if 0 <= n < len(keys)])


def _key(row: bytes) -> str:
    key: str = json.loads(row)["key"]
    return key


def settlement_log(**changes: Any) -> ReportLog:
    """The log that publishes the settlement's four rows."""
    return ReportLog(encode_rows(SETTLEMENT_ROWS), **changes)


def right_proofs() -> dict[str, RowProof]:
    """A right proof of each form, by its name."""
    log = settlement_log()
    wide = ReportLog(encode_rows(WIDE_KEYS), kind="stream-heads", key="all", index=7, size=8)
    single = ReportLog(encode_rows([{"key": "only"}]), kind="budget-book", key="seoul/2021", index=1, size=2)
    nothing = ReportLog([], kind="contract-register", key="all", index=10, size=11)
    return {
        "present": log.right_proof("settlements/2019/blockchain"),
        "present-first": log.right_proof("settlements/2018/blockchain"),
        "present-last": log.right_proof("settlements/2021/blockchain"),
        "present-single": single.right_proof("only"),
        "present-wide": wide.right_proof('～/"\\\n'),
        "absent-between": log.right_proof("settlements/2019/other"),
        "absent-before-first": log.right_proof("a"),
        "absent-after-last": log.right_proof("zzz"),
        "absent-between-wide": wide.right_proof("～～"),
        "absent-single": single.right_proof("one"),
        "absent-no-rows": nothing.right_proof("any"),
    }


def wrong_proofs() -> dict[str, tuple[str, bytes]]:
    """Proofs whose hashes and signatures fit, each wrong in one thing: name -> (why, file)."""
    log = settlement_log()
    good = log.right_proof("settlements/2019/blockchain")
    key, other = "settlements/2019/blockchain", "settlements/2019/other"
    row = log.rows[1]
    unsorted = ReportLog([log.rows[1], log.rows[0], *log.rows[2:]])
    twice = ReportLog([log.rows[0], row, row, log.rows[2]])
    loose = ReportLog([b'{"key": "a"}', *log.rows])
    keyless = ReportLog([b'{"id":"a"}', *log.rows])
    empty_root = trees.root(()).hex()

    def changed(**data: Any) -> RowProof:
        return settlement_log(data=data).right_proof(key)

    def noted(**attributes: Any) -> RowProof:
        return settlement_log(attributes=attributes).right_proof(key)

    wrong: dict[str, tuple[str, RowProof]] = {
        "present-other-key": ("the row has another key", replace(good, row_key=other)),
        "present-no-row": ("no row is shown", log.proof(PRESENT, key, [])),
        "present-two-rows": ("two rows are shown", log.proof(PRESENT, key, [1, 2])),
        "present-index": ("the row stands elsewhere", replace(good, rows=(replace(good.rows[0], index=2),))),
        "present-path-long": ("a hash too many", _repath(good, (*good.rows[0].path, b"\0" * 32))),
        "present-path-short": ("a hash too few", _repath(good, good.rows[0].path[:-1])),
        "present-index-beyond": ("no such row", replace(good, rows=(replace(good.rows[0], index=4),))),
        "absent-but-there": ("the row is there", log.proof(ABSENT, key, [0, 1])),
        "absent-gap": ("a row stands between", log.proof(ABSENT, key, [0, 2])),
        "absent-wrong-way": ("neighbours in the wrong order", log.proof(ABSENT, other, [2, 1])),
        "absent-one-in-the-middle": ("one row that is no edge", log.proof(ABSENT, other, [1])),
        "absent-last-not-last": ("not the last row", log.proof(ABSENT, "zzz", [2])),
        "absent-first-not-first": ("not the first row", log.proof(ABSENT, "a", [1])),
        "absent-first-before": ("the first row comes before the key", log.proof(ABSENT, other, [0])),
        "absent-same-row-twice": ("one row shown twice", log.proof(ABSENT, other, [1, 1])),
        "absent-no-rows-shown": ("rows exist, none is shown", log.proof(ABSENT, other, [])),
        "absent-neighbours-elsewhere": ("the key stands elsewhere", log.proof(ABSENT, "zzz", [1, 2])),
        "row-not-canonical": ("a row with a space", loose.proof(ABSENT, "Z", [0])),
        "row-without-key": ("a row without key", keyless.proof(ABSENT, "Z", [0])),
        "rows-unsorted": ("rows in another order", unsorted.proof(ABSENT, "settlements/2018/x", [0, 1])),
        "rows-twice": ("a row that stands twice", twice.proof(ABSENT, key, [1, 2])),
        "report-row-count": ("fewer rows than there are", changed(row_count=1)),
        "report-row-count-more": ("more rows than there are", changed(row_count=9)),
        "report-root": ("another rows root", changed(rows_root="00" * 32)),
        "report-root-upper": ("a root in capitals", changed(rows_root=trees.root(log.leaves).hex().upper())),
        "report-tree-size": ("computed from later entries", changed(tree_size=6)),
        "report-tree-size-zero": ("computed from nothing", changed(tree_size=0)),
        "report-tree-size-true": ("a tree size that is no number", changed(tree_size=True)),
        "report-unknown-member": ("a member that nobody reads", changed(more=1)),
        "report-definition": ("a definition without version", changed(definition={"name": "x", "sha256": "ab" * 32})),
        "report-other-stream": ("of another stream", noted(subject="report/settlement/roads")),
        "report-other-kind": ("of another kind's stream", noted(subject="report/budget-book/seoul-smartcity")),
        "report-other-type": ("an entry of another type", noted(type="report.withdrawn.v1")),
        "report-empty-root": (
            "no rows, but a root",
            ReportLog([], data={"rows_root": "11" * 32}).proof(ABSENT, key, []),
        ),
        "report-empty-with-row": (
            "no rows, but one is shown",
            ReportLog(log.rows, data={"row_count": 0, "rows_root": empty_root}).proof(ABSENT, "zzz", [3]),
        ),
        "inclusion-index": ("the entry stands elsewhere", replace(good, index=4)),
        "inclusion-long": ("a hash too many", replace(good, inclusion=(*good.inclusion, b"\0" * 32))),
        "inclusion-short": ("a hash too few", replace(good, inclusion=good.inclusion[:-1])),
        "checkpoint-other": (
            "a checkpoint of another size",
            replace(good, checkpoint=settlement_log(size=12).proof(PRESENT, key, [1]).checkpoint),
        ),
    }
    files = {name: (why, encode_row_proof(proof)) for name, (why, proof) in wrong.items()}
    text = encode_row_proof(good)
    unsigned = good.entry.replace(b',"signature":"' + _signature(good.entry) + b'"', b"")
    assert unsigned != good.entry
    files |= {
        "entry-unsigned": ("an entry without signature", encode_row_proof(replace(good, entry=unsigned))),
        "file-newline": ("a newline behind the file", text + b"\n"),
        "file-space": ("a space inside the file", text.replace(b'{"checkpoint"', b'{ "checkpoint"', 1)),
        "file-format": ("another format", text.replace(b"ledger-row-proof/v1", b"ledger-row-proof/v2")),
        "file-claim": ("another claim", text.replace(b'"claim":"present"', b'"claim":"perhaps"')),
        "file-member": ("a member more", text.replace(b'{"checkpoint"', b'{"a":1,"checkpoint"', 1)),
        "file-index-float": ("an index with a fraction", text.replace(b'"index":5', b'"index":5.0')),
        "file-index-exponent": ("an index with an exponent", text.replace(b'"index":5', b'"index":5e0')),
        "file-index-text": ("an index as text", text.replace(b'"index":5', b'"index":"5"')),
        "file-index-negative": ("a negative index", text.replace(b'"index":5', b'"index":-5')),
        "file-key-twice": ("a key twice", text.replace(b'"claim":"present"', b'"claim":"absent","claim":"present"')),
        "file-escape": ("a letter as an escape", text.replace(b'"format":"ledger', b'"format":"\\u006cedger')),
        "file-mark": ("a byte order mark", b"\xef\xbb\xbf" + text),
        "file-empty": ("nothing", b""),
        "file-list": ("a list", b"[]"),
        "file-surrogate": (
            "half a surrogate pair",
            text.replace(b'"row_key":"settlements/2019/blockchain"', b'"row_key":"\\ud800"'),
        ),
    }
    return files


def _repath(proof: RowProof, path: tuple[bytes, ...]) -> RowProof:
    return replace(proof, rows=(replace(proof.rows[0], path=path),))


def _signature(entry: bytes) -> bytes:
    return str(json.loads(entry)["signature"]).encode()


def build() -> dict[str, bytes]:
    """Every golden file by its name."""
    right, wrong = right_proofs(), wrong_proofs()
    facts = {
        "vkey": str(LOG.vkey),
        "publisher_public_key": encode_base64url(public_key(PUBLISHER_KEY)),
        "right": {
            name: {
                "claim": proof.claim,
                "row_key": proof.row_key,
                "row": proof.rows[0].row.decode() if proof.claim == PRESENT else None,
                "index": proof.index,
                "subject": _subject(proof.entry),
            }
            for name, proof in right.items()
        },
        "wrong": {name: why for name, (why, _) in wrong.items()},
    }
    return {
        "facts.json": encode_canonical(facts),
        **{f"right-{name}.json": encode_row_proof(proof) for name, proof in right.items()},
        **{f"wrong-{name}.json": data for name, (_, data) in wrong.items()},
    }


def _subject(entry: bytes) -> str:
    return str(json.loads(entry)["subject"])
