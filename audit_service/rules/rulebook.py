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
    "registry.code-differs": "An organisation is named on the stream of its own code.",
    "registry.parent-self": "An organisation does not stand above itself.",
    "registry.date-invalid": "The dates of a name's validity are days of the calendar.",
    "registry.approval-missing": (
        "An event that reaches the amount or the age in the approval policy in force carries an approval."
    ),
    "registry.approval-same-key": "An approval is by another key than the signature.",
    "registry.approval-role": "A required approval is by a key that the event's own agency has as an approver's.",
    "registry.token-duplicate": "A token's id is issued once.",
    "registry.token-revoked-twice": "A token is revoked once.",
    "registry.dates": "A name is valid from a day to the same or a later one.",
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
    "budget.year-closed": ("After the closing only carry-overs into the next year and the settlement follow."),
    "budget.year-not-closed": "A settlement is published only after the year is closed.",
    "budget.year-settled": "After the settlement nothing more happens in a fiscal year.",
    "budget.legal-date-outside-year": (
        "The legal date falls in the fiscal year; of a closing or settlement on its last day or later; "
        "of a carry-over "
        "between the year's first day and the end of the next year."
    ),
    "budget.line-duplicate": "A budget line is defined once.",
    "budget.line-unknown": "Every line that an event names is defined in that budget.",
    "budget.line-repeated": "An event names each budget line once.",
    "budget.amount-zero": "An allotment is not zero.",
    "budget.amount-too-large": "A year's total stays within the integers of the entry format.",
    "budget.opening-late": "An opening balance is imported before anything else moves its line.",
    "budget.opening-known": (
        "Opening balances are imported only where the ledger lacks the year before, and exclude its carry-overs."
    ),
    "budget.opening-twice": "Opening balances are imported once a year.",
    "budget.appropriated-twice": "A year has one original budget.",
    "budget.not-appropriated": ("Calculation bases and schedules follow the original budget that they explain."),
    "budget.totals-differ": ("Rows or steps add up exactly to their total, a schedule to its project's appropriation."),
    "budget.same-line": "An adjustment leads from one line to another.",
    "budget.project-differs": "Moved money, and the items of a schedule, stay inside one project.",
    "budget.fund-differs": "Moved money stays inside one fund.",
    "budget.line-overspent": (
        "Nothing takes more from a line than it has: executed ≤ obligated ≤ allotted ≤ current, and "
        "executed + carried "
        "over ≤ current."
    ),
    "budget.allotment-obligated": "An allotment taken back leaves what is obligated.",
    # Budget: obligations and payments.
    "budget.obligation-duplicate": "An obligation's id is used once a year.",
    "budget.obligation-unknown": "A payment names an obligation of the same year.",
    "budget.obligation-overpaid": "Payments on an obligation do not exceed it.",
    "budget.contract-unknown": "An obligation names only a contract that is planned.",
    "budget.contract-not-own": "An obligation names only a contract of the same agency.",
    "budget.contract-half-missing": (
        "A payment names its contract's half exactly when its obligation names a contract."
    ),
    "budget.payment-duplicate": "A payment's id is used once a year.",
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
    # Contract.
    "contract.not-owner": "Only the agency that planned a procurement writes to it.",
    "contract.not-planned": "A procurement is planned before anything else happens in it.",
    "contract.planned-twice": "A procurement is planned once.",
    "contract.not-signed": "Instalments and payments follow the signing of the contract.",
    "contract.signed-twice": "A contract is signed once.",
    "contract.amount-missing": "A signed amount is left out only in imports of a printed or derived fact.",
    "contract.total-noted-missing": (
        "A long-term continuing contract notes its total, save in imports of a printed or derived fact."
    ),
    "contract.exceeds-total-noted": "Instalments do not add up to more than the total noted.",
    "contract.exceeds-budget-lines": ("An instalment does not exceed the current budget of the lines that it names."),
    "contract.line-unknown": "Every budget line that a signed contract names is defined.",
    "contract.line-repeated": "A contract names each budget line once.",
    "contract.line-year-differs": "An instalment names budget lines of its own fiscal year.",
    "contract.period-dates": "A contract's period ends in the month in which it starts, or later.",
    "contract.not-long-term": "Only a long-term continuing contract has further instalments.",
    "contract.instalment-number": "Instalments are numbered without gaps.",
    "contract.instalment-year": "Every instalment is of a later fiscal year than the one before.",
    "contract.instalment-unknown": "A payment is on a signed instalment.",
    "contract.instalment-overpaid": "Payments on an instalment do not exceed its stated amount.",
    "contract.payment-unknown": "A contract's payment answers a payment of the budget.",
    "contract.payment-differs": "Both halves of a payment state the same amount, contract and ids.",
    "contract.payment-duplicate": "A payment is shown on its contract once.",
    "contract.payment-alone": ("The two halves of a contract's payment are neighbouring entries of one atomic batch."),
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
    # Service.
    "service.not-owner": "Only the agency that registered a service writes to it and to its periods.",
    "service.not-registered": "A service is registered before it is counted.",
    "service.registered-twice": "A service is registered once.",
    "service.kind-repeated": "A service and a manifest name each kind once.",
    "service.kind-unknown": "Every counted kind is registered, and every transaction's kind is sealed.",
    "service.unit-differs": "A count is in the one unit of its service.",
    "service.count-duplicate": "A published count's id is used once in its service.",
    "service.not-operating": "Transactions are sealed only for a service in operation.",
    "service.period-differs": "Manifest and transactions are of the period in their subject.",
    "service.manifest-id": "A manifest's id is <batch id>/0.",
    "service.batch-duplicate": "A batch is sealed once.",
    "service.batch-open": "A batch is complete before the next one is sealed.",
    "service.batch-incomplete": "A manifest is followed at once by all transactions that it counts.",
    "service.batch-order": ("The n-th transaction behind a manifest carries the id <batch id>/n and its source."),
    "service.batch-kinds-differ": ("A batch holds exactly as many transactions of each kind as its manifest counts."),
    "service.counts-differ": "A manifest's counts by kind add up to its count.",
    "service.small-cell": ("No cell of a manifest is smaller than the service's smallest cell: merge kinds, or wait."),
    "service.unsealed": "A transaction stands only behind the manifest of its batch.",
    "service.commitment-form": "A commitment is 64 lower-case hexadecimal digits.",
    "service.commitment-duplicate": "A commitment stands once in its stream.",
    # Report.
    "report.not-city": "Only the city that created the log publishes its reports.",
    "report.stream-differs": "A report is published on the stream of its own kind and key.",
    "report.tree-size-ahead": "A report is computed from entries before its own.",
    "report.tree-size-back": "Every report of a stream is of more entries than the one before it.",
    "report.empty-root": "A report without rows has the root of the empty tree.",
}
