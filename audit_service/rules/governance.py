"""May the registry of the log change like this: agencies, keys, root keys, witnesses, policies, its end?

Every event here stands on `registry/log`, comes from the city, and is signed and approved by two of its current
root keys (`keys.authorise_entry`). That a new key is held by somebody (`possession`) is a matter of bytes: the
verifier's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, ApprovalPolicy, Key, LogState, RootKey, Witness

if TYPE_CHECKING:
    from audit_service.catalogue import registry
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def _require_city(state: LogState, event: Event) -> None:
    log = state.log.get(ONLY)
    if log is None:
        raise RuleBroken("registry.log-not-created", "the log is not created", stream=event.subject)
    if event.source != log.owner:
        raise RuleBroken(
            "registry.not-owner", "only the city writes to the log's registry", stream=event.subject, allowed=log.owner
        )


def _require_new_key(state: LogState, event: Event, kid: str, public_key: str) -> None:
    """A key has one holder for ever: not a revoked key, nor a retired root key, comes back as anything."""
    publics = {key.public_key for key in state.keys.values()} | {key.public_key for key in state.root_keys.values()}
    if kid in state.keys or kid in state.root_keys or public_key in publics:
        raise RuleBroken("registry.key-duplicate", "the key stands in the registry", stream=event.subject)


# --- agencies and their keys ----------------------------------------------------------------------------


def decide_agency(_: World, state: LogState, event: Event) -> None:
    """May the agency join? Under a code that is not taken."""
    _require_city(state, event)
    data: registry.AgencyRegistered = event.data
    if data.code in state.agencies:
        raise RuleBroken("registry.agency-duplicate", "the agency is registered", stream=event.subject)


def evolve_agency(state: LogState, event: Event, undo: Changes) -> None:
    """Remember the agency."""
    undo.put(state.agencies, event.data.code, None)


def decide_key(_: World, state: LogState, event: Event) -> None:
    """May the agency have this key? A new one, for a registered agency."""
    _require_city(state, event)
    data: registry.KeyRegistered = event.data
    if data.agency not in state.agencies:
        raise RuleBroken("registry.agency-unknown", "no such agency is registered", stream=event.subject)
    _require_new_key(state, event, data.kid, data.public_key)


def evolve_key(state: LogState, event: Event, undo: Changes) -> None:
    """Let the key sign from this entry on."""
    data: registry.KeyRegistered = event.data
    subjects = tuple(data.subjects) if isinstance(data.subjects, list) else None
    key = Key(data.agency, frozenset(data.scopes), data.public_key, data.role, subjects, event.index)
    undo.put(state.keys, data.kid, key)


def decide_revoked(_: World, state: LogState, event: Event) -> None:
    """May the key be revoked from there on? Never back behind this entry; a second time only earlier."""
    _require_city(state, event)
    data: registry.KeyRevoked = event.data
    key = state.keys.get(data.kid)
    if key is None:
        raise RuleBroken("registry.key-unknown", "no such key is registered", stream=event.subject)
    start = _start_of(data, event)
    if start < event.index:
        raise RuleBroken(
            "registry.revocation-past",
            "a revocation does not reach back behind its own entry",
            stream=event.subject,
            columns={"from_index": start},
            allowed=event.index,
        )
    if key.until_index is not None and start >= key.until_index:
        raise RuleBroken(
            "registry.key-revoked-twice",
            "the key is revoked from there on or earlier",
            stream=event.subject,
            columns={"from_index": start},
            allowed=key.until_index - 1,
        )


def evolve_revoked(state: LogState, event: Event, undo: Changes) -> None:
    """End the key's time."""
    data: registry.KeyRevoked = event.data
    undo.put(state.keys, data.kid, state.keys[data.kid]._replace(until_index=_start_of(data, event)))


def _start_of(data: registry.KeyRevoked, event: Event) -> int:
    return data.from_index if isinstance(data.from_index, int) else event.index


# --- root keys ------------------------------------------------------------------------------------------


