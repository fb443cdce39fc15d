"""From a signed submission to a kept receipt: in which order, and what does a crash in between leave behind?

1. Keep the submission. A crash here leaves something that was never sent; it is sent at the next run.
2. Send it. A crash or a cut leaves it recorded or not: the next run sends the same bytes, and gets the same index.
3. Fetch the entry and its proof, and check both against the pinned key.
4. Keep the receipt. A crash before leaves the submission kept: the next run gets a receipt for the same index.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from audit_client.errors import EvidenceDoesNotHold, NotUsable, Refused
from audit_client.receipts import Receipt, check_receipt
from audit_client.sealing import ServiceRules
from audit_client.service import LINES, ONE
from audit_client.signing import encode
from verifier.envelope import parse_entry, parse_submission, submission_payload
from verifier.errors import MalformedInput, VerificationError
from verifier.proofs import parse_log_proof, verify_log_proof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_client.receipts import ReceiptFolder
    from audit_client.sealing import SealedBatch
    from audit_client.service import Service
    from verifier.notes import VerifierKey


@dataclass(frozen=True, kw_only=True)
class BatchReceipt:
    """A sealed batch in the log: its manifest is entry `first_index`, transaction n is entry `first_index` + n."""

    batch_id: str
    source: str
    first_index: int
    count: int
    submissions_root: str
    checkpoint: str


class Submitter:
    """Submits to one service, checks against one pinned key, keeps in one folder."""

    def __init__(self, service: Service, *, vkey: VerifierKey, folder: ReceiptFolder) -> None:
        self.service = service
        self.folder = folder
        self._vkey = vkey

    def submit(self, submission: dict[str, Any]) -> Receipt:
        """Submit one signed event; returns its checked and kept receipt.

        Raises:
            Refused, NoAnswer, EvidenceDoesNotHold, NotUsable
        """
        encoded = encode(submission)
        self.folder.begin(submission, encoded)  # 1
        try:
            answer = self.service.post(encoded, ONE, recorded=lambda: self._recorded(submission))  # 2
        except Refused as refused:
            if refused.rule_id is not None:
                self.folder.give_up(submission)
            raise
        index = _integer(answer, "first_index" if "first_index" in answer else "index")
        return self._take_receipt(submission, index, repeated=answer.get("repeated") is not False)  # 3, 4

    def submit_many(self, submissions: Sequence[dict[str, Any]], *, atomic: bool) -> list[Receipt | Refused]:
        """Submit several signed events in one request; each gets its own receipt, or its refusal.

        Raises:
            Refused: with `atomic`, when one of them is; nothing was recorded.
        """
        encoded = [encode(submission) for submission in submissions]
        for submission, data in zip(submissions, encoded, strict=True):
            self.folder.begin(submission, data)
        try:
            answer = self.service.post(_lines(encoded), LINES, recorded=lambda: None, atomic=atomic)
        except Refused as refused:
            if refused.rule_id is not None:
                for submission in submissions:
                    self.folder.give_up(submission)
            raise
        results: list[Receipt | Refused] = []
        for submission, place in zip(submissions, _places(answer, len(encoded)), strict=True):
            if isinstance(place, Refused):
                self.folder.give_up(submission)
                results.append(place)
            else:
                results.append(self._take_receipt(submission, place.index, repeated=place.repeated))
        return results

    def dry_run(self, submissions: Sequence[dict[str, Any]], *, atomic: bool) -> list[Refused | None]:
        """What would become of these events now? Nothing is recorded and nothing is kept."""
        body = _lines([encode(submission) for submission in submissions])
        try:
            answer = self.service.post(body, LINES, recorded=lambda: None, atomic=atomic, dry_run=True)
        except Refused as refused:
            item = refused.problem.get("item")
            if not isinstance(item, int) or not 0 <= item < len(submissions):
                raise
            return [refused if number == item else None for number in range(len(submissions))]
        refusals = _refusals(answer)
        return [refusals.get(number) for number in range(len(submissions))]

    # --- sealed batches ---------------------------------------------------------------------------------

    def fetch_rules(self, service_id: str) -> ServiceRules:
        """What does the service's registration say, as it stands in the log that was pinned?

        It is checked like a receipt: who could make it up could make an agency publish cells that are too small.

        Raises:
            NotUsable: the service is not registered.
            EvidenceDoesNotHold: what the service shows is not in the log.
        """
        subject, event_type = f"service/{service_id}", "service.registered.v1"
        found = self.service.find_entries(subject=subject, type=event_type)
        if not found:
            raise NotUsable(f"the log has no registration of the service {service_id}")
        index = _integer(found[0], "index")
        entry, proof = self.service.fetch_entry(index), self.service.fetch_proof(index)
        try:
            verify_log_proof(proof, entry=entry, vkey=self._vkey)
            event = parse_entry(entry)
            if (event["subject"], event["type"]) != (subject, event_type):
                raise MalformedInput("it is another entry")
            data = event["data"]
            return ServiceRules(
                service_id=service_id,
                owner=event["source"],
                kinds=frozenset(kind["code"] for kind in data["kinds"]),
                minimum_cell=data["minimum_cell"],
                period_form=data.get("period_form"),
            )
        except (VerificationError, KeyError, TypeError) as error:
            raise EvidenceDoesNotHold(f"the registration of the service {service_id} does not hold: {error}") from error

    def submit_sealed(self, batch: SealedBatch) -> BatchReceipt:
        """Post a whole sealed batch in one atomic request; returns its checked and kept receipt.

        Checked are the manifest, whose signed root covers every transaction, and the last transaction, so that the
        range is where it is said to be; `prove_item` gives the proof of any single one later.
        """
        lines = batch.lines
        self.folder.begin_batch(batch.manifest, _lines(lines))
        manifest = batch.manifest
        answer = self.service.post(_lines(lines), LINES, recorded=lambda: self._recorded(manifest), atomic=True)
        if "first_index" in answer:
            first_index, count = _integer(answer, "first_index"), _integer(answer, "count")
        else:
            ranges = answer.get("ranges") or [{}]
            first_index, count = _integer(ranges[0], "index"), _integer(ranges[0], "count")
        if count != len(lines):
            raise EvidenceDoesNotHold(f"the batch has {len(lines)} events, the service says it recorded {count}")
        opened = self._take_receipt(manifest, first_index, repeated=False)
        receipt = BatchReceipt(
            batch_id=batch.batch_id,
            source=opened.source,
            first_index=first_index,
            count=count - 1,
            submissions_root=manifest["data"]["submissions_root"],
            checkpoint=parse_log_proof(opened.proof).checkpoint.decode(),
        )
        self._take_receipt(parse_submission(lines[-1]), first_index + count - 1, repeated=False)
        self.folder.keep_batch(manifest, json.dumps(asdict(receipt), ensure_ascii=False, indent=2).encode() + b"\n")
        return receipt

    def prove_item(self, source: str, batch_id: str, number: int) -> Receipt:
        """Fetch, check and keep the proof of one transaction of a batch that was submitted from this folder.

        Raises:
            NotUsable: the folder has no such batch, or the batch no such transaction.
        """
        lines, document = self.folder.batch(source, batch_id)
        if not 1 <= number < len(lines):
            raise NotUsable(f"the batch has transactions 1 to {len(lines) - 1}")
        return self._take_receipt(
            parse_submission(lines[number]), _integer(document, "first_index") + number, repeated=False
        )

    # --- what came back ---------------------------------------------------------------------------------

    def _recorded(self, submission: dict[str, Any]) -> dict[str, Any] | None:
        """After a cut: what the service recorded under this id, if it is signed and is this very submission."""
        name = submission["id"].removesuffix("/0")
        found = self.service.find_submission(name, submission["source"])
        if found is None or found.get("status") not in {"signed", "published"}:
            return None
        try:
            attributes = parse_entry(self.service.fetch_entry(_integer(found, "first_index")))
        except VerificationError as error:
            raise EvidenceDoesNotHold(f"the entry under this id: {error}") from error
        # Another event under the same id: sending ours again makes the service say so.
        return found if submission_payload(attributes) == submission_payload(submission) else None

    def _take_receipt(self, submission: dict[str, Any], index: int, *, repeated: bool) -> Receipt:
        entry, proof = self.service.fetch_entry(index), self.service.fetch_proof(index)
        receipt = check_receipt(submission, entry=entry, proof=proof, vkey=self._vkey, repeated=repeated)
        if receipt.index != index:
            raise EvidenceDoesNotHold(f"the service said index {index}, its proof is for {receipt.index}")
        self.folder.keep(receipt)
        return receipt


@dataclass(frozen=True)
class _Place:
    index: int
    repeated: bool


def _places(answer: dict[str, Any], count: int) -> list[_Place | Refused]:
    """Where did each item of a batch go? Every one of them is in a range or is refused."""
    places: dict[int, _Place | Refused] = {}
    for row in _rows(answer, "ranges"):
        first, length, index = (_integer(row, name) for name in ("item", "count", "index"))
        if first + length > count:
            raise EvidenceDoesNotHold("the service answered for more events than were sent")
        repeated = row.get("status") == "repeated"
        places.update({first + n: _Place(index + n, repeated) for n in range(length)})
    places.update(_refusals(answer))
    if sorted(places) != list(range(count)):
        raise EvidenceDoesNotHold(f"the service answered for {len(places)} of {count} events")
    return [places[number] for number in range(count)]


def _refusals(answer: dict[str, Any]) -> dict[int, Refused]:
    return {_integer(row, "item"): Refused(row) for row in _rows(answer, "results") if row.get("status") == "refused"}


def _rows(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = answer.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise EvidenceDoesNotHold(f"the service's answer has no list `{name}`")
    return rows


def _integer(document: dict[str, Any], name: str) -> int:
    value = document.get(name)
    if type(value) is not int or value < 0:
        raise EvidenceDoesNotHold(f"the service's answer has no number `{name}`")
    return value


def _lines(items: Sequence[bytes]) -> bytes:
    return b"\n".join(items) + b"\n"
