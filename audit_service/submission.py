"""Step 1 of the way of one event: are these bytes a submission, and did its agency sign it?

Strict by construction: bytes that equal their own canonical form cannot hold a duplicate key, a float or a
second spelling of anything, so they take the fast path; any other bytes go through the verifier's strict
parser and are canonicalised before they are looked at. Nothing here depends on the state of a stream.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Struct

from audit_service.catalogue.event import DATA_DECODERS, Event, Submission, parse_sequence
from audit_service.errors import (
    PayloadInvalid,
    SignatureRefused,
    SubmissionMalformed,
    SubmissionRefused,
    SubmissionTooLarge,
    TypeUnknown,
)
from audit_service.rules.envelope import check_envelope
from audit_service.rules.errors import RuleBroken
from audit_service.rules.privacy import check_personal_data
from audit_service.sealed_run import SealedRun, read_sealed_run
from verifier.bundles import MAX_ENTRY_BYTES
from verifier.canonical import MAX_SAFE_INTEGER, encode_canonical, parse_strict
from verifier.envelope import APPROVAL_TYP, SUBMISSION_TYP, signature_kid, verify_jws
from verifier.errors import VerificationError
from verifier.hashing import leaf_hash
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TRANSACTION = "service.transaction-recorded.v1"
MANIFEST = "service.batch-sealed.v1"
# What the service adds to a submission: "position" and "recordedtime", with names, punctuation and values.
SERVICE_ATTRIBUTES_BYTES = 80
_BATCH_ITEM_ID = re.compile(r"(.+)/(0|[1-9][0-9]{0,9})", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z", re.ASCII)
_BACKQUOTED_INPUT = re.compile(r"(unknown field|value) [`'].*?[`'](?= - at|$)", re.DOTALL)

_decoder = msgspec.json.Decoder(Submission)
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_decode_any = msgspec.json.Decoder().decode


class Prepared(Struct, kw_only=True, gc=False):
    """A submission that is well-formed and truly signed; whether the rules allow it is not yet decided.

    `digest` is the SHA-256 of the canonical submission without `signature` and `approval`: the same submission
    has the same digest. `kid` and `approval_kid` name the keys whose signatures hold.
    """

    submission: Submission
    event: Event
    digest: bytes
    kid: str | None
    approval_kid: str | None

    @property
    def id(self) -> str:
        """The agency's id of the event."""
        return self.event.id

    @property
    def source(self) -> str:
        """`urn:kr:agency:<code>`."""
        return self.event.source


class SealedItem(Struct, kw_only=True, gc=False):
    """One transaction of a batch that was read at once (sealed_run.py): transaction `number`, from 1.

    What a `Prepared` says can be asked of it too, and is read only then.
    """

    run: SealedRun
    number: int

    @property
    def prepared(self) -> Prepared:
        """The same, read one by one."""
        submission, event, canonical = parse(self.run.lines[self.number - 1])
        return _unsigned_transaction(submission, event, canonical)

    @property
    def event(self) -> Event:
        """Its event, not yet in the log."""
        return self.prepared.event

    @property
    def id(self) -> str:
        """`<batch id>/<number>`."""
        return self.prepared.id

    @property
    def source(self) -> str:
        """`urn:kr:agency:<code>`."""
        return self.run.source


Item = Prepared | SealedItem


def parse(data: bytes, *, like: Prepared | None = None) -> tuple[Submission, Event, bytes]:
    """Read one submission strictly; returns it with its event and its canonical bytes.

    `like` is a submission that was read before: where the envelope repeats it (the transactions of a batch),
    the checks of the envelope are not made again.

    Raises:
        SubmissionRefused: with the rule that the bytes break; the message never repeats them.
        audit_service.rules.errors.RuleBroken: the envelope breaks a rule.
    """
    if len(data) > MAX_ENTRY_BYTES - SERVICE_ATTRIBUTES_BYTES:
        raise SubmissionTooLarge(
            f"a submission may hold {MAX_ENTRY_BYTES - SERVICE_ATTRIBUTES_BYTES} bytes; this one has {len(data)}",
            rule_id="submission.too-large",
        )
    submission = _canonical_submission(data)
    if submission is None:
        data = _canonicalise(data)
        submission = _decode(_decoder.decode, data)
        event = _event_of(submission)
    else:
        event = _event_of_canonical(submission, data)
    if like is None or not _same_envelope(submission, like.submission):
        check_envelope(event)
        _check_attributes(submission, event)
    if event.type != TRANSACTION:  # whose payload has no text: a commitment, a kind and a period
        check_personal_data(event.subject, _decode_any(bytes(submission.data)))
    return submission, event, data


