"""Caller: who comes through a door, machine or person, as every route and page is told it.

service.md (who comes in, and what they may do). Made here alone, from a key or a session, with the scopes that hold now.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sudonglian.api.scopes import GRANTED, OF_A_FIRM, OF_A_PERSON, Scope, needs_second_factor, scopes_of, with_carried
from sudonglian.records import accounts, api_keys, sessions
from sudonglian.records.accounts import Account
from sudonglian.records.api_keys import ApiKey
from sudonglian.records.sessions import Session


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do."""

    principal: str
    """`account:7` for a person, whichever way they come in; `key:3` for a machine. Two people never share one."""
    name: str
    scopes: frozenset[Scope]
    submitter: str | None
    """The firm that they speak for."""
    account: int | None = None
    profile: str | None = None
    """What their captures are judged by (docs/profiles.md), beside what every capture is judged by."""
    session: int | None = None
    """The session by which a person came in; None with a key."""
    lacks_second_factor: bool = False
    """They must set one up before they may do anything else."""

    def may(self, scope: Scope) -> bool:
        """Whether they have a scope, and the firm that it needs."""
        if scope is Scope.public:
            return True
        return scope in self.scopes and not (scope in OF_A_FIRM and self.submitter is None)


def of_token(connection: Connection, token: str, now: datetime) -> tuple[Caller, ApiKey] | None:
    """Return who shows an API key, if it is live, and the key."""
    key = api_keys.find(connection, token, now)
    if key is None:
        return None
    scopes = with_carried(one for one in GRANTED if one in key.scopes)
    if key.account is None:
        return Caller(f"key:{key.id}", key.name, scopes - OF_A_PERSON, key.submitter, profile=key.profile), key
    account = accounts.by_id(connection, key.account)
    if not account.is_live(now):
        return None
    theirs = of_account(account)
    may = scopes & theirs.scopes
    firm = theirs.submitter if key.submitter in (None, theirs.submitter) else None
    return Caller(theirs.principal, theirs.name, may, firm, account.id, key.profile), key


def of_session(connection: Connection, token: str, now: datetime) -> tuple[Caller, Session] | None:
    """Return who is signed in with a session's token, if it is live, and the session."""
    session = sessions.find(connection, token, now)
    if session is None:
        return None
    account = accounts.by_id(connection, session.account)
    return (of_account(account, session.id), session) if account.is_live(now) else None


def of_account(account: Account, session: int | None = None) -> Caller:
    """Return a person as a caller."""
    lacks = needs_second_factor(account.roles) and not account.has_second_factor and account.ends_us is None
    scopes = frozenset({Scope.own_account}) | (frozenset() if lacks else scopes_of(account.roles))
    return Caller(
        f"account:{account.id}",
        account.display_name,
        scopes,
        account.submitter,
        account.id,
        session=session,
        lacks_second_factor=lacks,
    )
