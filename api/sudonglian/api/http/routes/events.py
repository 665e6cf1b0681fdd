"""EPCIS query: a firm reads its own events.

EPCIS 2.0 §8.2.7.1 and §12.8, a first set of parameters; an unknown one is refused, never ignored.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from sudonglian.api.http import epcis
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone, Owner, submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import PER_PAGE, PageToken, PerPage, door_router, next_link, row_of
from sudonglian.api.parsing import moment
from sudonglian.chain.identifiers import normal
from sudonglian.records import queries
from sudonglian.records.errors import UnknownRecord
from sudonglian.records.queries import EventQuery

router = door_router("/epcis/v2", "EPCIS", epcis.negotiated)

Values = Annotated[str | None, Query(max_length=4_000, description="One value, or several separated by commas.")]
Time = Annotated[str | None, Query(max_length=64, description="A time with its offset.")]


class Filter:
    """The parameters of a query."""

    def __init__(
        self,
        event_type: Annotated[Values, Query(alias="eventType")] = None,
        ge_event_time: Annotated[Time, Query(alias="GE_eventTime")] = None,
        lt_event_time: Annotated[Time, Query(alias="LT_eventTime")] = None,
        ge_record_time: Annotated[Time, Query(alias="GE_recordTime")] = None,
        lt_record_time: Annotated[Time, Query(alias="LT_recordTime")] = None,
        eq_action: Annotated[Values, Query(alias="EQ_action")] = None,
        eq_biz_step: Annotated[Values, Query(alias="EQ_bizStep")] = None,
        eq_disposition: Annotated[Values, Query(alias="EQ_disposition")] = None,
        eq_read_point: Annotated[Values, Query(alias="EQ_readPoint")] = None,
        eq_biz_location: Annotated[Values, Query(alias="EQ_bizLocation")] = None,
        match_any_epc: Annotated[Values, Query(alias="MATCH_anyEPC")] = None,
    ) -> None:
        self.times = {
            "since": _time(ge_event_time, "GE_eventTime"),
            "before": _time(lt_event_time, "LT_eventTime"),
            "recorded_since": _time(ge_record_time, "GE_recordTime"),
            "recorded_before": _time(lt_record_time, "LT_recordTime"),
        }
        self.names = frozenset(normal(one) for one in _several(match_any_epc))
        asked = {
            "type": event_type,
            "action": eq_action,
            "bizStep": eq_biz_step,
            "disposition": eq_disposition,
            "readPoint": eq_read_point,
            "bizLocation": eq_biz_location,
        }
        self.members = {
            name: frozenset(queries.bare(one) for one in _several(value))
            for name, value in asked.items()
            if value is not None
        }

    def of(self, submitter: str) -> EventQuery:
        """Return the query of one firm."""
        return EventQuery(submitter, **self.times, names=self.names, members=self.members)


@router.options("/events", status_code=204)
def discover_events(caller: Anyone) -> Response:
    """Tell how events may be read here."""
    return Response(None, 204, {"Allow": "GET, OPTIONS", **epcis.DISCOVERY})


@router.get("/events")
def events(
    request: Request,
    caller: Owner,
    asked: Annotated[Filter, Depends()],
    per_page: PerPage = PER_PAGE,
    page_token: PageToken = None,
) -> Response:
    """Give the firm's own events, in the order in which they were taken; people are left out."""
    door = door_of(request)
    after = row_of(page_token, 0)
    with door.store.read() as connection:
        page = queries.search(connection, door.keys, asked.of(submitter_of(caller)), per_page, after)
    link = {} if page.next is None else next_link(request, per_page, page.next)
    return json_answer(epcis.query_document(page.events, datetime.now(UTC)), headers={**link, **epcis.HEADERS})


@router.get("/events/{event_id:path}")
def event(request: Request, caller: Owner, event_id: str) -> Response:
    """Give the event of an eventID, and its error declaration if there is one."""
    door = door_of(request)
    with door.store.read() as connection:
        found = queries.by_event_id(connection, door.keys, submitter_of(caller), event_id)
    if not found:
        raise UnknownRecord("no event of yours has this eventID")
    return json_answer(epcis.query_document(found, datetime.now(UTC)), headers=epcis.HEADERS)


def _time(text: str | None, name: str) -> datetime | None:
    return None if text is None else moment(text, name)


def _several(text: str | None) -> list[str]:
    return [one for one in (text or "").split(",") if one]
