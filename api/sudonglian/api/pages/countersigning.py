"""The inbox of handoffs that wait for a firm's signature, and the page on which it signs one.

docs/signing.md; docs/decisions/0850 (the key is opened in the browser and never sent). Without a script the page shows
the command that signs, and takes the file that it writes.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from sudonglian.api.caller import Caller
from sudonglian.api.errors import UsageRefused, sentence
from sudonglian.api.http import problems as http_problems
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.entitlement import record_for
from sudonglian.api.http.parameters import PER_PAGE, PageToken, PerPage, declared_only, row_of, token_for
from sudonglian.api.pages import problems, scripts
from sudonglian.api.pages.exports import list_answer
from sudonglian.api.pages.forms import SmallForm
from sudonglian.api.pages.language import known, lang_of, named_language, word
from sudonglian.api.pages.naming import Names
from sudonglian.api.pages.own_rows import rows_of
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import HEADERS, SCRIPTED, SEE_OTHER, link, page
from sudonglian.api.pages.session import Capturer, Owner
from sudonglian.api.pages.times import of_micros
from sudonglian.api.parsing import record_hash_of
from sudonglian.api.scopes import Scope
from sudonglian.api.signing import add_signature
from sudonglian.chain import anchor_contract
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.identifiers import normal
from sudonglian.records import anchor_book, confirmation, registry, unsigned
from sudonglian.records.errors import UnknownRecord
from sudonglian.records.master_data import names_of
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.signatures import MAX_BYTES
from sudonglian.records.unsigned import Waiting

MOST_ROWS: Final = 10_000
"""Of an exported inbox: who has more waiting signs with a program."""

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

All = Annotated[Literal["", "1"], Query(alias="all")]


@router.get("/mine/inbox")
def inbox(
    request: Request, caller: Owner, every: All = "", per_page: PerPage = PER_PAGE, page_token: PageToken = None
) -> Response:
    """List the handoffs that wait for the firm's signature, or with `all` every handoff that it takes part in."""
    rows, after = _listed(request, caller, bool(every), per_page, page_token)
    lang = lang_of(request)
    values = {
        "rows": rows,
        "every": every,
        "is_first": page_token is None,
        "next_url": after and link(request, "/mine/inbox", all=every, nextPageToken=after, perPage=per_page),
        "exports": [(form, link(request, f"/mine/inbox.{form}", all=every, lang=lang)) for form in ("csv", "xlsx")],
    }
    return page(request, "inbox.html", caller, values, json_url=link(request, "/mine/inbox.json", all=every))


@router.get("/mine/inbox.json")
def inbox_json(
    request: Request, caller: Owner, every: All = "", per_page: PerPage = PER_PAGE, page_token: PageToken = None
) -> Response:
    """Give the list as the page shows it."""
    rows, after = _listed(request, caller, bool(every), per_page, page_token)
    return json_answer({"handoffs": rows, "next_page_token": after or None})


@router.get("/mine/inbox.csv")
def inbox_csv(request: Request, caller: Owner, every: All = "") -> Response:
    """Give the list as CSV."""
    return _sheet(request, caller, bool(every), "csv")


@router.get("/mine/inbox.xlsx")
def inbox_xlsx(request: Request, caller: Owner, every: All = "") -> Response:
    """Give the list as a workbook."""
    return _sheet(request, caller, bool(every), "xlsx")


@router.get("/mine/sign/{record_hash}.json")
def handoff_json(request: Request, caller: Owner, record_hash: str) -> Response:
    """Give what the page shows: the handoff, the firm's side of it, who has signed."""
    with door_of(request).store.read() as connection:
        told = _handoff(request, connection, caller, record_hash)
    return json_answer({name: told[name] for name in ("hash", "role", "parties", "row", "signed", "origin")})


@router.get("/mine/sign/{record_hash}")
def handoff(request: Request, caller: Owner, record_hash: str) -> Response:
    """Show what would be signed, in words, and sign it here or by the command."""
    return _page(request, caller, record_hash)


@router.post("/mine/sign/{record_hash}")
def sign(request: Request, caller: Capturer, record_hash: str, form: SmallForm) -> Response:
    """Take a signature that was made in the browser, or by the command: pasted, or as its file."""
    digest, lang, door = record_hash_of(record_hash), lang_of(request), door_of(request)
    sent = form.files.get("file")
    raw = sent.data if sent is not None and sent.data else form.field("signature").encode()
    try:
        if not raw:
            raise UsageRefused("there is no signature", place="signature", zh="没有签名")
        if len(raw) > MAX_BYTES:
            raise UsageRefused("too large for a signature", place="signature", zh="太大,不是签名")
        if digest.hex().encode() not in raw:
            raise UsageRefused("it is of another record", place="signature", zh="这是另一条记录的签名")
        done = add_signature(door.store, door.keys, door.network, raw, lambda: datetime.now(UTC))
    except SudonglianError as error:
        status = http_problems.status_of(error)
        if status >= http_problems.OWN_FAULT:
            raise
        door.metrics.count("sudonglian_refusals_total", reason=error.slug)
        refused = {
            "title": http_problems.title(error.slug, lang),
            # Heading and advice are in both languages; a reason that is not stays away from a Chinese page.
            "reason": sentence(error, lang) if lang == "en" or hasattr(error, "zh") else "",
            "next": problems.advice(error.slug, status, lang),
        }
        return _page(request, caller, record_hash, refused, status)
    door.metrics.count("sudonglian_signatures_total", outcome="unchanged" if done.unchanged else "accepted")
    return RedirectResponse(link(request, f"/mine/sign/{digest.hex()}"), SEE_OTHER, HEADERS)


