"""The second factor of an account: its secret under the key-encryption key, the step used last, recovery codes.

service.md (accounts with TOTP); RFC 6238 §5.2 (a code is taken once). The codes themselves: sudonglian.records.totp.
"""

from collections.abc import Mapping
from datetime import datetime
from secrets import token_bytes
from typing import Any, ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, select, update

from sudonglian.chain.errors import SudonglianError
from sudonglian.records import derive, totp
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.keys import Keys
from sudonglian.records.tables import ACCOUNTS

NONCE_BYTES: Final = 12

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
        return _open(keys, row.id, row.totp)
    secret = totp.new_secret()
    values = {"totp": _seal(keys, account_id, secret), "changed_us": derive.micros(now)}
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
    step = totp.matching_step(_open(keys, row.id, row.totp), _digits(code), now, NEVER)
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
    step = totp.matching_step(_open(keys, row.id, row.totp), _digits(code), now, row.totp_step)
    if step is not None:
        return {"totp_step": step}
    left = row.recovery.split()
    if (used := totp.recovery_hash(code)) in left:
        return {"recovery": " ".join(one for one in left if one != used)}
    return None


def reseal(connection: Connection, old: Keys, new: Keys) -> int:
    """Put every secret under another key-encryption key; return how many."""
    rows = connection.execute(select(ACCOUNTS.c.id, ACCOUNTS.c.totp).where(ACCOUNTS.c.totp.is_not(None))).all()
    for row in rows:
        sealed = _seal(new, row.id, _open(old, row.id, row.totp))
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == row.id).values(totp=sealed))
    return len(rows)


def _digits(code: str) -> str:
    return "".join(one for one in code if one.isascii() and one.isdigit()) if len(code) < 20 else ""


def _seal(keys: Keys, account_id: int, secret: bytes) -> bytes:
    nonce = token_bytes(NONCE_BYTES)
    return nonce + AESGCM(keys.kek).encrypt(nonce, secret, LABEL + account_id.to_bytes(8, "big"))


def _open(keys: Keys, account_id: int, sealed: bytes) -> bytes:
    try:
        return AESGCM(keys.kek).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], LABEL + account_id.to_bytes(8, "big")
        )
    except (InvalidTag, ValueError) as error:
        raise StoreCorrupt("does not open with the key-encryption key", place=f"accounts/{account_id}") from error
