"""Who runs the log, who may write, and what are organisations called?

Streams `registry/log` and `registry/agency/<code>`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from audit_service.catalogue.common import (
    Code,
    Count,
    Date,
    LongText,
    NonNegativeWon,
    Payload,
    PositiveCount,
    Sha256Hex,
    Text,
)

AgencyCode = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}(?!\n)$")]
KeyId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$")]
PublicKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$")]
# A type, or everything that begins with a stream kind: `budget.*`.
Scope = Annotated[str, Meta(pattern=r"^[a-z]+\.(\*|[a-z0-9-]+\.v[0-9]+)(?!\n)$")]

# The beginning of a subject, in whole segments: `budget/roads` is every year of that agency's budget.
SubjectPrefix = Annotated[str, Meta(pattern=r"^[a-z]{1,32}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,3}(?!\n)$")]
DetachedJws = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,512}\.\.[A-Za-z0-9_-]{86}(?!\n)$")]
# C2SP signed-note, section "Verifier keys": <name>+<hash>+<key>.
VerifierKeyText = Annotated[str, Meta(pattern=r"^[^+\s]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{1,4096}(?!\n)$")]

# On `registry/log`, by the city, signed and approved by two of its root keys.
ROOT_SIGNED = frozenset(
    {
        "registry.log-created.v1",
        "registry.agency-registered.v1",
        "registry.key-registered.v1",
        "registry.key-revoked.v1",
        "registry.root-keys-rotated.v1",
        "registry.policy-changed.v1",
        "registry.witness-enrolled.v1",
        "registry.witness-retired.v1",
        "registry.approval-policy-set.v1",
        "registry.log-succeeded.v1",
    }
)


class RootKey(Struct, forbid_unknown_fields=True, kw_only=True):
    """An Ed25519 key by its RFC 7638 thumbprint and its base64url public key (RFC 8037 section 2)."""

    kid: KeyId
    public_key: PublicKey


class AgencyKey(Struct, forbid_unknown_fields=True, kw_only=True):
    """An agency's signing key and the types of events that it may sign."""

    kid: KeyId
    public_key: PublicKey
    scopes: Annotated[list[Scope], Meta(min_length=1)]


class Agency(Struct, forbid_unknown_fields=True, kw_only=True):
    """An agency that may write, with its keys."""

    code: AgencyCode
    name_ko: Text
    name_en: Text
    keys: Annotated[list[AgencyKey], Meta(min_length=1)]


class Predecessor(Struct, forbid_unknown_fields=True, kw_only=True):
    """The log that this one goes on from, because that one cannot: its origin, its key, its last known checkpoint."""

    origin: Text
    log_key: Text
    checkpoint: LongText


class LogCreated(Payload, kw_only=True):
    """The genesis entry: origin, keys and policy, signed by the city's root keys (2 of 3).

    `signature` and `approval` are by two different root keys. A log that succeeds one whose bytes are lost binds itself
    to the last checkpoint of that one.
    """

    origin: Text
    log_key: Text
    root_keys: Annotated[list[RootKey], Meta(min_length=3, max_length=3)]
    root_threshold: Literal[2]
    publisher_key: RootKey
    policy: LongText
    agencies: Annotated[list[Agency], Meta(min_length=1)]
    predecessor: Predecessor | UnsetType = UNSET


class OrganisationNamed(Payload, kw_only=True):
    """What an organisation is called, and since when; names change, codes do not."""

    code: AgencyCode
    name_ko: Text
    name_en: Text | UnsetType = UNSET
    parent_code: AgencyCode | UnsetType = UNSET
    valid_from: Date | UnsetType = UNSET
    valid_until: Date | UnsetType = UNSET
    validity_ko: Text | UnsetType = UNSET


class AgencyRegistered(Payload, kw_only=True):
    """An agency may write from here on, once it has a key."""

    code: AgencyCode
    name_ko: Text
    name_en: Text