def decide_rotated(_: World, state: LogState, event: Event) -> None:
    """May these three take over? Three different keys; current root keys may stay, no other known key may come."""
    _require_city(state, event)
    data: registry.RootKeysRotated = event.data
    for column in zip(*((key.kid, key.public_key) for key in data.root_keys), strict=True):
        if len(set(column)) != len(column):
            raise RuleBroken("registry.key-duplicate", "a root key is named twice", stream=event.subject)
    for key in data.root_keys:
        if state.root_keys.get(key.kid) != RootKey(key.public_key):
            _require_new_key(state, event, key.kid, key.public_key)


def evolve_rotated(state: LogState, event: Event, undo: Changes) -> None:
    """Retire the old ones, but for those that stay."""
    data: registry.RootKeysRotated = event.data
    for kid, old in list(state.root_keys.items()):
        undo.put(state.root_keys, kid, old._replace(retired=True))
    for key in data.root_keys:
        undo.put(state.root_keys, key.kid, RootKey(key.public_key))


# --- policies and witnesses -----------------------------------------------------------------------------


def decide_policy(_: World, state: LogState, event: Event) -> None:
    """May the policy of witnesses or of approvals change? Whenever the city says so."""
    _require_city(state, event)


def evolve_policy(state: LogState, event: Event, undo: Changes) -> None:
    """Remember the policy in force."""
    undo.put(state.policy, ONLY, event.data.policy)


def evolve_approval(state: LogState, event: Event, undo: Changes) -> None:
    """Remember the policy of approvals in force."""
    data: registry.ApprovalPolicySet = event.data
    amount_won = data.amount_won if isinstance(data.amount_won, int) else None
    late_days = data.late_days if isinstance(data.late_days, int) else None
    undo.put(state.approval, ONLY, ApprovalPolicy(amount_won, late_days))


def decide_enrolled(_: World, state: LogState, event: Event) -> None:
    """May the witness be enrolled? Under a name and with a key that no other enrolled witness has."""
    _require_city(state, event)
    data: registry.WitnessEnrolled = event.data
    taken = any(
        witness.enrolled and (name == data.name or witness.vkey == data.vkey)
        for name, witness in state.witnesses.items()
    )
    if taken:
        raise RuleBroken("registry.witness-duplicate", "this name or key is enrolled", stream=event.subject)


def evolve_enrolled(state: LogState, event: Event, undo: Changes) -> None:
    """Remember the witness."""
    undo.put(state.witnesses, event.data.name, Witness(event.data.vkey, enrolled=True))


def decide_retired(_: World, state: LogState, event: Event) -> None:
    """May the witness retire? One that is enrolled."""
    _require_city(state, event)
    witness = state.witnesses.get(event.data.name)
    if witness is None or not witness.enrolled:
        raise RuleBroken("registry.witness-unknown", "no such witness is enrolled", stream=event.subject)


def evolve_retired(state: LogState, event: Event, undo: Changes) -> None:
    """Retire the witness."""
    undo.put(state.witnesses, event.data.name, state.witnesses[event.data.name]._replace(enrolled=False))


# --- the end --------------------------------------------------------------------------------------------


def decide_succeeded(_: World, state: LogState, event: Event) -> None:
    """May another log go on? Another one: with another origin and another key."""
    _require_city(state, event)
    data: registry.LogSucceeded = event.data
    log = state.log[ONLY]
    if data.successor_origin == log.origin or data.successor_log_key == log.log_key:
        raise RuleBroken("registry.successor-same", "a log does not succeed itself", stream=event.subject)


def evolve_succeeded(state: LogState, event: Event, undo: Changes) -> None:
    """Close the log."""
    undo.put(state.successor, ONLY, event.data.successor_origin)


def require_open(state: LogState, event: Event) -> None:
    """Is the log still open? After its succession nothing at all is accepted.

    Raises:
        RuleBroken: `registry.log-succeeded`.
    """
    if state.successor:
        raise RuleBroken(
            "registry.log-succeeded", "another log goes on", stream=event.subject, allowed=state.successor[ONLY]
        )
