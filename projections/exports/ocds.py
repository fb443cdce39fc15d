"""What does a contract's stream say in the Open Contracting Data Standard (OCDS 1.1.5)?

One event is one release, for both never change; the record is what the releases add up to. A long-term continuing
contract (장기계속계약) is one process (`ocid`) with one award and one `contracts[]` entry `C<n>` for each instalment.
https://standard.open-contracting.org/1.1/en/schema/release/

What OCDS has no field for stays in the ledger alone: bid prices (they need an extension), inspections' details. It has
no "completed": a contract that is done is `terminated`. A bidder or supplier who is a sole proprietor has no name here
either, only the beginning of the commitment.
"""

from __future__ import annotations

from calendar import monthrange
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from projections.exports.ocds_merge import compile_release, join_parts
from projections.exports.ocds_words import CATEGORIES, CAUSES, METHODS, PLACEHOLDER_PREFIX, STEPS, TAGS
from projections.exports.ocds_works import MILESTONES, milestone_of, return_of, transaction_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_service.catalogue import contract
    from audit_service.catalogue.common import Party
    from audit_service.catalogue.event import Event

Json = dict[str, Any]


def to_date_time(day: str) -> str:
    """A legal date as the first moment of that day in Korea.

    >>> to_date_time("2021-03-31")
    '2021-03-31T00:00:00+09:00'
    """
    return f"{day}T00:00:00+09:00"


def to_period(start: str, end: str) -> Json:
    """A period of months, from the first day of the one to the last day of the other.

    >>> to_period("2021-01", "2021-02")["endDate"]
    '2021-02-28T23:59:59+09:00'
    """
    year, month = (int(part) for part in end.split("-"))
    last = monthrange(year, month)[1]
    return {"startDate": to_date_time(f"{start}-01"), "endDate": f"{end}-{last:02}T23:59:59+09:00"}


def to_value(amount_won: object) -> Json:
    """An amount as a member `value`; nothing where the source does not state it."""
    return {"value": {"amount": amount_won, "currency": "KRW"}} if isinstance(amount_won, int) else {}


