"""Every rule of budgets, contracts, services and their envelopes, each with the one thing that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.illegal_budget import FRAME, MONEY, MOVES, SPENDING
from tests.support.illegal_contract import SIGNING, TENDERS
from tests.support.illegal_service import SERVICES
from tests.support.illegal_work import WORKING
from tests.support.illegal_year_end import YEAR_END

if TYPE_CHECKING:
    from tests.support.illegal import Wrong

EVERY: list[Wrong] = [*FRAME, *MONEY, *MOVES, *SPENDING, *YEAR_END, *TENDERS, *SIGNING, *WORKING, *SERVICES]
