"""CSV files: UTF-8, UTF-16 or GB18030; comma, semicolon or tab; found out, and told.

RFC 4180; records.md (the encoding is detected and shown in the preview).
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

from sudonglian.records.sheets.faults import SheetKind, SheetRefused
from sudonglian.records.sheets.rows import MAX_CELL, Row, Sheet, Source

NAME: Final = "CSV"
DELIMITERS: Final = ",;\t"
HEAD: Final = 20_000
"""Characters from which the delimiter is read."""

BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def read(raw: bytes) -> Source:
    r"""Return the one sheet of a CSV file.

    >>> read("交接编号\n1\n".encode("gb18030")).encoding
    'GB18030'
    """
    text, encoding = _decoded(raw)
    if "\x00" in text:
        raise SheetKind("not a text file", zh="不是文本文件;请用 .xlsx 或 .csv")
    head = text[:HEAD]
    delimiter = max(DELIMITERS, key=head.count)
    return Source("csv", encoding, (Sheet(NAME, _rows(text, delimiter)),))


def _decoded(raw: bytes) -> tuple[str, str]:
    for bom, name in BOMS:
        if raw.startswith(bom):
            try:
                return raw[len(bom) :].decode(name), name.upper()
            except UnicodeDecodeError as error:
                raise _unreadable(error) from None
    try:
        return raw.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("gb18030"), "GB18030"
    except UnicodeDecodeError as error:
        raise _unreadable(error) from None


def _unreadable(error: UnicodeDecodeError) -> SheetKind:
    return SheetKind(
        f"byte {error.start} is neither UTF-8 nor GB18030; save as CSV UTF-8",
        zh=f"第 {error.start} 字节既不是 UTF-8 也不是 GB18030;请另存为“CSV UTF-8”",
    )


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL * 4)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield tuple(row)
    except csv.Error as error:
        raise SheetRefused(
            f"line {reader.line_num}: {error}", zh=f"第 {reader.line_num} 行的引号不成对或单元格过长", place=NAME
        ) from None
