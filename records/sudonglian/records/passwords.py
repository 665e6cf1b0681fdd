"""Passwords: what is taken for one, and the slow hash of it that is kept.

RFC 9106 (Argon2id); NIST SP 800-63B §3.1.1 (length, no rules of composition, NFKC); docs/decisions/0770.
"""

import unicodedata
from secrets import token_bytes
from threading import BoundedSemaphore
from typing import ClassVar, Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sudonglian.chain.errors import SudonglianError

LEAST: Final = 12
"""Characters: what people can remember and machines cannot try out behind a lock that grows."""

MOST: Final = 256

MEMORY_KIB: Final = 19_456
ITERATIONS: Final = 2
LANES: Final = 1
"""OWASP's least for Argon2id: 40 ms and 19 MiB on a machine of 2024."""

SALT_BYTES: Final = 16
HASH_BYTES: Final = 32

_AT_ONCE: Final = BoundedSemaphore(2)
"""Whoever tries passwords in a flood must not take the whole machine's memory."""

_NOBODYS: Final = "$argon2id$v=19$m=19456,t=2,p=1$kL6q1fAl7VAg8ZFuvD2Yfw$hifPv17x6RCGDykmJ+Jf+Dns6YIV9SG5iwcerLkIp8I"
"""Compared with where there is no account, so that an answer takes as long."""


class PasswordRefused(SudonglianError):
    """A password that is too easy to guess."""

    slug: ClassVar[str] = "password"


def check(password: str, *names: str) -> None:
    """Refuse what is no good password for somebody of these names.

    Raises
    ------
    PasswordRefused
        Too short, too long, of one or two characters only, or one of the names.
    """
    plain = _normal(password)
    if not LEAST <= len(plain) <= MOST:
        raise PasswordRefused(f"it must have {LEAST} to {MOST} characters", place="password")
    if len(set(plain)) < 4:
        raise PasswordRefused("it is made of too few different characters", place="password")
    told = plain.casefold()
    for name in (_normal(one).casefold().strip() for one in names):
        if name and (name in told) and len(told) - len(name) < LEAST // 2:
            raise PasswordRefused("it is hardly more than the name", place="password")


def hashed(password: str) -> str:
    """Return the hash that is kept, with its salt and its parameters."""
    with _AT_ONCE:
        return _argon(token_bytes(SALT_BYTES)).derive_phc_encoded(_normal(password).encode())


def fits(password: str, kept: str | None) -> bool:
    """Return whether a password is the one whose hash is kept; without one it takes as long to say no."""
    given = _normal(password[: 2 * MOST]).encode(errors="surrogatepass")
    try:
        with _AT_ONCE:
            Argon2id.verify_phc_encoded(given, kept or _NOBODYS)
    except InvalidKey:
        return False
    return kept is not None


def _argon(salt: bytes) -> Argon2id:
    return Argon2id(salt=salt, length=HASH_BYTES, iterations=ITERATIONS, lanes=LANES, memory_cost=MEMORY_KIB)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
