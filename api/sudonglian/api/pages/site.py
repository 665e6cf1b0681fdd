"""The site: the pages as an application of their own, in front of the API, at the same addresses.

service.md (Pages); docs/decisions/0720. Apart, so that the API stays what its description says.
"""

from fastapi import FastAPI
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from sudonglian.api.http.door import Door
from sudonglian.api.pages import (
    accounts,
    asking,
    audit,
    cases,
    countersigning,
    dock,
    handing,
    history,
    item,
    mine,
    receipts,
    routes,
    tasks,
    team,
    temperature,
    tracing,
    uploading,
)
from sudonglian.api.pages.problems import NotHere, asks_for_html
from sudonglian.api.pages.session import share_links

ROUTERS = (
    *(routes.router, accounts.router, item.router, temperature.router, asking.router, tracing.router),
    *(
        cases.router,
        tasks.router,
        team.router,
        uploading.router,
        history.router,
        dock.router,
        countersigning.router,
        receipts.router,
        handing.router,
        mine.router,
        audit.router,
    ),
)


class Pages:
    """The middleware that answers what is a page, and leaves everything else to the API."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.api = app
        self.site = create_site(door)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            if _is_among(self.site, scope):
                share_links(self.site, scope["app"])
                await self.site(scope, receive, send)
                return
            if asks_for_html(scope) and scope["method"] == "GET" and not _is_known(scope["app"], scope):
                await NotHere(self.site)(scope, receive, send)
                return
        await self.api(scope, receive, send)


def create_site(door: Door) -> FastAPI:
    """Return the application of the pages alone."""
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    site.state.door = door
    for router in ROUTERS:
        site.router.routes += router.routes
    return site


def _is_among(site: FastAPI, scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in site.routes)


def _is_known(api: FastAPI, scope: Scope) -> bool:
    return any(route.matches(scope)[0] is not Match.NONE for route in api.routes)
