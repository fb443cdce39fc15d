"""Which proofs should two verifiers be asked about? Good ones and damaged ones, all from one seed.

A damaged proof is no noise: most are changed in one place and spelled again in the canonical form, under checkpoints
that the log's key really signed, so that each check is the one that refuses some of them. `judge` gives the verdict of
`verifier/`: what was proven, or the kind of the error and the part of the proof that it speaks of.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.support import trees
from tests.support.fuzzing import mutate, mutate_json
from tests.support.golden_entry import LOG, ORIGIN, PUBLISHER_KEY, public_key
from tests.support.report_proofs import SETTLEMENT_ROWS, WIDE_KEYS, ReportLog
from verifier.canonical import encode_canonical
from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.encoding import encode_base64, encode_base64url, parse_base64
from verifier.envelope import APPROVAL_TYP, SUBMISSION_TYP, key_id
from verifier.errors import VerificationError
from verifier.hashing import leaf_hash, node_hash
from verifier.notes import NoteSigner, VerifierKey
from verifier.proofs import LogProof, encode_log_proof, verify_log_proof
from verifier.reports import encode_rows
from verifier.row_proofs import ABSENT, PRESENT, RowProof, encode_row_proof, verify_row_proof
from verifier.tree import verify_consistency

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

WITNESS = NoteSigner.from_seed("witness.example", b"\x31" * 32)
NAMESAKE = NoteSigner.from_seed(ORIGIN, b"\x32" * 32)
PUBLISHER = public_key(PUBLISHER_KEY)

Case = dict[str, Any]
Hashes = tuple[bytes, ...]


# --- verdicts -------------------------------------------------------------------------------------------


def judge(case: Case) -> str:
    """What does `verifier/` say to this case?"""
    try:
        return _JUDGES[case["kind"]](case)
    except VerificationError as error:
        return reason(error)


def reason(error: VerificationError) -> str:
    """Why something is refused: the kind of the error, and the part of the proof that it speaks of."""
    return f"{type(error).__name__}: {str(error).partition(':')[0]}"


def _judge_row(case: Case) -> str:
    key = case.get("publisher_key")
    proven = verify_row_proof(
        _bytes(case["proof"]),
        vkey=VerifierKey.parse(case["vkey"]),
        publisher_key=None if key is None else _bytes(key),
        kind=case.get("asked_kind"),
        key=case.get("asked_key"),
        row_key=case.get("asked_row_key"),
    )
    row = "no row" if proven.row is None else encode_canonical(proven.row).decode()
    return f"{proven.index} {proven.checkpoint.tree_size} {proven.source} {proven.publisher_kid} {row}"


def _judge_log(case: Case) -> str:
    vkey = VerifierKey.parse(case["vkey"])
    verified = verify_log_proof(_bytes(case["proof"]), entry=_bytes(case["entry"]), vkey=vkey)
    return f"{verified.index} {verified.checkpoint.tree_size} {encode_base64(verified.checkpoint.root_hash)}"


def _judge_consistency(case: Case) -> str:
    verify_consistency(
        old_size=int(case["old_size"]),
        new_size=int(case["new_size"]),
        old_root=_bytes(case["old_root"]),
        new_root=_bytes(case["new_root"]),
        proof=[_bytes(value) for value in case["proof"]],
    )
    return "continues"


_JUDGES: dict[str, Callable[[Case], str]] = {
    "row": _judge_row,
    "log": _judge_log,
    "consistency": _judge_consistency,
}


def _bytes(text: str) -> bytes:
    return parse_base64(text, name="case")


# --- cases ----------------------------------------------------------------------------------------------


def make_cases(chance: Random, count: int) -> list[Case]:
    """So many cases: six of ten are row proofs, three proofs of an entry, one of consistency."""
    logs = _report_logs(chance)
    makers = [lambda: _row_case(chance, logs)] * 6 + [lambda: _log_case(chance)] * 3 + [lambda: _consistency(chance)]
    return [makers[number % 10]() for number in range(count)]


def _vkey(chance: Random) -> str:
    """Nearly always the log's key, as otherwise nothing behind the signature would be looked at."""
    return str(chance.choice([LOG] * 38 + [NAMESAKE, WITNESS]).vkey)


