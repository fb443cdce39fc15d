"""What becomes of transactions, ballots, credentials and schemes: which of it is refused?"""

from __future__ import annotations

import msgspec
import pytest

from audit_service.rules.decide import decide
from audit_service.rules.service_states import PeriodState
from tests.support.events import (
    PARKS,
    PERIOD,
    PERIOD_END,
    PROJECT,
    ROADS,
    ballot_opened,
    ballot_sealed,
    ballot_tallied,
    batch,
    batch_erased,
    credential_issued,
    credential_revoked,
    erased,
    project_registered,
    scheme_registered,
    service_registered,
    transaction,
    voided,
)
from tests.support.events import SERVICE as SERVICE_SUBJECT
from tests.support.given import Refusal, given, name_of, refuses

SERVICE = (service_registered(),)
PLANNED = (service_registered({"status": "planned"}),)
FULL = (*SERVICE, batch({"loan": 5, "return": 5}), *(transaction(number) for number in range(1, 6)))
FULL = (*FULL, *(transaction(number, kind="return") for number in range(6, 11)))
MADE_UP = (*SERVICE, batch({"loan": 5}, {"provenance": "synthetic"}), *(transaction(n) for n in range(1, 6)))
OPENED = (*SERVICE, ballot_opened())
BOX = (*OPENED, ballot_sealed(100))
TALLIED = (*BOX, ballot_tallied({"yes": 60, "no": 39}, 1))
ISSUED = (*SERVICE, credential_issued(7))
SCHEME = (*SERVICE, scheme_registered({"round": "2019-r1"}))

