"""The query parameters as Markdown, from the tables that read them: docs/query-parameters.md.

House rule: a test fails when something is undocumented. Written again by `python -m sudonglian.api.query_reference`.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Final

from sudonglian.api.console import tell
from sudonglian.records.epcis import units
from sudonglian.records.querying.families import FAMILIES, MEASURES
from sudonglian.records.querying.parameter import GIVEN, Parameter
from sudonglian.records.querying.said import VOCABULARIES
from sudonglian.records.querying.standing import STANDING

HEADING: Final = """# Query parameters

Written by `python -m sudonglian.api.query_reference > docs/query-parameters.md`; a test compares, and another finds one event and misses one by every parameter.
They are taken by `GET /epcis/v2/events`, by `…/events` of every resource, and as `NAME=VALUE` by `sudonglian events`. Beside them HTTP takes `perPage` and `nextPageToken` (docs/http.md).

- Everything that is asked must fit. Each parameter is fulfilled by itself: `GE_value_CEL=0&LT_value_CEL=5` also finds an event with one reading of 10 and one of -20 (EPCIS 2.0 §8.2.7.1).
- A parameter that is not in these tables is refused with its name, never ignored; so are a value that it cannot have, and a parameter that is given twice.
- Several values of one parameter are separated by `|`; a list of identifiers or of words of a vocabulary may be separated by commas too, and a value that itself holds a comma is also looked for whole.
- Identifiers are compared by their normal form (docs/spec/identifiers.md): an EPC URN finds the Digital Link, and the other way round. Words of the CBV are compared in any of their spellings.
- A pattern of `MATCH_` is an EPC whose last fields are `*`: `urn:epc:idpat:sgtin:0614141.*.*`. A Digital Link does not say how long its company prefix is, so a pattern is compared by digits.
- A field of an extension is named as it stands in the events (`EQ_acme:dock`), by its IRI (`EQ_https://acme.example/dock`), or by a prefix that the asker binds (`GS1-Extensions: a=https://acme.example/`, `--extensions`).
- Withheld members are found too: they are the asker's own. People are asked for in a case alone.
- `HASATTR_` and `EQATTR_` ask the master data that the asker's own firm has sent, as they stand now. An attribute is named by its URI, by `cbvmda:` and its word, or by its word alone (`city`); a description of a product is not that of its lots.
- Within a place (`WD_`) lies what is an extension of its GLN, what that firm's master data list among its children, and what they say is of its site (`cbvmda:site`); and what lies within those."""


def render() -> str:
    """Return the whole reference."""
    legend = "\n".join(f"- *{given}*: {_lowered(about)}" for given, about in GIVEN.items() if given != "word")
    parts = [HEADING, "What a parameter is given:", legend, "## Parameters of fixed name", table(STANDING.values())]
    parts += ["## Families", _FAMILIES, table(FAMILIES)]
    parts += ["## Units that are converted", _UNITS, "\n".join(_units())]
    return "\n\n".join(parts) + "\n"


def table(parameters: Iterable[Parameter]) -> str:
    """Return a table of parameters."""
    rows = [f"| `{one.name}` | {one.about} | {_given(one)} | {_example(one)} |" for one in parameters]
    return "\n".join(["| parameter | what it asks | given | example |", "|---|---|---|---|", *rows])


_FAMILIES: Final = (
    "`{type}` is a word of the CBV or a URI, `{vocabulary}` one of "
    + ", ".join(f"`{one}`" for one in VOCABULARIES)
    + " or a field of an extension without `_`, `{attribute}` an attribute of master data, `{uom}` a code of UN/ECE Recommendation 20, `{field}` a prefixed name or an IRI; "
    "after `SENSORMETADATA_` and `SENSORREPORT_` also an attribute of the standard. The `_{uom}` after "
    + ", ".join(f"`{one}`" for one in MEASURES)
    + " may be left out: the number is then compared as written, whatever its unit."
)

_UNITS: Final = (
    "Exactly, by fractions: an event in degrees Celsius is found by kelvin. Units of one row compare; any other code compares with "
    "itself alone. A standard deviation (`sDev`) is converted as a difference."
)


def _units() -> Iterator[str]:
    yield "| kind | codes |"
    yield "|---|---|"
    kinds: dict[str, list[str]] = {}
    for code, unit in units.known().items():
        kinds.setdefault(unit.kind, []).append(code)
    for kind, codes in kinds.items():
        yield f"| {kind} | {' '.join(f'`{code}`' for code in codes)} |"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _given(one: Parameter) -> str:
    return ", ".join(f"`{word}`" for word in one.words) if one.words else one.given


def _example(one: Parameter) -> str:
    whole = one.example if "=" in one.example and one.form else f"{one.name}={one.example}"
    return f"`{_escaped(whole)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    tell(sys.stdout, render(), end="")
