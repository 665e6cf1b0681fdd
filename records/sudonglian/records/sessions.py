"""Sessions: who is signed in, from when, until when. The token is the browser's; only its hash is kept.

service.md (sessions as secure cookies); NIST SP 800-63B §4.2.3 (when somebody must sign in again).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from sudonglian.records import derive
from sudonglian.records.tables import SESSIONS

TOKEN_BYTES: Final = 32

MAX_TOKEN: Final = 100

LASTS: Final = timedelta(hours=12)
"""A shift."""

IDLE: Final = timedelta(hours=1)
"""A lunch."""

SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly it is kept when a session was used: not every request is worth a write."""

KEPT: Final = timedelta(days=30)
"""How long a session that is over is listed."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session as it is kept."""

    id: int
    account: int
    created_us: int
    expires_us: int
    idle_us: int
    seen_us: int
    revoked_us: int | None

    def is_live(self, now: datetime) -> bool:
        """Whether it opens doors at a time."""
        at_us = derive.micros(now)
        return self.revoked_us is None and at_us < min(self.expires_us, self.seen_us + self.idle_us)

    def is_due(self, now: datetime) -> bool:
        """Whether its use is to be noted."""
        return derive.micros(now) - self.seen_us >= SEEN_EVERY // timedelta(microseconds=1)


def begin(
    connection: Connection, account: int, now: datetime, *, lasts: timedelta = LASTS, idle: timedelta = IDLE
) -> tuple[Session, str]:
    """Begin a session of an account; return it and its token. What was over long ago is forgotten."""
    token = token_urlsafe(TOKEN_BYTES)
    at_us = derive.micros(now)
    connection.execute(
        delete(SESSIONS).where(SESSIONS.c.account == account, SESSIONS.c.expires_us < derive.micros(now - KEPT))
    )
    row = {
        "token_hash": _hash(token),
        "account": account,
        "created_us": at_us,
        "expires_us": derive.micros(now + lasts),
        "idle_us": idle // timedelta(microseconds=1),
        "seen_us": at_us,
    }
    return Session(*connection.execute(insert(SESSIONS).returning(*_COLUMNS), row).one()), token


def find(connection: Connection, token: str, now: datetime) -> Session | None:
    """Return the live session of a token."""
    if not token.isascii() or len(token) > MAX_TOKEN:
        return None
    row = connection.execute(select(*_COLUMNS).where(SESSIONS.c.token_hash == _hash(token))).one_or_none()
    found = None if row is None else Session(*row)
    return found if found is not None and found.is_live(now) else None


def touch(connection: Connection, session: Session, now: datetime) -> None:
    """Note that a session is used."""
    seen = update(SESSIONS).where(SESSIONS.c.id == session.id, SESSIONS.c.revoked_us.is_(None))
    connection.execute(seen.values(seen_us=derive.micros(now)))


def of(connection: Connection, account: int, now: datetime) -> list[Session]:
    """Return an account's live sessions, the newest first."""
    query = select(*_COLUMNS).where(SESSIONS.c.account == account).order_by(SESSIONS.c.id.desc())
    found = (Session(*row) for row in connection.execute(query))
    return [one for one in found if one.is_live(now)]


def revoke(connection: Connection, account: int, session_id: int, now: datetime) -> bool:
    """End one of an account's own sessions; tell whether there was one."""
    return _ended(connection, (SESSIONS.c.account == account) & (SESSIONS.c.id == session_id), now) > 0


def revoke_all(connection: Connection, account: int, now: datetime) -> int:
    """End all sessions of an account; return how many."""
    return _ended(connection, SESSIONS.c.account == account, now)


def _ended(connection: Connection, which: Any, now: datetime) -> int:
    ended = func.coalesce(SESSIONS.c.revoked_us, derive.micros(now))
    live = update(SESSIONS).where(which, SESSIONS.c.revoked_us.is_(None))
    return connection.execute(live.values(revoked_us=ended)).rowcount


_COLUMNS: Final = tuple(SESSIONS.c[name] for name in Session.__slots__)


def _hash(token: str) -> bytes:
    return sha256(b"sudonglian/session/v1\x00" + token.encode()).digest()
