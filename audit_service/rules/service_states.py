"""What do the streams of a service remember: its registration and counts, and what stands in each period?

As in `states`: tuples of dictionaries of immutable values, which stands once stands under `ONLY`.
"""

from __future__ import annotations

from typing import NamedTuple


class Service(NamedTuple):
    """A service: its one unit, how small a published cell may be, and how long its periods are (None: any)."""

    owner: str
    unit_ko: str
    minimum_cell: int
    operating: bool
    period_form: str | None = None


class Ballot(NamedTuple):
    """A ballot from its announcement on; `cast` is None until the box is sealed."""

    electorate: int
    closed_from: str
    options: frozenset[str]
    cast: int | None = None
    tallied: bool = False


class Scheme(NamedTuple):
    """Which kind's transactions answer the checks of a scheme, and in which period (None: in all)."""

    kind: str
    round: str | None


class ServiceState(NamedTuple):
    """`service/<id>`: registration, published counts (the id of the event in force under each count id), the rest."""

    service: dict[str, Service]
    kinds: dict[str, None]
    counts: dict[str, str]
    ballots: dict[str, Ballot]
    schemes: dict[str, Scheme]


class Sealing(NamedTuple):
    """A period's batches so far: `sealed` transactions announced by manifests, all by `owner`, all at `time`.

    `provenance` is what the newest manifest says (None: nothing).
    """

    owner: str
    period: str
    time: str
    sealed: int
    provenance: str | None


class Cell(NamedTuple):
    """The transactions of one kind in one batch; `provenance` is what the manifest says (None: nothing)."""

    batch_id: str
    kind: str
    provenance: str | None


class Batch(NamedTuple):
    """How many transactions a batch holds, of which provenance, and of how many the side record is erased."""

    size: int
    provenance: str | None
    erased: int = 0


class StatusList(NamedTuple):
    """A list of credentials of one kind, kept by one agency."""

    kind: str
    owner: str


class PeriodState(NamedTuple):
    """`service/<id>/<period>`. A batch is open while fewer commitments are there than were sealed.

    A commitment's value is the number of its cell: one small integer that all transactions of a cell share, so that a
    million of them cost no more than without it. `kinds` gives the newest cell of each kind. Places in status lists
    are bits of blocks (`bits`), under the list and the number of the block.
    """

    sealing: dict[str, Sealing]
    kinds: dict[str, int]
    cells: dict[int, Cell]
    batches: dict[str, Batch]
    commitments: dict[bytes, int]
    voided: dict[bytes, None]
    erased: dict[bytes, None]
    lists: dict[str, StatusList]
    issued: dict[tuple[str, int], int]
    revoked: dict[tuple[str, int], int]
    credentials: dict[bytes, None]
