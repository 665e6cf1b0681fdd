"""Which members of an answer a reader wants to see, and in which order: filters and sorting, kept in the address.

service.md (Pages: state lives in the URL; lists are also tables); docs/decisions/0860.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Query

from sudonglian.api.http.tracing import MAX_IDENTIFIER
from sudonglian.api.pages.answer import KINDS, Answer, Row
from sudonglian.api.pages.language import word
from sudonglian.api.pages.times import told
from sudonglian.trace.engine.pictures.times import ZONE, local, order

SORTS: Final = ("", "time", "generation", "name", "place")
"""Ways to sort; the first is by whom to call first."""

EVIDENCE: Final = ("certain", "possible")

MAX_TEXT: Final = 200
"""Characters that are searched for."""

Named = Annotated[str, Query(max_length=MAX_IDENTIFIER)]
Short = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for; an empty one is not asked."""

    kind: str = ""
    tier: str = ""
    evidence: str = ""
    generation: str = ""
    place: str = ""
    q: str = ""
    until: str = ""
    """Reached no later than this: a moment in China's time."""
    sort: str = ""
    selected: str = ""
    """The member that every view shows as chosen."""

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.kind or self.tier or self.evidence or self.generation or self.place or self.q or self.until)

    def asked(self, **other: object) -> dict[str, object]:
        """Return the parameters of an address that asks for the same, with some of them changed."""
        same = {
            "kind": self.kind,
            "tier": self.tier,
            "evidence": self.evidence,
            "generation": self.generation,
            "place": self.place,
            "q": self.q,
            "until": self.until,
            "sort": self.sort,
            "selected": self.selected,
        }
        return {**same, **other}

    def of(self, answer: Answer) -> list[Row]:
        """Return the members that are wanted, sorted; those that are alike stay as the answer has them."""
        moment = _moment(self.until)
        text = self.q.casefold()
        found = [row for row in answer.rows if self._wants(row, moment) and (not text or text in _text(row, answer))]
        match self.sort:
            case "time":
                return sorted(found, key=lambda row: order(row.time), reverse=answer.backward)
            case "generation":
                return sorted(found, key=lambda row: row.generation)
            case "name":
                return sorted(found, key=lambda row: row.name)
            case "place":
                return sorted(found, key=answer.place_name)
            case _:
                return found

    def _wants(self, row: Row, moment: datetime | None) -> bool:
        if self.kind not in ("", row.kind) or self.tier not in ("", row.tier) or self.place not in ("", row.place):
            return False
        if self.evidence and (self.evidence == "certain") != (row.evidence == "certain"):
            return False
        if self.generation and self.generation != str(row.generation):
            return False
        return moment is None or order(row.time) <= moment


def wanted(
    kind: Annotated[str, Query(pattern=f"^({'|'.join(KINDS)})?$")] = "",
    tier: Short = "",
    evidence: Annotated[str, Query(pattern=f"^({'|'.join(EVIDENCE)})?$")] = "",
    generation: Annotated[str, Query(pattern="^[0-9]{0,7}$")] = "",
    place: Named = "",
    q: Annotated[str, Query(max_length=MAX_TEXT)] = "",
    until: Short = "",
    sort: Annotated[str, Query(pattern=f"^({'|'.join(SORTS)})$")] = "",
    selected: Named = "",
) -> Wanted:
    """Return what the address of a page asks for."""
    return Wanted(kind, tier, evidence, generation, place, q.strip(), until, sort, selected)


COLUMNS: Final = (
    *("kind", "id", "who", "tier", "evidence", "since", "where", "place", "generation", "objects", "persons"),
    "reason",
)


def listed(answer: Answer, rows: Iterable[Row]) -> Iterator[tuple[str, ...]]:
    """Yield the lines of a table of members, its headings first."""
    lang = answer.names.lang
    yield tuple(word(lang, f"list.{name}") for name in COLUMNS)
    for row in rows:
        yield (
            word(lang, f"kind.{row.kind}"),
            row.id,
            row.name,
            row.tier_name,
            word(lang, f"evidence.{row.evidence}"),
            told(row.time),
            answer.place_name(row) if row.place else "",
            row.place,
            str(row.generation),
            str(row.objects),
            str(row.persons),
            row.reason,
        )


def choices(answer: Answer) -> Mapping[str, list[tuple[str, str]]]:
    """Return what each filter can be set to: the value and its name."""
    lang = answer.names.lang
    return {
        "kind": [(kind, word(lang, f"kind.{kind}")) for kind in KINDS],
        "tier": [*{row.tier: row.tier_name for row in answer.rows if row.tier}.items()],
        "evidence": [(one, word(lang, f"evidence.{one}")) for one in EVIDENCE],
        "generation": [(str(one), str(one)) for one in sorted({row.generation for row in answer.rows})],
        "sort": [(one, word(lang, f"sort.{one}")) for one in SORTS],
    }


def as_json(answer: Answer, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the members of a list, with all that its columns show."""
    return [
        {
            **{name: getattr(row, name) for name in ("kind", "id", "name", "tier", "tier_name", "evidence", "time")},
            **{name: getattr(row, name) for name in ("place", "generation", "objects", "persons", "reason")},
            "place_name": answer.place_name(row) if row.place else "",
        }
        for row in rows
    ]


def _text(row: Row, answer: Answer) -> str:
    return f"{row.name}\n{row.id}\n{row.tier_name}\n{answer.place_name(row)}\n{row.reason}".casefold()


def _moment(text: str) -> datetime | None:
    """Return a time of an address; one without an offset is China's, and what is no time is not asked."""
    if not text:
        return None
    found = local(text)
    if found is None:
        try:
            found = datetime.fromisoformat(text).replace(tzinfo=ZONE)
        except (ValueError, OverflowError):
            return None
    return found
