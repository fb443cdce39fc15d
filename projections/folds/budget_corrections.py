"""What does a correction (정정) change? It takes back what its target moved and posts what should have been posted.

Both versions stay visible: the rows of the target leave the tables' totals and are shown with the correcting entry. A
correction counts from its own index on, with its own legal date. As of a legal date at which its target does not
count yet, it moves nothing: what it replaces has not happened. It is shown with `counted` false then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from projections.folds.budget_postings import POSTINGS, follow, post
from projections.folds.budget_state import CORRECTED, REVERSED, BudgetYear, Move, Place, Posting, Record
from projections.folds.rows import cells_of, merged

if TYPE_CHECKING:
    from audit_service.catalogue import budget

# Cells that later events have moved: a replacement under the same id takes them over.
_MOVED_LATER = {
    "obligations": ("adjusted_won", "paid_won", "returned_won"),
    "payments": ("returned_won", "refunded_later_won"),
    "pre_appropriations": ("taken_in_by_round",),
}


def correct(year: BudgetYear, place: Place, data: budget.Corrected) -> None:
    """Reverse the target, post the replacement, and show both in one row of the table of corrections."""
    corrects = data.corrects
    target = None if isinstance(corrects, UnsetType) else year.postings.get(corrects)
    counted = target is not None and target.corrected_by is None
    target_index = None if target is None else target.index
    taken_back: tuple[Move, ...] = ()
    posted: tuple[Move, ...] = ()
    member, replacement = _replacement_of(data)
    if target is not None and counted:
        taken_back = target.moves
        old = _reverse(year, place, target, status=REVERSED if replacement is None else CORRECTED)
        if replacement is None:
            # Nothing to take back later, but a correction of this correction may post what was right after all.
            year.postings[place.event_id] = Posting(target.member, place.index, (), ())
        else:
            posted = post(year, place, member, replacement).moves
            _take_over(year, old)
    cells = {
        **cells_of(data, without=("replacement",)),
        "target_event_id": None if corrects is UNSET else corrects,
        "target_type": None if target is None else target.member.replace("_", "-"),
        "target_index": target_index,
        "counted": counted,
        "reversed": [_shown(move, -1) for move in taken_back],
        "posted": [_shown(move, 1) for move in posted],
        "replacement": None if replacement is None else cells_of(replacement),
        "legal_date": place.legal_date,
        "actor_role": place.actor_role,
    }
    _mark_correction(year, corrects, place)
    record = year.put("corrections", place.event_id, cells, place)
    if target_index is not None:
        record.trace.entries.insert(0, target_index)


def _replacement_of(data: budget.Corrected) -> tuple[str, Any]:
    if not isinstance(data.replacement, UnsetType):
        for name in data.replacement.__struct_fields__:
            value = getattr(data.replacement, name)
            if value is not UNSET:
                return name, value
    return "", None


def _reverse(year: BudgetYear, place: Place, target: Posting, *, status: str) -> list[Record]:
    """Take back what an event moved; its rows become history and are returned."""
    for move in target.moves:
        year.line(move.line_id).post(move.column, -move.amount_won, place)
    for link in target.links:
        follow(year, link, -link.amount, place)
    records = year.in_force(POSTINGS[target.member][0])
    old = [records.pop(key) for key in target.keys if key in records and records[key].index == target.index]
    for record in old:
        year.retire(record, status, place.index)
    target.moves, target.links, target.corrected_by = (), (), place.index
    return old


def _take_over(year: BudgetYear, old: list[Record]) -> None:
    """Let a replacement under the same id go on where the old row stood, with what happened to that since."""
    for before in old:
        after = year.find(before.table, before.key)
        if after is not None:
            for cell in _MOVED_LATER.get(before.table, ()):
                after.cells[cell] += before.cells[cell]
            after.trace = merged([before.trace, after.trace])


def _shown(move: Move, sign: int) -> dict[str, Any]:
    return {"line_id": move.line_id, "column": move.column, "amount_won": sign * move.amount_won}


def _mark_correction(year: BudgetYear, event_id: str | UnsetType, place: Place) -> None:
    # A correction may itself be corrected: its row stays where it is and says so.
    earlier = None if isinstance(event_id, UnsetType) else year.find("corrections", event_id)
    if earlier is not None and earlier.in_force:
        earlier.retire(CORRECTED, place.index)
