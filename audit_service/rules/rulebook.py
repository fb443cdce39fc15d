"""What does each rule say, in one sentence? The documentation of every `rule_id` that can refuse an event."""

from __future__ import annotations

RULES: dict[str, str] = {
    # The envelope, before any stream is looked at.
    "envelope.type-unknown": "An event's type stands in the catalogue.",
    "envelope.subject-form": "An event's subject has the form that its type requires.",
    "envelope.source-form": "An event's source is urn:kr:agency:<code>.",
    "envelope.id-form": "An event's id is 1 to 128 of the characters A-Z a-z 0-9 . _ : / and -.",
    "envelope.legal-date-missing": "An event with legal effect carries a legal date.",
    "envelope.legal-date-invalid": "A legal date is a day of the calendar, written YYYY-MM-DD.",
    "envelope.legal-date-unexpected": "An event without legal effect carries no legal date.",
    "envelope.corrects-unexpected": "Only a type that corrects earlier events names one in `corrects`.",
    # Personal data, in every payload but a sealed transaction's.
    "privacy.personal-data-suspected": (
        "No text of an event looks like a resident number, a telephone number, an e-mail address, a card, an account "
        "or a person's name."
    ),
    # Registry: the log, its keys, the names of organisations.
    "registry.log-created-twice": "A log is created once.",
    "registry.log-not-created": "Nothing else is written to the registry before the log is created.",
    "registry.log-succeeded": "After the succession of another log nothing is accepted.",
    "registry.successor-same": "A log's successor has another origin and another key.",
    "registry.city-unknown": "The creator of a log is one of the agencies that it names.",
    "registry.agency-duplicate": "An agency code is registered once.",
    "registry.agency-unknown": "A key is registered to a registered agency.",
    "registry.root-signatures": "The log's registry is written by two different root keys that are in force.",
    "registry.key-duplicate": "A key is registered once, for one holder, and never comes back.",
    "registry.key-unknown": "A signature is by a registered key.",
    "registry.key-scope": "A key signs only the types that it is registered for.",
    "registry.key-subject": "A key signs only on the streams that it is registered for.",
    "registry.key-role": "A key that is registered to approve signs nothing by itself.",
    "registry.key-revoked": "A key signs nothing from the index of its revocation on.",
    "registry.key-revoked-twice": "A second revocation of a key only brings its end forward.",
    "registry.revocation-past": "A revocation begins at its own index or later: what was signed before stays valid.",
    "registry.witness-duplicate": "An enrolled witness has a name and a key of its own.",
    "registry.witness-unknown": "Only an enrolled witness is retired.",
    "registry.source-mismatch": "A key signs only for the agency that it is registered to.",
    "registry.not-owner": "Only the city that created the log writes to its registry.",
    "registry.code-differs": "An organisation is named on the stream of its own code; the city speaks on its own.",
    "registry.parent-self": "An organisation does not stand above itself.",
    "registry.date-invalid": "The dates of a name's or an access's validity are days of the calendar.",
    "registry.approval-missing": (
        "An event that reaches the amount or the age in the approval policy in force carries an approval."
    ),
    "registry.approval-same-key": "An approval is by another key than the signature.",
    "registry.approval-role": "A required approval is by a key that the event's own agency has as an approver's.",
    "registry.token-duplicate": "A token's id is issued once.",
    "registry.token-revoked-twice": "A token is revoked once.",
    "registry.dates": "A name or an access is valid from a day to the same or a later one.",
    # Registry: what the city says about its log.
    "registry.schema-version": "The versions of a type's schema are numbered from 1 without gaps.",
    "registry.access-duplicate": "An access is granted once by its id.",
    "registry.incident-duplicate": "An incident is declared once by its id.",
    "registry.incident-range": "An incident names entries that stand before its own, from the first to the last.",
    "registry.incident-not-open": "An incident is closed once, after it is declared.",
    # Registry: the numbers that an agency gives to its submissions, its closes, and refusals.
    "registry.sequence-taken": "An agency uses each number of its submissions once.",
    "registry.sequence-unexpected": "A sealed transaction carries no number; the manifest of its batch does.",
    "registry.close-not-own": "An agency closes only its own days, on its own stream.",
    "registry.close-day": "A closed day is a day of the calendar.",
    "registry.close-twice": "An agency closes a day once.",
    "registry.close-numbers": (
        "A close of a day with submissions names their first and last number in order, and no more submissions than "
        "numbers; of a day without submissions, none."
    ),
    "registry.refusal-source-differs": "A refusal stands on the stream of the agency whose submission it was.",
    # Budget: the year and its lines.
    "budget.not-owner": "Only the agency named in a budget's subject writes to it.",
    "budget.year-not-opened": "A fiscal year is opened before anything else happens in it.",
    "budget.year-opened-twice": "A fiscal year is opened once.",
    "budget.year-dates": ("A fiscal year is the calendar year of its subject, and closes on its stated last day."),
    "budget.year-closed": (
        "After the closing only carry-overs into the next year, the settlement, refunds and corrections follow."
    ),
    "budget.year-not-closed": "Settlement, its audit and approval, and refunds come only after the year is closed.",
    "budget.year-settled": (
        "After the settlement only its audit, its approval, refunds and corrections happen in a fiscal year."
    ),
    "budget.legal-date-outside-year": (
        "The legal date falls in the fiscal year; of a closing, a settlement, its audit and approval, and a correction "
        "of a closed year on its last day or later; of a refund after it; of a carry-over between the year's first day "
        "and the end of the next year."
    ),
    "budget.legal-date-order": "A payment does not come before its obligation, nor a return before its payment.",
    "budget.line-duplicate": "A budget line is defined once.",
    "budget.code-list-late": "The lists of codes are published before the first line.",
    "budget.code-repeated": "A published list holds each code once.",
    "budget.code-unknown": "A line uses only codes that stand in the year's published list of that level.",
    "budget.basis-missing": (
        "Budgets, moves between lines that a body decides, declarations, plans and approvals name the document that "
        "they rest on, save in imports of a printed or derived fact."
    ),
    "budget.approver": (
        "The council decides supplementary budgets, cross-programme transfers, carry-overs, continuing plans and the "
        "settlement, the head of government within-programme transfers: that role is stated; where an appropriation or "
        "an adjustment states one, it is the council or the department."
    ),
    "budget.line-unknown": "Every line that an event names is defined in that budget.",
    "budget.line-repeated": "An event names each budget line once.",
    "budget.amount-zero": "An allotment, an adjusted obligation and a row of a supplementary budget are not zero.",
    "budget.amount-too-large": "A year's total stays within the integers of the entry format.",
    "budget.opening-late": "An opening balance is imported before anything else moves its line.",
    "budget.opening-known": (
        "Opening balances are imported only where the ledger lacks the year before, and exclude its carry-overs."
    ),
    "budget.opening-twice": "Opening balances are imported once a year.",
    "budget.appropriated-twice": "A year has one original budget.",
    "budget.provisional-late": "A provisional budget comes only before the original one.",
    "budget.provisional-until": "A provisional budget lasts from its legal date to a day of the same year.",
    "budget.provisional-over": (
        "After the last day of a provisional budget nothing new is allotted or obligated from its lines until the next "
        "budget; what is obligated is paid."
    ),
    "budget.provisional-spent": "The original budget leaves every line what it used under the provisional one.",
    "budget.round-number": "Supplementary budgets are numbered from 1 without gaps.",
    "budget.appropriation-negative": "A supplementary budget takes no more from a line than is appropriated to it.",
    "budget.pre-appropriation-duplicate": "A use before appropriation has an id of its own.",
    "budget.pre-appropriation-fund": "Only other bodies' earmarked money is used before appropriation, not the city's.",
    "budget.pre-appropriation-unknown": "A supplementary budget takes in only uses before appropriation of its year.",
    "budget.pre-appropriation-taken": "A use before appropriation is taken in once.",
    "budget.pre-appropriation-not-covered": (
        "A supplementary budget brings each line at least the uses before appropriation that it takes in."
    ),
    "budget.pre-appropriation-open": (
        "A year is closed only after supplementary budgets took in all uses before appropriation."
    ),
    "budget.revenue-differs": "The excess of one revenue is stated once and does not change.",
    "budget.revenue-exceeded": "What is spent of a revenue beyond its estimate does not exceed that excess.",
    "budget.not-appropriated": ("Supplementary budgets, calculation bases and schedules follow the original budget."),
    "budget.totals-differ": (
        "Rows, steps or years add up exactly to their total, a schedule to its project's appropriation."
    ),
    "budget.same-line": "A move leads from one line to another.",
    "budget.project-differs": (
        "Adjusted and carried-over money, the items of a schedule and a continuing plan stay inside one project."
    ),
    "budget.fund-differs": "Moved money stays inside one fund.",
    "budget.not-reserve": "The reserve fund is released from a line of object 801.",
    "budget.reserve-target": "The reserve fund does not go into business promotion (203) or subsidies (307, 308).",
    "budget.object-not-stated": "Reserve releases and within-programme transfers lead to lines with a stated object.",
    "budget.policy-not-stated": "A transfer is only between lines whose policy programmes are stated.",
    "budget.policy-same": "A cross-programme transfer is between two policy programmes.",
    "budget.policy-differs": "A within-programme transfer stays inside one policy programme.",
    "budget.transfer-closed": (
        "A within-programme transfer does not go into an object that the year's limits close, by default 203."
    ),
    "budget.transfer-limits-twice": "A year's limits of transfers are set once.",
    "budget.reassignment-differs": "A reassignment changes the division and nothing else.",
    "budget.line-overspent": (
        "Nothing takes more from a line than it has: executed ≤ obligated ≤ allotted ≤ current, and "
        "executed + carried "
        "over ≤ current."
    ),
    "budget.allotment-obligated": "An allotment taken back leaves what is obligated.",
    "budget.allotment-reallotted": "An allotment taken back leaves what is re-allotted.",
    "budget.reallotment-exceeded": "An office gives back no more of a line than it has.",
    # Budget: obligations and payments.
    "budget.obligation-duplicate": "An obligation's id is used once a year.",
    "budget.obligation-unknown": "A payment and an adjustment name an obligation of the same year.",
    "budget.obligation-overpaid": "Payments on an obligation do not exceed it.",
    "budget.obligation-paid": "An obligation is not made smaller than what is paid on it.",
    "budget.obligation-backs-contract": (
        "Obligations behind a signed instalment stay at what is owed for it until the contract ends, "
        "unit prices and imports of a printed or derived fact apart."
    ),
    "budget.obligation-carried-over": "Obligations are not made smaller than what was carried over because of them.",
    "budget.same-role": "Who pays is not who incurred the obligation, where both roles are stated.",
    "budget.instalment-alone": "An obligation names an instalment only of a contract.",
    "budget.contract-exceeded": (
        "A budget's obligations for an instalment of a contract do not exceed the amount that it is signed for."
    ),
    "budget.contract-unknown": "An obligation names only a contract that is planned.",
    "budget.contract-not-own": "An obligation names only a contract of the same agency.",
    "budget.contract-half-missing": (
        "A payment, or its correction, names its contract's half exactly when its obligation names a contract."
    ),
    "budget.payment-duplicate": "A payment's id is used once a year.",
    "budget.payment-unknown": "Money comes back only from a payment of the same budget.",
    "budget.return-on-contract": (
        "A return names its contract's half exactly when its payment has one; such a return is made good by a payment "
        "on both streams, not by a correction."
    ),
    "budget.return-duplicate": "A return's id is used once a year.",
    "budget.return-exceeded": "What comes back of a payment does not exceed it.",
    "budget.refund-duplicate": "A refund's id is used once.",
    "budget.line-differs": "A payment names the line of its obligation.",
    "budget.payee-form": ("An organisation is named by its code alone, a committed payee by its commitment alone."),
    # Budget: what explains the amounts.
    "budget.factor-form": "A basis is one price in won times numbers with their units.",
    "budget.basis-product-differs": "The factors of a basis multiply exactly to its amount.",
    "budget.item-duplicate": "A line item's id is used once a year.",
    "budget.item-unknown": "A schedule spends only recorded items.",
    "budget.items-exceed-appropriation": ("The items of a line do not add up to more than its appropriation."),
    "budget.schedule-twice": "A project has one schedule a year.",
    "budget.project-unknown": "A schedule is of a project that has lines in the budget.",
    "budget.step-duplicate": "A schedule's step ids are distinct.",
    "budget.step-dates": "A step runs from a month to the same or a later one, inside the fiscal year.",
    # Budget: the end of the year.
    "budget.carry-over-subject": ("A carry-over leads from a fiscal year of an agency to the same agency's next year."),
    "budget.carry-over-kind": ("The kind of a carry-over is left open only in imports of a printed or derived fact."),
    "budget.carry-over-form": (
        "A continuing carry-over names its plan and the plan's budget; only an accidental one is ancillary."
    ),
    "budget.carry-over-undeclared": (
        "Explicit carry-over stays within what the council declared, save in imports of a printed or derived fact."
    ),
    "budget.carry-over-not-obligated": (
        "Accidental carry-over stays within what obligations bind and was not paid, ancillary expense and imports of a "
        "printed or derived fact apart."
    ),
    "budget.carry-over-twice": "What came in as accidental carry-over does not go out as accidental carry-over again.",
    "budget.plan-duplicate": "A continuing plan's id is used once in its budget.",
    "budget.plan-years": "A continuing plan's years follow each other from the year of its budget on.",
    "budget.plan-unknown": "A continuing carry-over names a plan on a budget of the same agency.",
    "budget.plan-ended": "A continuing carry-over is made in a year of its plan, but not in the last one.",
    "budget.plan-exceeded": "Continuing carry-over stays within what the plan comes to up to its year.",
    "budget.carry-over-unknown": "A carry-in answers a carry-over of the year before.",
    "budget.carry-over-differs": ("Both halves of a carry-over state the same amount, kind, lines, streams and ids."),
    "budget.carry-over-duplicate": "A carry-over is made and received once.",
    "budget.carry-over-alone": ("The two halves of a carry-over are neighbouring entries of one atomic batch."),
    "budget.project-repeated": "A settlement has one row for each project.",
    "budget.settlement-identity": (
        "Every settlement row adds up: current = final + carried in + change, unspent = current − "
        "executed − carried out."
    ),
    "budget.settlement-mismatch": ("A settlement says exactly what the year's events add up to, project by project."),
    "budget.settlement-not-published": "A settlement is audited and approved after it is published.",
    "budget.settlement-not-audited": "The council approves a settlement after its audit.",
    "budget.settlement-audited-twice": "A settlement is audited once.",
    "budget.settlement-approved-twice": "A settlement is approved once.",
    "budget.approval-date": "The day of the approval is its legal date.",
    # Budget: corrections.
    "budget.correction-target": "A correction names an event of the same budget whose type can be corrected.",
    "budget.corrected-twice": "An event is corrected once; then its correction is.",
    "budget.correction-replacement": "A replacement is one payload of the corrected event's own type.",
    "budget.correction-basis": "A correction in a closed year names an audit's document.",
    "budget.correction-contract": "A corrected payment stays on its contract, or leaves it.",
    "budget.correction-breaks": "After a correction all that it touched, and all that stands on that, still holds.",
    "budget.correction-alone": (
        "The two halves of a contract payment's correction are neighbouring entries of one atomic batch."
    ),
    # Contract: planning, tender, award.
    "contract.not-owner": "Only the agency that planned a procurement writes to it.",
    "contract.not-planned": "A procurement is planned before anything else happens in it.",
    "contract.planned-twice": "A procurement is planned once.",
    "contract.period-dates": "A contract's period ends in the month in which it starts, or later.",
    "contract.date-invalid": "The dates of a contract are days of the calendar, and what is recorded has happened.",
    "contract.signed-already": "Prior steps, tenders and awards come before the signing.",
    "contract.prior-step-round": "A prior step has one result a round, and another round only after a rejection.",
    "contract.prior-step-late": "Prior steps are completed while no tender runs.",
    "contract.prior-step-open": "A tender is published after every prior step of the plan is passed or waived.",
    "contract.tender-duplicate": "A tender's id is used once in its procurement.",
    "contract.tender-running": "One tender runs at a time: another follows a cancelled or failed one.",
    "contract.tender-dates": "A tender opens before it closes, and is published and amended until it closes.",
    "contract.tender-unknown": "What happens to a tender names one that was published.",
    "contract.tender-status": (
        "A tender is amended and its bids are opened while it runs, then they are evaluated and one is awarded."
    ),
    "contract.bids-early": "Bids are opened, and a tender fails, on its closing day or later.",
    "contract.bidder-duplicate": "Every bidder bids once.",
    "contract.bidder-count": "A failed tender counts as many bidders as bids were opened.",
    "contract.party-form": (
        "An organisation is named by its public code alone, a sole proprietor by a commitment alone; only "
        "imports are silent."
    ),
    "contract.evaluation-weights": "The weights of an evaluation add up to 100 points.",
    "contract.evaluation-bidders": "An evaluation scores each valid bid of its tender once.",
    "contract.evaluation-points": "A bidder's points stay within their weights.",
    "contract.award-duplicate": "An award's id is used once in its procurement.",
    "contract.award-bidder": "An award goes to a valid bid of its tender.",
    "contract.award-exceeds-bid": "An award is not above the price of its bid.",
    "contract.award-not-best": (
        "An award goes to the lowest price, in a negotiated tender to the most points, or says why not."
    ),
    # Contract: signing, instalments, amendments.
    "contract.not-signed": "Instalments, work and payments follow the signing of the contract.",
    "contract.signed-twice": "A contract is signed once.",
    "contract.award-missing": (
        "Behind a tender, a contract names its award, save in imports of a printed or derived fact."
    ),
    "contract.award-unknown": "A contract names an award that stands.",
    "contract.supplier-differs": "The supplier of a contract is the bidder who won.",
    "contract.exceeds-award": "A contract is not above its award, unless a document says why.",
    "contract.amount-missing": "A signed amount is left out only in imports of a printed or derived fact.",
    "contract.total-noted-missing": (
        "A long-term continuing contract notes its total, save in imports of a printed or derived fact."
    ),
    "contract.exceeds-total-noted": "Instalments do not add up to more than the total noted.",
    "contract.exceeds-budget-lines": "An instalment does not exceed the current budget of the lines that it names.",
    "contract.line-unknown": "Every budget line that a signed contract names is defined.",
    "contract.line-repeated": "A contract names each budget line once.",
    "contract.line-year-differs": "An instalment names budget lines of its own fiscal year.",
    "contract.obligation-missing": (
        "Before a signing, obligations for the instalment reach its amount; for an increase they can follow from "
        "free allotments."
    ),
    "contract.plan-missing": (
        "A continuing expenditure names its continuing plan, save in imports of a printed or derived fact."
    ),
    "contract.plan-unknown": "A contract names a continuing plan of its own project.",
    "contract.exceeds-plan": (
        "The instalments of a continuing expenditure stay, year by year, within what its plan has released."
    ),
    "contract.not-long-term": (
        "Only a long-term continuing contract or a continuing expenditure has further instalments."
    ),
    "contract.instalment-number": "Instalments are numbered without gaps.",
    "contract.instalment-year": "Every instalment is of a later fiscal year than the one before.",
    "contract.instalment-open": (
        "The next instalment follows the closing of the one before or says why not, and a contract is completed "
        "when all are closed."
    ),
    "contract.instalment-unknown": "What happens to an instalment names one that is signed.",
    "contract.instalment-closed": "A closed instalment is neither changed nor worked on, and takes no advance.",
    "contract.amendment-empty": "An amendment changes something.",
    "contract.amendment-below-settled": "An amended amount stays at least what is accepted, paid or kept back.",
    # Contract: work and payment.
    "contract.work-state": (
        "Work starts once for each instalment, is suspended while one is under way, and goes on only after a "
        "suspension."
    ),
    "contract.subcontract-duplicate": "A subcontract's id is used once in its contract.",
    "contract.subcontract-unknown": "A subcontractor is paid on an approved subcontract.",
    "contract.subcontract-overpaid": "Payments on a subcontract do not exceed it.",
    "contract.exceeds-contract": "Subcontracts do not add up to more than the contract.",
    "contract.inspection-duplicate": "An inspection's id is used once in its contract.",
    "contract.inspection-unknown": "Acceptances and payments name an inspection of their instalment.",
    "contract.inspection-failed": "What failed its inspection is neither accepted nor paid.",
    "contract.acceptance-duplicate": "Inspected work is accepted once.",
    "contract.accepted-exceeds-instalment": "No more is accepted than the instalment.",
    "contract.final-inspection-missing": (
        "An instalment closes after a final inspection that passed, save in imports of a printed or derived fact."
    ),
    "contract.final-differs": (
        "The final amount of an instalment is what was accepted, at least what was paid; of a contract, the sum "
        "of its instalments'."
    ),
    "contract.payment-unknown": "A contract's payment answers a payment of the budget.",
    "contract.payment-differs": "Both halves of a payment state the same amount, contract, instalment and ids.",
    "contract.payment-duplicate": "A payment is shown on its contract once.",
    "contract.payment-alone": (
        "The two halves of a contract's payment, or of its return, are neighbouring entries of one atomic batch."
    ),
    "contract.return-duplicate": "A contract shows a return once.",
    "contract.return-differs": "The budget's return and the contract's half of it say the same.",
    "contract.return-set-off": "Of an advance comes back only what was not set off against accepted work.",
    "contract.payment-returned": (
        "A contract's payment of which money came back is not corrected: what is wrong is paid or returned."
    ),
    "contract.payment-line": (
        "A payment leaves a line that its instalment names, or one into which that line was carried over."
    ),
    "contract.instalment-overpaid": (
        "Payments on an instalment do not exceed its stated amount, once it is closed its final one, less what is kept "
        "back."
    ),
    "contract.advance-limit": "Advances stay within the contract's limit, 70 % where it states none.",
    "contract.offset-exceeds-advance": "No more is set off than advances are open.",
    "contract.exceeds-accepted": (
        "Payments and set-off advances do not exceed what was accepted, save in imports of a printed or derived fact."
    ),
    "contract.assessment-duplicate": "An assessment's id is used once in its contract.",
    "contract.damages-base": "The base of damages for delay does not exceed the instalment.",
    "contract.damages-differ": "Damages for delay are base times days times rate, cut off at their limit.",
    "contract.damages-limit": "Damages for delay do not exceed 30 % of the instalment.",
    "contract.damages-not-kept": "Damages are kept back only from what is still to be paid.",
    # Contract: its end, its warranty, corrections.
    "contract.ended": (
        "After its completion or termination a contract takes only warranties, damages and corrections, and "
        "payments up to its settlement."
    ),
    "contract.settled-below-paid": "A cancelled contract is settled at no less than was paid.",
    "contract.settled-exceeds-contract": "A terminated contract is settled at no more than its instalments.",
    "contract.exceeds-settled": "After a termination no more is paid than the contract was settled at.",
    "contract.completed-unpaid": (
        "A completed contract is paid, but for damages kept back, save in imports of a printed or derived fact."
    ),
    "contract.warranty-over": "A warranty ends no earlier than it is set, and defects are claimed while it runs.",
    "contract.claim-duplicate": "A claim's id is used once in its contract.",
    "contract.correction-unknown": "A correction names an event of its contract that can be corrected.",
    "contract.corrected-twice": "An event is corrected once; its correction may be corrected in turn.",
    "contract.replacement-type": (
        "A replacement is one event of the corrected event's own type, and of the same round of a prior step."
    ),
    "contract.correction-basis": "After the end of a contract, a correction names its basis.",
    "contract.correction-pair": "The correction of a payment, and no other, answers a correction of the budget.",
    "contract.correction-differs": (
        "Both halves of a payment's correction state the same payment, amounts, contract and ids."
    ),
    "contract.correction-breaks": "After a correction every identity of the contract still holds.",
    # Project.
    "project.not-owner": "Only the agency that registered a project writes to it.",
    "project.not-registered": "A project is registered before anything is said about it.",
    "project.registered-twice": "A project is registered once.",
    "project.funding-differs": ("The stated parts of a project's funding add up to its total, off-budget money apart."),
    "project.basis-duplicate": "A project's basis is recorded once by title and date.",
    "project.milestone-duplicate": "A milestone's id is used once in its project.",
    "project.activity-duplicate": "An activity's id is used once in its project.",
    "project.asset-duplicate": "An asset's id is used once in its project.",
    "project.anomaly-duplicate": "An anomaly's id is used once in its project.",
    "project.date-invalid": "A project's dates are years, months or days of the calendar.",
    "project.dates": "What is recorded of a project does not end before it starts.",
    "project.named-exceed-count": "No more assets are named than there are.",
    "project.correction-unknown": "A correction names an event of its own project.",
    "project.correction-type": "A correction is of the type of what it corrects.",
    "project.corrected-twice": "An event is corrected once; its correction may be corrected in turn.",
    # Service.
    "service.not-owner": "Only the agency that registered a service writes to it and to its periods.",
    "service.not-registered": "A service is registered before it is counted.",
    "service.registered-twice": "A service is registered once.",
    "service.kind-repeated": "A service, a manifest and a scheme of checks name each kind once.",
    "service.kind-unknown": "Every counted kind is registered, and every transaction's kind is sealed.",
    "service.unit-differs": "A count is in the one unit of its service.",
    "service.count-duplicate": "A published count's id is used once in its service, save to correct it.",
    "service.correction-unknown": "A corrected count takes the place of the one in force under its id.",
    "service.not-operating": (
        "Transactions are sealed, ballots opened and credentials issued only for a service in operation."
    ),
    "service.period-differs": "Manifest and transactions are of the period in their subject.",
    "service.period-invalid": "A period is one of the calendar.",
    "service.period-form": "A period is as long as the service's registration says: a month, a quarter or a year.",
    "service.provenance-differs": (
        "A transaction, and what becomes of it later, is of the provenance that the manifest of its batch says."
    ),
    "service.transaction-time": (
        "The time of a transaction, and of a credential's issue, is the end of its period in Korean time."
    ),
    "service.manifest-id": "A manifest's id is <batch id>/0.",
    "service.batch-duplicate": "A batch is sealed once.",
    "service.batch-open": "A batch is complete before the next one is sealed.",
    "service.batch-incomplete": "A manifest is followed at once by all transactions that it counts.",
    "service.batch-order": ("The n-th transaction behind a manifest carries the id <batch id>/n and its source."),
    "service.batch-kinds-differ": ("A batch holds exactly as many transactions of each kind as its manifest counts."),
    "service.counts-differ": "A manifest's counts by kind add up to its count.",
    "service.small-cell": (
        "No cell of a manifest, and no count but an imported one, is smaller than the service's smallest cell: merge "
        "kinds, or wait."
    ),
    "service.unsealed": "A transaction stands only behind the manifest of its batch.",
    "service.commitment-form": "A commitment is 64 lower-case hexadecimal digits.",
    "service.commitment-duplicate": "A commitment stands once in its stream.",
    # Service: what becomes of a transaction later.
    "service.commitment-unknown": "Only a transaction of the same stream is voided, or has its side record erased.",
    "service.void-kind-differs": "A voided transaction is named with its own kind.",
    "service.voided-twice": "A transaction is voided once.",
    "service.erased-twice": "A side record is erased once.",
    "service.batch-unknown": "Only the side records of a sealed batch of the same stream are erased.",
    "service.erased-count-differs": "All side records that are left behind a batch are erased together.",
    "service.date-invalid": "The days of a ballot and of an erasure are days of the calendar.",
    # Service: ballots.
    "service.ballot-duplicate": "A ballot is announced once by its id.",
    "service.ballot-option-repeated": "A ballot names each option once.",
    "service.ballot-dates": "A ballot opens before it closes, or on the same day.",
    "service.ballot-unknown": "A ballot is announced before its box is sealed and tallied.",
    "service.ballot-not-over": "A ballot box is sealed after the ballot's last day in Korean time.",
    "service.ballot-sealed-twice": "A ballot box is sealed once.",
    "service.ballot-exceeds-electorate": "No more ballots are cast than there are voters.",
    "service.ballot-not-sealed": "A ballot box is sealed before it is tallied.",
    "service.ballot-tallied-twice": "A ballot is tallied once.",
    "service.ballot-options-differ": "A tally counts exactly the options that were announced, each once.",
    "service.tally-differs": "A tally and the invalid ballots add up to the ballots cast.",
    # Service: credentials and checks.
    "service.status-list-kind": "A status list holds credentials of one kind.",
    "service.status-index-taken": "A place in a status list is taken once.",
    "service.credential-unknown": "Only a credential that was issued in the list is revoked.",
    "service.credential-revoked-twice": "A credential is revoked once.",
    "service.scheme-duplicate": "A scheme of checks is registered once by its id.",
    "service.scheme-overlaps": "The transactions of one kind and round answer the checks of one scheme.",
    # Report.
    "report.not-city": "Only the city that created the log publishes its reports.",
    "report.stream-differs": "A report is published on the stream of its own kind and key.",
    "report.tree-size-ahead": "A report is computed from entries before its own.",
    "report.tree-size-back": "Every report of a stream is of more entries than the one before it.",
    "report.empty-root": "A report without rows has the root of the empty tree.",
}
