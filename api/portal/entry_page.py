"""What does one entry say, in words, and how does anybody check it?"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.receipts import entry_status, proof_text
from audit_service.errors import NotInLog
from verifier.encoding import encode_base64
from verifier.hashing import leaf_hash

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.ports import Ledger

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-f:]{2,39}\](:[0-9]{1,5})?", re.ASCII)
# What the page shows by itself, beside the payload's own fields.
_SHOWN_APART = frozenset({"provenance", "note_ko", "note_en"})


@dataclass(frozen=True, kw_only=True)
class EntryPage:
    """Everything that the page of one entry shows."""

    index: int
    tree_size: int
    status: str
    attributes: dict[str, Any]
    facts: dict[str, Any]
    provenance: str
    notes: dict[str, str]
    leaf_hash: str
    raw: str
    proof: str


def load_entry_page(ledger: Ledger, index: int) -> EntryPage:
    """Read one entry and its newest proof. Reads the database.

    Raises:
        NotInLog: the signed log ends before it.
    """
    head = ledger.signed()
    if index >= head.size:
        raise NotInLog(f"the signed log ends before index {index}")
    entry = ledger.reader.entry(index)
    # These are our own bytes: checked on the way in, and again by whoever verifies.
    attributes: dict[str, Any] = json.loads(entry)
    data: dict[str, Any] = attributes["data"]
    return EntryPage(
        index=index,
        tree_size=head.size,
        status=entry_status(ledger, index),
        attributes=attributes,
        facts={name: value for name, value in data.items() if name not in _SHOWN_APART},
        provenance=data.get("provenance", "actual"),
        notes={name: data[name] for name in ("note_ko", "note_en") if name in data},
        leaf_hash=encode_base64(leaf_hash(entry)),
        raw=entry.decode(),
        proof=proof_text(ledger, index, head).decode(),
    )


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """One row of the list of newest entries."""

    index: int
    type: str
    subject: str
    recorded_time: str
    provenance: str


def newest_entries(ledger: Ledger, count: int) -> list[NewEntry]:
    """The newest signed entries, newest first. Reads the database."""
    size = ledger.signed().size
    start = max(0, size - count)
    rows = []
    for index, entry in enumerate(ledger.reader.entries(start, size), start=start):
        attributes = json.loads(entry)
        rows.append(
            NewEntry(
                index=index,
                type=attributes["type"],
                subject=attributes["subject"],
                recorded_time=attributes["recordedtime"],
                provenance=attributes["data"].get("provenance", "actual"),
            )
        )
    return rows[::-1]


def base_url(request: Request) -> str:
    """The address that commands on the page name: the caller's own, unless it could break out of a command."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        return "http://127.0.0.1:8000"
    return f"{request.url.scheme}://{host}"
