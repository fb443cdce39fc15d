"""How does a test say what happens to keys? One short builder for each event of `registry/log` after the genesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.events import CITY, key_id, when

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

LOG = "registry/log"
JWS = f"{'h' * 20}..{'s' * 86}"
VKEY = "witness.example/a+0123abcd+AAAA"


def _event(name: str, fields: dict[str, Any], **attributes: Any) -> Event:
    return when(f"registry.{name}.v1", LOG, fields, **{"source": CITY, **attributes})


def agency_registered(code: str = "parks", **attributes: Any) -> Event:
    return _event("agency-registered", {"code": code, "name_ko": "공원과", "name_en": "Parks"}, **attributes)


def key_registered(name: str = "parks", data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "agency": "parks",
        "kid": key_id(name),
        "public_key": key_id(name + "_x"),
        "scopes": ["budget.*"],
        "role": "SUBMITTER",
        "possession": JWS,
        **(data or {}),
    }
    return _event("key-registered", fields, **attributes)


def key_revoked(name: str = "roads", data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    return _event("key-revoked", {"kid": key_id(name), "reason": "lost", **(data or {})}, **attributes)


def roots_rotated(*names: str, **attributes: Any) -> Event:
    keys = [{"kid": key_id(name), "public_key": key_id(name + "_x")} for name in names or ("root4", "root5", "root6")]
    return _event("root-keys-rotated", {"root_keys": keys, "possessions": [JWS, JWS]}, **attributes)


def policy_changed(**attributes: Any) -> Event:
    return _event("policy-changed", {"policy": "quorum none"}, **attributes)


def witness_enrolled(name: str = "council", vkey: str = VKEY, **attributes: Any) -> Event:
    return _event("witness-enrolled", {"name": name, "vkey": vkey}, **attributes)


def witness_retired(name: str = "council", **attributes: Any) -> Event:
    return _event("witness-retired", {"name": name}, **attributes)


def approval_policy_set(**data: Any) -> Event:
    return _event("approval-policy-set", data)


def log_succeeded(origin: str = "ledger.example/next", key: str = VKEY, **attributes: Any) -> Event:
    return _event("log-succeeded", {"successor_origin": origin, "successor_log_key": key}, **attributes)
