"""Who may sign this event? Answered from the registry, that is from the log itself.

The signature's bytes are checked by `verifier.envelope`, with the public key that `key_for` returns. The
genesis entry stands outside: it is signed by the root keys that it names, which `verifier.envelope` checks
too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.errors import RuleBroken
from audit_service.rules.registry import AGENCY_URN
from audit_service.rules.world import World, read_log

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.states import Key

UNSIGNED = frozenset({"service.transaction-recorded.v1"})


def needs_signature(event_type: str) -> bool:
    """Does an event of this type carry its own signature? The manifest of a batch signs for its transactions."""
    return event_type not in UNSIGNED


def key_for(world: World, kid: str) -> Key | None:
    """Whose key is this, for which types, with which public key? None where the registry has no such key."""
    return read_log(world).keys.get(kid)


def authorise(world: World, event: Event, kid: str) -> Key:
    """May this key sign this event? It is registered, for this type, to the agency that is the event's source.

    Raises:
        RuleBroken: `registry.key-unknown`, `registry.source-mismatch` or `registry.key-scope`.
    """
    key = key_for(world, kid)
    if key is None:
        raise RuleBroken("registry.key-unknown", "no such key is registered", stream=event.subject)
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
    return key