def prepare_one(data: bytes, public_key_of: Callable[[str], bytes | None]) -> Prepared:
    """Read one signed submission and check its signatures.

    `public_key_of` gives the Ed25519 public key of a key id, or None for an unknown key.

    Raises:
        SubmissionRefused, audit_service.rules.errors.RuleBroken: as `parse`, or the signature does not hold.
    """
    submission, event, _canonical = parse(data)
    return _with_signatures(submission, event, public_key_of)


def prepare_many(items: Sequence[bytes], public_key_of: Callable[[str], bytes | None]) -> list[Item | Exception]:
    """Read many submissions; an item that is refused becomes its exception, in its place.

    The transactions behind a manifest carry no signature of their own: the manifest's signed
    `submissions_root` speaks for them, and is checked here against their canonical bytes.
    """
    results: list[Item | Exception] = []
    like: Prepared | None = None
    batch: _OpenBatch | None = None
    while len(results) < len(items):
        try:
            submission, event, canonical = parse(items[len(results)], like=like)
            if batch is not None and batch.takes(event):
                prepared = _unsigned_transaction(submission, event, canonical)
                batch.add(canonical)
            else:
                prepared = _with_signatures(submission, event, public_key_of)
            like = prepared
            results.append(prepared)
            if event.type == MANIFEST:
                run = _sealed_run(event, items, len(results))
                results.extend(run)
                batch = None if run else _OpenBatch(event, len(results) - 1)
        except Exception as error:
            if not is_refusal(error):
                raise
            results.append(error)
        if batch is not None and batch.complete:
            batch.check(results)
            batch = None
    return results


def _sealed_run(manifest: Event, items: Sequence[bytes], start: int) -> list[SealedItem]:
    """The transactions behind a manifest, read at once; none where they must be read one by one."""
    stop = start + manifest.data.count
    if stop > len(items):
        return []
    try:
        first = parse(items[start])
    except (SubmissionRefused, RuleBroken):
        return []  # said again, with its place, when it is read one by one
    run = read_sealed_run(manifest, first, items[start:stop])
    return [] if run is None else [SealedItem(run=run, number=number) for number in range(1, len(run.lines) + 1)]


def is_refusal(error: BaseException) -> bool:
    """Is this the submitter's error (a result), and not ours (a crash)?"""
    return isinstance(error, SubmissionRefused | RuleBroken)


class _OpenBatch:
    """The transactions that follow a manifest, until its count is reached."""

    def __init__(self, manifest: Event, place: int) -> None:
        self._manifest = manifest
        self._place = place
        self._leaf_hashes: list[bytes] = []

    @property
    def complete(self) -> bool:
        """Have all of them come?"""
        count: int = self._manifest.data.count
        return len(self._leaf_hashes) == count

    def takes(self, event: Event) -> bool:
        """Is this one of them?"""
        return event.type == TRANSACTION and event.subject == self._manifest.subject

    def add(self, canonical: bytes) -> None:
        """Take the next one in."""
        self._leaf_hashes.append(leaf_hash(canonical))

    def check(self, results: list[Item | Exception]) -> None:
        """Turn the manifest into a refusal if its root is not theirs."""
        found = root_of_leaf_hashes(self._leaf_hashes).hex()
        if found != self._manifest.data.submissions_root:
            results[self._place] = SignatureRefused(
                "submissions_root is not the root over the canonical submissions that follow the manifest",
                rule_id="service.batch-root-differs",
            )


def _canonical_submission(data: bytes) -> Submission | None:
    """The fast path: the submission, if its bytes are their own canonical form; None if they are not."""
    try:
        submission = _decoder.decode(data)
        raw = bytes(submission.data)
        if _encode(submission) != data or _encode_sorted(_decode_any(raw)) != raw:
            return None
        if not data.isascii() and not unicodedata.is_normalized("NFC", data.decode()):
            return None
        # The one integer here whose type has no bounds: beyond ±(2^53-1) the strict parser refuses it.
        if submission.expectedposition is not UNSET and abs(submission.expectedposition) > MAX_SAFE_INTEGER:
            return None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return submission


def _canonicalise(data: bytes) -> bytes:
    try:
        return encode_canonical(parse_strict(data))
    except VerificationError as error:
        raise SubmissionMalformed(str(error), rule_id="submission.malformed") from error


def _decode(decode: Callable[[bytes], Any], data: bytes) -> Any:
    """Decode into a struct; what does not fit is named by its path, never by its content."""
    try:
        return decode(data)
    except msgspec.ValidationError as error:
        message = _BACKQUOTED_INPUT.sub(r"\1", str(error))
        raise PayloadInvalid(message, rule_id="submission.schema") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise SubmissionMalformed("the bytes are not a JSON object", rule_id="submission.malformed") from error


