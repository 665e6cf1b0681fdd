"""Accounts: the people who sign in, what they may prove themselves with, and what stops whoever tries.

service.md (who comes in: argon2, TOTP, lockout); docs/decisions/0770. Which roles there are is the doors'.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, Row, insert, select, update

from sudonglian.chain.errors import SudonglianError
from sudonglian.records import derive, grants, passwords, second_factor, sessions, store
from sudonglian.records.keys import Keys
from sudonglian.records.tables import ACCOUNTS

_NAME = re.compile(r"[^\W_][\w.@-]{1,63}")

MAX_DISPLAY: Final = 200

INVITED: Final = timedelta(days=7)
"""How long a one-time link waits: over a weekend and a holiday."""

CODE_BYTES: Final = 32

FREE: Final = 5
"""Attempts in a row before an account waits: what somebody with two passwords in mind needs."""

WAIT: Final = timedelta(seconds=30)
MAX_WAIT: Final = timedelta(hours=1)
"""The wait doubles with each further attempt; longer ones would let anybody keep anybody out."""

LOCK: Final = "sudonglian-accounts"
"""Held while it is decided whether there is an account."""


class AccountRefused(SudonglianError):
    """An account that cannot be made, found or changed so."""

    slug: ClassVar[str] = "account"


class InviteRefused(AccountRefused):
    """A one-time link that was used, has ended, or was never given."""

    slug: ClassVar[str] = "invite"


@dataclass(frozen=True, slots=True)
class Account:
    """One account as the doors see it, without what it proves itself with."""

    id: int
    name: str
    display_name: str
    roles: frozenset[str]
    submitter: str | None
    has_password: bool
    has_second_factor: bool
    recovery_left: int
    invite_until_us: int | None
    failed: int
    locked_until_us: int | None
    ends_us: int | None
    disabled_us: int | None
    created_us: int
    changed_us: int
    """When what it may do, or proves itself with, was changed last."""

    def is_live(self, now: datetime) -> bool:
        """Whether it opens doors at a time."""
        return self.disabled_us is None and (self.ends_us is None or derive.micros(now) < self.ends_us)


def normal_name(text: str) -> str:
    """Return a name in the one form in which it is kept and found.

    >>> normal_name(" Wang.Fang@CDC "), normal_name("王芳")
    ('wang.fang@cdc', '王芳')

    Raises
    ------
    AccountRefused
        It cannot be a name.
    """
    name = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _NAME.fullmatch(name):
        raise AccountRefused("a name has 2 to 64 letters, digits, dots, dashes or @", place="name")
    return name


def invite(
    connection: Connection,
    name: str,
    roles: Iterable[str],
    now: datetime,
    *,
    display_name: str = "",
    submitter: str | None = None,
    by: str = "",
) -> tuple[Account, str]:
    """Make an account and the one-time code with which its person chooses a password; `by` is who makes it.

    Raises
    ------
    AccountRefused
        The name is taken, or cannot be one.
    """
    code = token_urlsafe(CODE_BYTES)
    row = _new(name, display_name, roles, submitter, now)
    row |= {"invite_hash": _hash(code), "invite_until_us": derive.micros(now + INVITED)}
    return _inserted(connection, row, by), code


def first(connection: Connection, name: str, display_name: str, password: str, role: str, now: datetime) -> Account:
    """Make the account of whoever opened the link of the first start.

    Raises
    ------
    AccountRefused
        There is an account by now, or the name cannot be one.
    PasswordRefused
        It is too easy to guess.
    """
    _alone(connection)
    row = _new(name, display_name, [role], None, now)
    passwords.check(password, row["name"], row["display_name"])
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.ends_us.is_not(None)).values(disabled_us=derive.micros(now)))
    return _inserted(connection, row | {"password_hash": passwords.hashed(password)}, "")


def trial(connection: Connection, roles: Iterable[str], submitter: str, now: datetime, ends: datetime) -> Account:
    """Make an account without a password, which ends soon and opens one session alone.

    Raises
    ------
    AccountRefused
        Somebody has an account by now: then nobody else tries things out.
    """
    _alone(connection)
    row = _new(f"trial-{token_urlsafe(6).replace('_', '-')}", "trial", roles, submitter, now)
    return _inserted(connection, row | {"ends_us": derive.micros(ends)}, "")


def is_settled(connection: Connection) -> bool:
    """Return whether anybody has an account that was not for trying out."""
    return connection.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.ends_us.is_(None)).limit(1)).first() is not None


def invited(connection: Connection, code: str, now: datetime) -> Account:
    """Return the account that a one-time code is for.

    Raises
    ------
    InviteRefused
        The code is unknown, used, or at its end.
    """
    row = connection.execute(_ROW.where(ACCOUNTS.c.invite_hash == _hash(code))).one_or_none()
    if row is None or row.invite_until_us < derive.micros(now) or row.disabled_us is not None:
        raise InviteRefused("this link has been used or has ended; ask the operator for a new one")
    return _account(row)


def accept(connection: Connection, code: str, password: str, now: datetime) -> Account:
    """Give an account its password; the code is used up.

    Raises
    ------
    InviteRefused, PasswordRefused
        The code opens nothing, or the password is too easy to guess: then the code stays.
    """
    found = invited(connection, code, now)
    passwords.check(password, found.name, found.display_name)
    changed = _set(
        connection,
        (ACCOUNTS.c.id == found.id) & (ACCOUNTS.c.invite_hash == _hash(code)),
        now,
        password_hash=passwords.hashed(password),
        invite_hash=None,
        invite_until_us=None,
    )
    if changed is None:
        raise InviteRefused("this link has been used or has ended; ask the operator for a new one")
    grants.of_account(connection, changed, "begun", "", now)
    return changed


def password_hash(connection: Connection, name: str) -> str | None:
    """Return what is kept of the password of whoever has this name; None too where nobody has."""
    try:
        known = normal_name(name)
    except AccountRefused:
        return None
    query = select(ACCOUNTS.c.password_hash).where(ACCOUNTS.c.name == known)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def settle(
    connection: Connection, keys: Keys, name: str, kept: str | None, code: str, now: datetime, *, right: bool
) -> Account | None:
    """Return the account of an attempt to sign in, or None and count it; `right` says whether the password was.

    `kept` is the hash that the password was compared with: if another one has been chosen meanwhile, it was not right.
    Who waits is refused whatever is shown, and does not wait longer for it.
    """
    if kept is None:
        return None
    row = connection.execute(
        select(ACCOUNTS).where(ACCOUNTS.c.name == normal_name(name)).with_for_update()
    ).one_or_none()
    at_us = derive.micros(now)
    if row is None or (row.locked_until_us is not None and at_us < row.locked_until_us):
        return None
    opens = right and row.password_hash == kept and _account(row).is_live(now)
    changes = second_factor.accept(keys, row, code, now) if opens else None
    if changes is None:
        failed = row.failed + 1
        until = None if failed < FREE else at_us + _wait(failed) // timedelta(microseconds=1)
        _set(connection, ACCOUNTS.c.id == row.id, None, failed=failed, locked_until_us=until)
        return None
    return _set(connection, ACCOUNTS.c.id == row.id, None, failed=0, locked_until_us=None, **changes)


def begin_session(connection: Connection, account: Account, now: datetime, lasts: timedelta) -> str | None:
    """Sign in whoever has just been found to be an account; return the token, or None if it was changed since.

    Whoever had shown the old password must not come in after the new one has ended all sessions.
    """
    query = select(ACCOUNTS.c.changed_us).where(ACCOUNTS.c.id == account.id).with_for_update(read=True)
    if connection.execute(query).scalar_one() != account.changed_us:
        return None
    return sessions.begin(connection, account.id, now, lasts=lasts)[1]


def change_password(connection: Connection, account_id: int, password: str, now: datetime) -> Account:
    """Give an account another password; its sessions end.

    Raises
    ------
    AccountRefused, PasswordRefused
        There is no such account, or the password is too easy to guess.
    """
    found = by_id(connection, account_id)
    passwords.check(password, found.name, found.display_name)
    changed = _set(connection, ACCOUNTS.c.id == account_id, now, password_hash=passwords.hashed(password))
    sessions.revoke_all(connection, account_id, now)  # behind the change: `begin_session` waits for it
    return _must(changed)


def reset(connection: Connection, name: str, now: datetime, *, by: str = "") -> tuple[Account, str]:
    """Take away whatever an account proves itself with, end its sessions, and return a new one-time code.

    Raises
    ------
    AccountRefused
        There is no such account.
    """
    code = token_urlsafe(CODE_BYTES)
    found = by_name(connection, name)
    changed = _set(
        connection,
        ACCOUNTS.c.id == found.id,
        now,
        password_hash=None,
        totp=None,
        totp_kek=None,
        totp_step=None,
        recovery="",
        failed=0,
        locked_until_us=None,
        invite_hash=_hash(code),
        invite_until_us=derive.micros(now + INVITED),
    )
    sessions.revoke_all(connection, found.id, now)
    grants.of_account(connection, _must(changed), "reset", by, now)
    return _must(changed), code


def disable(connection: Connection, name: str, now: datetime, *, by: str = "") -> Account:
    """End an account and its sessions; `enable` brings it back."""
    found = by_name(connection, name)
    at_us = derive.micros(now) if found.disabled_us is None else found.disabled_us
    changed = _set(connection, ACCOUNTS.c.id == found.id, now, disabled_us=at_us)
    sessions.revoke_all(connection, found.id, now)
    grants.of_account(connection, _must(changed), "disabled", by, now)
    return _must(changed)


def enable(connection: Connection, name: str, now: datetime, *, by: str = "") -> Account:
    """Bring a disabled account back."""
    changed = _must(_set(connection, ACCOUNTS.c.name == by_name(connection, name).name, now, disabled_us=None))
    grants.of_account(connection, changed, "enabled", by, now)
    return changed


def unlock(connection: Connection, name: str, now: datetime) -> Account:
    """Let an account be tried again at once."""
    known = by_name(connection, name).name
    return _must(_set(connection, ACCOUNTS.c.name == known, now, failed=0, locked_until_us=None))


def set_roles(
    connection: Connection, name: str, roles: Iterable[str], submitter: str | None, now: datetime, *, by: str = ""
) -> Account:
    """Give an account other roles, and the firm that they are for."""
    known = by_name(connection, name).name
    changed = _must(_set(connection, ACCOUNTS.c.name == known, now, roles=_joined(roles), submitter=submitter))
    grants.of_account(connection, changed, "roles", by, now)
    return changed


def listed(connection: Connection) -> list[Account]:
    """Return every account, the oldest first."""
    return [_account(row) for row in connection.execute(_ROW.order_by(ACCOUNTS.c.id))]


def by_id(connection: Connection, account_id: int) -> Account:
    """Return an account by its number."""
    return _found(connection.execute(_ROW.where(ACCOUNTS.c.id == account_id)).one_or_none())


def by_name(connection: Connection, name: str) -> Account:
    """Return an account by its name, however it is written."""
    return _found(connection.execute(_ROW.where(ACCOUNTS.c.name == normal_name(name))).one_or_none())


def _alone(connection: Connection) -> None:
    store.lock(connection, LOCK)
    if is_settled(connection):
        raise AccountRefused("there is an account already; whoever has it makes further ones")


def _new(name: str, display_name: str, roles: Iterable[str], submitter: str | None, now: datetime) -> dict[str, Any]:
    shown = unicodedata.normalize("NFC", display_name).strip() or name.strip()
    if len(shown) > MAX_DISPLAY or not shown.isprintable():
        raise AccountRefused(f"a name to show has at most {MAX_DISPLAY} characters", place="display_name")
    at_us = derive.micros(now)
    named = {"name": normal_name(name), "display_name": shown, "roles": _joined(roles), "submitter": submitter}
    return {**named, "recovery": "", "failed": 0, "created_us": at_us, "changed_us": at_us}


def _joined(roles: Iterable[str]) -> str:
    given = sorted(set(roles))
    if not given:
        raise AccountRefused("an account has at least one role", place="role")
    return " ".join(given)


def _inserted(connection: Connection, row: dict[str, Any], by: str) -> Account:
    store.lock(connection, LOCK)
    if connection.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.name == row["name"])).first() is not None:
        raise AccountRefused("somebody has this name already", place="name")
    made = _account(connection.execute(insert(ACCOUNTS).returning(*_COLUMNS), row).one())
    grants.of_account(connection, made, "made", by, derive.moment(made.created_us))
    return made


def _set(connection: Connection, which: Any, now: datetime | None, **values: Any) -> Account | None:
    """Change an account; attempts alone, without a time, are no change of it."""
    if now is not None:
        values["changed_us"] = derive.micros(now)
    row = connection.execute(update(ACCOUNTS).where(which).values(values).returning(*_COLUMNS)).one_or_none()
    return None if row is None else _account(row)


def _must(found: Account | None) -> Account:
    assert found is not None
    return found


def _found(row: Row[Any] | None) -> Account:
    if row is None:
        raise AccountRefused("nobody has this name here", place="name")
    return _account(row)


def _wait(failed: int) -> timedelta:
    doublings: int = min(failed - FREE, 16)
    return min(MAX_WAIT, WAIT * (1 << doublings))


def _hash(code: str) -> bytes:
    return sha256(b"sudonglian/invite/v1\x00" + code.encode(errors="replace")).digest()


_COLUMNS: Final = tuple(ACCOUNTS.c)
_ROW: Final = select(*_COLUMNS)


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        roles=frozenset(row.roles.split()),
        submitter=row.submitter,
        has_password=row.password_hash is not None,
        has_second_factor=row.totp_step is not None,
        recovery_left=len(row.recovery.split()),
        invite_until_us=row.invite_until_us,
        failed=row.failed,
        locked_until_us=row.locked_until_us,
        ends_us=row.ends_us,
        disabled_us=row.disabled_us,
        created_us=row.created_us,
        changed_us=row.changed_us,
    )
