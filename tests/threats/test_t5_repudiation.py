"""T5: can an agency deny what it signed? Every event is attributed to a key and its holder from public data only.

The attribution here is written from the specification with the verifier alone: it knows no rule of the service and
no state but what entries say. It must name a holder for every entry, the same one as the entry's source.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from audit_service.ledger import Ledger
from projections.log_source import DirectoryLog
from projections.replay import replay
from tests.support.key_history import (
    ROOTS,
    KeyHistory,
    effect,
    key_data,
    new_key,
    public,
    rotation_data,
)
from tests.support.small_city import SmallCity, budget_year, sealed_batch, service
from verifier.bundles import decode_bundle
from verifier.encoding import parse_base64url
from verifier.envelope import (
    parse_entry,
    sign_submission,
    signature_kid,
    verify_approval,
    verify_genesis,
    verify_signature,
)
from verifier.tiles import TILE_WIDTH, bundle_path, bundles_for_size

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.notes import VerifierKey

CITY = "city"
TRANSACTION = "service.transaction-recorded.v1"


class Attribution:
    """Who signed each entry? Keys by their holder, learned from the entries before."""

    def __init__(self, vkey: VerifierKey) -> None:
        self.vkey = vkey
        self.holders: dict[str, tuple[str, bytes]] = {}
        self.sealed_by = ""

    def take(self, index: int, entry: bytes) -> str:
        """The holder of the key that signed entry `index`; its signature is verified."""
        attributes = parse_entry(entry)
        data = attributes["data"]
        if index == 0:
            data = verify_genesis(entry, vkey=self.vkey)
            for key in (*data["root_keys"], data["publisher_key"]):
                self._learn(key, CITY)
            for agency in data["agencies"]:
                for key in agency["keys"]:
                    self._learn(key, agency["code"])
            return CITY
        if attributes["type"] == TRANSACTION:
            return self.sealed_by
        holder, public_key = self.holders[signature_kid(attributes["signature"])]
        verify_signature(attributes, public_key=public_key)
        if "approval" in attributes:
            verify_approval(attributes, public_key=self.holders[signature_kid(attributes["approval"])][1])
        self._learn_from(attributes["type"], data)
        if attributes["type"] == "service.batch-sealed.v1":
            self.sealed_by = holder
        return holder

    def _learn_from(self, event_type: str, data: dict[str, Any]) -> None:
        if event_type == "registry.key-registered.v1":
            self._learn(data, data["agency"])
        for key in data.get("root_keys", ()):
            self._learn(key, CITY)

    def _learn(self, key: dict[str, Any], holder: str) -> None:
        self.holders[key["kid"]] = holder, parse_base64url(key["public_key"], name="key", length=32)


def eventful_city(directory: Path) -> KeyHistory:
    """A ledger in which keys came, went and changed hands, and with sealed transactions."""
    city = KeyHistory(directory)
    second, third = new_key("roads-2"), new_key("parks")
    for made in budget_year():
        city.send(sign_submission(made, city.keys["roads"]))
    city.govern("key-registered", key_data(second, scopes=("budget.*", "service.*")))
    city.govern("key-revoked", {"kid": public(city.keys["roads"])["kid"], "reason": "replaced"})
    city.send(sign_submission(effect(1), second))
    roots = [new_key(f"new-{name}") for name in ROOTS]
    city.govern("root-keys-rotated", rotation_data(*roots))
    city.keys |= {"new-1": roots[0], "new-2": roots[1]}
    city.govern("agency-registered", {"code": "parks", "name_ko": "공원과", "name_en": "Parks"}, by=("new-1", "new-2"))
    city.govern("key-registered", key_data(third, agency="parks"), by=("new-1", "new-2"))
    with Ledger(city.settings) as ledger:
        small = SmallCity(city.settings, ledger)
        small.keys["roads"] = small.keys["roads"]._replace(private=second)
        small.post(service())
        small.send(*sealed_batch(small, "batch-1", count=6), atomic=True)
    return city


def test_t5_every_event_is_attributed_from_public_data_only(tmp_path: Path) -> None:
    city = eventful_city(tmp_path / "ledger")
    assert city.audit().holds
    # Nothing but the public files and the pinned key from here on.
    copy = tmp_path / "copy"
    shutil.copytree(city.settings.public, copy)
    vkey = city.vkey
    shutil.rmtree(tmp_path / "ledger")

    verdict = replay(DirectoryLog(copy), vkey=vkey)
    assert verdict.holds
    assert verdict.checkpoint is not None
    size = verdict.checkpoint.tree_size
    entries: list[bytes] = []
    for bundle in bundles_for_size(0, size):
        data = (copy / "log" / bundle_path(bundle.index, bundle.width)).read_bytes()
        entries += decode_bundle(data, expected=bundle.width)
    assert len(entries) == size <= TILE_WIDTH
    attribution = Attribution(vkey)
    holders = [attribution.take(index, entry) for index, entry in enumerate(entries)]
    assert holders == [parse_entry(entry)["source"].removeprefix("urn:kr:agency:") for entry in entries]
    assert set(holders) == {"city", "roads"}
    assert verdict.findings.examined["signatures"] == size - 1
