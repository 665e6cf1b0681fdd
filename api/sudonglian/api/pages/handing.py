"""The form for one handoff: typed, looked at with every mistake at its field, sent.

docs/decisions/0852 (it is judged as a sheet of few rows); docs/firm.md. It needs no script.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import captures
from sudonglian.api.http.auth import submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.pages.forms import Form, SmallForm
from sudonglian.api.pages.language import lang_of, named_language, word
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import HEADERS, SEE_OTHER, link, page
from sudonglian.api.pages.session import Capturer
from sudonglian.api.settings import Lang
from sudonglian.records.sheets import columns, taking, typed, words
from sudonglian.records.sheets.columns import Column
from sudonglian.records.sheets.faults import SheetRefused
from sudonglian.records.sheets.taking import Told
from sudonglian.trace.engine.pictures.times import ZONE

MOST_ROWS: Final = 40
"""Of goods in one form; more are a sheet."""

FIRST_ROWS: Final = 2

MAX_VALUE: Final = 400
"""Characters of a field."""

HANDOFF: Final = ("handoff", "step", "time", "place", "from", "to")
GOODS: Final = ("item", "lot", "product", "quantity", "unit", "class")
MORE_GOODS: Final = ("serial", "origin", "produced", "expires", "plant", "tlc_source", "part")
MORE: Final = tuple(one.key for one in columns.HANDOFFS if one.level != "goods" and one.key not in (*HANDOFF, "zone"))
"""What few handoffs need: papers, vehicle, temperatures, who handled it."""

TYPES: Final = {"time": "datetime-local", "measured": "datetime-local", "produced": "date", "expires": "date"}
DECIMAL: Final = frozenset({"quantity", "temperature", "coldest", "warmest"})

DOES: Final = ("more", "preview", "take")

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Given = Annotated[str, Query(max_length=MAX_VALUE)]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a field, in a person's language; without a key it is about all of the form."""

    level: str
    key: str
    row: int
    text: str

    @property
    def field(self) -> str:
        """Return the field's name in the form."""
        return f"{self.key}.{self.row}" if self.key in (*GOODS, *MORE_GOODS) else self.key


@router.get("/mine/new")
def new(
    request: Request,
    caller: Capturer,
    step: Given = "",
    place: Given = "",
    giver: Annotated[str, Query(alias="from", max_length=MAX_VALUE)] = "",
    taker: Annotated[str, Query(alias="to", max_length=MAX_VALUE)] = "",
    item: Given = "",
) -> Response:
    """Offer the form, with what the address already says."""
    now = datetime.now(ZONE)
    values = {
        "handoff": f"{now:%Y%m%d}-{token_hex(3).upper()}",
        "step": step or "shipping",
        "time": f"{now:%Y-%m-%dT%H:%M}",
        "place": place,
        "from": giver or submitter_of(caller),
        "to": taker,
        "item.0": item,
    }
    return page(request, "handing.html", caller, _values(request, values, FIRST_ROWS, (), None))


@router.post("/mine/new")
def send(request: Request, caller: Capturer, form: SmallForm) -> Response:
    """Add a row, look at what was typed, or take it: what the pressed button says."""
    pressed = form.field("do")
    if pressed not in DOES:
        known = ", ".join(DOES)
        raise UsageRefused(f"one of: {known}", place="do", zh=f"应为其中之一:{known}")
    values, count = _typed(form), _count(form)
    if pressed == "more":
        shown = _values(request, values, min(count + 1, MOST_ROWS), (), None)
        return page(request, "handing.html", caller, shown)
    lang, now, door = lang_of(request), datetime.now(UTC), door_of(request)
    at, rows = _rows(values, count)
    raw = typed.sheet_of(rows)
    wanted = captures.profile_for(caller, None, "profile")
    try:
        prepared = taking.prepare(door.keys, raw, submitter=submitter_of(caller), now=now, profile=wanted)
    except SheetRefused as refusal:
        raise refusal.told(lang) from refusal
    job = None
    if pressed == "take" and prepared.reading.handoffs:
        told, job, _ = captures.take_sheet(door, caller, raw, prepared, "rollback", now, wanted)
    else:
        with door.store.read() as connection:
            told = taking.preview(connection, prepared)
    if job is not None:
        return RedirectResponse(link(request, f"/mine/receipts/{job.name}"), SEE_OTHER, HEADERS)
    mistakes = tuple(_mistakes(told, at, lang))
    wrong = any(one.level == "error" for one in mistakes)
    return page(
        request, "handing.html", caller, _values(request, values, count, mistakes, told), status=422 if wrong else 200
    )


