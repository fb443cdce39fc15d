"""May the city bind itself to this report? Streams `report/<kind>/<key>`.

The rules hold who speaks, of what, and in which order. Whether the rows are what the entries add up to is not asked
here: that would fold the whole log for one entry. An auditor's replay asks it of every report.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, ReportState
from audit_service.rules.world import World, read_log

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.report import ReportPublished
    from audit_service.rules.undo import Changes

# RFC 6962 section 2.1: the root of the empty tree.
_EMPTY_ROOT = sha256(b"").hexdigest()


def decide_published(world: World, state: ReportState, event: Event) -> None:
    """May the report be published? By the city, on its own stream, of entries before it, each of more than the last."""
    data: ReportPublished = event.data
    log = read_log(world).log.get(ONLY)
    if log is None:
        raise RuleBroken("registry.log-not-created", "the log is not created", stream=event.subject)
    if event.source != log.owner:
        raise RuleBroken("report.not-city", "only the city publishes reports", stream=event.subject, allowed=log.owner)
    if event.subject != f"report/{data.kind}/{data.key}":
        raise RuleBroken("report.stream-differs", "kind and key are another stream's", stream=event.subject)
    # An event whose index nobody said (-1) comes after nothing.
    if data.tree_size > event.index:
        raise RuleBroken(
            "report.tree-size-ahead",
            "the report speaks of entries that come after it",
            stream=event.subject,
            columns={"tree_size": data.tree_size},
            allowed=event.index,
        )
    last = state.tree_size.get(ONLY, 0)
    if data.tree_size <= last:
        raise RuleBroken(
            "report.tree-size-back",
            "a report of as many entries or more is published",
            stream=event.subject,
            columns={"tree_size": data.tree_size, "last_tree_size": last},
        )
    if not data.row_count and data.rows_root != _EMPTY_ROOT:
        raise RuleBroken("report.empty-root", "no rows have the root of the empty tree", stream=event.subject)


def evolve_published(state: ReportState, event: Event, undo: Changes) -> None:
    """Remember the tree size."""
    undo.put(state.tree_size, ONLY, event.data.tree_size)
