"""Captures over HTTP: the events and the job that answers for them are one transaction.

EPCIS 2.0 §12.6 (capture jobs); docs/decisions/0711 (a 202 is given when everything is committed).
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from sudonglian.api.caller import Caller
from sudonglian.api.http.auth import Forbidden, submitter_of
from sudonglian.api.http.door import Door
from sudonglian.api.settings import Lang
from sudonglian.api.validating import profile_named
from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.records import derive, intake, jobs
from sudonglian.records.epcis.document import Form
from sudonglian.records.epcis.extensions import PARTICIPANT, PERSON_REF
from sudonglian.records.intake import Behaviour, CaptureResult, DuplicateIds, Receipt
from sudonglian.records.jobs import Job, Kind
from sudonglian.records.judging import judge
from sudonglian.records.profiles.table import Profile
from sudonglian.records.sheets import taking
from sudonglian.records.sheets.taking import Prepared, Told

NONE: Final = "none"
"""No profile, said by a request."""

PERSONAL: Final = PARTICIPANT | PERSON_REF
"""Members of a participant that a place may name."""

INDEX_DIGITS: Final = 5
"""Of a place among participants; longer digits are somebody's number."""

WITHHELD: Final = {"zh": "见该位置;个人数据不重复显示", "en": "see this place; personal data are not repeated"}
"""A finding about a person may repeat what was sent, and a job is kept when the person has been erased."""


def take(
    door: Door,
    caller: Caller,
    raw: bytes,
    behaviour: Behaviour,
    duplicate_ids: DuplicateIds,
    idempotency_key: str | None,
    now: datetime,
    form: Form | None = None,
    profile: Profile | None = None,
) -> tuple[Job, bool]:
    """Capture a document; return its job and whether it is this request's own, and not an earlier one's.

    Raises
    ------
    RecordRefused
        The bytes are no document with events; there is no job then.
    IdempotencyConflict
        The Idempotency-Key was used for another document.
    """
    # The default adds no part: what was asked before there was a choice is still the same request.
    chosen: tuple[str, ...] = () if duplicate_ids == "refuse" else (duplicate_ids,)
    chosen += _by(profile)
    mac = None if idempotency_key is None else request_mac(door.keys.content, behaviour, *chosen, raw)
    if idempotency_key is not None:
        with door.store.read() as connection:
            if (known := _earlier(connection, caller, "capture", idempotency_key, mac)) is not None:
                return known, False
    # Judged before the transaction begins: the one writer of SQLite is held for the writing alone.
    judged = judge(door.keys, raw, submitter=submitter_of(caller), now=now, form=form, profile=profile)
    with door.store.write() as connection:
        # Of two requests at once the second one waited for this.
        if (known := _earlier(connection, caller, "capture", idempotency_key, mac)) is not None:
            return known, False
        taken = intake.take(connection, door.keys, judged, duplicate_ids=duplicate_ids, behaviour=behaviour)
        job = jobs.add(
            connection,
            caller.principal,
            "capture",
            _asked(behaviour, duplicate_ids, profile),
            now,
            submitter=submitter_of(caller),
            idempotency_key=idempotency_key,
            request_mac=mac,
            state="failed" if taken.refused else "success",
            result=orjson.dumps(_kept(taken)),
        )
    _count(door, taken)
    return job, True


def take_sheet(
    door: Door,
    caller: Caller,
    raw: bytes,
    prepared: Prepared,
    behaviour: Behaviour,
    now: datetime,
    profile: Profile | None = None,
    idempotency_key: str | None = None,
) -> tuple[Told, Job | None, bool]:
    """Capture a sheet that has been read at `now`; return what became of it, its job and whether it is this request's own.

    There is a job if anything was written or was known already: a sheet that is refused leaves its key free.
    """
    job: Job | None = None
    mac = None if idempotency_key is None else request_mac(door.keys.content, "sheet", behaviour, *_by(profile), raw)
    with door.store.write() as connection:
        earlier = _earlier(connection, caller, "capture", idempotency_key, mac)
        if earlier is None:
            told = taking.take(connection, door.keys, prepared, behaviour)
        if earlier is None and told.written:
            job = jobs.add(
                connection,
                caller.principal,
                "capture",
                _asked(behaviour, "refuse", profile),
                now,
                submitter=submitter_of(caller),
                idempotency_key=idempotency_key,
                request_mac=mac,
                state="failed" if told.has_errors else "success",
                # A row that could not be read is in no list of refused events; how many there were is told of later, too.
                result=orjson.dumps({**_kept(told.taken), "left_out": told.refused}),
            )
    if earlier is not None:
        then = derive.moment(earlier.created_us)
        prepared = taking.prepare(door.keys, raw, submitter=submitter_of(caller), now=then, profile=profile)
        return taking.recall(prepared, orjson.loads(earlier.result or b"{}")), earlier, False
    _count(door, told.taken)
    return told, job, True


