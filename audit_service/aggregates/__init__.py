"""Step 2b of the way of one event: the aggregates, which hold a stream's state and its next position.

The state and every verdict come from `audit_service.rules`, which the auditor's replay calls too; an
aggregate adds only what recording needs. One class per kind of stream, so that a repository's content can be read.
"""

from __future__ import annotations

from audit_service.aggregates.streams import (
    BudgetYear,
    Contract,
    Project,
    Registry,
    Service,
    ServicePeriod,
    Stream,
    new_stream,
)

__all__ = [
    "BudgetYear",
    "Contract",
    "Project",
    "Registry",
    "Service",
    "ServicePeriod",
    "Stream",
    "new_stream",
]
