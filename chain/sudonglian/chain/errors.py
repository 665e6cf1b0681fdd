"""The root of the error tree, and the branches of the ground floor.

Every error that may leave a function of this project is a `SudonglianError`: it has a stable slug (the last
part of its RFC 9457 problem type), a place (a JSON pointer, a row, a file) and a sentence for a person.
Each room adds its own branch; none lets ValueError, KeyError or a library's error through.
"""

from typing import ClassVar


class SudonglianError(Exception):
    """Anything that this project refuses or cannot do."""

    slug: ClassVar[str] = "error"

    def __init__(self, reason: str, *, place: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place

    def diagnostics(self) -> str:
        """Return the sentence that a person reads."""
        return f"{self.slug}: {self.place}: {self.reason}" if self.place else f"{self.slug}: {self.reason}"


class RecordRefused(SudonglianError):
    """Input that cannot become a record."""

    slug = "record-refused"


class CanonicalRefused(RecordRefused):
    """Bytes that have no canonical form (docs/spec/canonical.md)."""

    slug = "canonical"


class ProofRefused(SudonglianError):
    """A proof that is malformed or does not prove what it claims."""

    slug = "proof"


class TrustRefused(SudonglianError):
    """A trust file that is malformed or cannot be written."""

    slug = "trust"


class ChainError(SudonglianError):
    """An EVM network did not answer, or answered what it must not."""

    slug = "chain"
