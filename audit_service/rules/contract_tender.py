"""May a tender run like this? Published, amended, cancelled or failed; bids opened, evaluated, one awarded.

One tender at a time is live. After a cancelled or failed one (공고 취소, 유찰) another may be published, until the
contract is signed. Bidders are organisations by their public code or sole proprietors by a commitment, never names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.contract_basics import (
    require_dates,
    require_party,
    require_unsigned,
    stated_text,
)
from audit_service.rules.contract_planning import LIVE_TENDER, open_steps
from audit_service.rules.contract_states import Award, Bid, ContractState, Tender
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.contract import (
        Awarded,
        BidsOpened,
        ProposalsEvaluated,
        TenderAmended,
        TenderFailed,
        TenderPublished,
    )
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World

DIRECT = "DIRECT"
WEIGHTS = 1_000_000


def _require_tender(state: ContractState, event: Event, *statuses: str) -> Tender:
    """Is the tender that the event names known, and in one of these states?"""
    require_unsigned(state, event)
    tender = state.tenders.get(event.data.tender_id)
    if tender is None:
        raise RuleBroken("contract.tender-unknown", "no such tender is published", stream=event.subject)
    if tender.status not in statuses:
        raise RuleBroken(
            "contract.tender-status",
            f"the tender is {tender.status.lower()}",
            stream=event.subject,
            columns={"status": tender.status},
            allowed=" or ".join(statuses),
        )
    return tender


def _set_status(state: ContractState, event: Event, undo: Changes, status: str) -> None:
    tender_id = event.data.tender_id
    undo.put(state.tenders, tender_id, state.tenders[tender_id]._replace(status=status))


def decide_published(_: World, state: ContractState, event: Event) -> None:
    """May the tender be published? After the plan's prior steps, alone, with its days in order."""
    contract = require_unsigned(state, event)
    data: TenderPublished = event.data
    if data.tender_id in state.tenders:
        raise RuleBroken("contract.tender-duplicate", "the tender's id is used", stream=event.subject)
    if contract.tender_id is not None and state.tenders[contract.tender_id].status in LIVE_TENDER:
        raise RuleBroken(
            "contract.tender-running",
            "another tender is neither cancelled nor failed",
            stream=event.subject,
            columns={"status": state.tenders[contract.tender_id].status},
        )
    waiting = open_steps(state)
    if waiting:
        raise RuleBroken(
            "contract.prior-step-open",
            "steps of the plan are not passed",
            stream=event.subject,
            columns={"prior_steps": waiting},
        )
    _require_days(event, data.opens_on, data.closes_on, direct=data.method == DIRECT)


def _require_days(event: Event, opens_on: str, closes_on: str, *, direct: bool) -> None:
    require_dates(event, opens_on, closes_on)
    # A quotation from one supplier may be asked for and given on one day.
    in_order = opens_on <= closes_on if direct else opens_on < closes_on
    if not in_order or (event.legal_date or "") > closes_on:
        raise RuleBroken(
            "contract.tender-dates",
            "a tender is published or amended before it closes, and closes after it opens",
            stream=event.subject,
            columns={"legal_date": event.legal_date, "opens_on": opens_on, "closes_on": closes_on},
        )


