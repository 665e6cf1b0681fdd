"""Disclosures: a withheld member or array element, salted, so that its digest can be signed and it can be erased.

docs/spec/record.md rules 5, 6, 7 and 10 (the semantics of RFC 9901).
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused, RecordRefused

MAX_CHARACTERS: Final = 4 * 1024 * 1024
"""As large as the largest event that is read (rule 10, canonical.md rule 2)."""

SALT_BYTES: Final = 16
"""128 bits, which RFC 9901 §9.3 asks for: a short value cannot be guessed from its digest."""

_OF_URLS: Final = bytes.maketrans(b"+/", b"-_")
_SALT = re.compile(r"[A-Za-z0-9_-]{22}")


class DisclosureRefused(RecordRefused):
    """A disclosure that is malformed or belongs to nothing."""

    slug = "disclosure"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One withheld member (`name` set) or array element (`name` None), as it is handed on."""

    text: str
    digest: str
    name: str | None
    value: Json


def make(salt: bytes, value: Json, name: str | None = None) -> Disclosure:
    """Return the disclosure of a member (with its name) or of an array element."""
    if len(salt) != SALT_BYTES:
        raise DisclosureRefused(f"a salt is {SALT_BYTES} random bytes")
    salted: list[Json] = [base64url(salt), value] if name is None else [base64url(salt), name, value]
    text = base64url(canonical.encode(salted))
    if len(text) > MAX_CHARACTERS:
        raise DisclosureRefused(f"longer than {MAX_CHARACTERS} characters", place=name or "")
    return Disclosure(text, digest_of(text), name, value)


def parse(text: str) -> Disclosure:
    """Read a disclosure strictly, or refuse it.

    Raises
    ------
    DisclosureRefused
        Not base64url, not canonical, or not [salt, value] or [salt, name, value].
    """
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise DisclosureRefused(f"a disclosure is text of at most {MAX_CHARACTERS} characters")
    try:
        parts = canonical.parse_stored(unbase64url(text))
    except CanonicalRefused as error:
        raise DisclosureRefused(error.reason, place=error.place) from error
    match parts:
        case [str(salt), value] if _SALT.fullmatch(salt):
            name = None
        case [str(salt), str(name), value] if _SALT.fullmatch(salt):
            pass
        case _:
            raise DisclosureRefused("not [salt, value] or [salt, name, value] with a salt of 22 characters")
    unbase64url(salt)
    return Disclosure(text, digest_of(text), name, value)


def digest_of(text: str) -> str:
    """Return the digest that stands in the record."""
    return base64url(sha256(text.encode("ascii")).digest())


def base64url(data: bytes) -> str:
    """Return base64url without padding (RFC 4648 §5)."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_OF_URLS).decode("ascii")


def unbase64url(text: str) -> bytes:
    """Return the bytes of strict base64url without padding."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise DisclosureRefused("not base64url") from error
    if base64url(data) != text:
        raise DisclosureRefused("not strict base64url without padding")
    return data
