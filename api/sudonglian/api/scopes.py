"""Scopes: what a key of the HTTP door may do, in one table.

service.md (who comes in, and what they may do).
"""

from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """What a key may do. `public` needs none."""

    public = "public"
    capture = "capture"
    read_own = "read-own"
    trace = "trace"
    operate = "operate"


MEANING: Final = {
    Scope.public: "checkpoints, entries, proofs, bundles without disclosures, verification, health: no key",
    Scope.capture: "submit events for the key's own firm and see what became of them, send signatures in",
    Scope.read_own: "read the events that the key's own firm submitted, and disclose their withheld members",
    Scope.trace: "run traces for a case or a purpose, read their answers, read an item's history",
    Scope.operate: "read the metrics, erase a person who asks for it, read the receipts of erasures",
}

OF_A_FIRM: Final = frozenset({Scope.capture, Scope.read_own})
"""Scopes of a key that speaks for a submitter."""

GRANTED: Final = tuple(scope for scope in Scope if scope is not Scope.public)
