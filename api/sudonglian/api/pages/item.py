"""The page that a scanned label opens (一码溯源): phone first, for whoever holds the goods.

service.md (Scan page; resident); docs/decisions/0252: what it shows is a projection of its own.
"""

from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.door import door_of
from sudonglian.api.http.links import LinkUnknown, link_of, path_of, within_limits
from sudonglian.api.http.routes import records as record_routes
from sudonglian.api.http.routes import resolver
from sudonglian.api.pages.language import lang_of
from sudonglian.api.pages.naming import Names
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import link as address
from sudonglian.api.pages.rendering import page
from sudonglian.api.pages.session import Anyone
from sudonglian.chain.identifiers.digital_link import DigitalLink
from sudonglian.records.identifiers import label
from sudonglian.records.temperature import told
from sudonglian.records.temperature.errors import TemperatureRefused
from sudonglian.records.temperature.samples import MAX_PUBLIC_READINGS
from sudonglian.trace.answers import public
from sudonglian.trace.answers.public import Shown

JSON: Final = "/item.json"

router = APIRouter(route_class=PageRoute, dependencies=[Depends(within_limits)], include_in_schema=False)


@router.get("/{link:gs1}")
def resolve(request: Request, caller: Anyone, link: str, link_type: resolver.LinkType = "") -> Response:
    """Resolve a scanned code as the API does; what is wrong with it is a page."""
    return resolver.resolve(request, caller, link, link_type)


@router.get(resolver.ITEM + "/{link:gs1}")
def item(request: Request, caller: Anyone, link: str) -> Response:
    """Show what the public may see of a thing: what it is, from where, its papers, how far that is proven."""
    asked = link_of(request, f"{resolver.ITEM}/")
    with door_of(request).store.read() as connection:
        seen = _shown(connection, asked)
        proof, temperature = _proof(connection, seen), temperature_of(request, connection, seen)
    lang = lang_of(request)
    names = Names(lang, {one.place: one.place_name for one in seen.steps if one.place_name})
    values = {
        "seen": seen,
        "title": seen.called or names.thing(seen.name),
        "text": label.text_of(str(asked)),
        "steps": [(one, names.thing(one.place) if one.place else "") for one in seen.steps],
        "proof": proof,
        "temperature": temperature,
        "bundle": f"/lots/{_escaped(seen.name)}/bundle",
        "proof_url": f"/lots/{_escaped(seen.name)}/proof",
    }
    return page(request, "item.html", caller, values, json_url=address(request, JSON + path_of(asked)))


@router.get(JSON + "/{link:gs1}")
def item_json(request: Request, caller: Anyone, link: str) -> Response:
    """Give what the page shows."""
    asked = link_of(request, f"{JSON}/")
    with door_of(request).store.read() as connection:
        seen = _shown(connection, asked)
        proof, temperature = _proof(connection, seen), temperature_of(request, connection, seen)
    return json_answer({**seen.as_json(), "proof": proof, "temperature": temperature})


def temperature_of(request: Request, connection: Connection, seen: Shown) -> dict[str, Any] | None:
    """Return the verdict on the temperatures of a thing's way in a sentence; None of a place, and of too many readings."""
    # tenants: the verdict alone, for anybody (0241)
    if seen.is_place:
        return None
    try:
        return told.of_lot(connection, seen.name, table=door_of(request).classes, most=MAX_PUBLIC_READINGS).public()
    except TemperatureRefused:
        return None


def _shown(connection: Connection, asked: DigitalLink) -> Shown:
    # tenants: the public projection (0252)
    name = public.known_name(connection, asked)
    if name is None:
        raise LinkUnknown("no record and no firm speaks of this", place="path", zh="没有记录或单位提到它")
    return public.shown(connection, asked, name)


def _proof(connection: Connection, seen: Shown) -> dict[str, Any]:
    """Return how far all of the page's records are proven: as far as the newest of them."""
    if seen.last is None:
        return {"state": "none"}
    return record_routes.anchor_of(connection, seen.last)


def _escaped(name: str) -> str:
    return quote(name, safe="")