REFUSALS = (
    # S05, voided transactions.
    Refusal("service.commitment-unknown", "nothing recorded", SERVICE, voided(1)),
    Refusal("service.commitment-unknown", "no such commitment", FULL, voided(11)),
    Refusal("service.not-owner", "another agency voids", FULL, voided(1, source=PARKS), ROADS),
    Refusal("service.void-kind-differs", "a loan, not a return", FULL, voided(1, {"kind": "return"}), "loan"),
    Refusal("service.void-kind-differs", "a kind that is not there", FULL, voided(6, {"kind": "z"}), "return"),
    Refusal("service.voided-twice", "once more", (*FULL, voided(1)), voided(1, {"reason_code": "TEST"})),
    Refusal("service.provenance-differs", "made up", FULL, voided(1, {"provenance": "synthetic"})),
    Refusal("service.provenance-differs", "as if it were real", MADE_UP, voided(1), "synthetic"),
    # S06, erased side records.
    Refusal("service.commitment-unknown", "nothing to erase", FULL, erased(11)),
    Refusal("service.not-owner", "another agency erases", FULL, erased(1, source=PARKS), ROADS),
    Refusal("service.date-invalid", "on no day", FULL, erased(1, {"erased_on": "2021-02-30"})),
    Refusal("service.erased-twice", "once more", (*FULL, erased(1)), erased(1, {"cause": "COURT"})),
    Refusal("service.erased-twice", "with its batch before", (*FULL, batch_erased(10)), erased(1)),
    Refusal("service.batch-unknown", "nothing sealed", SERVICE, batch_erased(5)),
    Refusal("service.batch-unknown", "another batch", FULL, batch_erased(10, {"batch_id": "b2"})),
    Refusal("service.not-owner", "another agency erases a batch", FULL, batch_erased(10, source=PARKS), ROADS),
    Refusal("service.date-invalid", "a batch on no day", FULL, batch_erased(10, {"erased_on": "2021-04-31"})),
    Refusal("service.erased-count-differs", "one was erased before", (*FULL, erased(1)), batch_erased(10), 9),
    Refusal("service.erased-twice", "a batch twice", (*FULL, batch_erased(10)), batch_erased(10)),
    Refusal("service.provenance-differs", "really erased", MADE_UP, erased(1), "synthetic"),
    Refusal("service.provenance-differs", "a batch really erased", MADE_UP, batch_erased(5), "synthetic"),
    # S07, ballots opened.
    Refusal("service.not-registered", "no service", (), ballot_opened()),
    Refusal("service.not-owner", "another agency's ballot", SERVICE, ballot_opened(source=PARKS), ROADS),
    Refusal("service.not-operating", "only planned", PLANNED, ballot_opened()),
    Refusal("service.ballot-duplicate", "the id is taken", OPENED, ballot_opened()),
    Refusal("service.ballot-option-repeated", "yes or yes", SERVICE, ballot_opened({"option_codes": ["yes", "yes"]})),
    Refusal("service.date-invalid", "it never opens", SERVICE, ballot_opened({"opens_on": "2021-02-29"})),
    Refusal("service.date-invalid", "it never closes", SERVICE, ballot_opened({"closes_on": "9999-12-31"})),
    Refusal("service.ballot-dates", "it closes the day before", SERVICE, ballot_opened({"closes_on": "2021-02-28"})),
    # S08, boxes sealed.
    Refusal("service.ballot-unknown", "no ballot to seal", SERVICE, ballot_sealed(1)),
    Refusal("service.not-owner", "another agency seals the box", OPENED, ballot_sealed(1, source=PARKS), ROADS),
    Refusal(
        "service.ballot-not-over",
        "a millisecond before the day is over in Seoul",
        OPENED,
        ballot_sealed(1, time="2021-03-31T14:59:59.999Z"),
        PERIOD_END,
    ),
    Refusal("service.ballot-exceeds-electorate", "one too many", OPENED, ballot_sealed(101), 100),
    Refusal("service.ballot-sealed-twice", "another box", BOX, ballot_sealed(99)),
    # S09, tallies.
    Refusal("service.ballot-unknown", "no ballot to tally", SERVICE, ballot_tallied({"yes": 1, "no": 1})),
    Refusal(
        "service.not-owner", "another agency counts", BOX, ballot_tallied({"yes": 1, "no": 1}, source=PARKS), ROADS
    ),
    Refusal("service.ballot-not-sealed", "before the box", OPENED, ballot_tallied({"yes": 1, "no": 1})),
    Refusal("service.tally-differs", "one ballot is lost", BOX, ballot_tallied({"yes": 60, "no": 39}), 100),
    Refusal("service.tally-differs", "one ballot is found", BOX, ballot_tallied({"yes": 60, "no": 39}, 2), 100),
    Refusal("service.ballot-options-differ", "an option is not counted", BOX, ballot_tallied({"yes": 60, "maybe": 40})),
    Refusal("service.ballot-options-differ", "one option more", BOX, ballot_tallied({"yes": 60, "no": 39, "may": 1})),
    Refusal(
        "service.ballot-options-differ", "one counted twice", BOX, ballot_tallied([("yes", 50), ("no", 40), ("no", 10)])
    ),
    Refusal("service.ballot-tallied-twice", "another tally", TALLIED, ballot_tallied({"yes": 39, "no": 60}, 1)),
    # S10, credentials.
    Refusal("service.not-registered", "no service to issue", (), credential_issued(1)),
    Refusal("service.not-owner", "another agency issues", SERVICE, credential_issued(1, source=PARKS), ROADS),
    Refusal("service.not-operating", "planned credentials", PLANNED, credential_issued(1)),
    Refusal("service.kind-unknown", "no such kind to issue", SERVICE, credential_issued(1, {"kind": "z"})),
    Refusal(
        "service.transaction-time",
        "the minute of issue",
        SERVICE,
        credential_issued(1, time="2021-03-09T01:02:03.000Z"),
        PERIOD_END,
    ),
    Refusal(
        "service.period-form",
        "a month of a quarterly service",
        (service_registered({"period_form": "QUARTER"}),),
        credential_issued(1),
        "QUARTER",
    ),
    Refusal(
        "service.status-list-kind", "two kinds in a list", ISSUED, credential_issued(8, {"kind": "return"}), "loan"
    ),
    Refusal("service.status-index-taken", "the place is taken", ISSUED, credential_issued(7, {"commitment": "f" * 64})),
    Refusal(
        "service.commitment-duplicate",
        "one credential in two places",
        ISSUED,
        credential_issued(8, {"commitment": f"{0xCAFE_0007:064x}"}),
    ),
    Refusal(
        "service.commitment-duplicate",
        "the commitment of a transaction",
        FULL,
        credential_issued(8, {"commitment": f"{1:064x}"}),
    ),
    Refusal("service.credential-unknown", "no list", SERVICE, credential_revoked(7)),
    Refusal("service.credential-unknown", "an empty place", ISSUED, credential_revoked(8)),
    Refusal("service.not-owner", "another agency revokes", ISSUED, credential_revoked(7, source=PARKS), ROADS),
    Refusal("service.status-list-kind", "as another kind", ISSUED, credential_revoked(7, {"kind": "return"}), "loan"),
    Refusal("service.credential-revoked-twice", "once more", (*ISSUED, credential_revoked(7)), credential_revoked(7)),
    Refusal(
        "service.status-index-taken",
        "a revoked place stays taken",
        (*ISSUED, credential_revoked(7)),
        credential_issued(7, {"commitment": "f" * 64}),
    ),
    # S11, schemes of checks.
    Refusal("service.not-registered", "no service to check", (), scheme_registered()),
    Refusal("service.not-owner", "another agency's scheme", SERVICE, scheme_registered(source=PARKS), ROADS),
    Refusal("service.kind-unknown", "answered by nothing", SERVICE, scheme_registered({"kind": "z"})),
    Refusal(
        "service.kind-repeated",
        "a check twice",
        SERVICE,
        scheme_registered({"check_kinds": [{"code": "x", "name_ko": "가"}, {"code": "x", "name_ko": "나"}]}),
    ),
    Refusal("service.scheme-duplicate", "the id is taken", SCHEME, scheme_registered({"round": "2019-r2"})),
    *(
        Refusal("service.scheme-overlaps", why, first, scheme_registered({"scheme_id": "s2", **data}))
        for why, first, data in (
            ("the same round", SCHEME, {"round": "2019-r1"}),
            ("every round", SCHEME, {}),
            ("a round of all", (*SERVICE, scheme_registered()), {"round": "2019-r1"}),
        )
    ),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_what_is_voided_may_still_be_erased_and_the_other_way_round() -> None:
    given(*FULL, voided(1), erased(1), erased(2), voided(2), voided(6, {"kind": "return"}), batch_erased(8))


def test_the_cell_of_a_transaction_is_found_after_later_batches() -> None:
    later = (transaction(n, batch_id="b2", kind="return", id=f"b2/{n - 10}") for n in range(11, 16))
    world = given(*FULL, batch({"return": 5}, {"batch_id": "b2"}), *later)
    decide(world, voided(1))
    decide(world, voided(6, {"kind": "return"}))
    decide(world, batch_erased(5, {"batch_id": "b2"}))
    decide(world, batch_erased(10))


def test_all_transactions_of_a_cell_share_one_number() -> None:
    """A number of its own for each would cost 32 bytes a transaction."""
    many = 2000
    events = [transaction(number) for number in range(1, many + 1)]
    period = given(*SERVICE, batch({"loan": many}), *events).stream(PERIOD)
    assert isinstance(period, PeriodState)
    assert len({id(number) for number in period.commitments.values()}) == 1


def test_a_ballot_from_beginning_to_end() -> None:
    given(*TALLIED, ballot_opened({"ballot_id": "v2", "opens_on": "2021-03-31"}))
    given(*OPENED, ballot_sealed(0), ballot_tallied({"yes": 0, "no": 0}))


def test_two_lists_have_places_of_their_own() -> None:
    other = {"status_list_id": "l2", "kind": "return", "commitment": "f" * 64}
    given(*ISSUED, credential_issued(7, other), credential_revoked(7))
    given(*SERVICE, credential_issued(31), credential_issued(32), credential_revoked(32))


def test_a_state_can_be_stored_and_read_back() -> None:
    """What a stream remembers is kept as MessagePack: no integer above 64 bits, keys and values of plain kinds."""
    places = (0, 31, 32, 1_048_575)
    world = given(
        *FULL,
        voided(1),
        erased(2),
        *(credential_issued(place) for place in places),
        *(credential_revoked(place) for place in places),
        *TALLIED[1:],
        scheme_registered(),
        project_registered(id="e"),
        project_registered({"corrects": "e"}),
    )
    for subject in (SERVICE_SUBJECT, PERIOD, PROJECT):
        state = world.stream(subject)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=type(state)) == state


def test_one_kind_answers_one_scheme_in_each_round() -> None:
    given(
        *SCHEME,
        scheme_registered({"scheme_id": "s2", "round": "2019-r2"}),
        scheme_registered({"scheme_id": "s3", "kind": "return"}),
    )
