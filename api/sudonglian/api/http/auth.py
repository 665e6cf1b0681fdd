"""Who may come in where: one dependency that every route declares, and that knows its caller.

service.md (who comes in, and what they may do); a test walks every route with every scope and none.
"""

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from sudonglian.api.errors import DoorError
from sudonglian.api.http.door import door_of
from sudonglian.api.scopes import OF_A_FIRM, Scope
from sudonglian.records import api_keys
from sudonglian.records.api_keys import ApiKey


class Unauthenticated(DoorError):
    """No key, or one that is unknown, revoked or at its end."""

    slug: ClassVar[str] = "unauthenticated"


class Forbidden(DoorError):
    """A key without the scope that a route needs."""

    slug: ClassVar[str] = "forbidden"


class Needs:
    """The dependency that gives a route its caller's key, if the key may."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> ApiKey | None:
        """Return the caller's key; None for a caller without one where none is needed."""
        caller = _caller(request)
        if self.scope is Scope.public:
            return caller
        if caller is None:
            raise Unauthenticated("this needs an API key: Authorization: Bearer …")
        if self.scope not in caller.scopes or (self.scope in OF_A_FIRM and caller.submitter is None):
            raise Forbidden(f"this key has not the scope {self.scope}", place="Authorization")
        return caller


Anyone = Annotated[ApiKey | None, Depends(Needs(Scope.public))]
Capturer = Annotated[ApiKey, Depends(Needs(Scope.capture))]
Owner = Annotated[ApiKey, Depends(Needs(Scope.read_own))]
Tracer = Annotated[ApiKey, Depends(Needs(Scope.trace))]
Operator = Annotated[ApiKey, Depends(Needs(Scope.operate))]


def scope_of(dependant: Dependant) -> Scope | None:
    """Return the one scope that a route declares, or None."""
    found = [one.call.scope for one in dependant.dependencies if isinstance(one.call, Needs)]
    return found[0] if len(found) == 1 else None


def submitter_of(key: ApiKey) -> str:
    """Return the firm that a key speaks for."""
    if key.submitter is None:
        raise Forbidden("this key speaks for no firm", place="Authorization")
    return key.submitter


def _caller(request: Request) -> ApiKey | None:
    given = request.headers.get("authorization")
    if given is None:
        return None
    kind, _, token = given.partition(" ")
    if kind.lower() != "bearer":
        raise Unauthenticated("the header must say Bearer, then the key", place="Authorization")
    with door_of(request).store.read() as connection:
        key = api_keys.find(connection, token.strip(), datetime.now(UTC))
    if key is None:
        raise Unauthenticated("the key is unknown, revoked or at its end", place="Authorization")
    request.scope["sudonglian.key"] = key.prefix
    return key
