"""The application: every route, one order of gates in front of them, problems for everything that goes wrong.

service.md (HTTP); house.md (the doors hold no business rules).
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

import anyio.to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from sudonglian.api.http import auth, epcis, problems, query
from sudonglian.api.http.door import Door
from sudonglian.api.http.edge import Edge
from sudonglian.api.http.routes import (
    access,
    accounts,
    capture,
    cases,
    contacts,
    events,
    examine,
    exports,
    fsma204,
    handoffs,
    health,
    interviews,
    labels,
    log,
    lots,
    people,
    profiles,
    records,
    resolver,
    resources,
    reveals,
    sheets,
    signatures,
    sources,
    tasks,
    temperature,
    traces,
    verify,
    webhooks,
)
from sudonglian.api.http.tracing import Runner
from sudonglian.api.pages.site import Pages
from sudonglian.api.scopes import Scope
from sudonglian.chain.errors import SudonglianError

THREADS: Final = 12
"""Requests served at once: below the fifteen connections that a store's pool holds, with room for background work."""

STOP_WAIT_S: Final = 5
"""How long a stopping process waits for the trace at hand."""

ROUTERS: Final = (
    accounts,
    capture,
    profiles,
    sheets,
    events,
    exports,
    resources,
    signatures,
    handoffs,
    log,
    records,
    temperature,
    lots,
    fsma204,
    labels,
    traces,
    cases,
    reveals,
    tasks,
    access,
    contacts,
    sources,
    people,
    verify,
    examine,
    webhooks,
    health,
    interviews,
    resolver,
)

BEARER: Final = {"type": "http", "scheme": "bearer", "description": "A key of `sudonglian keys api create`."}

PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457; `type` is urn:sudonglian:problem: and a stable slug.",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "In Chinese or English, by Accept-Language."},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail")},
            },
        },
    },
}

REFUSAL: Final = {
    "description": "A refusal",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Described(FastAPI):
    """An application whose description says what its routes answer in truth: problems, and the scope that each needs."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            document = super().openapi()
            for path, methods in document["paths"].items():
                for operation in methods.values():
                    if path.startswith(events.router.prefix):
                        operation["parameters"] = [*operation.get("parameters", ()), *epcis.references()]
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = REFUSAL
            document["components"] = {
                "parameters": {**query.components(), **epcis.components()},
                "schemas": {"Problem": PROBLEM},
                "securitySchemes": {"key": BEARER},
            }
            self.openapi_schema = document
        return self.openapi_schema


def create_app(door: Door, *, background: bool = True) -> FastAPI:
    """Return the application of a door; with `background`, it also runs traces while it serves."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        runner = Runner(door) if background else None
        if runner is not None:
            runner.start()
        yield
        if runner is not None:
            await anyio.to_thread.run_sync(runner.stop, STOP_WAIT_S)

    app = Described(
        title="溯冻链 Sudonglian",
        version=version("sudonglian"),
        summary="Cold-chain provenance and contact tracing with proofs.",
        lifespan=lifespan,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.door = door
    for module in ROUTERS:
        # Not include_router: that wraps the routes, and whoever walks them to see their scopes would see none.
        app.router.routes += module.router.routes
    app.add_exception_handler(SudonglianError, problems.refused)
    app.add_exception_handler(RequestValidationError, problems.invalid)
    app.add_exception_handler(HTTPException, problems.framework)
    app.add_middleware(Pages, door=door)
    app.add_middleware(Edge, door=door)
    _declare_scopes(app)
    return app


def api_routes(app: FastAPI) -> Iterator[APIRoute]:
    """Yield every route that is described in the API."""
    yield from (one for one in app.routes if isinstance(one, APIRoute))


def _declare_scopes(app: FastAPI) -> None:
    for route in api_routes(app):
        scope = auth.scope_of(route.dependant)
        if scope is None:
            raise TypeError(f"{route.path} declares no scope")
        needed: list[dict[str, list[str]]] = [] if scope is Scope.public else [{"key": [scope.value]}]
        extra = {"x-scope": scope.value, "security": needed}
        route.openapi_extra = {**(route.openapi_extra or {}), **extra}
