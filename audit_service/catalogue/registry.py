"""Who runs the log, who may write, and what are organisations called?

Streams `registry/log` and `registry/agency/<code>`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from audit_service.catalogue.common import Date, LongText, Payload, Text

AgencyCode = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}(?!\n)$")]
KeyId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$")]
PublicKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$")]
# A type, or everything that begins with a stream kind: `budget.*`.
Scope = Annotated[str, Meta(pattern=r"^[a-z]+\.(\*|[a-z0-9-]+\.v[0-9]+)(?!\n)$")]


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


class LogCreated(Payload, kw_only=True):
    """The genesis entry: origin, keys and policy, signed by the city's root keys (2 of 3).

    `signature` and `approval` are by two different root keys.
    """

    origin: Text
    log_key: Text
    root_keys: Annotated[list[RootKey], Meta(min_length=3, max_length=3)]
    root_threshold: Literal[2]
    publisher_key: RootKey
    policy: LongText
    agencies: Annotated[list[Agency], Meta(min_length=1)]


class OrganisationNamed(Payload, kw_only=True):
    """What an organisation is called, and since when; names change, codes do not."""

    code: AgencyCode
    name_ko: Text
    name_en: Text | UnsetType = UNSET
    parent_code: AgencyCode | UnsetType = UNSET
    valid_from: Date | UnsetType = UNSET
    valid_until: Date | UnsetType = UNSET
    validity_ko: Text | UnsetType = UNSET


TYPES: dict[str, type[Payload]] = {
    "registry.log-created.v1": LogCreated,
    "registry.organisation-named.v1": OrganisationNamed,
}
