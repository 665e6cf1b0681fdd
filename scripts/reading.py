"""EPCIS documents as the engine sees them, without a store: people are known by their phones.

docs/spec/facts.md §2; the same views as of captured records, but for the numbers that a vault gives to people.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sudonglian.trace.casework.views import participant, view
from sudonglian.trace.engine.events import EventView, Participant
from sudonglian.trace.engine.facts import Micros, micros


def views_of(events: Iterable[Any]) -> Iterator[EventView]:
    """Yield plain events as the engine sees them, in the log's order; a record is called by its eventID."""
    for number, event in enumerate(events):
        people = map(_participant, event.get("sdl:participants", ()))
        yield view(event["eventID"], number, event, people)


def events_of(documents: Iterable[Any]) -> Iterator[Any]:
    """Yield the events of parsed documents."""
    for document in documents:
        yield from document["epcisBody"]["eventList"]


def _participant(told: Any) -> Participant:
    return participant(
        told["personRef"]["value"],
        told.get("role", ""),
        told.get("contact"),
        _moment(told.get("start")),
        _moment(told.get("end")),
    )


def _moment(text: str | None) -> Micros | None:
    return micros(datetime.fromisoformat(text)) if text else None