@dataclass(frozen=True)
class _Shown:
    """A log's leaves up to a size, and its checkpoint there."""

    leaves: Hashes

    def note(self, size: int | None = None) -> bytes:
        checkpoint = Checkpoint(ORIGIN, len(self.leaves) if size is None else size, trees.root(self.leaves))
        return LOG.sign(encode_checkpoint(checkpoint))


def _damaged_hashes(chance: Random, hashes: Hashes) -> Hashes:
    changed = list(hashes)
    what = chance.randrange(5)
    if what == 0 and changed:
        del changed[chance.randrange(len(changed))]
    elif what == 1:
        changed.insert(chance.randint(0, len(changed)), chance.randbytes(32))
    elif what == 2 and len(changed) > 1:
        chance.shuffle(changed)
    elif what == 3 and changed:
        changed += changed[-1:] * chance.choice((1, 70))
    elif changed:
        place = chance.randrange(len(changed))
        flipped = bytearray(changed[place])
        flipped[chance.randrange(32)] ^= 1 << chance.randrange(8)
        changed[place] = bytes(flipped)
    return tuple(changed)


def _other_index(chance: Random, index: int, size: int) -> int:
    return abs(chance.choice((index + 1, index - 1, index ^ 1, size, size - 1, 0, 2**53 - 1, chance.randrange(99))))


# Texts that the log's key signs here, and that are no checkpoint of this log.
_NO_CHECKPOINTS = (
    "another.example\n5\n{root}\n",
    "\n5\n{root}\n",
    f"{ORIGIN}\n0\n{{root}}\n",
    f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    f"{ORIGIN}\n9223372036854775807\n{{root}}\n",
    f"{ORIGIN}\n9223372036854775808\n{{root}}\n",
    f"{ORIGIN}\n05\n{{root}}\n",
    f"{ORIGIN}\n5\n{{root}}=\n",
    f"{ORIGIN}\n5\nAAAA\n",
    f"{ORIGIN}\n5\n",
    "\n",
)


def _damaged_note(chance: Random, note: bytes) -> bytes:
    text, _, lines = note.partition(b"\n\n")
    what = chance.randrange(12)
    if what == 0:  # a cosignature by a key that nobody pinned holds
        return note + WITNESS.signature_line(text.decode() + "\n").encode()
    if what == 1:
        return b"%s\n\n%s" % (text, NAMESAKE.signature_line(text.decode() + "\n").encode())
    if what == 2:
        return text + b"\n\n" + b"".join([lines] * chance.choice((0, 2, 100, 101)))
    if what == 3:  # well-formed, but the signature is of another text
        return text.replace(b"\n", b"\n1", 1) + b"\n\n" + lines
    if what == 4:
        return LOG.sign(text.decode() + "\nan extension\n")
    if what in {5, 6, 7, 8}:
        return LOG.sign(chance.choice(_NO_CHECKPOINTS).format(root=text.decode().rpartition("\n")[2]))
    if what == 9:
        return _flipped_signature(chance, note)
    return mutate(chance, note, most=1)


def _flipped_signature(chance: Random, note: bytes) -> bytes:
    head, _, encoded = note.rstrip(b"\n").rpartition(b" ")
    signature = bytearray(parse_base64(encoded.decode(), name="signature"))
    signature[chance.randrange(len(signature))] ^= 1 << chance.randrange(8)
    return head + b" " + encode_base64(bytes(signature)).encode() + b"\n"


_HASH = re.compile(rb"[A-Za-z0-9+/]{43}=")
_NUMBER = re.compile(rb"(?<=index )[0-9]+|(?<=\n)[0-9]+(?=\n)")


def _respelled(chance: Random, data: bytes) -> bytes:
    """The same file with one hash or number written in another way, as a forgiving reader would still take it."""
    numbers = list(_NUMBER.finditer(data))
    if numbers and chance.random() < 0.4:
        found = chance.choice(numbers)
        ways = (b"0%s", b"+%s", b" %s", b"%s ", b"%s.0", b"0x%s", b"%s" + b"0" * 18, b"9223372036854775808%.0s", b"-%s")
        spelled = chance.choice(ways) % found[0]
    else:
        found = chance.choice(list(_HASH.finditer(data)))
        head, last = found[0][:42], found[0][42:43]
        # The last character of 32 bytes has two unused bits.
        place = _ALPHABET.index(last)
        unused = _ALPHABET[place ^ 1 : (place ^ 1) + 1]
        ways = (head + last, head + unused + b"=", head + last + b"==", b" " + found[0], head + b"-=", head[:-4] + b"=")
        spelled = chance.choice((*ways, head + "가".encode() + b"="))
    return data[: found.start()] + spelled + data[found.end() :]


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


