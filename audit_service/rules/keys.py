"""Who may sign this event? Answered from the registry, that is from the log itself, at the event's index.

The signature's bytes are checked by `verifier.envelope`, with the public keys that `authorise_entry` returns.
The genesis entry stands outside: it is signed by the root keys that it names, which `verifier.envelope` checks
too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_service.catalogue.registry import ROOT_SIGNED
from audit_service.rules.approvals import require_approval
from audit_service.rules.errors import RuleBroken
from audit_service.rules.registry import AGENCY_URN
from audit_service.rules.world import World, read_log

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.states import Key

UNSIGNED = frozenset({"service.transaction-recorded.v1"})


class Signers(NamedTuple):
    """The base64url public keys by which `signature` and, where there is one, `approval` must hold."""

    public_key: str
    approval_public_key: str | None


def needs_signature(event_type: str) -> bool:
    """Does an event of this type carry its own signature? The manifest of a batch signs for its transactions."""
    return event_type not in UNSIGNED


def key_for(world: World, kid: str) -> Key | None:
    """Whose key is this, for which types, with which public key? None where the registry has no such key."""
    return read_log(world).keys.get(kid)


def public_key_for(world: World, kid: str) -> str | None:
    """The base64url public key of a key or a root key, also of one that may sign nothing any more."""
    state = read_log(world)
    found = state.keys.get(kid) or state.root_keys.get(kid)
    return None if found is None else found.public_key


def authorise_entry(world: World, event: Event, kid: str, approval_kid: str | None) -> Signers:
    """May these keys sign and approve this event, at its index? The one question of server and auditor.

    Raises:
        RuleBroken: `registry.root-signatures` for the types that root keys sign, `registry.key-role`, and as
            `authorise` and `require_approval`.
    """
    if event.type in ROOT_SIGNED:
        return _authorise_roots(world, event, kid, approval_kid)
    signer = authorise(world, event, kid)
    if signer.role == "APPROVER":
        raise RuleBroken("registry.key-role", "the key is registered to approve, not to sign", stream=event.subject)
    require_approval(world, event, kid=kid, approval_kid=approval_kid)
    if approval_kid is None:
        return Signers(signer.public_key, None)
    return Signers(signer.public_key, authorise(world, event, approval_kid).public_key)


def _authorise_roots(world: World, event: Event, kid: str, approval_kid: str | None) -> Signers:
    roots = {name: key.public_key for name, key in read_log(world).root_keys.items() if not key.retired}
    if approval_kid is None or kid == approval_kid or kid not in roots or approval_kid not in roots:
        raise RuleBroken(
            "registry.root-signatures", "two different root keys that are in force must sign", stream=event.subject
        )
    return Signers(roots[kid], roots[approval_kid])


def authorise(world: World, event: Event, kid: str) -> Key:
    """May this key sign this event? It is registered, for this type and stream, to the agency that is the source.

    Raises:
        RuleBroken: `registry.key-unknown`, `registry.key-revoked`, `registry.source-mismatch`,
            `registry.key-scope` or `registry.key-subject`.
    """
    key = key_for(world, kid)
    if key is None:
        raise RuleBroken("registry.key-unknown", "no such key is registered", stream=event.subject)
    # An event whose index nobody said (-1) is not before anything.
    if key.until_index is not None and not 0 <= event.index < key.until_index:
        raise RuleBroken(
            "registry.key-revoked",
            "the key is revoked",
            stream=event.subject,
            columns={"revoked_from_index": key.until_index},
        )
    if event.source != AGENCY_URN + key.agency:
        raise RuleBroken(
            "registry.source-mismatch",
            "the key belongs to another agency than the source",
            stream=event.subject,
            allowed=AGENCY_URN + key.agency,
        )
    kind = event.type.partition(".")[0]
    if event.type not in key.scopes and f"{kind}.*" not in key.scopes:
        raise RuleBroken(
            "registry.key-scope",
            "the key is not registered for this type",
            stream=event.subject,
            allowed=", ".join(sorted(key.scopes)),
        )
    if key.subjects is not None and not any(_begins(event.subject, prefix) for prefix in key.subjects):
        raise RuleBroken(
            "registry.key-subject",
            "the key is not registered for this stream",
            stream=event.subject,
            allowed=", ".join(key.subjects),
        )
    return key


def _begins(subject: str, prefix: str) -> bool:
    """Does the subject begin with the prefix, in whole segments?"""
    return subject == prefix or subject.startswith(f"{prefix}/")
