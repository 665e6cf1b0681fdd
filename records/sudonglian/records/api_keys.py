"""API keys: what a machine shows at the door. The token is given once; only its hash is kept.

service.md (who comes in): prefix shown, hash stored, scoped, expiring, revocable. Which scopes there are is the doors'.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from typing import ClassVar, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from sudonglian.chain.errors import SudonglianError
from sudonglian.records import derive, grants
from sudonglian.records.tables import API_KEYS

TOKEN: Final = "sdl"
"""Before every token, so that scanners for leaked secrets can know one."""

TOKEN_BYTES: Final = 32
"""256 random bits need no slow hash: nobody can guess through them."""

PREFIX_BYTES: Final = 6
"""Twelve digits: two of a million keys are alike with a chance of 1 in 500, and then the database refuses one."""

MAX_TOKEN: Final = 200
"""Longer than any token; what is longer is not hashed."""


class KeyRefused(SudonglianError):
    """An API key that cannot be made, found or used."""

    slug: ClassVar[str] = "api-key"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key as it is kept."""

    id: int
    prefix: str
    name: str
    scopes: frozenset[str]
    submitter: str | None
    created_us: int
    expires_us: int | None
    revoked_us: int | None
    profile: str | None = None
    """What its captures are judged by (docs/profiles.md), beside what every capture is judged by."""
    account: int | None = None
    """The person whose key it is; None for a machine's."""

    def is_live(self, now: datetime) -> bool:
        """Return whether it opens doors at a time."""
        return self.revoked_us is None and (self.expires_us is None or derive.micros(now) < self.expires_us)


def create(
    connection: Connection,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    *,
    submitter: str | None = None,
    expires: datetime | None = None,
    profile: str | None = None,
    account: int | None = None,
    by: str = "",
) -> tuple[ApiKey, str]:
    """Make a key; return it and its token, which nobody can read again. `by` is who makes it.

    Raises
    ------
    KeyRefused
        It ends before it begins.
    """
    if expires is not None and expires <= now:
        raise KeyRefused("it would have ended before it began", place="expires")
    prefix = f"{TOKEN}_{token_hex(PREFIX_BYTES)}"
    token = f"{prefix}_{token_urlsafe(TOKEN_BYTES)}"
    row = {
        "prefix": prefix,
        "token_hash": _hash(token),
        "name": name,
        "scopes": " ".join(sorted(set(scopes))),
        "submitter": submitter,
        "created_us": derive.micros(now),
        "expires_us": None if expires is None else derive.micros(expires),
        "profile": profile,
        "account": account,
    }
    made = _key(connection.execute(insert(API_KEYS).returning(*_COLUMNS), row).one())
    grants.of_key(connection, made, "made", by, now)
    return made, token


def find(connection: Connection, token: str, now: datetime) -> ApiKey | None:
    """Return the live key of a token."""
    if not token.startswith(f"{TOKEN}_") or len(token) > MAX_TOKEN or not token.isascii():
        return None
    row = connection.execute(select(*_COLUMNS).where(API_KEYS.c.token_hash == _hash(token))).one_or_none()
    found = None if row is None else _key(row)
    return found if found is not None and found.is_live(now) else None


def listed(connection: Connection) -> list[ApiKey]:
    """Return every key ever made, the oldest first."""
    return [_key(row) for row in connection.execute(select(*_COLUMNS).order_by(API_KEYS.c.id))]


def revoke(connection: Connection, prefix: str, now: datetime, *, by: str = "") -> ApiKey:
    """End a key for good; ending it again changes nothing.

    Raises
    ------
    KeyRefused
        No key has this prefix.
    """
    ended = func.coalesce(API_KEYS.c.revoked_us, derive.micros(now))
    key = _changed(connection, prefix, revoked_us=ended)
    grants.of_key(connection, key, "revoked", by, now)
    return key


def set_profile(connection: Connection, prefix: str, profile: str | None) -> ApiKey:
    """Judge what comes with a key by another profile from now on, or by none.

    Raises
    ------
    KeyRefused
        No key has this prefix.
    """
    return _changed(connection, prefix, profile=profile)


def _changed(connection: Connection, prefix: str, **values: object) -> ApiKey:
    statement = update(API_KEYS).where(API_KEYS.c.prefix == prefix).values(**values).returning(*_COLUMNS)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise KeyRefused(f"no key has the prefix {prefix[:40]!r}", place="prefix")
    return _key(row)


_COLUMNS: Final = tuple(API_KEYS.c[name] for name in ApiKey.__slots__)


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    kept = row._mapping
    return ApiKey(**{name: kept[name] for name in ApiKey.__slots__} | {"scopes": frozenset(row.scopes.split())})


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
