"""Who may decide what in a budget? The few roles that a rule looks for in `actor_role`.

A role is what stands on the document, never a name. Any other text may stand where no rule looks. Which body
decides what is from 지방재정법 §47의2, §49, §50 (transfers, carry-over) and 지방자치법 [K] (budget, settlement).
"""

from __future__ import annotations

COUNCIL = ("의회",)
HEAD_OF_GOVERNMENT = ("자치단체장", "시장", "군수", "구청장")
DEPARTMENT = ("국장", "과장", "팀장", "주무관")
