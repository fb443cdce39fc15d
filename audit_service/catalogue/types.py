"""Which payload does a type on the wire have, and on which stream may it stand?

The whole catalogue in one dictionary: validation, JSON Schemas, rules and folds all start here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_service.catalogue import budget, contract, project, registry, report, sequences, service, tokens

if TYPE_CHECKING:
    from msgspec import Struct

EVENT_TYPES: dict[str, type[Struct]] = {
    **registry.TYPES,
    **tokens.TYPES,
    **sequences.TYPES,
    **budget.TYPES,
    **contract.TYPES,
    **project.TYPES,
    **service.TYPES,
    **report.TYPES,
}

_AGENCY = r"[a-z0-9][a-z0-9-]{0,62}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_PERIOD = r"\d{4}(?:-(?:0[1-9]|1[0-2]|Q[1-4]))?(?:-r\d{1,2})?"

BUDGET_SUBJECT = re.compile(rf"budget/({_AGENCY})/(\d{{4}})", re.ASCII)
CONTRACT_SUBJECT = re.compile(rf"contract/({_NAME})", re.ASCII)
PROJECT_SUBJECT = re.compile(rf"project/({_NAME})", re.ASCII)
SERVICE_SUBJECT = re.compile(rf"service/({_NAME})", re.ASCII)
PERIOD_SUBJECT = re.compile(rf"service/({_NAME})/({_PERIOD})", re.ASCII)
LOG_SUBJECT = re.compile(r"registry/log", re.ASCII)
AGENCY_SUBJECT = re.compile(rf"registry/agency/({_AGENCY})", re.ASCII)
REPORT_SUBJECT = re.compile(rf"report/([a-z][a-z0-9-]{{0,63}})/({_NAME}(?:/{_NAME})?)", re.ASCII)

# A later event of these types may take the place of an earlier one of its own stream, which `corrects` names by its
# id. What a budget or a contract adds up is reversed by a correction's own type.
CORRECTING = frozenset(
    {
        "budget.corrected.v1",
        "contract.corrected.v1",
        "service.count-published.v1",
        *project.TYPES,
    }
)


def subject_pattern(event_type: str) -> re.Pattern[str]:
    """Which form must the `subject` of an event of this type have?

    Raises:
        KeyError: the type is not in the catalogue.
    """
    if event_type not in EVENT_TYPES:
        raise KeyError(event_type)
    if event_type in service.PERIOD_TYPES:
        return PERIOD_SUBJECT
    if event_type in registry.ROOT_SIGNED:
        return LOG_SUBJECT
    kind = event_type.partition(".")[0]
    return {
        "budget": BUDGET_SUBJECT,
        "contract": CONTRACT_SUBJECT,
        "project": PROJECT_SUBJECT,
        "service": SERVICE_SUBJECT,
        "registry": AGENCY_SUBJECT,
        "report": REPORT_SUBJECT,
    }[kind]


def requires_legal_date(event_type: str) -> bool:
    """Has this type legal effect, so that a legal date (KST) decides its fiscal year?"""
    return event_type.startswith(("budget.", "contract."))
