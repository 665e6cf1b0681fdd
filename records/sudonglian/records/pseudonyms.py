"""Pseudonyms: what stands for a person in an export, the same within one purpose and epoch and no other.

proofs.md §2; docs/decisions/0507. Pure.
"""

import base64
import hmac
import re
from datetime import UTC, datetime
from typing import ClassVar, Final

from sudonglian.chain.errors import SudonglianError
from sudonglian.records.keys import Keys

DOMAIN: Final = b"sudonglian/pseudonym/v1"
"""No kind of identity is called so: what `K_lookup` makes here is never a lookup digest."""

BYTES: Final = 15
"""24 characters; among a billion persons two share one with a chance of 10^-19."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


class PseudonymRefused(SudonglianError):
    """A purpose or an epoch that is no name."""

    slug: ClassVar[str] = "pseudonym"


def pseudonym(keys: Keys, purpose: str, epoch: str, person_no: int) -> str:
    """Return what stands for a person in what is exported for a purpose in an epoch.

    Parameters
    ----------
    keys
        Of the deployment; whoever has them can tell which number a pseudonym is of, and nobody else.
    purpose, epoch
        Names of lower-case letters, digits and hyphens: what the export is for (`line-list`), and between which exports
        a person may be recognised (`case-17`, `2026-11`; see `month`).
    person_no
        The person's number.

    Raises
    ------
    PseudonymRefused
        The purpose or the epoch is no such name.
    """
    for name, place in ((purpose, "purpose"), (epoch, "epoch")):
        if not _NAME.fullmatch(name):
            raise PseudonymRefused("1 to 64 lower-case letters, digits and hyphens", place=place)
    # A key of its own for each purpose and epoch: one that is given away opens no other.
    key = hmac.digest(keys.lookup, b"\x00".join((DOMAIN, purpose.encode(), epoch.encode())), "sha256")
    digest = hmac.digest(key, DOMAIN + b"\x00" + person_no.to_bytes(8, "big"), "sha256")
    return "p-" + base64.b32encode(digest[:BYTES]).decode().lower()


def month(now: datetime) -> str:
    """Return the epoch of exports among which persons may be recognised for a calendar month.

    >>> month(datetime(2026, 11, 24, tzinfo=UTC))
    '2026-11'
    """
    return f"{now.astimezone(UTC):%Y-%m}"
