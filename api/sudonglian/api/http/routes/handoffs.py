"""Handoffs that others have recorded with a firm: what came from a direct partner, and what went to one.

service.md (a firm sees its direct partners' one step up/down); docs/decisions/0772.
"""

from fastapi import Request
from fastapi.responses import Response

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Owner, submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import PER_PAGE, PageToken, PerPage, door_router, linked, row_of, token_for
from sudonglian.records import confirmation, derive, sight

router = door_router("/handoffs", "Records")


@router.get("")
def handoffs(request: Request, caller: Owner, per_page: PerPage = PER_PAGE, page_token: PageToken = None) -> Response:
    """List the handoffs with the firm that its partners have recorded, the newest first; each may be read by its hash."""
    with door_of(request).store.read() as connection:
        found = sight.handed(connection, submitter_of(caller), per_page + 1, row_of(page_token, 0) or None)
        confirmed = confirmation.of(connection, (one.record_hash for one, _, _ in found))
    listed = [
        {
            "record_hash": one.record_hash.hex(),
            "submitter": one.submitter,
            "event_time": derive.moment(one.event_time_us).isoformat(timespec="seconds"),
            "consignor": consignor,
            "consignee": consignee,
            "confirmation": confirmed[one.record_hash],
        }
        for one, consignor, consignee in found[:per_page]
    ]
    link = linked(request, per_page, token_for(str(found[per_page - 1][0].id))) if len(found) > per_page else {}
    return json_answer({"handoffs": listed}, 200, link)
