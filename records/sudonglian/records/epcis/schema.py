"""The schema's verdict on one event, as findings.

EPCIS 2.0 §7.4 and CBV 2.0 §7, as written down in epcis-2.0.json; docs/decisions/0201.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import jsonschema_rs

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.findings import Finding, error, pointer, warning
from sudonglian.records.epcis.plain import CORE

EVENT_TYPES: Final = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")

EMPTY_ALLOWED: Final = frozenset({"disposition", "transformationID"})
"""Optional members that exporters write as "" for "none"; published traces do (docs/decisions/0201)."""

RELATIVE_ALLOWED: Final = frozenset({"transformationID"})
"""The XML binding types it anyURI, so that a bare UUID passes there; published traces have one."""

CBV: Final = "https://ref.gs1.org/cbv/"
"""The namespace of the vocabulary in JSON-LD: `BizStep-shipping` there is `shipping` in JSON."""

_Schema = dict[str, Any]


@cache
def document() -> _Schema:
    """Return the schema as it is written."""
    text = resources.files("sudonglian.records.epcis").joinpath("epcis-2.0.json").read_text("utf-8")
    found: _Schema = json.loads(text)
    return found


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    whole = document()
    return jsonschema_rs.Draft202012Validator(
        {"$schema": whole["$schema"], "$ref": f"#/$defs/{name}", "$defs": whole["$defs"]}, validate_formats=True
    )


@cache
def members_of(name: str) -> frozenset[str]:
    """Return the members that the standard gives to an object of the schema."""
    return frozenset(document()["$defs"][name].get("properties", ()))


@cache
def words_of(path: str) -> tuple[str, ...]:
    """Return the words of a vocabulary: the enumeration of a definition, or of one of its properties.

    >>> words_of("errorDeclaration/reason")
    ('did_not_occur', 'incorrect_data')
    """
    name, _, member = path.partition("/")
    node = document()["$defs"][name]
    choices = (node["properties"][member] if member else node)["anyOf"]
    return tuple(next(choice["enum"] for choice in choices if "enum" in choice))


def check_schema(event: dict[str, Json], terms: frozenset[str] = frozenset()) -> list[Finding]:
    """Return what the schema finds in one event; `terms` are what its contexts bind besides GS1's own.

    >>> [(f.code, f.pointer) for f in check_schema({"type": "Event"})]
    [('event-type', '/type')]
    """
    kind = event.get("type")
    if not isinstance(kind, str) or kind not in EVENT_TYPES:
        return [
            error(
                "event-type",
                "/type",
                "EPCIS 2.0 §7.4",
                "type 应为五种事件之一:" + "、".join(EVENT_TYPES),
                "type must be one of the five events: " + ", ".join(EVENT_TYPES),
            )
        ]
    unbound = [*_unbound(event, terms)] if ":" in "".join(event) else []
    if not unbound and is_valid(event):
        return []
    return _once([*_failures(kind, event, terms), *unbound])


def is_valid(event: dict[str, Json]) -> bool:
    """Return the schema's bare verdict on an event of one of the five types.

    >>> is_valid({"type": "ObjectEvent"})
    False
    """
    return _validator(str(event["type"])).is_valid(event)


def check_envelope(envelope: dict[str, Json]) -> list[Finding]:
    """Return what the schema finds in the members around the events of a document."""
    return _once(list(_failures("envelope", envelope, frozenset())))


def _failures(name: str, instance: dict[str, Json], terms: frozenset[str]) -> Iterator[Finding]:
    validator = _validator(name)
    if validator.is_valid(instance):
        return
    for failure in validator.iter_errors(instance):
        path = [*failure.instance_path]
        annotation, owner = _annotation([*failure.schema_path])
        kind: Any = failure.kind
        if kind.name == "additionalProperties":
            for member in kind.unexpected:
                if member not in terms:
                    yield _unexpected(pointer(*path, member), member, owner, instance["type"], annotation["rule"])
        elif kind.name == "required":
            yield _missing(pointer(*path, kind.property), kind.property, annotation["rule"])
        elif kind.name == "dependentRequired":
            for member in _absent(failure.instance, annotation["dependent"]):
                yield _missing(pointer(*path, member), member, annotation["rule"])
        elif len(path) == 1 and failure.instance == "" and path[0] in EMPTY_ALLOWED:
            yield _empty(pointer(*path), annotation["rule"])
        elif len(path) == 1 and path[0] in RELATIVE_ALLOWED and isinstance(failure.instance, str):
            yield warning(annotation["code"], pointer(*path), annotation["rule"], annotation["zh"], annotation["en"])
        elif word := _full_cbv(failure.instance, annotation["words"]):
            yield warning("cbv-uri", pointer(*path), annotation["rule"], f"应直接写 {word}", f"must be written {word}")
        elif word := _meant(failure.instance, annotation["words"]):
            zh, en = f"{annotation['zh']};请直接写 {word}", f"{annotation['en']}; write {word}"
            yield error(annotation["code"], pointer(*path), annotation["rule"], zh, en)
        else:
            yield error(annotation["code"], pointer(*path), annotation["rule"], annotation["zh"], annotation["en"])


def _annotation(path: list[str | int]) -> tuple[dict[str, Any], str]:
    # The deepest `finding` on the way to the keyword that failed, and the definition that it stands in.
    node: Any = document()
    found: dict[str, Any] = {}
    for step in path:
        node = node[step]
        if isinstance(node, dict) and "finding" in node:
            words = next((choice["enum"] for choice in node.get("anyOf", ()) if "enum" in choice), ())
            found = {**node["finding"], "dependent": node.get("dependentRequired", {}), "words": words}
    return found, str(path[1]) if len(path) > 1 else ""


def _absent(instance: Any, dependent: dict[str, list[str]]) -> list[str]:
    return [name for given, needed in dependent.items() if given in instance for name in needed if name not in instance]


def _full_cbv(value: Any, words: list[str]) -> str | None:
    # What JSON-LD makes of the bare word; the URN of the 1.x standards has no such excuse (docs/decisions/0201).
    if not isinstance(value, str) or not value.startswith(CBV):
        return None
    word = value.removeprefix(CBV).partition("-")[2]
    return word if word in words else None


def _meant(value: Any, words: Sequence[str]) -> str | None:
    # The URN of CBV 1.x, capitals, a space: still an error, and the word that was meant is told.
    if not isinstance(value, str):
        return None
    bare = value.rpartition(":")[2].strip().replace(" ", "_").replace("-", "_").casefold()
    return next((word for word in words if word.casefold() == bare), None)


def _missing(place: str, member: str, rule: str) -> Finding:
    return error("member-missing", place, rule, f"缺少 {member}", f"{member} is missing")


def _empty(place: str, rule: str) -> Finding:
    return warning("member-empty", place, rule, "空字符串按没有填写处理", "an empty string counts as absent")


def _unexpected(place: str, member: str, owner: str, kind: Json, rule: str) -> Finding:
    standard = set().union(*(members_of(name) for name in (*EVENT_TYPES, owner)))
    if member.startswith("@"):
        return error(
            "member-not-allowed",
            place,
            "EPCIS 2.0, JSON binding",
            f"应使用 EPCIS 的成员名,而非 {member}",
            f"{member} must be written with the name that EPCIS gives it",
        )
    if member in standard and owner in EVENT_TYPES:
        return error("member-not-allowed", place, rule, f"{kind} 没有 {member}", f"{kind} has no {member}")
    folded = {name.lower(): name for name in members_of(owner)}
    if meant := folded.get(member.lower().replace("_", "").replace("-", "")):
        return error("member-misspelt", place, rule, f"应写作 {meant}", f"must be written {meant}")
    return warning(
        "member-undefined",
        place,
        "JSON-LD 1.1 §5.1.2",
        f"没有任何上下文定义 {member},其他系统会丢弃它;扩展成员应带前缀",
        f"no context defines {member}, so that other systems drop it; an extension needs a prefix",
    )


def _unbound(event: Iterable[str], terms: frozenset[str]) -> Iterator[Finding]:
    for member in event:
        prefix, colon, _ = member.partition(":")
        if colon and prefix not in terms and prefix not in CORE and prefix not in ("urn", "http", "https"):
            if any(term.startswith("http") for term in terms):  # a foreign context, never fetched, may bind it
                return
            yield warning(
                "prefix-unbound",
                pointer(member),
                "EPCIS 2.0, JSON binding",
                f"上下文没有定义前缀 {prefix}",
                f"no context binds the prefix {prefix}",
            )


def _once(findings: list[Finding]) -> list[Finding]:
    return list({(f.code, f.pointer): f for f in reversed(findings)}.values())[::-1]