class Process:
    """One contracting process, release by release.

    Args:
        prefix: the publisher's registered ocid prefix; until there is one, a placeholder that says so.
        names: names of agencies by code; an agency that is not among them is called by its code.
    """

    def __init__(
        self, process_id: str, *, prefix: str = PLACEHOLDER_PREFIX, names: dict[str, str] | None = None
    ) -> None:
        self.ocid = f"{prefix}-{process_id}"
        self._names = names or {}
        self.releases: list[Json] = []
        self._parties: dict[str, Json] = {}
        self._buyer: Json = {}
        self._tender: Json = {}
        self._award: Json = {}
        self._contracts: dict[int, Json] = {}
        self._amounts: dict[int, int | None] = {}
        self._last_release: dict[int, str] = {}
        self._said: dict[str, tuple[str, Any]] = {}

    def take(self, event: Event) -> Json:
        """The release of the next event of the stream.

        Raises:
            KeyError: the event is none of a contract's stream.
        """
        tags = list(TAGS[event.type])
        if not self._buyer:
            self._buyer = self._agency(event.source, "buyer", "procuringEntity", "payer")
        body = self._body(event.type, event, event.data)
        if event.type == "contract.corrected.v1":
            tags = body.pop("tag")
        if event.type == "contract.signed.v1" and "awards" in body:
            tags = ["award", *tags]
        release = {
            "ocid": self.ocid,
            "id": event.id,
            "date": event.recorded_time or event.time,
            "tag": tags,
            "initiationType": "tender",
            "language": "ko",
            "parties": [*self._parties.values()],
            "buyer": self._buyer,
            **body,
        }
        self.releases.append(release)
        return release

    def record(self) -> Json:
        """Every release, and what they add up to now."""
        return {
            "ocid": self.ocid,
            "releases": self.releases,
            "compiledRelease": compile_release(self.releases),
        }

    # --- which part of the release each type fills --------------------------------------------------------

    def _body(self, event_type: str, event: Event, data: Any) -> Json:
        self._said[event.id] = (event_type, data)
        if event_type in MILESTONES:
            return self._work(event_type, event, data)
        name = event_type.split(".")[1].replace("-", "_")
        body: Json = getattr(self, f"_{name}")(event, data)
        return body

    def _planned(self, event: Event, data: contract.Planned) -> Json:
        budget: Json = {"projectID": data.project_id}
        if isinstance(data.budget_won, int):
            budget["amount"] = {"amount": data.budget_won, "currency": "KRW"}
        if data.budget_lines:
            budget["description"] = ", ".join(f"{ref.subject}#{ref.line_id}" for ref in data.budget_lines)
        self._tender = {
            "title": data.title_ko,
            "mainProcurementCategory": CATEGORIES[data.category],
            "status": "planning",
        }
        planning: Json = {"rationale": data.title_ko, "budget": budget}
        if isinstance(data.basis, Struct):
            planning["documents"] = [{"id": f"{event.id}/basis", "title": data.basis.title}]
        return {"planning": planning}

    def _prior_step_completed(self, event: Event, data: contract.PriorStepCompleted) -> Json:
        met = data.result != "REJECTED"
        milestone = {
            "id": f"{data.step}/{data.round}",
            "title": STEPS[data.step],
            "type": "preProcurement",
            "description": data.result,
            "status": "met" if met else "notMet",
            **({"dateMet": to_date_time(event.legal_date or "")} if met else {}),
        }
        return {"planning": {"milestones": [milestone]}}

    def _tender_published(self, _: Event, data: contract.TenderPublished) -> Json:
        method, details = METHODS[data.method]
        # A second tender after a failed one takes the place of the first: a process has one.
        self._tender = {
            **{name: value for name, value in self._tender.items() if name in ("title", "mainProcurementCategory")},
            "id": data.tender_id,
            "status": "active",
            "procuringEntity": self._buyer,
            "procurementMethod": method,
            "procurementMethodDetails": details,
            **to_value(data.estimate_won),
            "tenderPeriod": {"startDate": to_date_time(data.opens_on), "endDate": to_date_time(data.closes_on)},
        }
        return {"tender": dict(self._tender)}

    def _tender_amended(self, event: Event, data: contract.TenderAmended) -> Json:
        if isinstance(data.closes_on, str):
            self._tender["tenderPeriod"] = {
                **self._tender.get("tenderPeriod", {}),
                "endDate": to_date_time(data.closes_on),
            }
        self._tender.update(to_value(data.estimate_won))
        amendment = {"id": event.id, "date": to_date_time(event.legal_date or ""), "description": data.changes_ko}
        self._tender["amendments"] = [*self._tender.get("amendments", []), {**amendment, "releaseID": event.id}]
        return self._tender_now(data.tender_id)

    def _tender_cancelled(self, _: Event, data: contract.TenderCancelled) -> Json:
        return self._tender_now(data.tender_id, status="cancelled", description=data.reason_ko) | self._award_falls()

    def _tender_failed(self, _: Event, data: contract.TenderFailed) -> Json:
        over = {"status": "unsuccessful", "description": data.reason_ko, "numberOfTenderers": data.bidder_count}
        return self._tender_now(data.tender_id, **over) | self._award_falls()

    def _award_falls(self) -> Json:
        if not self._award:
            return {}
        fallen, self._award = {**self._award, "status": "cancelled"}, {}
        return {"awards": [fallen]}

    def _bids_opened(self, _: Event, data: contract.BidsOpened) -> Json:
        tenderers = [self._party(bid.bidder, "tenderer") for bid in data.bids]
        known = [one for one in tenderers if one]
        return self._tender_now(
            data.tender_id, numberOfTenderers=len(data.bids), **({"tenderers": known} if known else {})
        )

    def _proposals_evaluated(self, _: Event, data: contract.ProposalsEvaluated) -> Json:
        weights = f"기술 {data.technical_weight / 10_000:g}점, 가격 {data.price_weight / 10_000:g}점"
        return self._tender_now(data.tender_id, awardCriteria="ratedCriteria", awardCriteriaDetails=weights)

    def _tender_now(self, tender_id: str, **changes: Any) -> Json:
        self._tender.update({"id": tender_id, **changes})
        return {"tender": dict(self._tender)}

    def _awarded(self, event: Event, data: contract.Awarded) -> Json:
        self._award = {
            "id": data.award_id,
            "status": "active",
            "date": to_date_time(event.legal_date or ""),
            **to_value(data.amount_won),
        }
        self._tender["status"] = "complete"
        return {"awards": [dict(self._award)], **self._tender_now(data.tender_id)}

    def _signed(self, event: Event, data: contract.Signed) -> Json:
        total_won = data.total_noted_won if isinstance(data.total_noted_won, int) else data.amount_won
        suppliers: list[Json] = []
        if isinstance(data.supplier, Struct):
            suppliers = [one for one in [self._party(data.supplier, "supplier", "payee")] if one]
        body: Json = {}
        if not self._award or suppliers:
            # Every contract has an award in OCDS; one without a tender gets it with its signing.
            self._award = {
                **(self._award or {"id": "signed", "date": to_date_time(event.legal_date or "")}),
                "status": "active",
                **to_value(total_won),
                **({"suppliers": suppliers} if suppliers else {}),
            }
            body["awards"] = [dict(self._award)]
        return {**body, **self._sign(event, 1, data)}

    def _instalment_signed(self, event: Event, data: contract.InstalmentSigned) -> Json:
        return self._sign(event, data.instalment, data)

    def _sign(self, event: Event, number: int, data: contract.Signed | contract.InstalmentSigned) -> Json:
        self._amounts[number] = data.amount_won if isinstance(data.amount_won, int) else None
        self._contracts[number] = {
            "id": f"C{number}",
            "awardID": self._award.get("id", "signed"),
            "title": f"{number}차",
            "status": "active",
            "period": to_period(data.start, data.end),
            "dateSigned": to_date_time(event.legal_date or ""),
            **to_value(data.amount_won),
        }
        return self._contract_now(event, number, **self._contracts[number])

    def _contract_now(self, event: Event, number: int, **changes: Any) -> Json:
        self._last_release[number] = event.id
        award_id = self._contracts.get(number, {}).get("awardID", "signed")
        return {"contracts": [{"id": f"C{number}", "awardID": award_id, **changes}]}

    def _amended(self, event: Event, data: contract.Amended) -> Json:
        body = self._amend(event, data, delta_won=data.delta_won)
        known = self._contracts.get(data.instalment)
        if isinstance(data.new_end, str) and known is not None:
            start = known["period"]["startDate"][:7]
            known["period"] = body["contracts"][0]["period"] = to_period(start, data.new_end)
        return body

    def _amend(self, event: Event, data: contract.Amended, *, delta_won: int) -> Json:
        number = data.instalment
        amount_won = self._amounts.get(number)
        if amount_won is not None:
            self._amounts[number] = amount_won + delta_won
        amendment = {
            "id": event.id,
            "date": to_date_time(event.legal_date or ""),
            "rationale": CAUSES[data.cause],
            "releaseID": event.id,
        }
        if number in self._last_release:
            amendment["amendsReleaseID"] = self._last_release[number]
        changes: Json = {"amendments": [amendment], **to_value(self._amounts.get(number))}
        return self._contract_now(event, number, **changes)

    def _work(self, event_type: str, event: Event, data: Any) -> Json:
        number = getattr(data, "instalment", max(self._contracts, default=1))
        milestone = milestone_of(event_type, event, data)
        return self._contract_now(event, number, implementation={"milestones": [milestone]})

    def _advance_paid(self, event: Event, data: contract.AdvancePaid) -> Json:
        return self._pay(event, data, amount_won=data.amount_won)

    def _paid(self, event: Event, data: contract.ContractPaid) -> Json:
        return self._pay(event, data, amount_won=data.amount_won)

    def _pay(self, event: Event, data: contract.AdvancePaid | contract.ContractPaid, *, amount_won: int) -> Json:
        payee = self._award.get("suppliers", [None])[0]
        transaction = transaction_of(event, data, amount_won=amount_won, payer=self._buyer, payee=payee)
        return self._contract_now(event, data.instalment, implementation={"transactions": [transaction]})

    def _returned(self, event: Event, data: contract.ContractReturned) -> Json:
        """A transaction of its own, from the supplier to the city: what was paid stays as it was paid."""
        supplier = self._award.get("suppliers", [None])[0]
        transaction = return_of(event, data, payer=supplier, payee=self._buyer)
        return self._contract_now(event, data.instalment, implementation={"transactions": [transaction]})

    def _instalment_closed(self, event: Event, data: contract.InstalmentClosed) -> Json:
        return self._contract_now(event, data.instalment, status="terminated")

    def _terminated(self, event: Event, _: contract.Terminated) -> Json:
        return self._all_terminated(event)

    def _completed(self, event: Event, _: contract.Completed) -> Json:
        return self._all_terminated(event)

    def _all_terminated(self, event: Event) -> Json:
        parts = [self._contract_now(event, number, status="terminated")["contracts"][0] for number in self._contracts]
        return {"contracts": parts}

    # --- corrections: a new release that repeats what it corrects -----------------------------------------

    def _corrected(self, event: Event, data: contract.ContractCorrected) -> Json:
        target = self._said.get(data.corrects) if isinstance(data.corrects, str) else None
        member = data.replacement
        found = [getattr(member, name) for name in getattr(member, "__struct_fields__", ())]
        replacement = next((one for one in found if isinstance(one, Struct)), None)
        if target is None:
            return {"tag": ["contractUpdate"]}
        event_type, old = target
        parts = [self._taken_back(event_type, event, old)]
        if replacement is not None:
            parts.append(self._body(event_type, event, replacement))
        return {**join_parts(parts), "tag": [_tag_of_correction(event_type)]}

    def _taken_back(self, event_type: str, event: Event, old: Any) -> Json:
        """Nothing can leave a merged list: what was taken back stays there as nothing paid, nothing met."""
        if event_type in ("contract.paid.v1", "contract.advance-paid.v1"):
            return self._pay(event, old, amount_won=0)
        if event_type == "contract.amended.v1":
            return self._amend(event, old, delta_won=-old.delta_won)
        if event_type == "contract.prior-step-completed.v1":
            step = {"id": f"{old.step}/{old.round}", "status": "notMet", "dateMet": None}
            return {"planning": {"milestones": [step]}}
        milestone = {**milestone_of(event_type, event, old), "status": "notMet", "dateMet": None}
        number = getattr(old, "instalment", max(self._contracts, default=1))
        return self._contract_now(event, number, implementation={"milestones": [milestone]})

    # --- who ----------------------------------------------------------------------------------------------

    def _agency(self, source: str, *roles: str) -> Json:
        code = source.rpartition(":")[2]
        return self._add_party(f"KR-AGENCY-{code}", self._names.get(code, code), *roles)

    def _party(self, party: Party, *roles: str) -> Json:
        if isinstance(party.organisation_id, str):
            return self._add_party(party.organisation_id, party.organisation_id, *roles)
        if isinstance(party.commitment, str):
            return self._add_party(f"committed-{party.commitment[:16]}", "개인사업자 (비공개)", *roles)
        return {}

    def _add_party(self, party_id: str, name: str, *roles: str) -> Json:
        known = self._parties.get(party_id, {"id": party_id, "name": name, "roles": []})
        self._parties[party_id] = {**known, "roles": [*dict.fromkeys((*known["roles"], *roles))]}
        return {"id": party_id, "name": name}


def _tag_of_correction(event_type: str) -> str:
    tag = TAGS[event_type][0]
    return {"planningUpdate": "planningUpdate", "contractAmendment": "contractUpdate"}.get(tag, "implementationUpdate")


def export_records(
    events: Iterable[Event], *, prefix: str = PLACEHOLDER_PREFIX, names: dict[str, str] | None = None
) -> list[Json]:
    """The records of every contracting process in these events, in the order of their first entries."""
    processes: dict[str, Process] = {}
    for event in events:
        if not event.type.startswith("contract."):
            continue
        process_id = event.subject.removeprefix("contract/")
        if process_id not in processes:
            processes[process_id] = Process(process_id, prefix=prefix, names=names)
        processes[process_id].take(event)
    return [process.record() for process in processes.values()]


def record_package(records: list[Json], *, uri: str, publisher: str, published: str) -> Json:
    """The records as one OCDS record package."""
    return {
        "uri": uri,
        "version": "1.1",
        "publisher": {"name": publisher},
        "publishedDate": published,
        "records": records,
    }
