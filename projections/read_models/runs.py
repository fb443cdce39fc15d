"""What does the index keep of sealed transactions, which come by the million?

One row for each run of neighbours of one batch. Their ids are `<batch id>/<number>`, numbered one by one, so a run says
of each of them what a row of its own would say.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, Struct, UnsetType

from audit_service.catalogue.event import decode_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audit_service.catalogue.event import Event
    from projections.folds.all import FoldSet

TRANSACTION = "service.transaction-recorded.v1"
# The last attribute of a canonical entry is its type.
_SUFFIX = f'"type":"{TRANSACTION}"}}'.encode()


class _Data(Struct, gc=False):
    kind: str
    provenance: str | UnsetType = UNSET


class _Transaction(Struct, gc=False):
    data: _Data
    id: str
    source: str
    subject: str


_decode = msgspec.json.Decoder(_Transaction).decode


class Run(Struct, kw_only=True, gc=False):
    """Neighbouring transactions of one batch, from index `first` on; their ids start at `<batch_id>/<first_number>`."""

    first: int
    count: int
    subject: str
    source: str
    batch_id: str
    first_number: int
    groups: list[tuple[str | UnsetType, dict[str, int]]]

    def apply_to(self, folds: FoldSet) -> None:
        """Count them, each group of neighbours with one provenance at once."""
        first = self.first
        for provenance, counts in self.groups:
            folds.apply_transactions(first, self.subject, counts, provenance)
            first += sum(counts.values())


def parse_numbered_id(event_id: str) -> tuple[str, int] | None:
    """Of which batch is this id, and which number has it there? None where it is not `<batch id>/<number>`."""
    batch_id, slash, digits = event_id.rpartition("/")
    if not slash or not digits.isascii() or not digits.isdigit() or str(int(digits)) != digits:
        return None
    return batch_id, int(digits)


def read_page(entries: Sequence[bytes], *, first: int) -> Iterator[tuple[int, Event | Run]]:
    """Read entries as events and, where transactions stand side by side, as runs; with the index of each.

    Raises:
        msgspec.DecodeError, KeyError: an entry is no event of the catalogue; what stands before it was given.
    """
    index = first
    for sealed, neighbours in groupby(entries, lambda entry: entry.endswith(_SUFFIX)):
        group = list(neighbours)
        if not sealed:
            for number, entry in enumerate(group):
                yield index + number, decode_event(entry)
        else:
            yield from _runs(group, index)
        index += len(group)


def _runs(entries: list[bytes], first: int) -> Iterator[tuple[int, Event | Run]]:
    transactions = [_decode(entry) for entry in entries]
    start = 0
    while start < len(transactions):
        head = transactions[start]
        numbered = parse_numbered_id(head.id)
        if numbered is None:  # no rule lets such an id in, but the index tells of whatever the log holds
            yield first + start, decode_event(entries[start])
            start += 1
            continue
        batch_id, number = numbered
        stop = start + 1
        while stop < len(transactions) and _follows(transactions[stop], head, f"{batch_id}/{number + stop - start}"):
            stop += 1
        group = [transaction.data for transaction in transactions[start:stop]]
        yield (
            first + start,
            Run(
                first=first + start,
                count=stop - start,
                subject=head.subject,
                source=head.source,
                batch_id=batch_id,
                first_number=number,
                groups=[
                    (provenance, dict(Counter([data.kind for data in same])))
                    for provenance, same in groupby(group, lambda data: data.provenance)
                ],
            ),
        )
        start = stop


def _follows(transaction: _Transaction, head: _Transaction, expected_id: str) -> bool:
    return transaction.id == expected_id and transaction.subject == head.subject and transaction.source == head.source
