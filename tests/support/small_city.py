"""A small real ledger for tests: real keys, a real database, real files; only the city is small.

`small_city(tmp_path)` makes a ledger with two agencies, `city` (registry) and `roads` (everything else), and
helps to build, sign and submit events. Nothing is mocked.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audit_service.genesis import AgencyPlan, initialise
from audit_service.keys import SigningKey, read_seed
from audit_service.ledger import Ledger
from audit_service.settings import load_settings, read_url
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission
from verifier.hashing import leaf_hash
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_service.settings import Settings
    from audit_service.writer import SubmissionResult

ORIGIN = "ledger.example/small-city"
TIME = "2021-01-04T00:00:00.000Z"
TIMEOUT_S = 30


def make_small_city(data_dir: Path) -> Settings:
    return initialise(
        data_dir,
        origin=ORIGIN,
        city="city",
        database_url=read_url("database_url"),
        journal_url=read_url("journal_url"),
        agencies=[
            AgencyPlan(code="city", name_ko="시청", name_en="City hall", scopes=("registry.*",)),
            AgencyPlan(
                code="roads",
                name_ko="도로과",
                name_en="Road works",
                scopes=("budget.*", "contract.*", "project.*", "service.*"),
            ),
        ],
    )


class SmallCity:
    """One open ledger and the keys of its agencies."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings = settings
        self.ledger = ledger
        self.keys = {code: SigningKey.from_seed(read_seed(settings.keys / f"{code}.key")) for code in ("city", "roads")}

    def sign(self, submission: dict[str, Any], *, by: str = "roads") -> bytes:
        return encode_canonical(sign_submission(submission, self.keys[by].private))

    def send(self, *bodies: bytes, atomic: bool = False, dry_run: bool = False) -> SubmissionResult:
        items = self.ledger.prepare_many(bodies)
        return self.ledger.submit(items, atomic=atomic, dry_run=dry_run).result(TIMEOUT_S)

    def post(self, *submissions: dict[str, Any], atomic: bool = False) -> SubmissionResult:
        return self.send(*[self.sign(submission) for submission in submissions], atomic=atomic)


@contextmanager
def small_city(data_dir: Path) -> Iterator[SmallCity]:
    """Make the ledger if it is not there yet, and open it."""
    settings = load_settings(data_dir) if (data_dir / "ledger.toml").exists() else make_small_city(data_dir)
    with Ledger(settings) as ledger:
        yield SmallCity(settings, ledger)


def submission(
    event_type: str,
    subject: str,
    data: dict[str, Any],
    *,
    event_id: str,
    legal_date: str | None = None,
    source: str = "urn:kr:agency:roads",
    **attributes: Any,
) -> dict[str, Any]:
    """An unsigned submission; budget and contract events get a legal date by themselves."""
    made: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": event_type,
        "subject": subject,
        "time": TIME,
        "data": data,
        **attributes,
    }
    if legal_date is None and event_type.startswith(("budget.", "contract.")):
        legal_date = "2021-01-04"
    if legal_date is not None:
        made["legaldate"] = legal_date
    return made


BUDGET = "budget/roads/2021"


def budget_year(*, appropriated_won: int = 1_000_000) -> list[dict[str, Any]]:
    """A fiscal year with one line, all of it allotted."""
    return [
        submission(
            "budget.fiscal-year-opened.v1",
            BUDGET,
            {
                "fiscal_year": 2021,
                "account": "general",
                "account_ko": "일반회계",
                "opens_on": "2021-01-01",
                "closes_on": "2021-12-31",
            },
            event_id="year-2021",
        ),
        submission(
            "budget.line-defined.v1",
            BUDGET,
            {
                "line_id": "201-02",
                "name_ko": "공공운영비",
                "project_id": "bridges",
                "division": "roads",
                "fund": "CITY",
            },
            event_id="line-201-02",
        ),
        submission(
            "budget.appropriated.v1",
            BUDGET,
            {
                "rows": [{"line_id": "201-02", "amount_won": appropriated_won}],
                "total_won": appropriated_won,
                "basis": {"title": "본예산 의결"},
            },
            event_id="appropriation-2021",
        ),
        submission(
            "budget.allotted.v1",
            BUDGET,
            {"line_id": "201-02", "quarter": 1, "amount_won": appropriated_won},
            event_id="allotment-2021-q1",
        ),
    ]


def obligation(number: int, *, amount_won: int) -> dict[str, Any]:
    return submission(
        "budget.obligation-incurred.v1",
        BUDGET,
        {"obligation_id": f"o-{number}", "line_id": "201-02", "amount_won": amount_won},
        event_id=f"obligation-{number}",
    )


def payment(number: int, *, of_obligation: int, amount_won: int) -> dict[str, Any]:
    return submission(
        "budget.paid.v1",
        BUDGET,
        {
            "payment_id": f"p-{number}",
            "obligation_id": f"o-{of_obligation}",
            "line_id": "201-02",
            "amount_won": amount_won,
            "payee": {"kind": "NOT_STATED"},
        },
        event_id=f"payment-{number}",
    )


def service() -> dict[str, Any]:
    return submission(
        "service.registered.v1",
        "service/permits",
        {
            "name_ko": "굴착 허가",
            "name_en": "Digging permits",
            "unit_ko": "건",
            "unit_en": "permits",
            "kinds": [{"code": "permit", "name_ko": "허가"}],
            "minimum_cell": 5,
            "status": "operating",
        },
        event_id="service-permits",
    )


def sealed_batch(
    city: SmallCity, batch_id: str, *, count: int, time: str = "2021-01-31T15:00:00.000Z", **said: Any
) -> list[bytes]:
    """A signed manifest and its transactions, as bytes in the order of the batch; `said`: of each transaction."""
    transactions = [
        encode_canonical(
            submission(
                "service.transaction-recorded.v1",
                "service/permits/2021-01",
                {
                    "commitment": hashlib.sha256(f"{batch_id}/{number}".encode()).hexdigest(),
                    "kind": "permit",
                    "period": "2021-01",
                    **said,
                },
                event_id=f"{batch_id}/{number}",
                time=time,
            )
        )
        for number in range(1, count + 1)
    ]
    manifest = submission(
        "service.batch-sealed.v1",
        "service/permits/2021-01",
        {
            "batch_id": batch_id,
            "period": "2021-01",
            "count": count,
            "counts_by_kind": [{"kind": "permit", "count": count}],
            "submissions_root": root_of_leaf_hashes([leaf_hash(item) for item in transactions]).hex(),
        },
        event_id=f"{batch_id}/0",
    )
    return [city.sign(manifest), *transactions]