def evolve_published(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the tender as the one that runs."""
    data: TenderPublished = event.data
    undo.put(state.tenders, data.tender_id, Tender(data.method, data.opens_on, data.closes_on))
    undo.put(state.contract, ONLY, state.contract[ONLY]._replace(tender_id=data.tender_id))


def decide_amended(_: World, state: ContractState, event: Event) -> None:
    """May the tender be amended? While it runs, until its last day."""
    tender = _require_tender(state, event, "PUBLISHED")
    data: TenderAmended = event.data
    _require_days(event, tender.opens_on, tender.closes_on, direct=tender.method == DIRECT)
    closes_on = stated_text(data.closes_on)
    if closes_on is not None:
        _require_days(event, tender.opens_on, closes_on, direct=tender.method == DIRECT)


def evolve_amended(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the new last day, where there is one."""
    data: TenderAmended = event.data
    tender = state.tenders[data.tender_id]
    undo.put(state.tenders, data.tender_id, tender._replace(closes_on=stated_text(data.closes_on) or tender.closes_on))


def decide_cancelled(_: World, state: ContractState, event: Event) -> None:
    """May the tender be withdrawn? Until the contract is signed; an award on it falls with it."""
    _require_tender(state, event, *LIVE_TENDER)


def evolve_cancelled(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember that it is withdrawn."""
    _set_status(state, event, undo, "CANCELLED")


def decide_failed(_: World, state: ContractState, event: Event) -> None:
    """May the tender have failed? On its last day or later; it counts the bidders that were opened."""
    tender = _require_tender(state, event, *LIVE_TENDER)
    data: TenderFailed = event.data
    _require_closed(event, tender, event.legal_date or "")
    if tender.status != "PUBLISHED" and data.bidder_count != len(tender.bids):
        raise RuleBroken(
            "contract.bidder-count",
            f"{len(tender.bids)} bids were opened",
            stream=event.subject,
            columns={"bidder_count": {"stated": data.bidder_count, "expected": len(tender.bids)}},
            allowed=len(tender.bids),
        )


def _require_closed(event: Event, tender: Tender, day: str) -> None:
    if day < tender.closes_on:
        raise RuleBroken(
            "contract.bids-early",
            "the tender still takes bids on that day",
            stream=event.subject,
            columns={"day": day, "closes_on": tender.closes_on},
            allowed=tender.closes_on,
        )


def evolve_failed(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember that it failed."""
    _set_status(state, event, undo, "FAILED")


def decide_opened(_: World, state: ContractState, event: Event) -> None:
    """May these bids be opened? On the closing day or later, each bidder once."""
    tender = _require_tender(state, event, "PUBLISHED")
    data: BidsOpened = event.data
    require_dates(event, data.opened_on)
    _require_closed(event, tender, data.opened_on)
    if data.opened_on > (event.legal_date or ""):
        raise RuleBroken(
            "contract.date-invalid",
            "bids are opened before the opening is recorded",
            stream=event.subject,
            columns={"opened_on": data.opened_on, "legal_date": event.legal_date},
        )
    for bid in data.bids:
        require_party(event, bid.bidder)
    # A commitment is salted, so that two bids of one sole proprietor are the agency's to find.
    ids = [bid.bidder_id for bid in data.bids]
    codes = [code for bid in data.bids if (code := stated_text(bid.bidder.organisation_id)) is not None]
    if len(set(ids)) < len(ids) or len(set(codes)) < len(codes):
        raise RuleBroken(
            "contract.bidder-duplicate",
            "one bidder bids twice",
            stream=event.subject,
            columns={"bids": len(ids), "bidder_ids": len(set(ids)), "organisations": len(set(codes))},
        )


def evolve_opened(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the bids."""
    data: BidsOpened = event.data
    bids = tuple(
        Bid(bid.bidder_id, bid.bidder.kind, stated_text(bid.bidder.organisation_id), bid.amount_won, bid.valid)
        for bid in data.bids
    )
    tender = state.tenders[data.tender_id]
    undo.put(state.tenders, data.tender_id, tender._replace(status="OPENED", bids=bids))


def decide_evaluated(_: World, state: ContractState, event: Event) -> None:
    """May proposals be evaluated so? Weights are whole, each valid bid is scored once, within the weights."""
    tender = _require_tender(state, event, "OPENED")
    data: ProposalsEvaluated = event.data
    if data.technical_weight + data.price_weight != WEIGHTS:
        raise RuleBroken(
            "contract.evaluation-weights",
            "the weights do not make 100 points",
            stream=event.subject,
            columns={"technical_weight": data.technical_weight, "price_weight": data.price_weight},
            allowed=WEIGHTS - data.technical_weight,
        )
    scored = sorted(score.bidder_id for score in data.scores)
    valid = sorted(bid.bidder_id for bid in tender.bids if bid.valid)
    if scored != valid:
        raise RuleBroken(
            "contract.evaluation-bidders",
            f"{len(scored)} scores for {len(valid)} valid bids, or for others",
            stream=event.subject,
            columns={"scores": len(scored), "valid_bids": len(valid)},
        )
    for score in data.scores:
        if score.technical_points > data.technical_weight or score.price_points > data.price_weight:
            raise RuleBroken(
                "contract.evaluation-points",
                "a bidder has more points than the weight",
                stream=event.subject,
                columns={"technical_points": score.technical_points, "price_points": score.price_points},
            )


def evolve_evaluated(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember each bidder's points."""
    data: ProposalsEvaluated = event.data
    points = {score.bidder_id: score.technical_points + score.price_points for score in data.scores}
    tender = state.tenders[data.tender_id]
    bids = tuple(bid._replace(points=points.get(bid.bidder_id)) for bid in tender.bids)
    undo.put(state.tenders, data.tender_id, tender._replace(status="EVALUATED", bids=bids))


def decide_awarded(_: World, state: ContractState, event: Event) -> None:
    """May this bidder win? By the method's rule or with a reason, at most at the price of the bid."""
    data: Awarded = event.data
    require_unsigned(state, event)
    if data.award_id in state.awards:
        raise RuleBroken("contract.award-duplicate", "the award's id is used", stream=event.subject)
    tender = state.tenders.get(data.tender_id)
    direct = tender is not None and tender.method == DIRECT
    tender = _require_tender(state, event, *(("PUBLISHED",) if direct else ()), "OPENED", "EVALUATED")
    bid = _bid_of(tender, data.bidder_id)
    if bid is None:
        if tender.status == "PUBLISHED":
            return
        raise RuleBroken(
            "contract.award-bidder",
            "no valid bid is by this bidder",
            stream=event.subject,
            columns={"bids": len(tender.bids), "valid_bids": len([one for one in tender.bids if one.valid])},
        )
    if data.amount_won > bid.amount_won:
        raise RuleBroken(
            "contract.award-exceeds-bid",
            f"{data.amount_won} won awarded on a bid of {bid.amount_won} won",
            stream=event.subject,
            columns={"amount_won": data.amount_won, "bid_won": bid.amount_won},
            allowed=bid.amount_won,
        )
    if stated_text(data.reason_ko) is None and not is_best(tender, bid):
        raise RuleBroken(
            "contract.award-not-best",
            "another bid goes before this one, and no reason is given",
            stream=event.subject,
            columns={"method": tender.method, "amount_won": bid.amount_won, "points": bid.points},
        )


def _bid_of(tender: Tender, bidder_id: str) -> Bid | None:
    return next((bid for bid in tender.bids if bid.valid and bid.bidder_id == bidder_id), None)


def is_best(tender: Tender, bid: Bid) -> bool:
    """Is this bid one that the tender's method prefers? The lowest price; in a negotiated tender, the most points."""
    valid = [one for one in tender.bids if one.valid]
    if tender.method == "NEGOTIATED":
        return bid.points is not None and bid.points == max(one.points or 0 for one in valid)
    return bid.amount_won == min(one.amount_won for one in valid)


def evolve_awarded(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the award."""
    data: Awarded = event.data
    bid = _bid_of(state.tenders[data.tender_id], data.bidder_id)
    undo.put(state.awards, data.award_id, Award(data.tender_id, data.amount_won, bid))
    _set_status(state, event, undo, "AWARDED")
