"""Conditions that rest on master data: HASATTR_, EQATTR_, and what lies within a place.

EPCIS 2.0 §6.5 (hierarchies), §8.2.7.1; CBV 2.0 §9 (attributes); docs/decisions/0750. Asked of the asker's own word alone.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final, Protocol, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records.querying import fields
from sudonglian.records.querying.conditions import CLEAR, ERROR, TRANSACTIONS, Condition, Test, place
from sudonglian.records.querying.fields import CORE, Event, Field, expanded

Attribute: TypeAlias = tuple[str, Json]

ATTRIBUTES: Final = "urn:epcglobal:cbv:mda:"
"""Of the CBV; written with `#`, with the prefix `cbvmda:`, and by those who type by its last word alone."""

SPELLINGS: Final = ("{0}", "cbv:{1}-{0}", "https://ref.gs1.org/cbv/{1}-{0}", "urn:epcglobal:cbv:{2}:{0}")
"""Of a word of the CBV; an event may say the word, and its describer the URI."""


class Said(Protocol):
    """What the asker has said of identifiers, in their normal form."""

    def within(self, names: Collection[str]) -> frozenset[str]:
        """Return these places and all that lie within them."""

    def attributes(self, name: str) -> Collection[Attribute]:
        """Return the attributes of an identifier; none if it was never described."""


Resting: TypeAlias = "Callable[[Said], Condition]"
"""A condition, once it is known who asks."""

Values: TypeAlias = "Callable[[Event], Iterator[Json]]"


def attribute_name(name: str, prefixes: Mapping[str, str]) -> str:
    """Return an attribute's name as it is compared.

    >>> attribute_name("cbvmda:city", {}) == attribute_name("city", {}) == attribute_name("urn:epcglobal:cbv:mda#city", {})
    True
    >>> attribute_name("a:dock", {"a": "https://acme.example/"})
    'https://acme.example/dock'
    """
    if ":" not in name:
        return ATTRIBUTES + name
    whole = expanded(name, {**CORE, **prefixes})
    start = ATTRIBUTES[:-1]
    return f"{start}:{whole[len(start) + 1 :]}" if whole.startswith(f"{start}#") else whole


def described(field: "Vocabulary", attribute: str | None, test: Test | None, names: frozenset[str]) -> Resting:
    """Return the condition that a value of a field has one of the attributes, or the attribute with a fitting value."""
    wanted = names if attribute is None else frozenset({attribute})

    def make(said: Said) -> Condition:
        def fits(event: Event) -> bool:
            return any(
                value is not None and attribute_name(name, {}) in wanted and (test is None or test(value))
                for identifier in field.names(event)
                for name, value in said.attributes(identifier)
            )

        return Condition(fits, field.needs, field.names)

    return make


def located(name: str, values: Iterable[str]) -> Resting:
    """Return the condition that the event's place is one of these or lies within one."""
    wanted = frozenset(map(normal, values))
    return lambda said: place(name, said.within(wanted), parts=True)


class Vocabulary:
    """A field whose values are elements of a vocabulary."""

    def __init__(self, values: Values, needs: frozenset[str] | None, kind: tuple[str, str] | None = None) -> None:
        self.values = values
        self.needs = needs
        self.kind = kind

    def names(self, event: Event) -> Iterator[str]:
        """Yield the normal forms under which the values may have been described."""
        for value in self.values(event):
            for one in value if isinstance(value, list) else [value]:
                if not isinstance(one, str):
                    continue
                if self.kind is not None and ":" not in one:
                    yield from (normal(form.format(one, *self.kind)) for form in SPELLINGS)
                else:
                    yield normal(one)


def extension(found: Field, needs: frozenset[str] | None) -> Vocabulary:
    """Return the field of an extension, at the top of the event."""
    return Vocabulary(lambda event: found.of(fields.itself, event), needs)


def _of(name: str, holders: fields.Holders = fields.itself) -> Values:
    return lambda event: (one[name] for one in holders(event) if name in one)


def _listed(name: str) -> fields.Holders:
    def holders(event: Event) -> Iterator[Event]:
        found = event.get(name)
        yield from (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()

    return holders


def _persistent(event: Event) -> Iterator[Json]:
    for one in fields.member("persistentDisposition")(event):
        yield from (one[name] for name in ("set", "unset") if name in one)


def _classes(event: Event) -> Iterator[Json]:
    for name in ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"):
        yield from _of("epcClass", _listed(name))(event)


_DISPOSITION: Final = ("Disp", "disp")

VOCABULARIES: Final[Mapping[str, Vocabulary]] = {
    "bizStep": Vocabulary(_of("bizStep"), CLEAR, ("BizStep", "bizstep")),
    "disposition": Vocabulary(_of("disposition"), CLEAR, _DISPOSITION),
    "persistentDisposition": Vocabulary(_persistent, CLEAR, _DISPOSITION),
    "readPoint": Vocabulary(_of("id", fields.member("readPoint")), CLEAR),
    "bizLocation": Vocabulary(_of("id", fields.member("bizLocation")), CLEAR),
    "bizTransaction": Vocabulary(_of("bizTransaction", _listed("bizTransactionList")), TRANSACTIONS),
    "source": Vocabulary(_of("source", _listed("sourceList")), CLEAR),
    "destination": Vocabulary(_of("destination", _listed("destinationList")), CLEAR),
    "epcClass": Vocabulary(_classes, CLEAR),
    "errorReason": Vocabulary(_of("reason", fields.member("errorDeclaration")), ERROR, ("ER", "er")),
}
"""The fields of the standard whose values are of a vocabulary that master data may describe (EPCIS 2.0 §7.2)."""
