"""May this event happen, and what does it change? The whole map of the rules: one line per type.

`decide` looks and refuses, it never changes; `evolve` changes and never refuses what `decide` let pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audit_service.catalogue.types import BUDGET_SUBJECT, CONTRACT_SUBJECT, PERIOD_SUBJECT
from audit_service.rules import (
    budget,
    contract_return,
    governance,
    notices,
    project,
    registry,
    report,
    sequences,
    service,
    tokens,
)
from audit_service.rules import budget_allotment as allotment
from audit_service.rules import budget_appropriation as money
from audit_service.rules import budget_book as book
from audit_service.rules import budget_carry_over as carry
from audit_service.rules import budget_corrections as corrections
from audit_service.rules import budget_moves as moves
from audit_service.rules import budget_payment as payment
from audit_service.rules import budget_spending as spending
from audit_service.rules import budget_year_end as year_end
from audit_service.rules import contract_amending as amending
from audit_service.rules import contract_corrections as contract_fix
from audit_service.rules import contract_end as ending
from audit_service.rules import contract_payment as contract_pay
from audit_service.rules import contract_performance as performance
from audit_service.rules import contract_planning as planning
from audit_service.rules import contract_signing as signing
from audit_service.rules import contract_tender as tender
from audit_service.rules import service_ballots as ballots
from audit_service.rules import service_credentials as credentials
from audit_service.rules import service_later as later
from audit_service.rules.budget_checks import year_before
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
    "registry.schema-published.v1":    Rule(OrganisationState, notices.decide_schema, notices.evolve_schema),
    "registry.access-granted.v1":      Rule(OrganisationState, notices.decide_access, notices.evolve_access),
    "registry.incident-declared.v1":   Rule(OrganisationState, notices.decide_incident, notices.evolve_incident),
    "registry.incident-closed.v1":     Rule(
        OrganisationState, notices.decide_incident_closed, notices.evolve_incident_closed
    ),
    "registry.token-issued.v1":        Rule(OrganisationState, tokens.decide_issued, tokens.evolve_issued),
    "registry.token-revoked.v1":       Rule(OrganisationState, tokens.decide_revoked, tokens.evolve_revoked),
    "registry.day-closed.v1":          Rule(OrganisationState, sequences.decide_closed, sequences.evolve_closed),
    "registry.submission-refused.v1":  Rule(OrganisationState, sequences.decide_refused, sequences.evolve_refused),
    "budget.fiscal-year-opened.v1":     Rule(BudgetState, budget.decide_opened, budget.evolve_opened),
    "budget.code-list-published.v1":    Rule(BudgetState, budget.decide_codes, budget.evolve_codes),
    "budget.line-defined.v1":           Rule(BudgetState, budget.decide_line, budget.evolve_line),
    "budget.opening-imported.v1":       Rule(BudgetState, money.decide_opening, money.evolve_opening),
    "budget.appropriated.v1":           Rule(BudgetState, money.decide_original, money.evolve_original),
    "budget.provisional-authorised.v1": Rule(BudgetState, money.decide_provisional, money.evolve_provisional),
    "budget.supplemented.v1":           Rule(BudgetState, money.decide_supplement, money.evolve_supplement),
    "budget.pre-appropriation-used.v1": Rule(BudgetState, money.decide_early_use, money.evolve_early_use),
    "budget.revenue-substituted.v1":    Rule(BudgetState, money.decide_substitute, money.evolve_substitute),
    "budget.reserve-released.v1":       Rule(BudgetState, moves.decide_reserve, moves.evolve_reserve),
    "budget.cross-transferred.v1":      Rule(BudgetState, moves.decide_crossed, moves.evolve_crossed),
    "budget.transferred.v1":            Rule(BudgetState, moves.decide_transferred, moves.evolve_transferred),
    "budget.transfer-limits-set.v1":    Rule(BudgetState, moves.decide_limits, moves.evolve_limits),
    "budget.reassigned.v1":             Rule(BudgetState, moves.decide_reassigned, moves.evolve_reassigned),
    "budget.adjusted.v1":               Rule(BudgetState, moves.decide_adjusted, moves.evolve_adjusted),
    "budget.allotted.v1":               Rule(BudgetState, allotment.decide_allotted, allotment.evolve_allotted),
    "budget.reallotted.v1":             Rule(BudgetState, allotment.decide_reallotted, allotment.evolve_reallotted),
    "budget.obligation-incurred.v1":    Rule(BudgetState, spending.decide_obligation, spending.evolve_obligation),
    "budget.obligation-adjusted.v1":    Rule(BudgetState, spending.decide_change, spending.evolve_change),
    "budget.paid.v1":                   Rule(BudgetState, payment.decide_paid, payment.evolve_paid),
    "budget.returned.v1":               Rule(BudgetState, payment.decide_returned, payment.evolve_returned),
    "budget.prior-year-refunded.v1":    Rule(BudgetState, payment.decide_refunded, payment.evolve_refunded),
    "budget.cost-basis-recorded.v1":    Rule(BudgetState, book.decide_cost_basis, book.evolve_cost_basis),
    "budget.schedule-set.v1":           Rule(BudgetState, book.decide_schedule, book.evolve_schedule),
    "budget.carryover-declared.v1":     Rule(BudgetState, carry.decide_declared, carry.evolve_declared),
    "budget.continuing-plan-set.v1":    Rule(BudgetState, carry.decide_plan, carry.evolve_plan),
    "budget.carried-over.v1":           Rule(BudgetState, carry.decide_carried_over, carry.evolve_carried_over),
    "budget.carry-in-received.v1":      Rule(BudgetState, carry.decide_carry_in, carry.evolve_carry_in),
    "budget.fiscal-year-closed.v1":     Rule(BudgetState, year_end.decide_closed, year_end.evolve_closed),
    "budget.settlement-published.v1":   Rule(BudgetState, year_end.decide_settlement, year_end.evolve_settlement),
    "budget.settlement-audited.v1":     Rule(BudgetState, year_end.decide_audited, year_end.evolve_audited),
    "budget.settlement-approved.v1":    Rule(BudgetState, year_end.decide_approved, year_end.evolve_approved),
    "budget.corrected.v1":              Rule(BudgetState, corrections.decide_corrected, corrections.evolve_corrected),
    "contract.planned.v1":              Rule(ContractState, planning.decide_planned, planning.evolve_planned),
    "contract.prior-step-completed.v1": Rule(ContractState, planning.decide_prior_step, planning.evolve_prior_step),
    "contract.tender-published.v1":     Rule(ContractState, tender.decide_published, tender.evolve_published),
    "contract.tender-amended.v1":       Rule(ContractState, tender.decide_amended, tender.evolve_amended),
    "contract.tender-cancelled.v1":     Rule(ContractState, tender.decide_cancelled, tender.evolve_cancelled),
    "contract.tender-failed.v1":        Rule(ContractState, tender.decide_failed, tender.evolve_failed),
    "contract.bids-opened.v1":          Rule(ContractState, tender.decide_opened, tender.evolve_opened),
    "contract.proposals-evaluated.v1":  Rule(ContractState, tender.decide_evaluated, tender.evolve_evaluated),
    "contract.awarded.v1":              Rule(ContractState, tender.decide_awarded, tender.evolve_awarded),
    "contract.signed.v1":               Rule(ContractState, signing.decide_signed, signing.evolve_signed),
    "contract.instalment-signed.v1":    Rule(ContractState, signing.decide_instalment, signing.evolve_instalment),
    "contract.amended.v1":              Rule(ContractState, amending.decide_amended, amending.evolve_amended),
    "contract.started.v1":              Rule(ContractState, performance.decide_started, performance.evolve_started),
    "contract.suspended.v1":            Rule(ContractState, performance.decide_suspended, performance.evolve_suspended),
    "contract.resumed.v1":              Rule(ContractState, performance.decide_resumed, performance.evolve_suspended),
    "contract.subcontract-approved.v1": Rule(ContractState, performance.decide_subcontract, performance.evolve_subcontract),  # noqa: E501 - a table
    "contract.inspected.v1":            Rule(ContractState, performance.decide_inspected, performance.evolve_inspected),
    "contract.accepted.v1":             Rule(ContractState, performance.decide_accepted, performance.evolve_accepted),
    "contract.instalment-closed.v1":    Rule(ContractState, performance.decide_closed, performance.evolve_closed),
    "contract.advance-paid.v1":         Rule(ContractState, contract_pay.decide_advance, contract_pay.evolve_advance),
    "contract.paid.v1":                 Rule(ContractState, contract_pay.decide_paid, contract_pay.evolve_paid),
    "contract.returned.v1":             Rule(ContractState, contract_return.decide_returned, contract_return.evolve_returned),  # noqa: E501 - a table
    "contract.subcontract-paid.v1":     Rule(ContractState, contract_pay.decide_subcontract_paid, contract_pay.evolve_subcontract_paid),  # noqa: E501 - a table
    "contract.delay-damages-assessed.v1": Rule(ContractState, contract_pay.decide_damages, contract_pay.evolve_damages),
    "contract.terminated.v1":           Rule(ContractState, ending.decide_terminated, ending.evolve_terminated),
    "contract.warranty-set.v1":         Rule(ContractState, performance.decide_warranty, performance.evolve_warranty),
    "contract.warranty-claimed.v1":     Rule(ContractState, performance.decide_claimed, performance.evolve_claimed),
    "contract.completed.v1":            Rule(ContractState, ending.decide_completed, ending.evolve_completed),
    "contract.corrected.v1":            Rule(ContractState, contract_fix.decide_corrected, contract_fix.evolve_corrected),  # noqa: E501 - a table
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
    "service.transaction-voided.v1":   Rule(PeriodState, later.decide_voided, later.evolve_voided),
    "service.side-record-erased.v1":   Rule(PeriodState, later.decide_erased, later.evolve_erased),
    "service.batch-records-erased.v1": Rule(PeriodState, later.decide_batch_erased, later.evolve_batch_erased),
    "service.ballot-opened.v1":        Rule(ServiceState, ballots.decide_opened, ballots.evolve_opened),
    "service.ballot-sealed.v1":        Rule(ServiceState, ballots.decide_sealed, ballots.evolve_sealed),
    "service.ballot-tallied.v1":       Rule(ServiceState, ballots.decide_tallied, ballots.evolve_tallied),
    "service.credential-issued.v1":    Rule(PeriodState, credentials.decide_issued, credentials.evolve_issued),
    "service.credential-revoked.v1":   Rule(PeriodState, credentials.decide_revoked, credentials.evolve_revoked),
    "service.check-scheme-registered.v1": Rule(ServiceState, credentials.decide_scheme, credentials.evolve_scheme),
    "report.published.v1":             Rule(ReportState, report.decide_published, report.evolve_published),
}
# fmt: on
_READ_THE_LOG = frozenset(
    {
        "registry.organisation-named.v1",
        "registry.schema-published.v1",
        "registry.access-granted.v1",
        "registry.incident-declared.v1",
        "registry.incident-closed.v1",
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

    A text of the payload that can name no stream is left out; the rule refuses it by itself. An adjustment, and a
    correction that replaces one, names only its obligation: the contract behind it stands in the stream's own state
    and is loaded when the rule asks for it.
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
        return _fitting(BUDGET_SUBJECT, year_before(event.subject))
    if event.type == "budget.carry-in-received.v1":
        return _fitting(BUDGET_SUBJECT, data.from_subject)
    if event.type == "budget.carried-over.v1":
        plan = data.plan_subject
        return _fitting(BUDGET_SUBJECT, plan) if isinstance(plan, str) and plan != event.subject else ()
    if event.type == "budget.corrected.v1":
        return _reads_of_replacement(data.replacement)
    if event.type in ("contract.signed.v1", "contract.instalment-signed.v1"):
        plan = getattr(data, "plan_subject", None)
        named = (plan,) if isinstance(plan, str) else ()
        return _fitting(BUDGET_SUBJECT, *(ref.subject for ref in data.budget_lines), *named)
    if event.type in ("contract.paid.v1", "contract.advance-paid.v1", "contract.returned.v1"):
        return _fitting(BUDGET_SUBJECT, data.budget_subject)
    if event.type == "contract.corrected.v1":
        return _fitting(BUDGET_SUBJECT, data.budget_subject) if isinstance(data.budget_subject, str) else ()
    if event.type in ("service.batch-sealed.v1", "service.credential-issued.v1"):
        match = PERIOD_SUBJECT.fullmatch(event.subject)
        return () if match is None else (f"service/{match[1]}",)
    if event.type in _READ_THE_LOG:
        return (LOG,)
    return ()


def _reads_of_replacement(replacement: Any) -> tuple[str, ...]:
    """Of all replacements an obligation alone names another stream: its contract."""
    obligation = getattr(replacement, "obligation_incurred", None)
    process_id = getattr(obligation, "contract_process_id", None)
    return _fitting(CONTRACT_SUBJECT, f"contract/{process_id}") if isinstance(process_id, str) else ()


def _fitting(pattern: re.Pattern[str], *subjects: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(subject for subject in subjects if pattern.fullmatch(subject)))
