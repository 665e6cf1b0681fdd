"""Granting keys: what may go together, for whichever door makes one.

service.md (API keys: scoped, expiring); docs/decisions/0771 (a person's key does what both may).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from sudonglian.api.errors import UsageRefused
from sudonglian.api.scopes import GRANTED, OF_A_FIRM, OF_A_PERSON, scopes_of
from sudonglian.records import accounts, api_keys, derive
from sudonglian.records.api_keys import ApiKey


def check(scopes: Collection[str], *, account: str, firms: Sequence[str]) -> None:
    """Refuse scopes that do not go with whose key it is.

    Raises
    ------
    UsageRefused
        No such scope; a firm's without a firm, a person's without a person, or both a person and a firm.
    """
    if unknown := sorted(set(scopes) - set(GRANTED)):
        raise UsageRefused(f"{unknown[0][:40]!r} is no scope", place="--scope")
    if not scopes:
        raise UsageRefused("a key has at least one scope", place="--scope")
    if account:
        if firms:
            raise UsageRefused("a person's key speaks for the person's firm", place="--submitter")
    elif personal := sorted(OF_A_PERSON & set(scopes)):
        raise UsageRefused(f"{personal[0]} is for a person's key", place="--account")
    elif bool(OF_A_FIRM & set(scopes)) != bool(firms):
        raise UsageRefused("capture and read-own need it, other scopes must not have it", place="--submitter")


def make(
    connection: Connection,
    name: str,
    scopes: Collection[str],
    now: datetime,
    *,
    by: str,
    account: str = "",
    firms: Sequence[str] = (),
    expires: datetime | None = None,
    profile: str | None = None,
) -> list[tuple[ApiKey, str]]:
    """Make a key, or one for each of several firms; return each with its token, which nobody can read again.

    Raises
    ------
    UsageRefused, AccountRefused, KeyRefused
        As `check`; there is no such account, or it may not what the key would.
    """
    check(scopes, account=account, firms=firms)
    person = accounts.by_name(connection, account) if account else None
    speaks: list[str | None] = [*firms]
    if person is not None:
        speaks = [person.submitter]
        if lacking := sorted(set(scopes) - scopes_of(person.roles)):
            raise UsageRefused(f"{account} may not {lacking[0]} either", place="--scope")
    told: dict[str, Any] = {"expires": expires, "profile": profile, "account": None if person is None else person.id}
    return [
        api_keys.create(connection, name, sorted(set(scopes)), now, submitter=firm, by=by, **told)
        for firm in speaks or [None]
    ]


def shown(key: ApiKey, now: datetime) -> dict[str, Any]:
    """Return the document of a key."""
    return {
        "prefix": key.prefix,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "submitter": key.submitter,
        "state": "live" if key.is_live(now) else "expired" if key.revoked_us is None else "revoked",
        "created": _time(key.created_us),
        "expires": _time(key.expires_us),
        "revoked": _time(key.revoked_us),
        "profile": key.profile,
        "account": key.account,
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else derive.moment(at_us).isoformat(timespec="seconds")
