"""May this event happen, and what does it change? The whole map of the rules: one line per type.

`decide` looks and refuses, it never changes; `evolve` changes and never refuses what `decide` let pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audit_service.catalogue.types import BUDGET_SUBJECT, CONTRACT_SUBJECT, PERIOD_SUBJECT
from audit_service.rules import budget, contract, governance, project, registry, report, sequences, service, tokens
from audit_service.rules import budget_book as book
from audit_service.rules import budget_spending as spending
from audit_service.rules import budget_year_end as year_end
from audit_service.rules.errors import RuleBroken
from audit_service.rules.rulebook import RULES
from audit_service.rules.states import (
    BudgetState,
    ContractState,
    LogState,
    OrganisationState,
    PeriodState,
    ProjectState,
    ReportState,
    ServiceState,
)
from audit_service.rules.world import LOG, World, read_log

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes

__all__ = ["RULES", "RULE_OF", "decide", "evolve", "evolve_stream", "reads"]


class Rule(NamedTuple):
    """The state that a type's stream has, and the two functions of the type."""

    state_type: type
    decide: Callable[[World, Any, Event], None]
    evolve: Callable[[Any, Event, Changes], None]


# fmt: off
RULE_OF: dict[str, Rule] = {
    "registry.log-created.v1":         Rule(LogState, registry.decide_created, registry.evolve_created),
    "registry.agency-registered.v1":   Rule(LogState, governance.decide_agency, governance.evolve_agency),
    "registry.key-registered.v1":      Rule(LogState, governance.decide_key, governance.evolve_key),
    "registry.key-revoked.v1":         Rule(LogState, governance.decide_revoked, governance.evolve_revoked),
    "registry.root-keys-rotated.v1":   Rule(LogState, governance.decide_rotated, governance.evolve_rotated),
    "registry.policy-changed.v1":      Rule(LogState, governance.decide_policy, governance.evolve_policy),
    "registry.witness-enrolled.v1":    Rule(LogState, governance.decide_enrolled, governance.evolve_enrolled),
    "registry.witness-retired.v1":     Rule(LogState, governance.decide_retired, governance.evolve_retired),
    "registry.approval-policy-set.v1": Rule(LogState, governance.decide_policy, governance.evolve_approval),
    "registry.log-succeeded.v1":       Rule(LogState, governance.decide_succeeded, governance.evolve_succeeded),
    "registry.organisation-named.v1":  Rule(OrganisationState, registry.decide_named, registry.evolve_named),
    "registry.token-issued.v1":        Rule(OrganisationState, tokens.decide_issued, tokens.evolve_issued),
    "registry.token-revoked.v1":       Rule(OrganisationState, tokens.decide_revoked, tokens.evolve_revoked),
    "registry.day-closed.v1":          Rule(OrganisationState, sequences.decide_closed, sequences.evolve_closed),
    "registry.submission-refused.v1":  Rule(OrganisationState, sequences.decide_refused, sequences.evolve_refused),
    "budget.fiscal-year-opened.v1":    Rule(BudgetState, budget.decide_opened, budget.evolve_opened),
    "budget.line-defined.v1":          Rule(BudgetState, budget.decide_line, budget.evolve_line),
    "budget.opening-imported.v1":      Rule(BudgetState, budget.decide_opening, budget.evolve_opening),
    "budget.appropriated.v1":          Rule(BudgetState, budget.decide_appropriated, budget.evolve_appropriated),
    "budget.adjusted.v1":              Rule(BudgetState, budget.decide_adjusted, budget.evolve_adjusted),
    "budget.allotted.v1":              Rule(BudgetState, budget.decide_allotted, budget.evolve_allotted),
    "budget.obligation-incurred.v1":   Rule(BudgetState, spending.decide_obligation, spending.evolve_obligation),
    "budget.paid.v1":                  Rule(BudgetState, spending.decide_paid, spending.evolve_paid),
    "budget.cost-basis-recorded.v1":   Rule(BudgetState, book.decide_cost_basis, book.evolve_cost_basis),
    "budget.schedule-set.v1":          Rule(BudgetState, book.decide_schedule, book.evolve_schedule),
    "budget.carried-over.v1":          Rule(BudgetState, year_end.decide_carried_over, year_end.evolve_carried_over),
    "budget.carry-in-received.v1":     Rule(BudgetState, year_end.decide_carry_in, year_end.evolve_carry_in),
    "budget.fiscal-year-closed.v1":    Rule(BudgetState, year_end.decide_closed, year_end.evolve_closed),
    "budget.settlement-published.v1":  Rule(BudgetState, year_end.decide_settlement, year_end.evolve_settlement),
    "contract.planned.v1":             Rule(ContractState, contract.decide_planned, contract.evolve_planned),
    "contract.signed.v1":              Rule(ContractState, contract.decide_signed, contract.evolve_signed),
    "contract.instalment-signed.v1":   Rule(ContractState, contract.decide_instalment, contract.evolve_instalment),
    "contract.paid.v1":                Rule(ContractState, contract.decide_paid, contract.evolve_paid),
    "project.registered.v1":           Rule(ProjectState, project.decide_registered, project.evolve_registered),
    "project.basis-recorded.v1":       Rule(ProjectState, project.decide_basis, project.evolve_basis),
    "project.milestone-recorded.v1":   Rule(ProjectState, project.decide_milestone, project.evolve_milestone),
    "project.activity-recorded.v1":    Rule(ProjectState, project.decide_activity, project.evolve_activity),
    "project.asset-registered.v1":     Rule(ProjectState, project.decide_asset, project.evolve_asset),
    "project.effect-stated.v1":        Rule(ProjectState, project.decide_effect, project.evolve_effect),
    "project.anomaly-noted.v1":        Rule(ProjectState, project.decide_anomaly, project.evolve_anomaly),
    "service.registered.v1":           Rule(ServiceState, service.decide_registered, service.evolve_registered),
    "service.count-published.v1":      Rule(ServiceState, service.decide_count, service.evolve_count),
    "service.batch-sealed.v1":         Rule(PeriodState, service.decide_batch, service.evolve_batch),
    "service.transaction-recorded.v1": Rule(PeriodState, service.decide_transaction, service.evolve_transaction),
    "report.published.v1":             Rule(ReportState, report.decide_published, report.evolve_published),
}
# fmt: on
_READ_THE_LOG = frozenset(
    {
        "registry.organisation-named.v1",
        "registry.token-issued.v1",
        "registry.token-revoked.v1",
        "registry.submission-refused.v1",
        "report.published.v1",
    }
)


