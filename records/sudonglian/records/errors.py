"""What the memory refuses or cannot do: the branches of the error tree that several of its modules share.

The rules of the tree: sudonglian.chain.errors.
"""

from typing import ClassVar

from sudonglian.chain.errors import SudonglianError


class KeysRefused(SudonglianError):
    """The key folder is incomplete or holds something that is no key; `place` is the file."""

    slug: ClassVar[str] = "keys"


class DeploymentRefused(SudonglianError):
    """The database and this program, or these keys, do not belong together."""

    slug: ClassVar[str] = "deployment"


class OtherLog(DeploymentRefused):
    """The database belongs to another log's key."""

    slug: ClassVar[str] = "other-log"


class NewerSchema(DeploymentRefused):
    """The database was last used by a later version of this program."""

    slug: ClassVar[str] = "newer-schema"


class StoreCorrupt(SudonglianError):
    """Stored data that contradict themselves; `place` is the table and row."""

    slug: ClassVar[str] = "store-corrupt"


class UnknownRecord(SudonglianError):
    """No record has this hash."""

    slug: ClassVar[str] = "unknown-record"


class NotSealed(SudonglianError):
    """The record is taken, and not yet in the log."""

    slug: ClassVar[str] = "not-sealed"


class NotInLog(SudonglianError):
    """The log has no such entry, checkpoint or size."""

    slug: ClassVar[str] = "not-in-log"


class VaultRefused(SudonglianError):
    """The vault of persons cannot do this."""

    slug: ClassVar[str] = "vault"


class UnknownPerson(VaultRefused):
    """Nobody is known by this number or identity, or the person has been erased."""

    slug: ClassVar[str] = "unknown-person"
