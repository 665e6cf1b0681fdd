"""A firm's own pages: what to do next, and the history of its own records with search, paging and exports.

service.md (Pages: Firm); docs/decisions/0851. State lives in the address; each page is JSON too, the list a sheet as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from sudonglian.api.caller import Caller
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import captures
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import PER_PAGE, PageToken, PerPage, declared_only, row_of, token_for
from sudonglian.api.http.routes import temperature as temperature_routes
from sudonglian.api.http.routes.sheets import file_answer
from sudonglian.api.pages.language import known, lang_of, named_language, word
from sudonglian.api.pages.naming import Names, places_of
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import HEADERS, link, page
from sudonglian.api.pages.session import Owner
from sudonglian.api.pages.thermograph import judged
from sudonglian.api.pages.times import of_micros
from sudonglian.api.parsing import identifier_of, record_hash_of
from sudonglian.api.scopes import Scope
from sudonglian.api.settings import Lang
from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import identifiers_of, normal
from sudonglian.records import anchor_book, confirmation, derive, jobs, own_records, reader, registry, unsigned
from sudonglian.records.master_data import names_of
from sudonglian.records.own_records import Asked
from sudonglian.records.querying.values import bare
from sudonglian.records.reader import StoredRecord
from sudonglian.records.sheets import words, written
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.temperature import told
from sudonglian.records.temperature import words as temperature_words
from sudonglian.trace.engine.pictures.times import ZONE

SUBMISSIONS: Final = 5
"""On the first page; EPCIS's own list of captures has all."""

MEASURED: Final = 60
"""Newest records that the first page looks through for temperatures out of range."""

SHOWN_THINGS: Final = 3
"""Goods beside a record in a list; its own page has all."""

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


@router.get("/mine")
def mine(request: Request, caller: Owner) -> Response:
    """Show a firm what waits for it, and what it did last."""
    with door_of(request).store.read() as connection:
        seen = _home(request, connection, caller)
    return page(request, "mine.html", caller, seen, json_url=link(request, "/mine.json"))


@router.get("/mine.json")
def mine_json(request: Request, caller: Owner) -> Response:
    """Give what the page shows."""
    with door_of(request).store.read() as connection:
        return json_answer(_home(request, connection, caller))


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


@router.get("/mine/temperature.json")
def temperature_json(
    request: Request, caller: Owner, lot: Text, kind: Annotated[str, Query(alias="class", max_length=40)] = ""
) -> Response:
    """Give a lot's temperatures as far as the firm's own records show them."""
    return json_answer(temperature_routes.report_of(request, lot, kind, submitter_of(caller)).as_json())


@router.get("/mine/temperature.csv")
def temperature_csv(
    request: Request, caller: Owner, lot: Text, kind: Annotated[str, Query(alias="class", max_length=40)] = ""
) -> Response:
    """Give the readings of the firm's own records of a lot."""
    return temperature_routes.csv_answer(temperature_routes.report_of(request, lot, kind, submitter_of(caller)))


@router.get("/mine/temperature.svg")
def temperature_svg(
    request: Request, caller: Owner, lot: Text, kind: Annotated[str, Query(alias="class", max_length=40)] = ""
) -> Response:
    """Give the curve of the firm's own records of a lot."""
    found = temperature_routes.report_of(request, lot, kind, submitter_of(caller))
    return temperature_routes.curve_answer(found, lang_of(request))


def rows_of(connection: Connection, firm: str, found: list[StoredRecord], lang: Lang) -> list[dict[str, Any]]:
    """Return records of a firm as a list shows them."""
    # tenants: the caller has asked for this firm's records alone
    hashes = [one.record_hash for one in found]
    confirmed = {bytes.fromhex(one["record_hash"]): one for one in confirmation.brief(connection, hashes)}
    taken_back = reader.taken_back(connection, hashes)
    events = [one.event() for one in found]
    called = names_of(connection, {one.normal for event in events for one in identifiers_of(event)})
    called |= {place: name for event in events for place, name in places_of(event) if name}
    names = Names(lang, called)
    return [
        _row(one, event, names, confirmed[one.record_hash], one.record_hash in taken_back)
        for one, event in zip(found, events, strict=True)
    ]