class KeyRegistered(Payload, kw_only=True):
    """An agency's key signs from this entry on: these types, on these streams (all of its own if absent).

    `possession` is a detached JWS by the new key itself: nobody registers a key that its holder does not have.
    """

    agency: AgencyCode
    kid: KeyId
    public_key: PublicKey
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=64)]
    subjects: Annotated[list[SubjectPrefix], Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    role: Literal["SUBMITTER", "APPROVER", "PUBLISHER"]
    possession: DetachedJws


class KeyRevoked(Payload, kw_only=True):
    """A key signs nothing from index `from_index` of the log on (absent: from this entry on).

    What it signed before remains valid: the log's order, not anybody's clock, says what was before.
    """

    kid: KeyId
    from_index: Count | UnsetType = UNSET
    reason: Text


class RootKeysRotated(Payload, kw_only=True):
    """Three new root keys take over; two of them at least prove by `possessions` that somebody holds them."""

    root_keys: Annotated[list[RootKey], Meta(min_length=3, max_length=3)]
    possessions: Annotated[list[DetachedJws], Meta(min_length=2, max_length=3)]


class PolicyChanged(Payload, kw_only=True):
    """The witness policy (C2SP tlog-policy) from here on."""

    policy: LongText


class WitnessEnrolled(Payload, kw_only=True):
    """A witness, by its verifier key, from here on."""

    name: Code
    vkey: VerifierKeyText
    url: Annotated[str, Meta(pattern=r"^https://[!-~]{1,500}(?!\n)$")] | UnsetType = UNSET


class WitnessRetired(Payload, kw_only=True):
    """A witness no longer; its older cosignatures remain what they are."""

    name: Code


class ApprovalPolicySet(Payload, kw_only=True):
    """From here on, which events need a second signature (`approval`) by an approver of the same agency?

    Those whose largest amount is `amount_won` or more, and those that happened more than `late_days` before they
    are recorded. An absent member asks for none.
    """

    amount_won: NonNegativeWon | UnsetType = UNSET
    late_days: Annotated[int, Meta(ge=0, le=36_500)] | UnsetType = UNSET


class LogSucceeded(Payload, kw_only=True):
    """The last entry of this log: another log goes on. Old proofs still verify; nothing is accepted after it."""

    successor_origin: Text
    successor_log_key: VerifierKeyText


class SchemaPublished(Payload, kw_only=True):
    """The JSON Schema of a type of event, by its digest: SHA-256 of the schema's canonical JSON (RFC 8785).

    `version` counts from 1. A type that is in use changes only by fields that may be absent; each such change is the
    next version of its schema.
    """

    event_type: Annotated[str, Meta(pattern=r"^[a-z]+\.[a-z0-9-]+\.v[0-9]+(?!\n)$")]
    version: PositiveCount
    schema_sha256: Sha256Hex


class AccessGranted(Payload, kw_only=True):
    """An institution may look at what the log only commits to; the log itself is open to everybody anyway."""

    access_id: Code
    institution_ko: Text
    institution_en: Text | UnsetType = UNSET
    sees: Annotated[list[Literal["SIDE_RECORDS", "DOCUMENTS", "OPERATION_RECORDS"]], Meta(min_length=1, max_length=3)]
    subjects: Annotated[list[SubjectPrefix], Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    valid_from: Date
    valid_until: Date


class IncidentDeclared(Payload, kw_only=True):
    """Something went wrong, and the city says so: what, and which entries it touches, if any.

    `from_index` and `until_index` are the first and the last of them.
    """

    incident_id: Code
    kind: Literal["KEY_COMPROMISED", "PERSONAL_DATA", "WRONG_ENTRIES", "SERVICE_DOWN", "LOG_FORKED"]
    text_ko: LongText
    text_en: LongText
    from_index: Count | UnsetType = UNSET
    until_index: Count | UnsetType = UNSET


class IncidentClosed(Payload, kw_only=True):
    """A declared incident is over: what was found, and what was done."""

    incident_id: Code
    text_ko: LongText
    text_en: LongText


TYPES: dict[str, type[Payload]] = {
    "registry.log-created.v1": LogCreated,
    "registry.agency-registered.v1": AgencyRegistered,
    "registry.key-registered.v1": KeyRegistered,
    "registry.key-revoked.v1": KeyRevoked,
    "registry.root-keys-rotated.v1": RootKeysRotated,
    "registry.policy-changed.v1": PolicyChanged,
    "registry.witness-enrolled.v1": WitnessEnrolled,
    "registry.witness-retired.v1": WitnessRetired,
    "registry.approval-policy-set.v1": ApprovalPolicySet,
    "registry.log-succeeded.v1": LogSucceeded,
    "registry.organisation-named.v1": OrganisationNamed,
    "registry.schema-published.v1": SchemaPublished,
    "registry.access-granted.v1": AccessGranted,
    "registry.incident-declared.v1": IncidentDeclared,
    "registry.incident-closed.v1": IncidentClosed,
}
