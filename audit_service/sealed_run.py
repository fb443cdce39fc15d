"""How do the thousands of transactions behind one manifest come in, many times faster than one by one?

The transactions of a sealed batch differ in their commitment, their kind and the number in their id; all their
other bytes are the same. So the first one is read with every check, and gives the bytes that all the others must
have around these three. A line that has them is canonical, well formed and of the manifest's own envelope: nothing
about it is left to check. A batch that is unusual in any way is read one by one, and told there what is wrong with
it: two paths, one verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, Struct

from audit_service.catalogue.service import TransactionRecorded
from verifier.hashing import LEAF_PREFIX
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event, Submission
    from audit_service.catalogue.service import BatchSealed

_encode = msgspec.json.Encoder().encode
_PREFIX = b'{"data":{"commitment":"'
_HEX_DIGITS = 64
_KIND_AT = len(_PREFIX) + _HEX_DIGITS


class SealedRun(Struct, frozen=True, kw_only=True, gc=False):
    """All transactions of one batch, read at once.

    `heads` are their canonical bytes up to `"id":"…"`, `tail` is what follows in each of them; the service's two
    attributes stand in between when they become entries. `commitments` are 32 bytes each.
    """

    subject: str
    source: str
    time: str
    lines: Sequence[bytes]
    heads: list[bytes]
    tail: bytes
    period: str
    provenance: str | None
    counts: dict[str, int]
    kinds: list[str]
    commitments: list[bytes]

    def entries(self, *, first_position: int, recorded_time: str) -> list[bytes]:
        """The entries: each submission with its position and the recorded time, in canonical order."""
        rest = b',"recordedtime":"%b"%b' % (recorded_time.encode(), self.tail)
        return [
            b'%b,"position":%d%b' % (head, position, rest) for position, head in enumerate(self.heads, first_position)
        ]


def read_sealed_run(
    manifest: Event, first: tuple[Submission, Event, bytes], lines: Sequence[bytes]
) -> SealedRun | None:
    """Read the transactions behind a manifest at once; `first` is the first of them, read with every check.

    None where anything is unusual: another envelope, another order, other counts, another root, a commitment that
    is no lower-case hex or stands there twice.
    """
    batch: BatchSealed = manifest.data
    template = _template(manifest, batch, first)
    if template is None:
        return None
    kind_of, tail = template
    heads: list[bytes] = []
    kinds: list[str] = []
    cut = -len(tail)
    for number, line in enumerate(lines, 1):
        digits = b'%d"' % number
        head = line[:cut]
        middle = head[_KIND_AT : -len(digits)]
        kind = kind_of.get(middle)
        if kind is None or not line.startswith(_PREFIX) or not line.endswith(tail) or not head.endswith(digits):
            return None
        heads.append(head)
        kinds.append(kind)
    commitments = _commitments(lines)
    counts = dict(Counter(kinds))
    if commitments is None or counts != {cell.kind: cell.count for cell in batch.counts_by_kind}:
        return None
    if _root(lines).hex() != batch.submissions_root:
        return None
    event = first[1]
    return SealedRun(
        subject=event.subject,
        source=event.source,
        time=event.time,
        lines=lines,
        heads=heads,
        tail=tail,
        period=batch.period,
        provenance=event.data.provenance if isinstance(event.data.provenance, str) else None,
        counts=counts,
        kinds=kinds,
        commitments=commitments,
    )


def _template(
    manifest: Event, batch: BatchSealed, first: tuple[Submission, Event, bytes]
) -> tuple[dict[bytes, str], bytes] | None:
    """What stands between commitment and number, for each kind, and behind the number; None if it is unusual."""
    submission, event, canonical = first
    data = event.data
    if not (
        isinstance(data, TransactionRecorded)
        and event.subject == manifest.subject
        and event.source == manifest.source
        and event.id == f"{batch.batch_id}/1"
        and data.period == batch.period
        and submission.signature is UNSET
        and submission.approval is UNSET
        and submission.sequence is UNSET
        and submission.expectedposition is UNSET
    ):
        return None
    own, behind_data = _encode(data), f'"id":"{event.id}"'.encode()
    start = len(b'{"data":') + len(own) + len(b",")
    if not canonical.startswith(b'{"data":' + own + b"," + behind_data) or not canonical.isascii():
        return None
    tail = canonical[start + len(behind_data) :]
    id_beginning = f',"id":"{batch.batch_id}/'.encode()
    kind_of = {
        _encode(msgspec.structs.replace(data, kind=cell.kind))[_KIND_AT - len(b'{"data":') :] + id_beginning: cell.kind
        for cell in batch.counts_by_kind
    }
    return kind_of, tail


def _commitments(lines: Sequence[bytes]) -> list[bytes] | None:
    text = b"".join([line[len(_PREFIX) : _KIND_AT] for line in lines]).decode("latin-1")
    try:
        joined = bytes.fromhex(text)
    except ValueError:
        return None
    # Comparing what it prints as refuses capital letters and blanks, which `fromhex` reads over.
    if joined.hex() != text:
        return None
    commitments = [joined[start : start + 32] for start in range(0, len(joined), 32)]
    return commitments if len(set(commitments)) == len(lines) else None


def _root(lines: Sequence[bytes]) -> bytes:
    return root_of_leaf_hashes([sha256(LEAF_PREFIX + line).digest() for line in lines])
