"""How do eventsourcing's application, aggregates and mapper carry entries as they are?

`StoredEvent.state` *is* the entry, `originator_id` is the subject, `topic` is the type on the wire: nothing is
transcoded, compressed or encrypted, so what is hashed is what is stored. Every accepted event passes
`Application.save`; no other path writes events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from eventsourcing.application import Application
from eventsourcing.persistence import (
    ApplicationRecorder,
    EventStore,
    JSONTranscoder,
    Mapper,
    Recording,
    StoredEvent,
)

from audit_service.aggregates import Stream, new_stream
from audit_service.catalogue.event import Event, decode_entry, decode_event, parse_sequence
from audit_service.rules.decide import evolve_stream
from audit_service.rules.sequences import AGENCY_URN, use_number
from audit_service.rules.states import OrganisationState
from audit_service.rules.undo import NoUndo

TRANSACTION = "service.transaction-recorded.v1"

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing.domain import DomainEventProtocol

    from audit_service.recording.recorder import LedgerRecorder
    from audit_service.recording.snapshots import Snapshots
    from audit_service.rules.world import World


class EntryRecorded:
    """eventsourcing's domain event: an entry, and where it stands in its stream.

    It has the attributes of a `StoredEvent` too (`topic`, `state`), so that it is stored as it is: building a second
    object for each of 20,000 entries of a batch would be felt.
    """

    __slots__ = ("entry", "event", "originator_id", "originator_version", "state", "topic")

    def __init__(self, *, originator_id: str, originator_version: int, entry: bytes, event: Event) -> None:
        self.originator_id = originator_id
        self.originator_version = originator_version
        self.entry = self.state = entry
        self.event = event
        self.topic = event.type


class SealedRecorded:
    """A transaction of a batch that was accepted at once: what is stored, and no typed event that nobody asks for."""

    __slots__ = ("originator_id", "originator_version", "state")
    topic = TRANSACTION

    def __init__(self, originator_id: str, originator_version: int, entry: bytes) -> None:
        self.originator_id = originator_id
        self.originator_version = originator_version
        self.state = entry

    @property
    def entry(self) -> bytes:
        """The entry."""
        return self.state


class EntryMapper(Mapper[str]):
    """Maps an entry to a stored event and back; the entry's bytes are never touched."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The stored event whose `state` is the entry."""
        return cast("StoredEvent", domain_event)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """The entry, decoded into its typed event."""
        recorded = EntryRecorded(
            originator_id=str(stored_event.originator_id),
            originator_version=stored_event.originator_version,
            entry=stored_event.state,
            event=decode_event(stored_event.state),
        )
        return cast("DomainEventProtocol[str]", recorded)


class EntryStore(EventStore[str]):
    """An event store that does not build a `Recording` per event: followers read the log by index."""

    def put(self, domain_events: Sequence[DomainEventProtocol[str]], **kwargs: Any) -> list[Recording[str]]:
        """Record events in the order given."""
        # Our domain events are stored events as they are: `EntryMapper.to_stored_event` would give each back.
        self.recorder.insert_events(cast("Sequence[StoredEvent]", domain_events), **kwargs)
        return []


class LedgerApplication(Application[str]):
    """The eventsourcing application of this ledger."""

    name = "ledger"

    def __init__(self, recorder: LedgerRecorder, snapshots: Snapshots | None = None) -> None:
        self._ledger_recorder = recorder
        self.stream_snapshots = snapshots
        super().__init__()

    def construct_mapper(self) -> Mapper[str]:
        """Entries need no transcoder; the argument is eventsourcing's signature."""
        return EntryMapper(JSONTranscoder())

    def construct_recorder(self) -> ApplicationRecorder:
        """The ledger's own recorder."""
        return self._ledger_recorder

    def construct_event_store(self) -> EventStore[str]:
        """The store that writes entries in log order."""
        return EntryStore(self.mapper, self.recorder)

    def load(self, subject: str, world: World) -> Stream:
        """Rebuild one stream from its snapshot and the entries behind it; an empty one for an unknown subject."""
        stream = new_stream(subject)
        if self.stream_snapshots is not None:
            self.stream_snapshots.load(stream)
        world_of_one = _OneStream(subject, stream, world)
        # No event lies between the two reads: only the writer records, and it is the writer who loads, or a
        # reader of the registry, whom the writer waits for.
        indexes = self._ledger_recorder.select_indexes(subject, gt=stream.version)
        recordings = cast("Iterable[EntryRecorded]", self.events.get(subject, gt=stream.version))
        for index, recorded in zip(indexes, recordings, strict=False):
            recorded.event.index = index
            evolve_stream(world_of_one, recorded.event, NO_UNDO)
            stream.version = recorded.originator_version
        if isinstance(stream.state, OrganisationState):
            # The numbers of an agency's submissions stand on all the streams that it writes to.
            source = AGENCY_URN + subject.rpartition("/")[2]
            for entry in self._ledger_recorder.select_numbered(source):
                number = parse_sequence(decode_entry(entry).sequence)
                if number is not None:
                    use_number(stream.state, number, NO_UNDO)
        return stream


class _OneStream:
    """The world while one stream is being rebuilt: its own state, and the others as they are."""

    def __init__(self, subject: str, stream: Stream, world: World) -> None:
        self._subject = subject
        self._state = stream.state
        self._world = world

    def stream(self, subject: str) -> Any:  # each stream kind has its own state class
        return self._state if subject == self._subject else self._world.stream(subject)


NO_UNDO = NoUndo()
