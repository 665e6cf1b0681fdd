"""What traces have made of sealed records, kept in pieces beside them: derivable, and never trusted unchecked.

docs/decisions/0352; a piece that is not whole, not of this log or not of this program is as good as none.
"""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, delete, select

from sudonglian.records import log
from sudonglian.records.keys import Keys
from sudonglian.records.store import insert_new
from sudonglian.records.tables import KEPT_PIECES

DOMAIN: Final = b"sudonglian/mac/kept-pieces/1\x00"


Kind = Literal["views", "facts"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What was made of the entries [start, end) of the log whose root at `end` is `root`."""

    kind: Kind
    start: int
    end: int
    root: bytes
    body: bytes

    def mac(self, keys: Keys, version: str) -> bytes:
        """Return the digest that a piece bears; nobody without the keys can make one."""
        said = f"{version} {self.kind} {self.start} {self.end} {len(self.body)}".encode()
        return hmac.digest(keys.content, DOMAIN + said + b"\x00" + self.root + self.body, "sha256")


def pieces(connection: Connection, keys: Keys, version: str, kind: Kind, start: int, size: int) -> Iterator[Piece]:
    """Yield pieces that follow one another, from the one that covers `start` on, as far as they reach towards `size`."""
    whole = log.size(connection)
    query = select(KEPT_PIECES).where(KEPT_PIECES.c.kind == kind, KEPT_PIECES.c.end > start, KEPT_PIECES.c.start < size)
    rows = connection.execute(query.order_by(KEPT_PIECES.c.start))
    reached: int | None = None
    for row in rows:
        piece = Piece(kind, row.start, row.end, row.root, row.body)
        follows = row.start <= start if reached is None else row.start == reached
        if not (follows and row.version == version and row.start < row.end <= whole):
            break
        if not hmac.compare_digest(piece.mac(keys, version), row.mac) or log.root(connection, row.end) != row.root:
            break
        reached = row.end
        yield piece
    rows.close()


def checked(connection: Connection, keys: Keys) -> Iterator[tuple[str, bool]]:
    """Yield the place of every piece, and whether it is as it was written, by whatever program, of this log."""
    whole = log.size(connection)
    for row in connection.execute(select(KEPT_PIECES).order_by(KEPT_PIECES.c.kind, KEPT_PIECES.c.start)):
        piece = Piece(row.kind, row.start, row.end, row.root, row.body)
        is_sound = hmac.compare_digest(piece.mac(keys, row.version), row.mac) and row.start < row.end <= whole
        yield f"kept_pieces/{row.kind}/{row.start}", is_sound and log.root(connection, row.end) == row.root


def keep(connection: Connection, keys: Keys, version: str, new: Iterable[Piece]) -> None:
    """Put pieces in the place of those that begin where they begin; those of other programs are dropped."""
    connection.execute(delete(KEPT_PIECES).where(KEPT_PIECES.c.version != version))
    for piece in new:
        same = KEPT_PIECES.c.kind == piece.kind, KEPT_PIECES.c.start == piece.start
        connection.execute(delete(KEPT_PIECES).where(*same))
        row = {"kind": piece.kind, "start": piece.start, "end": piece.end, "root": piece.root, "body": piece.body}
        connection.execute(
            insert_new(connection, KEPT_PIECES), {**row, "version": version, "mac": piece.mac(keys, version)}
        )