# --- proofs of an entry ---------------------------------------------------------------------------------


def _log_case(chance: Random) -> Case:
    size = chance.choice((1, 2, 3, 4, 5, 7, 8, 9, 16, 33, chance.randint(1, 70)))
    index = chance.randrange(size)
    shown = _Shown(trees.leaf_hashes(size))
    entry = b"entry %d" % index
    proof = LogProof(index=index, hashes=tuple(trees.path(index, shown.leaves)), checkpoint=shown.note())
    spell: Callable[[bytes], bytes] = lambda data: data  # noqa: E731 - replaced below where bytes are damaged
    what = chance.randrange(11)
    if what == 0:
        proof = replace(proof, index=_other_index(chance, index, size))
    elif what in {1, 2}:
        proof = replace(proof, hashes=_damaged_hashes(chance, proof.hashes))
    elif what == 3:
        entry = b"entry %d" % chance.randrange(size)
    elif what == 4 and proof.hashes:  # the node above the leaf, offered as an entry of 64 bytes, one level up
        pair = (proof.hashes[0], leaf_hash(entry)) if index % 2 else (leaf_hash(entry), proof.hashes[0])
        entry = b"".join(pair)
        assert len(node_hash(*pair)) == 32
        proof = replace(proof, index=index // 2, hashes=proof.hashes[1:])
    elif what == 5:
        proof = replace(proof, checkpoint=_damaged_note(chance, proof.checkpoint))
    elif what == 6:  # signed by the log, with a size that does not belong to the root
        proof = replace(proof, checkpoint=shown.note(_other_index(chance, size, size) or 1))
    elif what == 7:
        proof = replace(proof, extra=chance.randbytes(chance.randrange(4)))
    elif what == 8:
        spell = lambda data: mutate(chance, data, most=2)  # noqa: E731 - the same
    elif what == 9:
        spell = lambda data: _respelled(chance, data)  # noqa: E731 - the same
    proof_bytes = spell(encode_log_proof(proof))
    return {
        "kind": "log",
        "proof": encode_base64(proof_bytes),
        "entry": encode_base64(entry),
        "vkey": _vkey(chance),
    }


# --- consistency ----------------------------------------------------------------------------------------


def _consistency(chance: Random) -> Case:
    new_size = chance.randint(1, 40)
    old_size = chance.randint(1, new_size)
    leaves = trees.leaf_hashes(new_size)
    proof = tuple(trees.consistency(old_size, leaves))
    old_root, new_root = trees.root(leaves[:old_size]), trees.root(leaves)
    what = chance.randrange(6)
    if what == 0:
        old_size = _other_index(chance, old_size, new_size)
    elif what == 1:
        new_size = _other_index(chance, new_size, new_size)
    elif what in {2, 3}:
        proof = _damaged_hashes(chance, proof)
    elif what == 4:
        (old_root,) = _damaged_hashes(chance, (old_root,))[:1] or (b"",)
    return {
        "kind": "consistency",
        "old_size": str(old_size),
        "new_size": str(new_size),
        "old_root": encode_base64(old_root),
        "new_root": encode_base64(new_root),
        "proof": [encode_base64(value) for value in proof],
    }


# --- row proofs -----------------------------------------------------------------------------------------


def _report_logs(chance: Random) -> list[ReportLog]:
    """Logs whose report is right, or wrong in one thing that the log's key nevertheless signed."""
    logs = [_report_log(chance) for _ in range(150)]
    settlement = ReportLog(encode_rows(SETTLEMENT_ROWS))
    rows = settlement.rows
    wrong_rows = (
        [rows[1], rows[0], *rows[2:]],
        [rows[0], rows[1], rows[1], rows[2]],
        [b'{"key": "a"}', *rows],
        [b'{"id":"a"}', *rows],
        [b'{"key":"a","key":"b"}', *rows],
        [b"[]", *rows],
        [b'{"key":"a","text":"%s"}' % (b"a" * 65_536), *rows],
    )
    wrong_data: tuple[dict[str, Any], ...] = (
        {"row_count": 3},
        {"row_count": 5},
        {"row_count": 0},
        {"tree_size": 6},
        {"tree_size": True},
        {"rows_root": "00" * 32},
        {"key": "roads"},
        {"kind": "Settlement"},
        {"note_ko": "한 마디"},
        {"note_ko": "가" * 22_000},
        {"more": 1},
        {"definition": {"name": "x", "version": 0, "sha256": "ab" * 32}},
    )
    wrong_attributes: tuple[dict[str, Any], ...] = (
        {"subject": "report/settlement/roads"},
        {"type": "report.withdrawn.v1"},
        {"time": "2022-02-30T15:00:00.000Z"},
        {"time": "0000-01-01T00:00:00.000Z"},
        {"source": "urn:kr:agency:Seoul"},
        {"legaldate": "2024-02-29"},
        {"legaldate": "2100-02-29"},
        {"expectedposition": -1},
        {"data": {}},
    )
    return [
        *logs,
        *(ReportLog(found) for found in wrong_rows),
        *(_Changed(rows, change=pair) for pair in _CHANGES),
        *(replace(settlement, data=data) for data in wrong_data),
        *(replace(settlement, attributes=attributes) for attributes in wrong_attributes),
    ]


@dataclass(frozen=True)
class _Changed(ReportLog):
    """A log in which a piece of the report's entry is another, after it was signed."""

    change: tuple[str, str] = ("", "")

    @property
    def entry(self) -> bytes:
        entry = super().entry
        changed = entry.replace(*(part.encode() for part in self.change))
        assert changed != entry
        return changed


def _encoded(header: str) -> str:
    return encode_base64url(header.encode())


_KID = key_id(PUBLISHER)
_HEADER = _encoded(f'{{"alg":"EdDSA","kid":"{_KID}","typ":"{SUBMISSION_TYP}"}}')
_CHANGES = (
    (_HEADER, _encoded(f'{{"alg":"EdDSA","kid":"{_KID}","typ":"{APPROVAL_TYP}"}}')),
    (_HEADER, _encoded(f'{{"alg":"EdDSA","kid":"{_KID}","typ":"something+jws"}}')),
    (_HEADER, _encoded(f'{{"alg":"none","kid":"{_KID}","typ":"{SUBMISSION_TYP}"}}')),
    (_HEADER, _encoded(f'{{"alg":"EdDSA","kid":"{"A" * 43}","typ":"{SUBMISSION_TYP}"}}')),
    (_HEADER, "가" * 8),
    (_HEADER, _HEADER + "A" * 400),
    ("..", "..A"),
    ("..", "..-"),
    ("..", "."),
    (_HEADER + "..", _HEADER[:-1] + ".."),
    ('","source"', "_" * 10 + '","source"'),
    (',"source"', ',"sequence":"01","source"'),
    ('"id":"report-settlement-5",', ""),
    ('"recordedtime":"2022-02-28T15:00:00.001Z",', ""),
    ('{"data"', '{"colour":"red","data"'),
    ('"position":1', '"position":0'),
    ('"position":1', '"position":true'),
    ('"specversion":"1.0"', '"specversion":"1.1"'),
)


def _report_log(chance: Random) -> ReportLog:
    count = chance.choice((0, 1, 1, 2, 3, 4, 5, 8, 13, 20))
    rows = [{"key": f"{chance.choice('abcxyz')}/{number}", "won": number} for number in range(count)]
    rows = chance.choice((rows, rows, WIDE_KEYS, SETTLEMENT_ROWS))
    size = chance.randint(2, 40)
    return ReportLog(encode_rows(rows), index=chance.randrange(1, size), size=size)


def _row_case(chance: Random, logs: list[ReportLog]) -> Case:
    log = chance.choice(logs)
    proof = _row_proof(chance, log)
    data = _spell(proof)
    what = chance.randrange(12)
    if what == 0:
        data = mutate(chance, data, most=2)
    elif what == 1:
        data = mutate_json(chance, json.loads(data))
    elif what == 2:
        data = _respelled(chance, data)
    elif what > 6:
        other = _row_proof(chance, chance.choice(logs))
        data = _spell(_damaged_row_proof(chance, proof, other, log))
    return {"kind": "row", "proof": encode_base64(data), "vkey": _vkey(chance), **_asked(chance, log, proof)}


def _row_proof(chance: Random, log: ReportLog) -> RowProof:
    keys = [json.loads(row)["key"] for row in log.rows if row.startswith(b'{"') and b'"key":' in row]
    row_key = chance.choice([*keys, *keys, "a", "m", "～～", "🏛", "zzz", "settlements/2019/other"])
    if chance.random() < 0.5 and len(keys) == len(log.rows):
        return log.right_proof(row_key)
    if len(keys) > 2 and chance.random() < 0.6:
        # The key would stand behind the first row shown: is the other one the next?
        first = chance.randrange(len(keys) - 1)
        other = chance.randrange(first + 1, len(keys))
        return log.proof(ABSENT, keys[first] + "!", chance.choice(([first, other], [first], [other])))
    places = [chance.randrange(len(log.rows)) for _ in range(chance.randrange(3))] if log.rows else []
    if len(places) == 2 and chance.random() < 0.5 and places[0] + 1 < len(log.rows):
        places[1] = places[0] + 1
    return log.proof(chance.choice((PRESENT, ABSENT)), row_key, places)


def _damaged_row_proof(chance: Random, proof: RowProof, other: RowProof, log: ReportLog) -> RowProof:
    what = chance.randrange(11)
    if what == 0:
        return replace(proof, index=_other_index(chance, proof.index, log.size))
    if what == 1:
        return replace(proof, inclusion=_damaged_hashes(chance, proof.inclusion))
    if what == 2:
        return replace(proof, entry=other.entry)
    if what == 3:
        return replace(proof, entry=mutate(chance, proof.entry, most=1))
    if what == 4:
        return replace(proof, checkpoint=other.checkpoint)
    if what == 5:
        return replace(proof, checkpoint=_damaged_note(chance, proof.checkpoint))
    if what == 6:
        return replace(proof, claim=ABSENT if proof.claim == PRESENT else PRESENT)
    if what == 7:
        return replace(proof, row_key=other.row_key)
    if not proof.rows:
        return replace(proof, rows=other.rows)
    first, *rest = proof.rows
    if what == 8:
        first = replace(first, index=_other_index(chance, first.index, len(log.rows)))
    elif what == 9:
        first = replace(first, path=_damaged_hashes(chance, first.path))
    else:
        first = replace(first, row=mutate(chance, first.row, most=1))
    return replace(proof, rows=(first, *rest))


def _spell(proof: RowProof) -> bytes:
    """The file; what has no canonical form is spelled as near to it as can be."""
    try:
        return encode_row_proof(proof)
    except VerificationError:
        loose = replace(
            proof,
            entry=proof.entry.decode("utf-8", "replace").encode(),
            checkpoint=proof.checkpoint.decode("utf-8", "replace").encode(),
            rows=tuple(replace(row, row=row.row.decode("utf-8", "replace").encode()) for row in proof.rows),
        )
        value = {
            "format": "ledger-row-proof/v1",
            "claim": loose.claim,
            "row_key": loose.row_key,
            "rows": [
                {"index": row.index, "path": [encode_base64(h) for h in row.path], "row": row.row.decode()}
                for row in loose.rows
            ],
            "entry": loose.entry.decode(),
            "index": loose.index,
            "inclusion": [encode_base64(h) for h in loose.inclusion],
            "checkpoint": loose.checkpoint.decode(),
        }
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _asked(chance: Random, log: ReportLog, proof: RowProof) -> Case:
    """What the asker pins beside the log's key: mostly nothing or the right thing."""
    asked: Case = {}
    if chance.random() < 0.3:
        asked["publisher_key"] = encode_base64(chance.choice((PUBLISHER, PUBLISHER, WITNESS.vkey.public_key)))
    if chance.random() < 0.3:
        asked["asked_kind"] = chance.choice((log.kind, log.kind, "budget-book"))
    if chance.random() < 0.3:
        asked["asked_key"] = chance.choice((log.key, log.key, "roads"))
    if chance.random() < 0.3:
        asked["asked_row_key"] = chance.choice((proof.row_key, proof.row_key, "b/1"))
    return asked
