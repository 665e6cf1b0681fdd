"""The families of parameters: names that hold a type, a unit or the name of a field.

EPCIS 2.0 §8.2.7.1 (EQ_source_type, EQ_quantity_uom, GE_value_uom, EQ_fieldname, EQ_INNER_ILMD_fieldname, HASATTR_fieldname
and their like).
"""

from collections.abc import Iterator
from typing import Final

from sudonglian.records import derive
from sudonglian.records.querying import conditions, fields, said, values
from sudonglian.records.querying.asking import numbers
from sudonglian.records.querying.conditions import CLEAR, ERROR, SENSORS, TRANSACTIONS, Condition, Test
from sudonglian.records.querying.errors import QueryRefused
from sudonglian.records.querying.fields import Field, Holders
from sudonglian.records.querying.parameter import Asked, Given, Parameter
from sudonglian.records.querying.query import EventQuery
from sudonglian.records.querying.standing import IN_BOTH, OF_REPORTS, OF_VOCABULARY, OPS, TIMES, WORDS
from sudonglian.records.querying.values import Compares, Equals, Op

UOM: Final = "[A-Z0-9]{2,3}"
"""A code of UN/ECE Recommendation 20."""

MEASURES: Final = ("value", "minValue", "maxValue", "meanValue", "sDev", "percValue")

NAME: Final = "[A-Za-z][A-Za-z0-9_.+-]*:.+"
"""A field of an extension: a prefixed name or an IRI. What the standard names has parameters of its own."""

UNBROKEN: Final = "[A-Za-z][A-Za-z0-9.+-]*:[^_]+"
"""A field of an extension before an attribute: an underscore would leave open where the one ends (EPCIS 2.0 §8.2.7.1)."""

METADATA: Final = (*TIMES, *IN_BOTH)
REPORTS: Final = ("time", *IN_BOTH, *OF_REPORTS, *OF_VOCABULARY, "stringValue")

SCOPES: Final[dict[str, tuple[Holders, frozenset[str] | None, str, tuple[str, ...]]]] = {
    "ILMD_": (fields.member("ilmd"), CLEAR, "the ilmd", ()),
    "ERROR_DECLARATION_": (fields.member(derive.ERROR_DECLARATION), ERROR, "the error declaration", ()),
    "SENSORELEMENT_": (fields.elements, SENSORS, "a sensor element", ()),
    "SENSORMETADATA_": (fields.metadata, SENSORS, "a sensor's metadata", METADATA),
    "SENSORREPORT_": (fields.reports, SENSORS, "a sensor report", REPORTS),
    "readPoint_": (fields.member("readPoint"), CLEAR, "the readPoint", ()),
    "bizLocation_": (fields.member("bizLocation"), CLEAR, "the bizLocation", ()),
    "": (fields.itself, None, "the event", ()),
}
"""Where a field may stand: by what stands before its name, with what is withheld there, and attributes of the standard."""


def _typed(name: str, member: str, inner: str, needs: frozenset[str], example: str) -> Parameter:
    def ask(query: EventQuery, asked: Asked) -> EventQuery:
        assert asked.found is not None
        wanted = values.names(asked.value, asked.name)
        return query.with_condition(conditions.listed(member, inner, asked.found[1], wanted, needs))

    about = f"The {member} has one of these, of this type; with nothing after the last _, of no type."
    return Parameter(f"EQ_{name}_{{type}}", "names", about, example, ask, rf"EQ_{name}_(.*)")


def _measured(op: Op, name: str) -> Parameter:
    def ask(query: EventQuery, asked: Asked) -> EventQuery:
        assert asked.found is not None
        return query.with_condition(conditions.measure(name, op, numbers(op, asked), asked.found[1] or ""))

    about = f"The {name} of a sensor report {WORDS[op]} this, in this unit or one that it can be converted to; without a unit, as written."
    given: Given = "numbers" if op == "EQ" else "number"
    return Parameter(f"{op}_{name}_{{uom}}", given, about, f"{op}_{name}_CEL=-18", ask, rf"{op}_{name}(?:_({UOM}))?")


def _amount(op: Op) -> Parameter:
    def ask(query: EventQuery, asked: Asked) -> EventQuery:
        assert asked.found is not None
        return query.with_condition(conditions.quantity(op, numbers(op, asked), asked.found[1]))

    about = f"An amount of a class {WORDS[op]} this, in this unit or one that it can be converted to."
    given: Given = "numbers" if op == "EQ" else "number"
    return Parameter(f"{op}_quantity_{{uom}}", given, about, f"{op}_quantity_KGM=200", ask, rf"{op}_quantity_({UOM})")


