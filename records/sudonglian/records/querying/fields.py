"""Where in an event a named field stands: extensions by prefixed name or IRI, at the top or within.

EPCIS 2.0 §8.2.7.1 (fieldname, INNER_, ILMD_, ERROR_DECLARATION_, SENSOR…_); docs/spec/plain-event.md rule 6 (bindings).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import RecordRefused
from sudonglian.records.epcis.plain import effective_context, entries

Event: TypeAlias = Mapping[str, Json]

CORE: Final[Mapping[str, str]] = {
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "epcis": "https://ref.gs1.org/epcis/",
    "gs1": "https://gs1.org/voc/",
}
"""What the prefixes of GS1's own context mean, which every event means whether it says so or not."""

Holders: TypeAlias = Callable[[Event], Iterator[Event]]
"""The objects of an event in which a field is looked for."""


def itself(event: Event) -> Iterator[Event]:
    """Yield the event: its own members."""
    yield event


def member(name: str) -> Holders:
    """Return where the members of an object like `ilmd` or `readPoint` stand."""

    def holders(event: Event) -> Iterator[Event]:
        value = event.get(name)
        if isinstance(value, dict):
            yield value

    return holders


def elements(event: Event) -> Iterator[Event]:
    """Yield the sensor elements."""
    listed = event.get("sensorElementList")
    yield from (one for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()


def metadata(event: Event) -> Iterator[Event]:
    """Yield the metadata of the sensor elements."""
    for element in elements(event):
        if isinstance(found := element.get("sensorMetadata"), dict):
            yield found


def reports(event: Event) -> Iterator[Event]:
    """Yield the sensor reports."""
    for element in elements(event):
        listed = element.get("sensorReport")
        yield from (one for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()


def metadata_and_reports(event: Event) -> Iterator[Event]:
    """Yield both: an attribute may stand in either (EPCIS 2.0 §7.3.7)."""
    yield from metadata(event)
    yield from reports(event)


def within(holders: Holders) -> Holders:
    """Return where fields stand inside a holder's extensions, at any depth below its own members."""

    def inner(event: Event) -> Iterator[Event]:
        pending: list[Json] = [
            value for holder in holders(event) for name, value in holder.items() if ":" in name and name != "@context"
        ]
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                yield value
                pending += value.values()
            elif isinstance(value, list):
                pending += value

    return inner


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its name: an attribute of the standard, a prefixed name as written, or an IRI."""

    name: str
    iris: frozenset[str] = frozenset()
    """What it is if it is named by IRI, or by a prefix that the asker bound."""

    def of(self, holders: Holders, event: Event) -> Iterator[Json]:
        """Yield the values of the field in an event."""
        bindings = _bindings(event) if self.iris else {}
        for holder in holders(event):
            if not self.iris:
                if self.name in holder:
                    yield holder[self.name]
                continue
            for name, value in holder.items():
                if expanded(name, bindings) in self.iris:
                    yield value


def field(name: str, prefixes: Mapping[str, str]) -> Field:
    """Return the field of a name, with the prefixes that the asker bound (GS1-Extensions)."""
    prefix, _, rest = name.partition(":")
    if prefix in prefixes:
        return Field(name, frozenset({prefixes[prefix] + rest}))
    if rest.startswith("//") or prefix.lower() == "urn":
        # SOAP's form joins namespace and name with a `#`, which is part of the name in no namespace that ends otherwise.
        head, mark, tail = name.rpartition("#")
        return Field(name, frozenset({name, head + tail} if mark else {name}))
    return Field(name)


def expanded(name: str, bindings: Mapping[str, str]) -> str:
    """Return a member's name as an IRI, if its prefix is bound.

    >>> expanded("acme:dock", {"acme": "https://acme.example/"})
    'https://acme.example/dock'
    """
    prefix, colon, rest = name.partition(":")
    return bindings[prefix] + rest if colon and prefix in bindings else name


def _bindings(event: Event) -> dict[str, str]:
    context = event.get("@context")
    if context is None:
        return dict(CORE)
    try:
        _, bound = effective_context(_entries(context))
    except RecordRefused:
        return dict(CORE)
    told = {term: value.get("@id") if isinstance(value, dict) else value for term, value in bound.items()}
    return {**CORE, **{term: value for term, value in told.items() if isinstance(value, str)}}


def _entries(context: Json) -> Sequence[Json]:
    return entries(context, "/@context")
