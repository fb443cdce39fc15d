"""Does every entry say something that could be recorded at its place: form, order, groups, signature, rules?

One entry after the other, each by these steps, which the code follows; after a step that fails, those that
still make sense go on.

1. It is canonical, with the attributes of an entry, a payload of the catalogue, and the subject, source, id
   and legal date that its type requires.
2. Its position is the next one of its subject, its recorded time not before the one before it, and its id is
   new for its source. (Ids inside a sealed batch follow from the batch's own: the groups hold them.)
3. What must stand together does: groups of entries, and the root over the submissions of a sealed batch.
4. Entry 0 is the genesis of the pinned log. Every later one is signed by a key that the log itself, before it,
   registers for its type, stream and source and has not revoked; an approval likewise. Two root keys in force
   sign what changes keys. New keys prove that they are held. Transactions are signed for by their batch.
5. No rule of any stream is broken, by the same functions with which the city decided.
6. The folds take it in.

Hostile bytes end in a violation that names the entry, never in a crash.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from audit_service.catalogue.event import Event, decode_event
from audit_service.catalogue.registry import ROOT_SIGNED
from audit_service.rules.decide import decide, evolve
from audit_service.rules.envelope import check_envelope
from audit_service.rules.errors import RuleBroken
from audit_service.rules.groups import Groups
from audit_service.rules.keys import authorise_entry, needs_signature
from audit_service.rules.privacy import check_personal_data
from audit_service.rules.states import ONLY
from audit_service.rules.undo import NO_UNDO
from audit_service.rules.world import Replica, read_log
from projections.folds.all import fold_all
from verifier.ed25519 import PUBLIC_KEY_BYTES
from verifier.encoding import parse_base64url
from verifier.envelope import (
    parse_entry,
    signature_kid,
    submission_payload,
    verify_approval,
    verify_genesis,
    verify_signature,
)
from verifier.errors import MalformedInput, VerificationError
from verifier.hashing import leaf_hash
from verifier.possession import verify_possessions
from verifier.right_edge import RightEdge

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.replay_verdict import Findings
    from projections.reports.stream_heads import StreamHeads
    from verifier.notes import VerifierKey

TRANSACTION = "service.transaction-recorded.v1"
BATCH = "service.batch-sealed.v1"
_BATCH_ITEM_ID = re.compile(r"(.+)/(0|[1-9][0-9]{0,9})", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z", re.ASCII)


class OpenBatch:
    """A sealed batch whose transactions are still coming: what its manifest announced, and their tree so far."""

    def __init__(self, index: int, manifest: Event) -> None:
        self.index = index
        self.manifest = manifest
        self.count: int = manifest.data.count
        self.edge = RightEdge()


class EntryReplay:
    """Everything that a replay remembers between two entries; memory grows with streams and ids, not entries.

    (The rule that no commitment comes twice in a period remembers 32 bytes for each transaction.)

    Args:
        vkey: the pinned key of the log, which the genesis entry must name.
        findings: where violations go.
        check_signatures: verify Ed25519 signatures, and who may sign.
        also: a function that takes in every event beside the folds.
    """

    def __init__(
        self,
        *,
        vkey: VerifierKey,
        findings: Findings,
        check_signatures: bool = True,
        also: Callable[[int, Event], None] | None = None,
    ) -> None:
        self.findings = findings
        self.folds = fold_all()
        self.world = Replica()
        self.groups = Groups()
        self.batch: OpenBatch | None = None
        self.positions: dict[str, int] = {}
        self.recorded_time = ""
        self.also = also
        # Where reports of stream heads are to be recomputed, every entry goes to the head of its stream too.
        self.heads: StreamHeads | None = None
        self._vkey = vkey
        self.check_signatures = check_signatures
        self._ids: set[tuple[str, str]] = set()

    # --- one entry --------------------------------------------------------------------------------------

    def take(self, index: int, entry: bytes) -> None:
        """Replay one entry by the steps above."""
        attributes, event = self._read(index, entry)  # 1
        if event is None:
            return
        if self.heads is not None:
            self.heads.append(event.subject, entry)
        self._check_order(index, event)  # 2
        self._check_groups(index, event, attributes)  # 3
        believed = True
        if self.check_signatures or index == 0:
            believed = self._check_signature(index, entry, event, attributes)  # 4
        self._check_rules(index, event, attributes, believed=believed)  # 5
        self.fold(index, event)  # 6

    def _read(self, index: int, entry: bytes) -> tuple[dict[str, Any], Event | None]:
        findings = self.findings
        findings.examine("form")
        try:
            attributes = parse_entry(entry)
            event = decode_event(entry)
            check_envelope(event)
            if event.type not in (TRANSACTION, BATCH) and _BATCH_ITEM_ID.fullmatch(event.id):
                raise MalformedInput("an id that ends in /<number> is kept for sealed batches")
        except RuleBroken as broken:
            self._broken("form", index, broken)
        except KeyError:
            findings.violate_entry("form", index, "its type is not in the catalogue")
        except (VerificationError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            findings.violate_entry("form", index, str(error))
        else:
            event.index = index
            return attributes, event
        return {}, None

    def _check_order(self, index: int, event: Event) -> None:
        findings, subject = self.findings, event.subject
        findings.examine("order")
        expected = self.positions.get(subject, 0) + 1
        if event.position != expected:
            message = f"position in {subject}: expected {expected}, found {event.position}"
            findings.violate_entry("order", index, message)
        self.positions[subject] = event.position
        if event.recorded_time < self.recorded_time:
            message = f"recordedtime goes back: {event.recorded_time} after {self.recorded_time}"
            findings.violate_entry("order", index, message)
        self.recorded_time = event.recorded_time
        if event.type != TRANSACTION:
            identity = (event.source, event.id)
            if identity in self._ids:
                message = f"id {event.id} came before from {event.source}"
                findings.violate_entry("order", index, message)
            self._ids.add(identity)

    # --- groups and batches -----------------------------------------------------------------------------

    def _check_groups(self, index: int, event: Event, attributes: dict[str, Any]) -> None:
        self.findings.examine("groups")
        try:
            self.groups.feed(event)
        except RuleBroken as broken:
            self.groups_broken(index, broken)
            if event.type != BATCH:
                return
        if event.type == BATCH:
            self.batch = OpenBatch(index, event)
        elif self.batch is not None:
            self.add_to_batch([leaf_hash(submission_payload(attributes))])

    def groups_broken(self, index: int, broken: RuleBroken) -> None:
        """Note a broken group; the batch that was open is given up."""
        self.batch = None
        self._broken("groups", index, broken)

    def add_to_batch(self, leaf_hashes: list[bytes]) -> None:
        """Add transactions to the open batch; when it is complete, compare its root with the manifest's."""
        batch = self.batch
        if batch is None:
            return
        batch.edge.extend(leaf_hashes)
        if batch.edge.size < batch.count:
            return
        self.batch = None
        announced, found = batch.manifest.data.submissions_root, batch.edge.root().hex()
        if found != announced:
            self.findings.violate_entry(
                "groups",
                batch.index,
                f"submissions_root: the manifest announces {announced}, its {batch.count} transactions give {found}",
                rule_id="service.batch-root-differs",
            )

    # --- signatures -------------------------------------------------------------------------------------

    def _check_signature(self, index: int, entry: bytes, event: Event, attributes: dict[str, Any]) -> bool:
        """Did those sign who may? False where an entry changes keys and nobody entitled stands behind it."""
        findings = self.findings
        if index == 0:
            findings.examine("genesis")
            try:
                verify_genesis(entry, vkey=self._vkey)
            except VerificationError as error:
                findings.violate_entry("genesis", index, str(error))
            return True
        findings.examine("signatures")
        try:
            if not needs_signature(event.type):
                if "signature" in attributes:
                    raise MalformedInput("a transaction carries no signature of its own; its batch does")
                return True
            if "signature" not in attributes:
                raise MalformedInput("expected a signature, found none")
            self._verify_signers(event, attributes)
        except RuleBroken as broken:
            self._broken("signatures", index, broken)
        except VerificationError as error:
            findings.violate_entry("signatures", index, str(error))
        else:
            return event.type not in ROOT_SIGNED or self._check_possessions(index, event, attributes)
        return event.type not in ROOT_SIGNED

    def _verify_signers(self, event: Event, attributes: dict[str, Any]) -> None:
        """The keys that made `signature` and `approval` may sign this event here; their signatures hold."""
        approval = attributes.get("approval")
        signers = authorise_entry(
            self.world,
            event,
            signature_kid(attributes["signature"]),
            None if approval is None else signature_kid(approval),
        )
        verify_signature(attributes, public_key=_public_key(signers.public_key))
        if signers.approval_public_key is not None:
            verify_approval(attributes, public_key=_public_key(signers.approval_public_key))

    def _check_possessions(self, index: int, event: Event, attributes: dict[str, Any]) -> bool:
        """A new key proves that somebody holds it, for this log."""
        log = read_log(self.world).log.get(ONLY)
        try:
            verify_possessions(event.type, attributes["data"], origin=log.origin if log else "")
        except VerificationError as error:
            self.findings.violate_entry("signatures", index, str(error), rule_id="registry.possession")
            return False
        return True

    # --- rules and folds --------------------------------------------------------------------------------

    def _check_rules(self, index: int, event: Event, attributes: dict[str, Any], *, believed: bool) -> None:
        """Decide as the city did. A change of keys that nobody entitled signed has no effect on what follows."""
        self.findings.examine("rules")
        try:
            if event.type != TRANSACTION:
                check_personal_data(event.subject, attributes["data"])
            decide(self.world, event)
            if believed:
                evolve(self.world, event, NO_UNDO)
        except RuleBroken as broken:
            self.rule_broken(index, broken)
        except Exception as error:  # noqa: BLE001 - named with its place: an auditor's replay goes on to the end
            self.findings.violate_entry("rules", index, f"its rule fails with {type(error).__name__}")

    def rule_broken(self, index: int, broken: RuleBroken) -> None:
        """Note a broken rule; the refused event does not change the stream's state."""
        self._broken("rules", index, broken)

    def fold(self, index: int, event: Event) -> None:
        """Take an event into the folds, also one that a rule refuses: the service's tables hold it too."""
        self.findings.examine("folds")
        try:
            self.folds.apply(index, event)
            if self.also is not None:
                self.also(index, event)
        except Exception as error:  # noqa: BLE001 - the same as for the rules
            self.findings.violate_entry("folds", index, f"its fold fails with {type(error).__name__}")

    def finish(self, tree_size: int) -> None:
        """Nothing is open at the end of the log."""
        try:
            self.groups.finish()
        except RuleBroken as broken:
            self.groups_broken(tree_size - 1, broken)

    def _broken(self, check: str, index: int, broken: RuleBroken) -> None:
        details = {"columns": broken.columns, "allowed": broken.allowed}
        self.findings.violate_entry(
            check,
            index,
            str(broken),
            rule_id=broken.rule_id,
            stream=broken.stream,
            **{name: value for name, value in details.items() if value is not None},
        )


def _public_key(text: str) -> bytes:
    return parse_base64url(text, name="public key", length=PUBLIC_KEY_BYTES)


@lru_cache(maxsize=65_536)
def is_time(text: str) -> bool:
    """Is this a moment of the calendar in UTC with milliseconds (entry format, attribute `time`)?"""
    if _TIME.fullmatch(text) is None:
        return False
    try:
        dt.datetime.fromisoformat(text[:-1])
    except ValueError:
        return False
    return True
