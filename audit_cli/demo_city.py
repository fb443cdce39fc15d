"""Which events make up the demo city, and who signs them?

The events lie as JSON in `examples/seoul-2021/events`, readable and unsigned; the keys are made anew for
every ledger. So the facts are the same in every demo, the signatures are not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli.demo_transactions import SealedBatch, sealed_batches
from audit_cli.errors import WrongUse
from audit_service.errors import ConfigurationError
from audit_service.genesis import AgencyPlan
from audit_service.keys import SigningKey, read_seed
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "seoul-2021.ledger.example"
CITY = "seoul"
DIVISION = "seoul-smartcity"
PROJECT = "shared-admin"
_SOURCE_PREFIX = "urn:kr:agency:"
_EXAMPLE = ("examples", "seoul-2021")


AGENCIES = (
    AgencyPlan(
        code=CITY,
        name_ko="서울특별시",
        name_en="Seoul Metropolitan Government",
        scopes=("registry.*",),
    ),
    AgencyPlan(
        code=DIVISION,
        name_ko="스마트도시담당관",
        name_en="Smart City Division",
        scopes=("budget.*", "contract.*", "project.*", "service.*"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one agency posts as one atomic batch: lines of canonical JSON, signed where they must be."""

    name: str
    agency: str
    lines: list[bytes]


@dataclass(frozen=True)
class Credentials:
    """What one agency needs in order to post: the key that signs, and the token that routes."""

    private_key: Ed25519PrivateKey
    token: str


def read_credentials(keys: Path, agency: str) -> Credentials:
    """Read an agency's key (`<agency>.key`, a base64 seed) and token (`<agency>.token`) from a folder.

    Raises:
        WrongUse: one of the files is missing or is not what it should be.
    """
    try:
        key = SigningKey.from_seed(read_seed(keys / f"{agency}.key"))
        token = (keys / f"{agency}.token").read_text(encoding="ascii").strip()
    except (ConfigurationError, OSError, ValueError) as error:
        raise WrongUse(f"{error}; choose another --data, or remove the folder") from error
    return Credentials(key.private, token)


def example_folder() -> Traversable:
    """Where does the demo city's data lie? In the installed package, or beside it in a checkout.

    Raises:
        WrongUse: neither has it.
    """
    checkout = Path(__file__).parents[1]
    for root in (resources.files("audit_cli"), checkout):
        folder = root.joinpath(*_EXAMPLE)
        if folder.joinpath("page.json").is_file():
            return folder
    raise WrongUse("this installation lacks the demo city's data (examples/seoul-2021)")


def load_page() -> dict[str, Any]:
    """What does the page print? Its cells as printed."""
    page: dict[str, Any] = json.loads(example_folder().joinpath("page.json").read_text(encoding="utf-8"))
    return page


def load_event_files() -> list[tuple[str, list[dict[str, Any]]]]:
    """Which unsigned submissions does each file of events hold, in posting order?"""
    folder = example_folder().joinpath("events")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=_name)
    return [(file.name.removesuffix(".json"), json.loads(file.read_text(encoding="utf-8"))) for file in files]


def event_batches(credentials: dict[str, Credentials]) -> Iterator[Batch]:
    """Which signed batches rebuild the page? One for each file, so that pairs stay together."""
    for name, events in load_event_files():
        agency = agency_of(events)
        lines = [_signed_line(event, credentials[agency]) for event in events]
        yield Batch(name=name, agency=agency, lines=lines)


def transaction_batches(credentials: dict[str, Credentials]) -> Iterator[Batch]:
    """Which sealed batches stand beside the page? Each opens with its signed manifest."""
    for sealed in sealed_batches():
        manifest = _signed_line(sealed.manifest, credentials[DIVISION])
        yield Batch(name=_stream_name(sealed), agency=DIVISION, lines=[manifest, *sealed.transactions])


def agency_of(events: list[dict[str, Any]]) -> str:
    """Which agency posts a file of events? All of them must be its own: one token posts one batch.

    Raises:
        ValueError: the events have several sources.
    """
    sources = {event["source"] for event in events}
    if len(sources) != 1:
        raise ValueError(f"one file, one agency: found {sorted(sources)}")
    source: str = sources.pop()
    return source.removeprefix(_SOURCE_PREFIX)


def _signed_line(event: dict[str, Any], credentials: Credentials) -> bytes:
    submission = {"specversion": "1.0", **event}
    return encode_canonical(sign_submission(submission, credentials.private_key))


def _stream_name(sealed: SealedBatch) -> str:
    subject: str = sealed.manifest["subject"]
    return subject


def _name(file: Traversable) -> str:
    return file.name