def take_one(
    door: Door,
    caller: Caller,
    raw: bytes,
    event_id: str | None,
    now: datetime,
    profile: Profile | None = None,
    idempotency_key: str | None = None,
) -> tuple[CaptureResult, bool]:
    """Capture one event; return what became of it, and whether this request did it and not an earlier one.

    With an Idempotency-Key the answer is kept, as a job that no list shows; an event that is refused leaves its key free.
    """
    mac = None if idempotency_key is None else request_mac(door.keys.content, "event", *_by(profile), raw)
    judged = judge(door.keys, raw, submitter=submitter_of(caller), now=now, profile=profile)
    with door.store.write() as connection:
        earlier = _earlier(connection, caller, "event", idempotency_key, mac)
        if earlier is not None:
            [kept] = orjson.loads(earlier.result or b"{}")["records"]
            receipt = Receipt(0, bytes.fromhex(kept["record_hash"]), event_id, kept["unchanged"])
            return CaptureResult((), (receipt,), ()), False
        taken = intake.take(connection, door.keys, judged)
        if idempotency_key is not None and not taken.refused:
            jobs.add(
                connection,
                caller.principal,
                "event",
                canonical.encode({}),
                now,
                submitter=submitter_of(caller),
                idempotency_key=idempotency_key,
                request_mac=mac,
                state="success",
                result=orjson.dumps(_kept(taken)),
            )
    _count(door, taken)
    return taken, True


def _earlier(
    connection: Connection, caller: Caller, kind: Kind, idempotency_key: str | None, mac: bytes | None
) -> Job | None:
    if idempotency_key is None or mac is None:
        return None
    return jobs.earlier(connection, caller.principal, kind, idempotency_key, mac)


def _by(profile: Profile | None) -> tuple[str, ...]:
    return () if profile is None else (f"profile {profile.name}",)


def profile_for(caller: Caller, asked: str | None, place: str) -> Profile | None:
    """Return the profile of a capture: what the request names, or else the key's own.

    Raises
    ------
    UsageRefused
        No profile has this name.
    Forbidden
        None is asked for, with a key that has one.
    """
    if asked == NONE:
        if caller.profile is not None:
            raise Forbidden("what comes with this key is judged by a profile; another one may be named", place=place)
        return None
    name = caller.profile if asked is None else asked
    return None if name is None else profile_named(name, place)


def _asked(behaviour: Behaviour, duplicate_ids: DuplicateIds, profile: Profile | None) -> bytes:
    told: dict[str, Json] = {"behaviour": behaviour, "duplicate_ids": duplicate_ids}
    return canonical.encode(told if profile is None else {**told, "profile": profile.name})


def _count(door: Door, taken: CaptureResult) -> None:
    count = door.metrics.count
    count("sudonglian_captured_events_total", taken.accepted, outcome="accepted")
    count("sudonglian_captured_events_total", taken.unchanged, outcome="unchanged")
    count("sudonglian_captured_events_total", len(taken.refused), outcome="refused")
    for one in taken.refused:
        count("sudonglian_refusals_total", reason=one.code)


def request_mac(key: bytes, *parts: str | bytes) -> bytes:
    """Return what tells one request from another; keyed, for a plain digest of a document can be guessed from."""
    pieces = [part.encode() if isinstance(part, str) else part for part in parts]
    framed = b"".join(len(piece).to_bytes(8, "big") + piece for piece in pieces)
    return hmac.digest(key, b"sudonglian/mac/request\x00" + framed, "sha256")


def summary(job: Job) -> dict[str, Any]:
    """Return what EPCIS says of a capture job."""
    finished, asked = job.finished_us, orjson.loads(job.asked)
    return {
        "captureID": job.name,
        "createdAt": derive.moment(job.created_us).isoformat(timespec="microseconds"),
        "finishedAt": None if finished is None else derive.moment(finished).isoformat(timespec="microseconds"),
        "running": not job.is_over,
        "success": job.state == "success",
        "captureErrorBehaviour": asked["behaviour"],
        "duplicateIds": asked.get("duplicate_ids", "refuse"),
        "profile": asked.get("profile"),
    }


def document(job: Job, lang: Lang) -> dict[str, Any]:
    """Return a capture job in full: its errors in the caller's language, its receipts, its warnings."""
    result = orjson.loads(job.result or b"{}")
    return {
        **summary(job),
        "accepted": result["accepted"],
        "unchanged": result["unchanged"],
        "errors": [_told(one, lang) for one in result["refused"]],
        "warnings": [_told(one, lang) for one in result["warnings"]],
        "records": result["records"],
        # A job of an earlier version does not say.
        "described": result.get("described", 0),
    }


def _kept(taken: CaptureResult) -> dict[str, Any]:
    whole = taken.as_json()
    return {
        **whole,
        "refused": [_nameless(one) for one in whole["refused"]],
        "warnings": [_nameless(one) for one in whole["warnings"]],
        # Without the eventID: as an Event Hash ID it is a hash over persons, which an erasure takes away.
        "records": [{name: one[name] for name in ("index", "record_hash", "unchanged")} for one in whole["records"]],
    }


def _nameless(finding: Mapping[str, Any]) -> dict[str, Any]:
    before, about_a_person, inside = finding["pointer"].partition(derive.PARTICIPANTS)
    if not about_a_person:
        return dict(finding)
    # A member that is not known may itself be called by a person's number.
    steps = takewhile(
        lambda step: (step.isdecimal() and len(step) <= INDEX_DIGITS) or step in PERSONAL, inside.split("/")[1:]
    )
    pointer = before + derive.PARTICIPANTS + "".join(f"/{step}" for step in steps)
    return {**finding, "pointer": pointer, "message": WITHHELD}


def left_out(job: Job) -> int:
    """Return how many events or handoffs of a capture were not taken."""
    result = orjson.loads(job.result or b"{}")
    return int(result.get("left_out", len(result.get("refused", ()))))


def _told(finding: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    return {
        "type": f"urn:sudonglian:problem:{finding['code']}",
        "code": finding["code"],
        "index": finding["index"],
        "pointer": finding["pointer"],
        "detail": finding["message"][lang],
    }
