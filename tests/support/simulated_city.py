"""The demo city in memory: its rules' world, its folds and its keys, without a server.

Every batch passes the same checks as at the service (envelope, types, signatures, groups, rules), then the folds.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from audit_cli import demo_city
from audit_service.catalogue.event import Event
from audit_service.catalogue.registry import Agency, AgencyKey, LogCreated, RootKey
from audit_service.keys import SigningKey
from audit_service.rules.decide import decide, evolve
from audit_service.rules.groups import Groups
from audit_service.rules.keys import authorise
from audit_service.rules.undo import NO_UNDO
from audit_service.rules.world import Replica
from audit_service.submission import SealedItem, prepare_many
from projections.folds.all import fold_all
from projections.folds.answers import fold_answer

_KINDS = {
    "budgets": "budget-book",
    "settlements": "settlement",
    "contracts": "contract-register",
    "projects": "project-register",
    "services": "service-statistics",
    "organisations": "organisations",
}


class SimulatedCity:
    """The rules' world, the folds and the keys of a ledger that took in the demo's batches, in memory."""

    def __init__(self) -> None:
        self.world, self.folds = Replica(), fold_all()
        self.keys = {agency.code: _signing_key(agency.code) for agency in demo_city.AGENCIES}
        self.public_keys = {key.kid: key.private.public_key().public_bytes_raw() for key in self.keys.values()}
        self.credentials = {code: demo_city.Credentials(key.private, "token") for code, key in self.keys.items()}
        self.size = 0
        self._take_genesis()

    def _take_genesis(self) -> None:
        others = [_signing_key(name) for name in ("root-1", "root-2", "root-3", "publisher")]
        roots = [RootKey(kid=key.kid, public_key=key.public_key) for key in others]
        agencies = [
            Agency(
                code=plan.code,
                name_ko=plan.name_ko,
                name_en=plan.name_en,
                keys=[
                    AgencyKey(
                        kid=self.keys[plan.code].kid,
                        public_key=self.keys[plan.code].public_key,
                        scopes=list(plan.scopes),
                    )
                ],
            )
            for plan in demo_city.AGENCIES
        ]
        data = LogCreated(
            origin=demo_city.ORIGIN,
            log_key="a key of the log",
            root_keys=roots[:3],
            root_threshold=2,
            publisher_key=roots[3],
            policy="quorum none",
            agencies=agencies,
        )
        event = Event(
            type="registry.log-created.v1",
            subject="registry/log",
            source=f"urn:kr:agency:{demo_city.CITY}",
            id="genesis",
            time="2026-01-01T00:00:00.000Z",
            legal_date=None,
            position=1,
            recorded_time="",
            data=data,
        )
        self._record(event)

    def take(self, batch: demo_city.Batch) -> None:
        """Take in one atomic batch as the service would; raises on the first refusal."""
        groups = Groups()
        for item in prepare_many(batch.lines, self.public_keys.get):
            if isinstance(item, Exception):
                raise item
            prepared = item.prepared if isinstance(item, SealedItem) else item
            groups.feed(prepared.event)
            if prepared.kid is not None:
                authorise(self.world, prepared.event, prepared.kid)
            self._record(prepared.event)
        groups.finish()

    def take_everything(self) -> None:
        """Take in all that the demo posts, in its order."""
        for batch in demo_city.event_batches(self.credentials):
            self.take(batch)
        for batch in demo_city.transaction_batches(self.credentials):
            self.take(batch)

    def get(self, path: str) -> dict[str, Any]:
        """Answer `GET /v1/…` as the service would."""
        _, _, plural, key = path.split("/", 3)
        answer = fold_answer(self.folds, _KINDS[plural], key, tree_size=self.size)
        if answer is None:
            raise LookupError(path)
        return answer

    def _record(self, event: Event) -> None:
        decide(self.world, event)
        evolve(self.world, event, NO_UNDO)
        self.folds.apply(self.size, event)
        self.size += 1


def _signing_key(name: str) -> SigningKey:
    return SigningKey.from_seed(sha256(name.encode()).digest())