def _typed(form: Form) -> dict[str, str]:
    """Return the fields that are columns, by their names in the form."""
    known = {one.key for one in columns.HANDOFFS}
    return {
        name: form.field(name)[:MAX_VALUE]
        for name in form.fields
        if name.partition(".")[0] in known and form.field(name)
    }


def _count(form: Form) -> int:
    text = form.field("rows")
    return min(max(int(text), 1), MOST_ROWS) if text.isascii() and text.isdigit() and len(text) < 4 else FIRST_ROWS


def _rows(values: Mapping[str, str], count: int) -> tuple[list[int], list[dict[str, str]]]:
    """Return the rows of the sheet, and of each which row of the form it is; an empty one is none."""
    whole = {name: value for name, value in values.items() if "." not in name}
    goods = [
        (row, {key: value for key in (*GOODS, *MORE_GOODS) if (value := values.get(f"{key}.{row}", ""))})
        for row in range(count)
    ]
    filled = [(row, said) for row, said in goods if said] or [(0, {})]
    # What is about the handoff stands once: a mistake in it is then told once.
    rows = [{**said, **(whole if not at else _key(whole))} for at, (_, said) in enumerate(filled)]
    return [row for row, _ in filled], rows


def _key(whole: Mapping[str, str]) -> dict[str, str]:
    return {name: whole.get(name, "") for name in ("handoff", "step")}


def _mistakes(told: Told, at: Sequence[int], lang: Lang) -> Iterator[Mistake]:
    for fault in told.faults:
        place = typed.place_of(fault, at)
        yield Mistake(fault.level, place.key, place.row, fault.message[lang])
    if told.prepared.reading.examples:
        yield Mistake("error", "handoff", 0, word(lang, "handing.example"))


def _values(
    request: Request, values: Mapping[str, str], count: int, mistakes: Sequence[Mistake], told: Told | None
) -> dict[str, Any]:
    lang = lang_of(request)
    by_key = {one.key: one for one in columns.HANDOFFS}
    at_field: dict[str, list[Mistake]] = {}
    for one in mistakes:
        at_field.setdefault(one.field, []).append(one)

    def field(key: str, row: int | None = None) -> dict[str, Any]:
        name = key if row is None else f"{key}.{row}"
        return {
            "name": name,
            "id": f"f-{name.replace('.', '-')}",
            "label": by_key[key].heading(lang).rstrip("*"),
            "note": by_key[key].note(lang),
            "required": by_key[key].required,
            "value": values.get(name, ""),
            "type": TYPES.get(key, "text"),
            "mode": "decimal" if key in DECIMAL else "text",
            "choices": _choices(by_key[key], lang),
            "mistakes": at_field.get(name, []),
        }

    more = [field(key) for key in MORE]
    rows = []
    for row in range(count):
        further = [field(key, row) for key in MORE_GOODS]
        opened = any(one["value"] or one["mistakes"] for one in further)
        rows.append({"fields": [field(key, row) for key in GOODS], "more": further, "open": opened})
    errors = [one for one in mistakes if one.level == "error"]
    return {
        "handoff": [field(key) for key in HANDOFF],
        "rows": rows,
        "count": count,
        "may_grow": count < MOST_ROWS,
        "more": more,
        "more_open": any(one["value"] or one["mistakes"] for one in more),
        "mistakes": mistakes,
        "errors": len(errors),
        "labels": {one.key: one.heading(lang).rstrip("*") for one in columns.HANDOFFS},
        "looked": told is not None and not errors,
        "was_sent": told is not None and bool(told.taken.unchanged),
    }


def _choices(column: Column, lang: Lang) -> list[tuple[str, str]]:
    if not column.choice:
        return []
    if column.choice == "role":
        return [(one, one) for one in words.choices("role", lang)]
    return list(zip(words.codes(column.choice), words.choices(column.choice, lang), strict=True))
