"""What traces have read of sealed records, kept in pieces beside them: derivable, and never trusted unchecked.

docs/decisions/0352; a piece that is not whole, not of this log or not of this program is as good as none.
"""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, select

from sudonglian.records import log
from sudonglian.records.keys import Keys
from sudonglian.records.store import insert_new
from sudonglian.records.tables import KEPT_VIEWS

DOMAIN: Final = b"sudonglian/mac/kept-views/1\x00"


@dataclass(frozen=True, slots=True)
class Piece:
    """What was read of the entries [start, end) of the log whose root at `end` is `root`."""

    start: int
    end: int
    root: bytes
    body: bytes

    def mac(self, keys: Keys, version: str) -> bytes:
        """Return the digest that a piece bears; nobody without the keys can make one."""
        said = f"{version} {self.start} {self.end} {len(self.body)}".encode()
        return hmac.digest(keys.content, DOMAIN + said + b"\x00" + self.root + self.body, "sha256")


def pieces(connection: Connection, keys: Keys, version: str, start: int, size: int) -> Iterator[Piece]:
    """Yield pieces that follow one another, from the one that covers `start` on, as far as they reach towards `size`."""
    whole = log.size(connection)
    query = select(KEPT_VIEWS).where(KEPT_VIEWS.c.end > start, KEPT_VIEWS.c.start < size)
    rows = connection.execute(query.order_by(KEPT_VIEWS.c.start))
    reached: int | None = None
    for row in rows:
        piece = Piece(row.start, row.end, row.root, row.body)
        follows = row.start <= start if reached is None else row.start == reached
        if not (follows and row.version == version and row.start < row.end <= whole):
            break
        if not hmac.compare_digest(piece.mac(keys, version), row.mac) or log.root(connection, row.end) != row.root:
            break
        reached = row.end
        yield piece
    rows.close()


def keep(connection: Connection, keys: Keys, version: str, new: Iterable[Piece]) -> None:
    """Put pieces in the place of those that begin where they begin; those of other programs are dropped."""
    connection.execute(delete(KEPT_VIEWS).where(KEPT_VIEWS.c.version != version))
    for piece in new:
        connection.execute(delete(KEPT_VIEWS).where(KEPT_VIEWS.c.start == piece.start))
        row = {"start": piece.start, "end": piece.end, "root": piece.root, "body": piece.body}
        connection.execute(
            insert_new(connection, KEPT_VIEWS), {**row, "version": version, "mac": piece.mac(keys, version)}
        )