def _event_of(submission: Submission) -> Event:
    decoder = DATA_DECODERS.get(submission.type)
    if decoder is None:
        raise TypeUnknown("`type` is not in the catalogue: GET /v1/schemas lists it", rule_id="submission.type")
    return Event(
        type=submission.type,
        subject=submission.subject,
        source=submission.source,
        id=submission.id,
        time=submission.time,
        legal_date=None if submission.legaldate is UNSET else str(submission.legaldate),
        position=0,
        recorded_time="",
        data=_decode(decoder.decode, bytes(submission.data)),
        sequence=parse_sequence(submission.sequence),
    )


def _event_of_canonical(submission: Submission, data: bytes) -> Event:
    """The same on the fast path, where a payload that does not fit may also not be strict JSON: that is said first."""
    try:
        return _event_of(submission)
    except SubmissionRefused:
        _canonicalise(data)
        raise


def _same_envelope(submission: Submission, other: Submission) -> bool:
    return (
        submission.type == TRANSACTION == other.type
        and submission.subject == other.subject
        and submission.time == other.time
        and submission.source == other.source
        and submission.specversion == other.specversion
        and submission.legaldate == other.legaldate
        and submission.sequence is UNSET
        and submission.expectedposition is UNSET
    )


def _check_attributes(submission: Submission, event: Event) -> None:
    """The attributes that neither the schema nor the rules look at."""
    if submission.specversion != "1.0":
        raise SubmissionMalformed('`specversion` must be "1.0"', rule_id="envelope.specversion")
    if not _is_time(submission.time):
        raise SubmissionMalformed(
            "`time` must be RFC 3339 in UTC with milliseconds, such as 2021-01-04T00:00:00.000Z",
            rule_id="envelope.time-form",
        )
    if submission.sequence is not UNSET and event.sequence is None:
        raise SubmissionMalformed("`sequence` must be a decimal string", rule_id="envelope.sequence")
    if _BATCH_ITEM_ID.fullmatch(submission.id) and submission.type not in (TRANSACTION, MANIFEST):
        raise SubmissionMalformed(
            "an `id` that ends in `/<number>` is kept for sealed batches", rule_id="envelope.id-reserved"
        )


def _is_time(text: str) -> bool:
    if _TIME.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text[:-1])
    except ValueError:
        return False
    return True


def _unsigned_transaction(submission: Submission, event: Event, canonical: bytes) -> Prepared:
    if submission.signature is not UNSET or submission.approval is not UNSET:
        raise SignatureRefused(
            "a transaction of a sealed batch carries no signature; its manifest does",
            rule_id="submission.signature-unexpected",
        )
    digest = hashlib.sha256(canonical).digest()
    return Prepared(submission=submission, event=event, digest=digest, kid=None, approval_kid=None)


def _with_signatures(submission: Submission, event: Event, public_key_of: Callable[[str], bytes | None]) -> Prepared:
    if event.type == TRANSACTION:
        raise SubmissionRefused(
            "transactions are accepted only right behind their signed manifest", rule_id="service.unsealed"
        )
    signature, approval = submission.signature, submission.approval
    if not isinstance(signature, str):
        raise SignatureRefused("`signature` is missing", rule_id="submission.signature-missing")
    payload = _encode(msgspec.structs.replace(submission, signature=UNSET, approval=UNSET))
    kid = _check_jws(signature, payload, SUBMISSION_TYP, public_key_of)
    approval_kid = None
    if isinstance(approval, str):
        approved = _encode(msgspec.structs.replace(submission, approval=UNSET))
        approval_kid = _check_jws(approval, approved, APPROVAL_TYP, public_key_of)
    digest = hashlib.sha256(payload).digest()
    return Prepared(submission=submission, event=event, digest=digest, kid=kid, approval_kid=approval_kid)


def _check_jws(detached: str, payload: bytes, typ: str, public_key_of: Callable[[str], bytes | None]) -> str:
    try:
        kid = signature_kid(detached)
    except VerificationError as error:
        raise SignatureRefused(str(error), rule_id="submission.signature-malformed") from error
    public_key = public_key_of(kid)
    if public_key is None:
        raise SignatureRefused("the log knows no such key", rule_id="registry.key-unknown")
    try:
        verify_jws(detached, payload, public_key=public_key, typ=typ)
    except VerificationError as error:
        raise SignatureRefused(str(error), rule_id="submission.signature-invalid") from error
    return kid