def _field(op: str, inner: str, scope: str) -> Parameter:
    holders, needs, where, attributes = SCOPES[scope]
    if inner:
        holders, where, attributes = fields.within(holders), f"the extensions of {where}, at any depth", ()

    def ask(query: EventQuery, asked: Asked) -> EventQuery:
        assert asked.found is not None
        found = _asked_for(asked.found[1], asked)
        needed = needs
        if needed is None and not inner and not found.iris:
            needed = frozenset({found.name})
        if op == "EXISTS":
            values.void(asked.value, asked.name)
            return query.with_condition(conditions.exists(holders, found, needed))
        return query.with_condition(_condition(op, asked, holders, found, needed))

    said = "is there" if op == "EXISTS" else f"{WORDS[op]} {'one of these' if op == 'EQ' else 'this'}"
    given: Given = "nothing" if op == "EXISTS" else "texts" if op == "EQ" else "free"
    names = "|".join([*attributes, NAME])
    name = f"{op}_{inner}{scope}{{field}}"
    example = f"{op}_{inner}{scope}acme:dock=" + {"EXISTS": "true", "EQ": "7"}.get(op, "7")
    return Parameter(
        name, given, f"The field of this name in {where} {said}.", example, ask, rf"{op}_{inner}{scope}({names})"
    )


def _condition(op: str, asked: Asked, holders: Holders, found: Field, needed: frozenset[str] | None) -> Condition:
    test: Test
    if op == "EQ" and found.name in OF_VOCABULARY:
        test = conditions.vocabulary(values.names(asked.value, asked.name))
    elif op == "EQ":
        test = Equals(values.texts(asked.value, asked.name))
    else:
        test = Compares(_op(op), values.ordered(asked.value, asked.name))
    return conditions.one_of(test, holders, found, needed)


def _op(name: str) -> Op:
    return next(one for one in OPS if one == name)


def _asked_for(name: str, asked: Asked) -> Field:
    found = fields.field(name, asked.prefixes)
    if name.lower().startswith(PEOPLE) or any(iri.lower().startswith(PEOPLE) for iri in found.iris):
        raise QueryRefused("people are asked for in a case alone", place=asked.name)
    return found


PEOPLE: Final = (derive.PARTICIPANTS.lower(), "urn:sudonglian:ns:1:participants")


def _described(op: str) -> Parameter:
    def ask(query: EventQuery, asked: Asked) -> EventQuery:
        assert asked.found is not None
        listed = values.texts(asked.value, asked.name)
        named = asked.found[1]
        field = said.VOCABULARIES.get(named)
        if field is None:
            found = _asked_for(named, asked)
            field = said.extension(found, None if found.iris else frozenset({found.name}))
        if op == "HASATTR":
            wanted = frozenset(said.attribute_name(one, asked.prefixes) for one in listed)
            return query.with_resting(said.described(field, None, None, wanted))
        attribute = said.attribute_name(asked.found[2], asked.prefixes)
        return query.with_resting(said.described(field, attribute, Equals(listed), frozenset()))

    names = "|".join([*said.VOCABULARIES, UNBROKEN])
    if op == "HASATTR":
        about = "What the field names is described in the firm's master data, with one of these attributes."
        return Parameter(
            "HASATTR_{vocabulary}", "texts", about, "HASATTR_bizLocation=cbvmda:city", ask, rf"HASATTR_({names})"
        )
    about = "What the field names has in the firm's master data this attribute, and its value is one of these."
    example = "EQATTR_bizLocation_cbvmda:city=Qingdao"
    return Parameter("EQATTR_{vocabulary}_{attribute}", "texts", about, example, ask, rf"EQATTR_({names})_(.+)")


def _families() -> Iterator[Parameter]:
    yield _typed("bizTransaction", "bizTransactionList", "bizTransaction", TRANSACTIONS,
                 "EQ_bizTransaction_po=https://example.com/po/123")  # fmt: skip
    owner = "=https://id.gs1.org/417/9520001001031"
    yield _typed("source", "sourceList", "source", CLEAR, f"EQ_source_owning_party{owner}")
    yield _typed("destination", "destinationList", "destination", CLEAR, f"EQ_destination_owning_party{owner}")
    yield from (_described(op) for op in ("HASATTR", "EQATTR"))
    yield from (_amount(op) for op in OPS)
    yield from (_measured(op, name) for name in MEASURES for op in OPS)
    # The longer beginnings first: EQ_INNER_ILMD_x:y is no field of the prefix INNER_ILMD_x.
    for inner in ("INNER_", ""):
        for scope in SCOPES:
            yield from (_field(op, inner, scope) for op in (*OPS, "EXISTS"))


FAMILIES: Final = tuple(_families())
"""Every family, in the order in which a name is compared with them."""