def decide(world: World, event: Event) -> None:
    """May this event happen next? Nothing is changed, whatever the answer.

    Raises:
        RuleBroken: a rule refuses it; nothing else is ever raised for an event of the catalogue.
    """
    rule = RULE_OF.get(event.type)
    if rule is None:
        raise RuleBroken("envelope.type-unknown", "the catalogue has no such type", stream="")
    state = world.stream(event.subject)
    if state.__class__ is not rule.state_type:
        raise RuleBroken("envelope.subject-form", "this type stands on subjects of another form", stream="")
    governance.require_open(read_log(world), event)
    rule.decide(world, state, event)
    if event.sequence is not None:
        sequences.decide_number(world, event, event.sequence)


def evolve(world: World, event: Event, undo: Changes) -> None:
    """Change the state of the event's stream, after `decide` let the event pass; remember its agency's number."""
    evolve_stream(world, event, undo)
    if event.sequence is not None:
        sequences.evolve_number(world, event, event.sequence, undo)


def evolve_stream(world: World, event: Event, undo: Changes) -> None:
    """Change the state of the event's stream and nothing else: for whoever rebuilds one stream alone."""
    RULE_OF[event.type].evolve(world.stream(event.subject), event, undo)


def reads(event: Event) -> tuple[str, ...]:
    """Which other streams does the rule of this event read? The unit of work loads them first.

    A text of the payload that can name no stream is left out; the rule refuses it by itself.
    """
    named = _reads_of_type(event)
    if event.sequence is None:
        return named
    return (*named, f"registry/agency/{event.source.removeprefix(sequences.AGENCY_URN)}")


def _reads_of_type(event: Event) -> tuple[str, ...]:
    data = event.data
    if event.type == "budget.obligation-incurred.v1":
        process_id = data.contract_process_id
        return _fitting(CONTRACT_SUBJECT, f"contract/{process_id}") if isinstance(process_id, str) else ()
    if event.type == "budget.opening-imported.v1":
        return _fitting(BUDGET_SUBJECT, budget.year_before(event.subject))
    if event.type == "budget.carry-in-received.v1":
        return _fitting(BUDGET_SUBJECT, data.from_subject)
    if event.type in ("contract.signed.v1", "contract.instalment-signed.v1"):
        return _fitting(BUDGET_SUBJECT, *(ref.subject for ref in data.budget_lines))
    if event.type == "contract.paid.v1":
        return _fitting(BUDGET_SUBJECT, data.budget_subject)
    if event.type == "service.batch-sealed.v1":
        match = PERIOD_SUBJECT.fullmatch(event.subject)
        return () if match is None else (f"service/{match[1]}",)
    if event.type in _READ_THE_LOG:
        return (LOG,)
    return ()


def _fitting(pattern: re.Pattern[str], *subjects: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(subject for subject in subjects if pattern.fullmatch(subject)))
