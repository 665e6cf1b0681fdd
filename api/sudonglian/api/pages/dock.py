"""The dock: scans of a telephone that may have no network, taken once, in their order, late ones flagged.

docs/decisions/0853 (a queue on the telephone, a batch with an Idempotency-Key); docs/firm.md. Each scan is one row of a
sheet, judged as any other.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import captures
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Forbidden, submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import IdempotencyKey, JsonBody, declared_only, parsed
from sudonglian.api.pages import scripts, session
from sudonglian.api.pages.language import lang_of, named_language, word
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import HEADERS, SCRIPTED, link, page
from sudonglian.api.pages.session import Anyone, Capturer
from sudonglian.api.settings import Lang
from sudonglian.records import derive, own_records
from sudonglian.records.epcis.times import instant
from sudonglian.records.identifiers import scanned
from sudonglian.records.jobs import Job
from sudonglian.records.sheets import taking, typed, words
from sudonglian.records.sheets.taking import Told

POLICY: Final = f"{SCRIPTED}; connect-src 'self'; worker-src 'self'"
WORKER: Final = "dock-worker.js"

MOST: Final = 200
"""Scans of one batch: a telephone's upload of a second or two."""

FIRST_STEPS: Final = ("receiving", "shipping", "loading", "unloading", "arriving", "departing", "storing")
"""What is done at a dock; the list has the others behind them."""

NUMBER: Final = "D-"
"""Before a scan's own name, in the number of its handoff: sent in another batch it is still the same event."""

LARGEST_SKEW: Final = timedelta(minutes=2)
"""By which a telephone's clock may differ from the server's before its user is told."""

Name = Annotated[str, Field(max_length=200)]

Said = Annotated[str, Query(max_length=400)]

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)


class Scan(BaseModel):
    """One scan, as the telephone kept it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    id: str = Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    code: str = Field(max_length=2_000)
    at: str = Field(max_length=40, description="When it was scanned, by the telephone's clock, with its offset.")
    step: Name
    place: Name
    giver: Name = Field("", alias="from")
    taker: Name = Field("", alias="to")


class Batch(BaseModel):
    """Scans in the order in which they were made."""

    model_config = ConfigDict(extra="forbid")

    firm: str = Field(max_length=2_000, description="For whom they were made.")
    sent_at: str = Field(max_length=40, description="The telephone's clock now.")
    scans: list[Scan] = Field(min_length=1, max_length=MOST)


@router.get("/dock")
def dock(
    request: Request,
    caller: Capturer,
    step: Said = "",
    place: Said = "",
    giver: Annotated[str, Query(alias="from", max_length=400)] = "",
    to: Said = "",
) -> Response:
    """Show the form for scans; what the address says is filled in by its script, which also works without a network."""
    submitter_of(caller)
    lang = lang_of(request)
    steps = dict(zip(words.codes("step"), words.choices("step", lang), strict=True))
    ordered = [*FIRST_STEPS, *(one for one in steps if one not in FIRST_STEPS)]
    values = {"steps": [(code, steps[code]) for code in ordered], "firm": caller.submitter}
    headers = {"Content-Security-Policy": POLICY, "Permissions-Policy": "camera=(self), geolocation=(), microphone=()"}
    return page(request, "dock.html", caller, values, json_url=link(request, "/dock.json"), headers=headers)


@router.get("/dock.json")
def dock_json(request: Request, caller: Capturer) -> Response:
    """Tell the page for whom it speaks, and the token that its next batch brings."""
    answer = json_answer({"firm": submitter_of(caller), "most": MOST, "form": session.form_token(request)})
    session.set_visit(request, answer)
    return answer


@router.get(f"/{WORKER}")
def worker(caller: Anyone) -> Response:
    """Give the service worker that keeps the page: at the root, so that it may stand for `/dock`."""
    headers = {"Content-Security-Policy": "default-src 'none'; connect-src 'self'", "Cache-Control": "no-cache"}
    return Response(scripts.modules()[WORKER], 200, headers, scripts.KIND)


@router.post("/dock/sync.json")
def sync(
    request: Request,
    caller: Capturer,
    body: JsonBody,
    idempotency_key: IdempotencyKey = None,
    form_token: Annotated[str, Header(alias="X-Form-Token", max_length=100)] = "",
) -> Response:
    """Take a batch of scans: what is right of it, in its order; sent again, the answer is the same."""
    session.check_form(request, form_token)
    batch = parsed(Batch, body)
    if batch.firm != submitter_of(caller):
        raise Forbidden(
            "these scans were made for another firm; sign in for that one", place="firm", zh="这些扫码属于另一家企业,请用该企业登录"
        )  # fmt: skip
    if len({one.id for one in batch.scans}) < len(batch.scans):
        raise UsageRefused("two scans have one name", place="scans")
    if idempotency_key is None:
        raise UsageRefused("a batch needs one", place="Idempotency-Key")
    door, now = door_of(request), datetime.now(UTC)
    raw = typed.sheet_of(map(_row, batch.scans))
    wanted = captures.profile_for(caller, None, "profile")
    prepared = taking.prepare(door.keys, raw, submitter=batch.firm, now=now, profile=wanted)
    told, job, own = captures.take_sheet(door, caller, raw, prepared, "proceed", now, wanted, idempotency_key)
    then = now if job is None else derive.moment(job.created_us)
    return json_answer(
        {
            "capture": None if job is None else job.name,
            "repeated": not own,
            "synced_at": then.isoformat(timespec="seconds"),
            "clock_off_s": _clock_off_s(batch.sent_at, now),
            "scans": _outcomes(batch.scans, told, job, then, lang_of(request)),
        },
        200,
        HEADERS,
    )


def _row(one: Scan) -> dict[str, str]:
    said = {"time": one.at, "place": one.place, "from": one.giver, "to": one.taker}
    return {**said, "handoff": NUMBER + one.id, "step": one.step, "item": scanned.label_text(one.code)}


def _outcomes(scans: Sequence[Scan], told: Told, job: Job | None, then: datetime, lang: Lang) -> list[dict[str, Any]]:
    """Return what became of each scan, in their order."""
    faults: dict[int, list[str]] = {}
    for fault in told.faults:
        if fault.level == "error":
            faults.setdefault(typed.place_of(fault, range(len(scans))).row, []).append(fault.message[lang])
    taken = {told.prepared.handoffs[one.index].number: one for one in told.taken.records}
    found = []
    for at, scan in enumerate(scans):
        receipt = taken.get(NUMBER + scan.id)
        waited = then - (instant(scan.at) or then)
        late_s = int(waited.total_seconds()) if waited > timedelta(microseconds=own_records.LATE_US) else 0
        refused = " ".join(faults.get(at, ())) or word(lang, "dock.refused")
        found.append(
            {
                "id": scan.id,
                "state": "refused" if receipt is None else "known" if receipt.unchanged else "taken",
                "record_hash": None if receipt is None else receipt.record_hash.hex(),
                "late_s": late_s if receipt is not None else 0,
                "why": refused if receipt is None else "",
            }
        )
    return found


def _clock_off_s(said: str, now: datetime) -> int:
    there = instant(said)
    off = timedelta(0) if there is None else there - now
    return int(off.total_seconds()) if abs(off) > LARGEST_SKEW else 0