def _row(
    one: StoredRecord, event: dict[str, Json], names: Names, confirmed: Mapping[str, Any], taken_back: bool
) -> dict[str, Any]:
    things = [(names.thing(each.normal), each.normal) for each in identifiers_of(event)]
    step = bare(str(event.get("bizStep", "")))
    late_us = own_records.lateness_us(one)
    return {
        "record_hash": one.record_hash.hex(),
        "step": step,
        "event_us": one.event_time_us,
        "captured_us": one.captured_us,
        "late_s": late_us // 1_000_000,
        "late": temperature_words.lasting(late_us)[names.lang] if late_us else "",
        "things": [{"name": name, "id": identifier} for name, identifier in things],
        "place": next((names.thing(place) for place, _ in places_of(event)), ""),
        "is_handoff": confirmed["is_handoff"],
        "confirmation": confirmed["confirmation"],
        "log_index": one.log_index,
        "is_declaration": one.is_error_declaration,
        "taken_back": taken_back,
    }


def _home(request: Request, connection: Connection, caller: Caller) -> dict[str, Any]:
    firm, lang, door = submitter_of(caller), lang_of(request), door_of(request)
    newest = own_records.find(connection, firm, Asked(), MEASURED).records
    chain = anchor_book.live_chain(connection)
    keys = [] if chain is None else registry.known_keys(connection, chain)
    sent = [captures.summary(one) | _counted(one) for one in jobs.page(connection, firm, "capture", SUBMISSIONS)]
    return {
        "firm": firm,
        "firm_name": names_of(connection, [normal(firm)]).get(normal(firm), ""),
        "records": own_records.count(connection, firm),
        "to_sign": unsigned.count(connection, firm),
        "newest": rows_of(connection, firm, newest[:SUBMISSIONS], lang),
        "submissions": sent,
        "warm": [
            {"record_hash": one.record_hash.hex(), "event_us": one.event_time_us, **_verdict(report, lang)}
            for one, report in told.of_records(connection, newest, table=door.classes)
            if report.verdict == "excursion"
        ],
        "looked_at": len(newest),
        "keys": ["0x" + one.address.hex() for one in keys if one.party == normal(firm)],
        "may_send": caller.may(Scope.capture),
    }


def _verdict(report: Any, lang: Lang) -> dict[str, Any]:
    seen = judged(report.as_json(), lang)
    return {"text": seen["text"], "about": report.about}


def _counted(job: jobs.Job) -> dict[str, int]:
    kept = orjson.loads(job.result or b"{}")
    return {
        "accepted": kept.get("accepted", 0),
        "unchanged": kept.get("unchanged", 0),
        "refused": len(kept.get("refused", ())),
    }


def _listed(
    request: Request, caller: Caller, wanted: Wanted, per_page: int, token: str | None
) -> tuple[list[dict[str, Any]], str]:
    firm = submitter_of(caller)
    with door_of(request).store.read() as connection:
        found = own_records.find(connection, firm, wanted.asked(), per_page, row_of(token, 0) or None)
        rows = rows_of(connection, firm, found.records, lang_of(request))
    return rows, "" if found.after is None else token_for(str(found.after))


def _sheet(request: Request, caller: Caller, wanted: Wanted, form: str) -> Response:
    lang, rows = lang_of(request), list(_cells(request, caller, wanted))
    name = "sudonglian-records"
    if form == "csv":
        answer = file_answer(written.csv_bytes(rows), form, name)
    else:
        answer = file_answer(written.workbook_bytes([(word(lang, "mine.records.title"), rows)]), form, name)
    answer.headers.update(HEADERS)
    return answer


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
            for one in rows_of(connection, firm, found.records, lang):
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
