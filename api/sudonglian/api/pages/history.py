"""The history of a firm's own records: searched, filtered, page by page, and exported.

service.md (Pages: Firm); docs/decisions/0851. State lives in the address; the list is JSON and a sheet too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from sudonglian.api.caller import Caller
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import PER_PAGE, PageToken, PerPage, declared_only, row_of, token_for
from sudonglian.api.pages.exports import list_answer
from sudonglian.api.pages.language import known, lang_of, named_language, word
from sudonglian.api.pages.own_rows import rows_of
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import link, page
from sudonglian.api.pages.session import Owner
from sudonglian.api.pages.times import of_micros
from sudonglian.api.parsing import identifier_of, record_hash_of
from sudonglian.api.scopes import Scope
from sudonglian.api.settings import Lang
from sudonglian.records import derive, own_records
from sudonglian.records.own_records import Asked
from sudonglian.records.querying.values import bare
from sudonglian.records.sheets import words
from sudonglian.records.sheets.cells import Cell
from sudonglian.trace.engine.pictures.times import ZONE

MOST_ROWS: Final = 20_000
"""Rows of an exported sheet; who has more exports by month."""

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Text = Annotated[str, Query(max_length=2_000)]
Day = Annotated[str, Query(max_length=10)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the history, as the address has them."""

    q: Text = ""
    step: Annotated[str, Query(max_length=200)] = ""
    since: Day = ""
    until: Day = ""
    late: Annotated[Literal["", "1"], Query()] = ""

    def address(self) -> dict[str, str]:
        """Return what the address says of it."""
        said = {"q": self.q, "step": self.step, "since": self.since, "until": self.until, "late": self.late}
        return {name: value for name, value in said.items() if value}

    def asked(self) -> Asked:
        """Return the question.

        Raises
        ------
        UsageRefused
            A day that is none.
        """
        digest, thing, part = _meant(self.q.strip())
        last = _day(self.until, "until")
        return Asked(
            thing=thing,
            part=part,
            record_hash=digest,
            since_us=None if (first := _day(self.since, "since")) is None else derive.micros(first),
            until_us=None if last is None else derive.micros(last + timedelta(days=1)),
            step=bare(self.step.strip()),
            is_late=bool(self.late),
        )


Filters = Annotated[Wanted, Depends()]


@router.get("/mine/records")
def history(
    request: Request, caller: Owner, wanted: Filters, per_page: PerPage = PER_PAGE, page_token: PageToken = None
) -> Response:
    """List the firm's own records that fit, the newest that came in first."""
    rows, after = _listed(request, caller, wanted, per_page, page_token)
    lang, query = lang_of(request), wanted.address()
    step_words = [(code, one) for code, one in zip(words.codes("step"), words.choices("step", lang), strict=True)]
    values = {
        "rows": rows,
        "wanted": wanted,
        "steps": step_words,
        "filtered": bool(query),
        "is_first": page_token is None,
        "next_url": after and link(request, "/mine/records", **query, nextPageToken=after, perPage=per_page),
        "exports": [(form, f"/mine/records.{form}?{urlencode({**query, 'lang': lang})}") for form in ("csv", "xlsx")],
        "may_send": caller.may(Scope.capture),
    }
    json_url = link(request, "/mine/records.json", **query)
    return page(request, "mine_records.html", caller, values, json_url=json_url)


@router.get("/mine/records.json")
def history_json(
    request: Request, caller: Owner, wanted: Filters, per_page: PerPage = PER_PAGE, page_token: PageToken = None
) -> Response:
    """Give the list as the page shows it, with the token of the next page."""
    rows, after = _listed(request, caller, wanted, per_page, page_token)
    return json_answer({"records": rows, "next_page_token": after or None})


@router.get("/mine/records.csv")
def history_csv(request: Request, caller: Owner, wanted: Filters) -> Response:
    """Give all that fits as CSV."""
    return _sheet(request, caller, wanted, "csv")


@router.get("/mine/records.xlsx")
def history_xlsx(request: Request, caller: Owner, wanted: Filters) -> Response:
    """Give all that fits as a workbook."""
    return _sheet(request, caller, wanted, "xlsx")


def _listed(
    request: Request, caller: Caller, wanted: Wanted, per_page: int, token: str | None
) -> tuple[list[dict[str, Any]], str]:
    firm = submitter_of(caller)
    with door_of(request).store.read() as connection:
        found = own_records.find(connection, firm, wanted.asked(), per_page, row_of(token, 0) or None)
        rows = rows_of(connection, found.records, lang_of(request))
    return rows, "" if found.after is None else token_for(str(found.after))


def _sheet(request: Request, caller: Caller, wanted: Wanted, form: str) -> Response:
    title = word(lang_of(request), "mine.records.title")
    return list_answer(list(_cells(request, caller, wanted)), form, "sudonglian-records", title)


def _cells(request: Request, caller: Caller, wanted: Wanted) -> Iterator[list[Cell]]:
    firm, lang = submitter_of(caller), lang_of(request)
    yield [
        word(lang, "mine.when"),
        word(lang, "mine.step"),
        word(lang, "mine.things"),
        word(lang, "mine.identifiers"),
        word(lang, "mine.place"),
        word(lang, "mine.recorded"),
        word(lang, "mine.late"),
        word(lang, "mine.confirmation"),
        word(lang, "mine.index"),
        word(lang, "mine.hash"),
    ]
    left, before = MOST_ROWS, None
    with door_of(request).store.read() as connection:
        while left > 0:
            found = own_records.find(connection, firm, wanted.asked(), min(left, own_records.BATCH), before)
            for one in rows_of(connection, found.records, lang):
                yield _line(one, lang)
            left -= len(found.records)
            before = found.after
            if before is None:
                return
    yield [word(lang, "mine.cut", rows=MOST_ROWS)]


def _line(one: Mapping[str, Any], lang: Lang) -> list[Cell]:
    confirmed = one["confirmation"]
    return [
        of_micros(one["event_us"]),
        known(lang, f"bizstep.{one['step']}", one["step"]),
        " · ".join(each["name"] for each in one["things"]),
        " ".join(each["id"] for each in one["things"]),
        one["place"],
        of_micros(one["captured_us"]),
        one["late"],
        known(lang, f"confirmation.{confirmed}", confirmed) if one["is_handoff"] else "",
        one["log_index"],
        one["record_hash"],
    ]


def _meant(text: str) -> tuple[bytes | None, str, str]:
    """Return what somebody searches: a record, a thing, or a part of a thing's name."""
    if len(text.removeprefix("0x")) == 64:
        try:
            return record_hash_of(text), "", ""
        except UsageRefused:
            pass
    try:
        return None, identifier_of(text, "q") if text else "", ""
    except UsageRefused:
        return None, "", text


def _day(text: str, place: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=ZONE)
    except ValueError:
        zh = f"{text!r} 不是日期,应如 2026-01-05"
        raise UsageRefused(f"{text!r} is not a day like 2026-01-05", place=place, zh=zh) from None
