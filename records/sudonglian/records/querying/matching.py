"""MATCH_ parameters: identifiers by any of their spellings, and patterns of EPCs.

EPCIS 2.0 §8.2.7.1.1 (what matches what); TDS 2.0 §8 (`urn:epc:idpat:`); docs/spec/identifiers.md (normal forms).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import identifiers_of, normal
from sudonglian.chain.identifiers.digital_link import UNESCAPED
from sudonglian.chain.identifiers.epc import PREFIX_LENGTHS, SCHEMES
from sudonglian.records.querying.errors import QueryRefused

ROLES: Final[Mapping[str, frozenset[str]]] = {
    "epc": frozenset({"epc", "child"}),
    "parentID": frozenset({"parent"}),
    "inputEPC": frozenset({"input"}),
    "outputEPC": frozenset({"output"}),
    "anyEPC": frozenset({"epc", "child", "parent", "input", "output", "trace_code"}),
    "epcClass": frozenset({"quantity", "child_quantity"}),
    "inputEPCClass": frozenset({"input_quantity"}),
    "outputEPCClass": frozenset({"output_quantity"}),
    "anyEPCClass": frozenset({"quantity", "child_quantity", "input_quantity", "output_quantity", "trace_code"}),
}
"""In which lists of an event each parameter looks; a province's own code is one more name of whatever it is put on."""

PATTERN: Final = re.compile(r"urn:epc:idpat:([a-z]+):(.+)", re.IGNORECASE | re.DOTALL)
DIGIT: Final = "[0-9]"
ANYTHING: Final = "[^/]+"


@dataclass(frozen=True, slots=True)
class Match:
    """One MATCH_ parameter: an event fits if one of its identifiers in these roles is named, or has a pattern's form."""

    roles: frozenset[str]
    normals: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]

    def __call__(self, event: Mapping[str, Json]) -> bool:
        """Return whether an event fits."""
        return any(
            one.role in self.roles
            and (one.normal in self.normals or any(pattern.fullmatch(one.normal) for pattern in self.patterns))
            for one in identifiers_of(dict(event))
        )


def match(kind: str, values: Iterable[str], parameter: str) -> Match:
    """Return the condition of a parameter like MATCH_epc, whose kind is what stands behind the `_`."""
    patterns, normals = [], set()
    for value in values:
        # A pattern without serial is also the name of a class, and is found as what it is.
        normals.add(normal(value))
        if found := PATTERN.fullmatch(value):
            patterns.append(_compiled(found[1].lower(), found[2], parameter))
    return Match(ROLES[kind], frozenset(normals), tuple(patterns))


def _compiled(scheme_name: str, body: str, parameter: str) -> re.Pattern[str]:
    """Return the pattern as an expression over normal forms; a Digital Link holds a check digit and no prefix length."""
    scheme = SCHEMES.get(("id", scheme_name))
    if scheme is None:
        raise QueryRefused(f"{scheme_name[:20]!r} is no scheme of EPC patterns that is known here", place=parameter)
    fields = body.split(".", scheme.parts - 1)
    if len(fields) != scheme.parts:
        raise QueryRefused(f"a pattern of {scheme_name} has {scheme.parts} fields", place=parameter)
    first_star = next((at for at, one in enumerate(fields) if one == "*"), len(fields))
    if first_star == len(fields) or any(one != "*" for one in fields[first_star:]):
        raise QueryRefused("a pattern is an EPC whose last fields, at least one, are *", place=parameter)
    return re.compile(_expression(scheme_name, fields, parameter))


def _expression(name: str, fields: list[str], parameter: str) -> str:
    scheme = SCHEMES["id", name]
    prefix, reference = fields[0], fields[1]
    if prefix != "*" and not (re.fullmatch(r"[0-9]+", prefix) and len(prefix) in PREFIX_LENGTHS):
        raise QueryRefused("a company prefix has 6 to 12 digits", place=parameter)
    if scheme.form == "free":
        text = "" if reference == "*" else quote(unquote(reference), safe=UNESCAPED)
        key = ANYTHING if prefix == "*" else re.escape(prefix + text) + (ANYTHING if reference == "*" else "")
    else:
        length = scheme.digits
        rest = 0 if prefix == "*" else length - len(prefix)
        if rest < 0 or (reference != "*" and not re.fullmatch(rf"[0-9]{{{rest}}}", reference)):
            raise QueryRefused(f"prefix and reference of {name} have {length} digits together", place=parameter)
        if prefix == "*":
            body = f"{DIGIT}{{{length}}}"
        elif scheme.form == "plain":
            body = prefix + (f"{DIGIT}{{{rest}}}" if reference == "*" else reference)
        elif reference == "*":
            body = f"{DIGIT}{prefix}{DIGIT}{{{rest - 1}}}"
        else:
            body = reference[0] + prefix + reference[1:]
        key = ("0" if scheme.ai == "8003" else "") + body + DIGIT
    if name == "itip":
        key += "".join(f"{DIGIT}{{2}}" if one == "*" else re.escape(one) for one in fields[2:4])
    start = re.escape(f"https://id.gs1.org/{scheme.ai}/")
    if scheme.parts == 2:
        return start + key
    if scheme.serial == "254":  # a place without extension is one of its places too
        return f"{start}{key}(?:/254/{ANYTHING})?"
    if scheme.serial:
        return f"{start}{key}/{scheme.serial}/{ANYTHING}"
    return f"{start}{key}{ANYTHING}"
