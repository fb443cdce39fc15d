"""Which bearer tokens were issued and revoked? Streams `registry/agency/<code>`.

A token is no evidence, so nothing rests on these entries; but whoever may call the service is decided by
administrators, and what administrators do stands in the log. The secret never does.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from audit_service.catalogue.common import Payload
from audit_service.catalogue.registry import AgencyCode

TokenId = Annotated[str, Meta(pattern=r"^[a-z0-9]{16}(?!\n)$")]
# RFC 3339, UTC, milliseconds: the one format of the log.
Time = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z(?!\n)$")]
Role = Literal["submitter", "approver", "publisher", "auditor", "privacy-officer", "administrator"]


class TokenIssued(Payload, kw_only=True):
    """The city gave an agency a token: its public id, its role, and when it ends."""

    token_id: TokenId
    agency: AgencyCode
    role: Role
    expires_at: Time | UnsetType = UNSET


class TokenRevoked(Payload, kw_only=True):
    """The city took a token back; the service refuses it from the next request on, before this entry is recorded."""

    token_id: TokenId
    agency: AgencyCode


TYPES: dict[str, type[Payload]] = {
    "registry.token-issued.v1": TokenIssued,
    "registry.token-revoked.v1": TokenRevoked,
}
