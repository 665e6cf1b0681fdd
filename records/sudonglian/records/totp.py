"""One-time codes of an authenticator, and the recovery codes for the day that it is lost.

RFC 6238 (TOTP: SHA-1, 6 digits, 30 s, as every authenticator knows it) over RFC 4226 (HOTP).
"""

import base64
import hmac
from datetime import datetime
from hashlib import sha256
from secrets import choice, token_bytes
from typing import Final
from urllib.parse import quote

SECRET_BYTES: Final = 20
"""RFC 4226 §4 R6."""

STEP_S: Final = 30
DIGITS: Final = 6

SKEW: Final = 1
"""Steps that a telephone's clock may be off, either way (RFC 6238 §5.2)."""

ISSUER: Final = "Sudonglian"

RECOVERY_CODES: Final = 8
RECOVERY_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
RECOVERY_LENGTH: Final = 16
"""79 bits: a plain hash of one cannot be tried out."""


def new_secret() -> bytes:
    """Return a fresh secret."""
    return token_bytes(SECRET_BYTES)


def hotp(secret: bytes, counter: int, digits: int = DIGITS) -> str:
    """Return the code of a counter.

    >>> hotp(b"12345678901234567890", 1)
    '287082'
    """
    mac = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def step_at(now: datetime) -> int:
    """Return the number of the step at a time."""
    return int(now.timestamp()) // STEP_S


def matching_step(secret: bytes, code: str, now: datetime, used: int) -> int | None:
    """Return the step whose code this is, near now and later than the one used last; None if there is none."""
    found = None
    here = step_at(now)
    for step in range(here - SKEW, here + SKEW + 1):
        if hmac.compare_digest(hotp(secret, step).encode(), code.encode(errors="replace")) and step > used:
            found = step
    return found


def text_of(secret: bytes) -> str:
    """Return a secret as it is typed into an authenticator that has no camera."""
    return base64.b32encode(secret).decode()


def uri_of(secret: bytes, name: str) -> str:
    """Return the address that an authenticator reads from a QR code.

    >>> uri_of(b"12345678901234567890", "wang")
    'otpauth://totp/Sudonglian:wang?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Sudonglian'
    """
    return f"otpauth://totp/{ISSUER}:{quote(name, safe='')}?secret={text_of(secret)}&issuer={ISSUER}"


def new_recovery_codes() -> tuple[str, ...]:
    """Return fresh recovery codes, in groups of four."""
    return tuple(
        "-".join("".join(choice(RECOVERY_LETTERS) for _ in range(4)) for _ in range(RECOVERY_LENGTH // 4))
        for _ in range(RECOVERY_CODES)
    )


def recovery_hash(code: str) -> str:
    """Return what is kept of a recovery code, however it is typed."""
    plain = "".join(one for one in code.upper() if one in RECOVERY_LETTERS)
    return sha256(b"sudonglian/recovery/v1\x00" + plain.encode()).hexdigest()
