"""Do the rules need anything but the log? The projections' database is deleted, and every refusal stays the same.

A simulated city is posted to a real server, up to the middle of its last year. Then everything that would break a
rule is posted, and refused. The server is stopped, the read models are deleted, it is started again, and the same is
posted once more: each refusal has the same `rule_id`, and an auditor's replica says so too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

import msgspec

from audit_service.catalogue.types import EVENT_TYPES
from audit_service.keys import SigningKey, read_seed
from audit_service.rules.decide import decide, evolve
from audit_service.rules.envelope import check_envelope
from audit_service.rules.errors import RuleBroken
from audit_service.rules.groups import Groups
from audit_service.rules.undo import NO_UNDO
from audit_service.rules.world import Replica
from tests.support.city_agenda import Group, Submission, to_event
from tests.support.city_generator import City, CityPlan
from tests.support.illegal import Scene
from tests.support.illegal_all import EVERY
from tests.support.running_server import ROOT, RunningServer, running_server
from tests.support.small_city import make_small_city
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    from pathlib import Path

    from audit_service.catalogue.event import Event
    from audit_service.settings import Settings

PLAN = CityPlan(seed=11, years=2, payments=1, contracts=3, transactions=0, names=("roads",))
# In the autumn of the second year: the first one is settled, contracts are at work.
UNTIL = "2021-10-20"
NDJSON = "application/x-ndjson"


def to_submission(event: Event | Submission, *, event_id: str | None = None) -> dict[str, Any]:
    """The attributes that an agency signs."""
    data = event.data if isinstance(event.data, dict) else msgspec.to_builtins(event.data)
    made = {
        "specversion": "1.0",
        "id": event_id or event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time,
        "data": data,
    }
    return made if event.legal_date is None else {**made, "legaldate": event.legal_date}


class Posted:
    """What was posted lawfully, in the rules' world alone, and what could be posted unlawfully."""

    def __init__(self) -> None:
        self.world = Replica()
        self.groups: list[Group] = []
        self._scene = Scene(self.world)
        self._wrong: dict[str, Event] = {}

    def take(self, group: Group) -> None:
        """Take a lawful group in, and keep what would have been wrong beside it."""
        self.groups.append(group)
        for submission in group:
            event = to_event(submission)
            self._look(event, after=False)
            decide(self.world, event)
            evolve(self.world, event, NO_UNDO)
            self._scene.note(event)
            self._look(event, after=True)

    def _look(self, event: Event, *, after: bool) -> None:
        for wrong in EVERY:
            if wrong.at == event.type and wrong.after == after and wrong.asked == "decide":
                built = wrong.build(event, self._scene)
                if built is not None and not isinstance(built, list) and built.source == event.source:
                    self._wrong[wrong.rule_id] = built

    def refusals(self) -> dict[str, tuple[Event, str]]:
        """What the rules refuse now, by the new id of each event: the event and the rule that refuses it."""
        found: dict[str, tuple[Event, str]] = {}
        for number, event in enumerate(self._wrong.values()):
            rule_id = self._refused_by(event)
            if rule_id is not None and _is_of_the_catalogue(event):
                found[f"wrong-{number}"] = event, rule_id
        return found

    def _refused_by(self, event: Event) -> str | None:
        groups = Groups()
        try:
            check_envelope(event)
            groups.feed(event)
            decide(self.world, event)
            groups.finish()
        except RuleBroken as refused:
            return refused.rule_id
        return None


def _is_of_the_catalogue(event: Event) -> bool:
    """Would the payload be read at all? What the schema refuses never comes to a rule."""
    try:
        msgspec.convert(msgspec.to_builtins(event.data), EVENT_TYPES[event.type])
    except msgspec.ValidationError:
        return False
    return True


def _sign(settings: Settings, submission: dict[str, Any]) -> bytes:
    key = SigningKey.from_seed(read_seed(settings.keys / "roads.key"))
    return encode_canonical(sign_submission(submission, key.private))


def _post_city(server: RunningServer, settings: Settings, groups: list[Group]) -> None:
    for start in range(0, len(groups), 200):
        lines = [
            _sign(settings, to_submission(submission)) for group in groups[start : start + 200] for submission in group
        ]
        answer = server.post(b"\n".join(lines), agency="roads", media_type=NDJSON, query="?atomic=true")
        assert answer.status == 200, answer.data


def _post_wrong(server: RunningServer, settings: Settings, wrong: dict[str, tuple[Event, str]]) -> dict[str, str]:
    """The rule that refuses each, as the service says."""
    lines = [_sign(settings, to_submission(event, event_id=name)) for name, (event, _) in wrong.items()]
    answer = server.post(b"\n".join(lines), agency="roads", media_type=NDJSON)
    assert answer.status == 200, answer.data
    found = json.loads(answer.data)
    return {result["id"]: result["rule_id"] for result in found["results"]}


def _upgrade(settings: Settings) -> None:
    """What an operator does when the read models are lost: an empty database, which the log fills again."""
    command = [sys.executable, "-m", "audit_cli.main", "db", "upgrade", "--data", str(settings.data_dir)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def test_every_refusal_is_the_same_without_the_read_models(tmp_path: Path) -> None:
    posted = Posted()
    # The genesis of the real ledger stands for that of the simulated one.
    for group in takewhile(lambda group: group[0].time < UNTIL, islice(City(PLAN).groups(), 1, None)):
        posted.take(group)
    wrong = posted.refusals()
    expected = {name: rule_id for name, (_, rule_id) in wrong.items()}
    assert len(set(expected.values())) > 60, sorted(set(expected.values()))

    settings = make_small_city(tmp_path / "ledger")
    with running_server(settings.data_dir) as server:
        _post_city(server, settings, posted.groups)
        assert _post_wrong(server, settings, wrong) == expected
        server.wait_for("projected_size", 1 + sum(map(len, posted.groups)))
        shown = server.get_json("/v1/budgets/roads/2021")["tables"]

    for file in settings.data_dir.glob("projections.sqlite3*"):
        file.unlink()
    assert not settings.projections_database.exists()
    _upgrade(settings)
    with running_server(settings.data_dir) as server:
        assert _post_wrong(server, settings, wrong) == expected
        server.wait_for("projected_size", 1 + sum(map(len, posted.groups)))
        assert server.get_json("/v1/budgets/roads/2021")["tables"] == shown
