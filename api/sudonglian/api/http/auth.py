"""Who may come in where: one dependency that every route declares, and that knows its caller.

service.md (who comes in, and what they may do); a test walks every route with every scope and none.
"""

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from sudonglian.api import caller as callers
from sudonglian.api.caller import Caller
from sudonglian.api.errors import DoorError
from sudonglian.api.http.door import door_of
from sudonglian.api.scopes import Scope


class Unauthenticated(DoorError):
    """No key, or one that is unknown, revoked or at its end."""

    slug: ClassVar[str] = "unauthenticated"


class Forbidden(DoorError):
    """A key without the scope that a route needs."""

    slug: ClassVar[str] = "forbidden"


class SecondFactorMissing(Forbidden):
    """Somebody whose role needs a second factor, before it is set up."""

    slug: ClassVar[str] = "second-factor-missing"


class Needs:
    """The dependency that gives a route its caller, if the caller may come in."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> Caller | None:
        """Return the caller; None for one who shows nothing where nothing is needed."""
        return admitted(_caller(request), self.scope)


def admitted(caller: Caller | None, scope: Scope) -> Caller | None:
    """Return a caller who may what a scope means: the one place that decides it, for routes and pages.

    Raises
    ------
    Unauthenticated, Forbidden
        Nobody we know, or not allowed.
    """
    if scope is Scope.public:
        return caller
    if caller is None:
        raise Unauthenticated("this needs an API key (Authorization: Bearer …), or on a page that you sign in")
    if not caller.may(scope):
        if caller.lacks_second_factor:
            raise SecondFactorMissing("your role needs a second factor; set it up first")
        raise Forbidden(f"this needs the scope {scope}, which you have not", place="Authorization")
    return caller


Anyone = Annotated[Caller | None, Depends(Needs(Scope.public))]
Capturer = Annotated[Caller, Depends(Needs(Scope.capture))]
Owner = Annotated[Caller, Depends(Needs(Scope.read_own))]
RecordReader = Annotated[Caller, Depends(Needs(Scope.read_record))]
Tracer = Annotated[Caller, Depends(Needs(Scope.trace))]
CaseWorker = Annotated[Caller, Depends(Needs(Scope.case))]
Approver = Annotated[Caller, Depends(Needs(Scope.reveal_approve))]
FollowUpWorker = Annotated[Caller, Depends(Needs(Scope.follow_up))]
Auditor = Annotated[Caller, Depends(Needs(Scope.audit))]
AccessAuditor = Annotated[Caller, Depends(Needs(Scope.access_log))]
Registrar = Annotated[Caller, Depends(Needs(Scope.accounts))]
Operator = Annotated[Caller, Depends(Needs(Scope.operate))]


def scope_of(dependant: Dependant) -> Scope | None:
    """Return the one scope that a route declares, or None."""
    found = [one.call.scope for one in dependant.dependencies if isinstance(one.call, Needs)]
    return found[0] if len(found) == 1 else None


def submitter_of(caller: Caller) -> str:
    """Return the firm that a caller speaks for."""
    if caller.submitter is None:
        raise Forbidden("you speak for no firm", place="Authorization")
    return caller.submitter


def _caller(request: Request) -> Caller | None:
    given = request.headers.get("authorization")
    if given is None:
        return None
    kind, _, token = given.partition(" ")
    if kind.lower() != "bearer":
        raise Unauthenticated("the header must say Bearer, then the key", place="Authorization")
    return known(request, token.strip())


def known(request: Request, token: str) -> Caller:
    """Return who shows an API key.

    Raises
    ------
    Unauthenticated
        It is unknown, revoked or at its end.
    """
    with door_of(request).store.read() as connection:
        found = callers.of_token(connection, token, datetime.now(UTC))
    if found is None:
        raise Unauthenticated("the key is unknown, revoked or at its end", place="Authorization")
    caller, key = found
    request.scope["sudonglian.key"] = key.prefix
    return caller