def _page(
    request: Request, caller: Caller, record_hash: str, refused: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    with door_of(request).store.read() as connection:
        told = _handoff(request, connection, caller, record_hash)
    values = {**told, "refused": refused, "can_sign": scripts.can_sign(), "may_send": caller.may(Scope.capture)}
    json_url = link(request, f"/mine/sign/{told['hash']}.json")
    headers = {"Content-Security-Policy": SCRIPTED} if scripts.can_sign() else {}
    return page(request, "sign.html", caller, values, status=status, json_url=json_url, headers=headers)


def _handoff(request: Request, connection: Connection, caller: Caller, record_hash: str) -> dict[str, Any]:
    firm, lang = submitter_of(caller), lang_of(request)
    found = record_for(connection, caller, record_hash_of(record_hash))
    waiting = unsigned.of_record(connection, firm, found.id)
    if waiting is None:
        raise UnknownRecord("this record is no handoff of yours that can be signed", place=found.record_hash.hex())
    [row] = rows_of(connection, [found], lang)
    names = Names(lang, names_of(connection, [waiting.consignor, waiting.consignee]))
    other = waiting.consignee if waiting.role == "consignor" else waiting.consignor
    chain = anchor_book.live_chain(connection)
    keys = [] if chain is None else registry.known_keys(connection, chain)
    return {
        "hash": found.record_hash.hex(),
        "role": waiting.role,
        "other": other,
        "counterparty_id": anchor_contract.party_id(other).hex(),
        "parties": _parties(waiting, names),
        "row": row,
        "body": found.body.decode(),
        "origin": door_of(request).keys.origin,
        "keys": [one.address.hex() for one in keys if one.party == normal(firm)],
        "signed": confirmation.described(connection, found)["signatures"],
        "is_signed": waiting.is_signed,
    }


def _parties(one: Waiting, names: Names) -> dict[str, dict[str, str]]:
    return {
        "consignor": {"id": one.consignor, "name": names.thing(one.consignor)},
        "consignee": {"id": one.consignee, "name": names.thing(one.consignee)},
    }


def _listed(
    request: Request, caller: Caller, every: bool, per_page: int, token: str | None
) -> tuple[list[dict[str, Any]], str]:
    firm = submitter_of(caller)
    with door_of(request).store.read() as connection:
        found = unsigned.page(connection, firm, per_page + 1, row_of(token, 0) or None, signed=every)
        rows = _rows(request, connection, firm, found[:per_page])
    return rows, token_for(str(found[per_page - 1].record.id)) if len(found) > per_page else ""


def _rows(request: Request, connection: Connection, firm: str, found: list[Waiting]) -> list[dict[str, Any]]:
    lang = lang_of(request)
    rows = rows_of(connection, [one.record for one in found], lang)
    names = Names(lang, names_of(connection, {one for each in found for one in (each.consignor, each.consignee)}))
    return [
        {**row, "role": one.role, "is_signed": one.is_signed, "parties": _parties(one, names)}
        for one, row in zip(found, rows, strict=True)
    ]


def _sheet(request: Request, caller: Caller, every: bool, form: str) -> Response:
    title = word(lang_of(request), "inbox.title")
    return list_answer(list(_cells(request, caller, every)), form, "sudonglian-handoffs", title)


def _cells(request: Request, caller: Caller, every: bool) -> Iterator[list[Cell]]:
    lang, firm = lang_of(request), submitter_of(caller)
    yield [
        word(lang, "mine.when"),
        word(lang, "mine.step"),
        word(lang, "inbox.from"),
        word(lang, "inbox.to"),
        word(lang, "mine.identifiers"),
        word(lang, "inbox.side"),
        word(lang, "mine.confirmation"),
        word(lang, "mine.hash"),
    ]
    with door_of(request).store.read() as connection:
        for one in _rows(request, connection, firm, unsigned.page(connection, firm, MOST_ROWS, signed=every)):
            yield [
                of_micros(one["event_us"]),
                known(lang, f"bizstep.{one['step']}", one["step"]),
                one["parties"]["consignor"]["id"],
                one["parties"]["consignee"]["id"],
                " ".join(each["id"] for each in one["things"]),
                known(lang, f"side.{one['role']}", one["role"]),
                known(lang, f"confirmation.{one['confirmation']}", one["confirmation"]),
                one["record_hash"],
            ]
