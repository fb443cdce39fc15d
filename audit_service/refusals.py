"""How does a refused submission leave a trace, so that it is neither a gap nor a secret?

Whoever refuses could also hide: so the service records `registry.submission-refused.v1` about every submission that
its agency truly signed and that a rule refused: whose, which, by which rule; never what it said. The publisher's key
signs it. The entry follows the answer to the caller, in the next commit, so nobody waits for it.

Nothing is recorded about a dry run, about an item that only fell with its batch, about a signature that does not
hold or that is not by a key in force of the event's own source (anybody could write such a thing), and never about a
refused refusal. One entry for each submission, and at most `PER_MINUTE` a minute for each source: a submitter that is
refused in a loop must not fill the log. What is over the limit stays a gap.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_service.errors import BatchRefused
from audit_service.rules.keys import key_for, public_key_for
from audit_service.rules.states import ONLY
from audit_service.rules.world import read_log
from audit_service.submission import MANIFEST, TRANSACTION, Item, Prepared, SealedItem, is_refusal, prepare_one
from verifier.canonical import encode_canonical, parse_strict
from verifier.encoding import parse_base64url
from verifier.envelope import (
    require_submission,
    sign_submission,
    signature_kid,
    submission_digest,
    verify_signature,
)
from verifier.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_service.keys import SigningKey
    from audit_service.recording.recorder import IdempotencyKey
    from audit_service.rules.world import World
    from audit_service.unit_of_work import Outcome, UnitOfWork

logger = logging.getLogger(__name__)

REFUSED = "registry.submission-refused.v1"
PER_MINUTE = 30
AGENCY_URN = "urn:kr:agency:"
_NOTE = "signed_refusal"


class SignedRefusal(NamedTuple):
    """What may be said about a refused submission whose signature holds."""

    source: str
    id: str
    digest: str
    rule_id: str
    sequence: str | None

    @property
    def event_id(self) -> str:
        """The id of its entry: the same submission gives the same id, so it is recorded once."""
        named = [self.source, self.id] if self.tells_nothing else [self.source, self.id, self.digest]
        return f"refusal:{hashlib.sha256(chr(10).join(named).encode()).hexdigest()[:32]}"

    @property
    def tells_nothing(self) -> bool:
        """Was it refused for personal data? Then not even a digest is shown: it could be tried out."""
        return self.rule_id.startswith("privacy.")

    @property
    def data(self) -> dict[str, Any]:
        """The payload of its entry."""
        data = {"source": self.source, "id": self.id, "rule_id": self.rule_id}
        if not self.tells_nothing:
            data["digest"] = self.digest
        if self.sequence is not None:
            data["sequence"] = self.sequence
        return data


def note_refused_body(error: Exception, body: bytes, world: World) -> None:
    """Remember on the error of a submission that could not even be prepared whose it was, if its signature holds."""
    try:
        attributes = parse_strict(body)
        require_submission(attributes)
        kid = signature_kid(attributes["signature"])
        public_key = public_key_for(world, kid)
        if public_key is None or not _speaks_for(world, kid, attributes["source"]):
            return
        verify_signature(attributes, public_key=parse_base64url(public_key, name="public key", length=32))
    except (VerificationError, KeyError, AttributeError, TypeError):
        return  # not a well-formed, signed submission: nobody's
    if attributes["type"] == REFUSED:
        return
    vars(error)[_NOTE] = SignedRefusal(
        attributes["source"],
        attributes["id"],
        submission_digest(attributes).hex(),
        _rule_of(error),
        attributes.get("sequence"),
    )


def is_noted(error: Exception) -> bool:
    """Was such a submission behind this error?"""
    return _NOTE in vars(error)


def _speaks_for(world: World, kid: str, source: str) -> bool:
    key = key_for(world, kid)
    return key is not None and key.until_index is None and source == AGENCY_URN + key.agency


def _rule_of(error: Exception) -> str:
    return str(getattr(error, "rule_id", "submission.refused"))


class Refusals:
    """The refusals of one writer that wait for their entries; used by the writer's thread only."""

    def __init__(
        self,
        world: World,
        key: SigningKey | None,
        *,
        find_key: Callable[[str, str], IdempotencyKey | None],
    ) -> None:
        self._world = world
        self._key = key
        self._find_key = find_key
        self._waiting: dict[str, SignedRefusal] = {}
        self._minute = ""
        self._count_of: dict[str, int] = {}

    @property
    def waiting(self) -> bool:
        """Is there anything to record?"""
        return bool(self._waiting)

    def note(self, items: Sequence[Item | Exception], outcomes: Sequence[Outcome], *, recorded_time: str) -> None:
        """Look through the outcomes of one request, which was no dry run."""
        if self._key is None:
            return
        manifest: Prepared | None = None
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(item, Prepared) and item.event.type == MANIFEST:
                manifest = item
            error = outcome.error
            if error is None or isinstance(error, BatchRefused) or not is_refusal(error):
                continue
            refusal = self._refusal_of(item, error, manifest)
            if refusal is not None:
                self._keep(refusal, minute=recorded_time[:16])

    def _refusal_of(self, item: Item | Exception, error: Exception, manifest: Prepared | None) -> SignedRefusal | None:
        if isinstance(item, Exception):
            noted: SignedRefusal | None = vars(item).get(_NOTE)
            return noted
        if isinstance(item, SealedItem):
            item = item.prepared
        if item.event.type == TRANSACTION and manifest is not None:
            item = manifest  # it is the manifest that is signed, and that carries the number
        event = item.event
        if item.kid is None or event.type == REFUSED or not _speaks_for(self._world, item.kid, event.source):
            return None
        number = None if event.sequence is None else str(event.sequence)
        return SignedRefusal(event.source, event.id, item.digest.hex(), _rule_of(error), number)

    def _keep(self, refusal: SignedRefusal, *, minute: str) -> None:
        city = self._city()
        if city is None or refusal.event_id in self._waiting or self._find_key(city, refusal.event_id):
            return
        recorded = self._find_key(refusal.source, refusal.id)
        if recorded is not None and recorded.digest.hex() == refusal.digest:
            return  # it stands in the log; only what somebody put around it was refused
        if minute != self._minute:
            self._minute = minute
            self._count_of.clear()
        count = self._count_of.get(refusal.source, 0) + 1
        self._count_of[refusal.source] = count
        if count > PER_MINUTE:
            if count == PER_MINUTE + 1:
                logger.warning("more than %d refusals a minute: the rest leave no entry", PER_MINUTE)
            return
        self._waiting[refusal.event_id] = refusal

    def _city(self) -> str | None:
        log = read_log(self._world).log.get(ONLY)
        return None if log is None else log.owner

    def write_into(self, work: UnitOfWork, *, time: str) -> list[SignedRefusal]:
        """Let the entries of all that waits be part of this commit; returns them, in case it fails."""
        written = list(self._waiting.values())
        self._waiting.clear()
        for refusal in written:
            try:
                item = self._sign(refusal, time)
                error = work.decide([item], atomic=True)[0].error
            except Exception as failed:  # noqa: BLE001 - the submissions beside it must not suffer for it
                error = failed
            if error is not None:
                logger.warning("a refusal leaves no entry: %s", error)
        return written

    def give_back(self, refusals: list[SignedRefusal]) -> None:
        """The commit failed: they wait for the next one."""
        self._waiting |= {refusal.event_id: refusal for refusal in refusals}

    def _sign(self, refusal: SignedRefusal, time: str) -> Prepared:
        key, city = self._key, self._city()
        if key is None or city is None:
            raise AssertionError("refusals are kept only where they can be signed")
        submission = {
            "specversion": "1.0",
            "id": refusal.event_id,
            "source": city,
            "type": REFUSED,
            "subject": f"registry/agency/{refusal.source.removeprefix(AGENCY_URN)}",
            "time": time,
            "data": refusal.data,
        }
        body = encode_canonical(sign_submission(submission, key.private))
        return prepare_one(body, {key.kid: key.private.public_key().public_bytes_raw()}.get)
