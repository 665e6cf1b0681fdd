"""One question for any id: what the log has of it, each step of its proof, and how to repeat that elsewhere.

service.md (Pages, auditor); docs/spec/bundle.md rules 10-16.
"""

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from sudonglian.api import examining
from sudonglian.api.caller import Caller
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone
from sudonglian.api.http.door import door_of
from sudonglian.api.http.entitlement import sight_of
from sudonglian.api.http.parameters import door_router
from sudonglian.api.scopes import Scope
from sudonglian.records.examining import Examined, consistency

router = door_router("", "Verify")

Id = Annotated[str, Query(max_length=2_000, description="A hash, a size, a contract, an item or lot, `access:NUMBER`.")]
Older = Annotated[str, Query(alias="from", max_length=15, description="Instead: whether the log only grew from it …")]
Newer = Annotated[str, Query(alias="to", max_length=15, description="… to this size.")]


@router.get("/examine")
def examine(
    request: Request, caller: Anyone, name: Annotated[Id, Query(alias="id")] = "", older: Older = "", newer: Newer = ""
) -> Response:
    """Judge all that an id names by this server's own trust, step by step; with `from` and `to` whether the log only grew."""
    with door_of(request).store.read() as connection:
        found = found_of(request, connection, caller, name, older, newer)
    if not found:
        raise UsageRefused("an id is needed, or two sizes", place="id")
    return json_answer({"found": told(request, found), "notice": examining.NOTICE})


def found_of(
    request: Request, connection: Connection, caller: Caller | None, name: str, older: str, newer: str
) -> list[Examined]:
    """Return what was asked about; nothing if nothing was."""
    # tenants: whoever may not read a record is told its hash and place alone, which are everybody's
    keys = door_of(request).keys
    if (asked := examining.sizes(older, newer)) is not None:
        return [consistency(connection, keys, *asked)]
    if not name.strip():
        return []
    may_read = (lambda _record: False) if caller is None else sight_of(connection, caller)
    access_log = caller is not None and caller.may(Scope.access_log)
    return examining.examine(connection, keys, name, may_read, access_log=access_log)


def told(request: Request, found: list[Examined]) -> list[dict[str, Any]]:
    """Return what was found as JSON, with the commands for this server's address."""
    return [examining.told(one, str(request.base_url).rstrip("/")) for one in found]
