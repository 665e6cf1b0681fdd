"""The resolver: a GS1 Digital Link of this server leads to its public page, or to what else there is of it.

GS1-Conformant Resolver 1.1; RFC 9264 (linksets). docs/answers.md (Resolver).
"""

from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone
from sudonglian.api.http.door import door_of
from sudonglian.api.http.links import LinkUnknown, link_of, path_of, within_limits
from sudonglian.chain.identifiers.digital_link import DOMAIN, DigitalLink
from sudonglian.chain.identifiers.gs1 import KEYS
from sudonglian.trace.answers import public

router = APIRouter(
    tags=["Resolver"], dependencies=[Depends(within_limits)], generate_unique_id_function=lambda route: route.name
)

VOCABULARY: Final = "https://gs1.org/voc/"
LINKSET: Final = "application/linkset+json"
ALL: Final = frozenset({"all", "linkset"})
CORS: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Link, Location"}

ITEM: Final = "/item"
"""Before the path of a thing's public page."""

DEFAULT: Final = "pip"

LinkType = Annotated[
    str,
    Query(
        alias="linkType",
        max_length=200,
        description="gs1:pip, gs1:traceability, gs1:epcis; all gives them as a linkset.",
    ),
]


@router.get("/.well-known/gs1resolver")
def resolver_description(request: Request, caller: Anyone) -> Response:
    """Describe the resolver: which keys and which types of links it knows."""
    document = {
        "name": "溯冻链 Sudonglian",
        "resolverRoot": _base(request),
        "supportedPrimaryKeys": sorted(KEYS),
        "linkTypeDefaultCanBeLinkset": False,
        "supportedLinkType": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
        "supportedLinkTypes": [f"gs1:{one}" for one in sorted(_targets("", None))],
    }
    return json_answer(document, headers=CORS)


@router.get("/{link:gs1}", responses={307: {"description": "To the page or the service that the link type names."}})
def resolve(request: Request, caller: Anyone, link: str, link_type: LinkType = "") -> Response:
    """Resolve a GS1 Digital Link: to its public page, to what a link type names, or with `all` to a linkset."""
    # tenants: whether a name is known at all, for the public page (0252)
    found = link_of(request)
    with door_of(request).store.read() as connection:
        name = public.known_name(connection, found)
    if name is None:
        raise LinkUnknown("no record and no firm speaks of this", place="path", zh="没有记录或单位提到它")
    base = _base(request)
    targets = _targets(base, found)
    wanted = link_type.removeprefix("gs1:").removeprefix(VOCABULARY).removeprefix("http://gs1.org/voc/")
    headers = {**CORS, "Link": f'<{base}{path_of(found)}?linkType=all>; rel="linkset"; type="{LINKSET}"'}
    if wanted in ALL or (not wanted and _wants_linkset(request)):
        return Response(json_answer(_linkset(base, found, targets)).body, 200, headers, LINKSET)
    target = targets.get(DEFAULT if wanted in ("", "defaultLink") else wanted)
    if target is None:
        known = ", ".join(f"gs1:{one}" for one in targets)
        raise LinkUnknown(
            f"there is no such link; there are: {known}", place="linkType", zh=f"没有这种链接;可用的有:{known}"
        )
    href = str(target["href"])
    # A resolver that nobody has named is wherever it was asked: a path cannot lead anywhere else.
    href = href.removeprefix(base) if door_of(request).resolver == DOMAIN else href
    return RedirectResponse(_with_query(href, request) if target["type"] == "text/html" else href, 307, headers)


def _base(request: Request) -> str:
    """Return where this resolver is reached: as it is set, else as it was asked."""
    resolver = door_of(request).resolver
    return str(request.base_url).rstrip("/") if resolver == DOMAIN else resolver


def _targets(base: str, link: DigitalLink | None) -> dict[str, dict[str, Any]]:
    """Return where each type of link leads."""
    path = "" if link is None else path_of(link)
    ai = "" if link is None else link.ai
    is_place = ai in public.PLACES
    page = {"href": f"{base}{ITEM}{path}", "type": "text/html", "hreflang": ["zh", "en"]}
    named = "" if link is None else quote(str(link), safe="")
    asked = "MATCH_anyEPC"
    if is_place:
        asked = "WD_readPoint" if ai == "414" else "EQ_source_possessing_party"
    return {
        "pip": {**page, "title": "地点或单位 / a place or firm" if is_place else "一码溯源 / where it is from"},
        "traceability": {**page, "title": "溯源信息 / traceability"},
        "epcis": {
            "href": f"{base}/epcis/v2/events?{asked}={named}",
            "type": "application/json",
            "title": "EPCIS 2.0 (a firm's own events, with its key)",
        },
    }


def _linkset(base: str, link: DigitalLink, targets: dict[str, dict[str, Any]]) -> dict[str, Any]:
    kinds = {f"{VOCABULARY}{kind}": [target] for kind, target in targets.items()}
    default = {f"{VOCABULARY}defaultLink": [targets[DEFAULT]]}
    return {"linkset": [{"anchor": base + path_of(link), "itemDescription": str(link), **default, **kinds}]}


def _wants_linkset(request: Request) -> bool:
    accept = request.headers.get("accept", "").lower()
    return LINKSET in accept and "text/html" not in accept


def _with_query(href: str, request: Request) -> str:
    """Return a target with what else the link carried, as resolvers pass it on."""
    given = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in given if name != "linkType"]
    if not kept:
        return href
    return f"{href}{'&' if '?' in href else '?'}{urlencode(kept)}"
