"""The second factor of an account: its secret under the key-encryption key, the step used last, recovery codes.

service.md (accounts with TOTP); RFC 6238 §5.2 (a code is taken once). The codes themselves: sudonglian.records.totp.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, select, update

from sudonglian.chain.errors import SudonglianError
from sudonglian.records import derive, totp, vault
from sudonglian.records.keys import Keys
from sudonglian.records.tables import ACCOUNTS

LABEL: Final = b"sudonglian/totp/v1\x00"

NEVER: Final = -1
"""The step used last where none has been."""


class CodeRefused(SudonglianError):
    """A code that is not the authenticator's, or was used already."""

    slug: ClassVar[str] = "one-time-code"


def begin(connection: Connection, keys: Keys, account_id: int, now: datetime) -> bytes:
    """Return the secret that an account's authenticator is to learn: the one that waits for its first code, or a new one.

    Raises
    ------
    CodeRefused
        It has one that is confirmed.
    """
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account_id).with_for_update()).one()
    if row.totp_step is not None:
        raise CodeRefused("there is a second factor already; the operator may reset it")
    if row.totp is not None:
        return _open(keys, row)
    secret = totp.new_secret()
    values = {**_seal(connection, keys, account_id, secret), "changed_us": derive.micros(now)}
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(values))
    return secret


def confirm(connection: Connection, keys: Keys, account_id: int, code: str, now: datetime) -> tuple[str, ...]:
    """Take the first code of an authenticator; return the recovery codes, which nobody can read again.

    Raises
    ------
    CodeRefused
        It is not the code of the secret that waits.
    """
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account_id).with_for_update()).one()
    if row.totp is None or row.totp_step is not None:
        raise CodeRefused("nothing waits for a code", place="code")
    step = totp.matching_step(_open(keys, row), _digits(code), now, NEVER)
    if step is None:
        raise CodeRefused("not the code of this authenticator; is its clock right?", place="code")
    codes = totp.new_recovery_codes()
    kept = " ".join(sorted(map(totp.recovery_hash, codes)))
    values = {"totp_step": step, "recovery": kept, "changed_us": derive.micros(now)}
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(values))
    return codes


def accept(keys: Keys, row: Any, code: str, now: datetime) -> Mapping[str, Any] | None:
    """Return what changes in an account's row when a code is taken, or None if it is not taken.

    An account without a confirmed second factor takes any code; what it may do without is the doors'.
    """
    if row.totp_step is None:
        return {}
    step = totp.matching_step(_open(keys, row), _digits(code), now, row.totp_step)
    if step is not None:
        return {"totp_step": step}
    left = row.recovery.split()
    if (used := totp.recovery_hash(code)) in left:
        return {"recovery": " ".join(one for one in left if one != used)}
    return None


def reseal(connection: Connection, keys: Keys) -> int:
    """Put every secret under the key-encryption key that writes; return how many had another one."""
    current = vault.writing_kek(connection)
    query = select(ACCOUNTS).where(ACCOUNTS.c.totp_kek != current).order_by(ACCOUNTS.c.id)
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    for row in rows:
        values = _seal(connection, keys, row.id, _open(keys, row))
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == row.id).values(values))
    return len(rows)


def shut(connection: Connection, gone: Iterable[str], now: datetime) -> int:
    """Close the accounts whose secret is under a key-encryption key that is no more; return how many.

    A password alone must not open them; the operator lets their people in anew.
    """
    theirs = update(ACCOUNTS).where(ACCOUNTS.c.totp_kek.in_(list(gone)))
    values = {"totp": None, "totp_kek": None, "totp_step": None, "recovery": "", "disabled_us": derive.micros(now)}
    return connection.execute(theirs.values(values)).rowcount


def _digits(code: str) -> str:
    return "".join(one for one in code if one.isascii() and one.isdigit()) if len(code) < 20 else ""


def _seal(connection: Connection, keys: Keys, account_id: int, secret: bytes) -> dict[str, Any]:
    kek = vault.writing_kek(connection)
    return {"totp": keys.keks.wrap(kek, secret, LABEL + account_id.to_bytes(8, "big")), "totp_kek": kek}


def _open(keys: Keys, row: Any) -> bytes:
    return keys.keks.unwrap(row.totp_kek, row.totp, LABEL + row.id.to_bytes(8, "big"), f"accounts/{row.id}")
