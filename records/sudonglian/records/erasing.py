"""Erasure on request, from the identity that somebody gives to what is left of it: nothing, and a receipt.

docs/decisions/0501 and 0508; docs/privacy.md.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from sudonglian.records import kek_rotation, vault
from sudonglian.records.errors import UnknownPerson, VaultRefused
from sudonglian.records.identities import Identity, mentions_identity
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.vault import Erasure

MIN_QUOTED: Final = 4
"""Characters of an identity that a reason may not repeat; shorter ones stand in any sentence."""


class ReasonRefused(VaultRefused):
    """A reason that repeats what is to be erased: it would be kept in the receipt."""

    slug: ClassVar[str] = "erasure-reason"


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure, whether its bytes are gone, and for how many persons a key that opens older copies is still here."""

    erasure: Erasure
    overwritten: bool
    in_copies: int

    def as_json(self) -> dict[str, Any]:
        """Return the members that doors show."""
        return {
            "erased": True,
            "person_no": self.erasure.person_no,
            "records": [one.hex() for one in self.erasure.records],
            "tombstone": self.erasure.tombstone.hex(),
            "receipt": self.erasure.private_index,
            "overwritten": self.overwritten,
            "erased_but_in_copies": self.in_copies,
        }


def erase(store: Store, keys: Keys, who: Identity, reason: str, now: datetime) -> Erased:
    """Erase whoever has this identity here, committed, and remove the bytes of what was deleted.

    Raises
    ------
    UnknownPerson
        Nobody has it.
    ReasonRefused
        The reason repeats it.
    """
    _check_reason(who, reason)
    with store.write() as connection:
        number = vault.find(connection, keys, who)
        if number is None:
            raise UnknownPerson("nobody here has this identity")
        erasure = vault.erase(connection, keys, number, reason, now)
    overwritten = store.forget_deleted()
    with store.read() as connection:
        in_copies = kek_rotation.copies_open(kek_rotation.listed(connection, keys))
    return Erased(erasure, overwritten, in_copies)


def _check_reason(who: Identity, reason: str) -> None:
    value = who.normal.rpartition("\x00")[2]
    repeats = len(value) >= MIN_QUOTED and _bare(value) in _bare(reason)
    if repeats or mentions_identity(reason):
        raise ReasonRefused(
            "the reason is kept in the receipt and must not hold the identity, or any other", place="reason"
        )


def _bare(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKC", text).upper() if one.isalnum())
