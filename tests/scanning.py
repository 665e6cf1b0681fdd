"""A search for secrets in whatever form a program may leave them: every file of a folder, every cell of a database."""

import base64
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import inspect, text

from sudonglian.records.store import Store

_EMPTY = re.compile(rb"\0{64,}")
"""Most of a database's files; nothing that is looked for holds so many zeros."""


def spellings(secret: str | bytes) -> Iterator[bytes]:
    """Yield how a value may stand in a file: as text, hexadecimal, and base64 at each of the three places in a stream."""
    if isinstance(secret, bytes):
        encodings = [secret]
    else:
        encodings = [secret.encode(one) for one in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")]
        yield json.dumps(secret)[1:-1].encode()
        yield quote(secret).encode()
    for encoded in dict.fromkeys(encodings):
        yield encoded
        yield encoded.hex().encode()
        yield encoded.hex().upper().encode()
        for shift in range(3):
            whole = base64.b64encode(bytes(shift) + encoded)
            cut = whole[-(-shift * 4 // 3) + (shift > 0) : len(whole) - 4]
            yield cut
            yield cut.replace(b"+", b"-").replace(b"/", b"_")


def found(pieces: Iterable[tuple[str, bytes]], secrets: Iterable[str | bytes]) -> list[tuple[str, str | bytes]]:
    """Return where which secret stands."""
    wanted = [(one, tuple(dict.fromkeys(spellings(one)))) for one in secrets]
    return [(place, secret) for place, data in pieces for secret, forms in wanted if any(one in data for one in forms)]


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file, and what is packed in it."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                yield str(path), _EMPTY.sub(b"\0", data)
                yield from ((f"{path}!{name}", inner) for name, inner in unpacked(data))


def unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what is packed in some bytes."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(data)) as packed:
            for name in packed.namelist():
                yield name, packed.read(name)
    elif data[:1] == b"\x78":
        try:
            yield "zlib", zlib.decompress(data)
        except zlib.error:
            return


def cells(store: Store) -> Iterator[tuple[str, bytes]]:
    """Yield every cell of a database as its clients read it: nothing compressed, nothing moved out of line."""
    with store.read() as connection:
        for table in inspect(connection).get_table_names():
            whole: list[bytes] = []
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    data = bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
                    whole += [data, *(inner for _, inner in unpacked(data))]
            yield table, b"\0".join(whole)
