"""XLSX files: what they are is looked at before anything of them is read, and their rows come one by one.

ECMA-376 (Office Open XML); docs/sheets.md (limits). Nothing is executed, fetched or calculated.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from sudonglian.records.sheets.faults import SheetEncrypted, SheetFormulas, SheetKind, SheetRefused, SheetTooLarge
from sudonglian.records.sheets.midnight import midnights, path_of
from sudonglian.records.sheets.rows import Row, Sheet, Source

MAX_FILE_BYTES: Final = 32 * 1024 * 1024
"""200,000 rows of a filled template have about 15 MB."""

MAX_UNZIPPED: Final = 384 * 1024 * 1024
"""200,000 rows of a filled template unfold to about 250 MB."""

MAX_RATIO: Final = 250
"""A part that unfolds further is no sheet that somebody filled in; those of templates stay below 40."""

RATIO_FROM: Final = 4 * 1024 * 1024
"""Bytes from which the ratio counts: a small part of blanks may be dense."""

LAST_ROW: Final = 299_999
LAST_COLUMN: Final = "DZ"
"""The largest sheet that is laid out: 130 columns, of which a template has a quarter."""

UTF16: Final = (b"\xff\xfe", b"\xfe\xff")

MAX_PARTS: Final = 1_000

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP: Final = b"PK\x03\x04"
ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")

CHUNK: Final = 1 << 20
OVERLAP: Final = 4_096
"""Kept of a chunk, so that what is looked for is found across the seam."""

_FAR_DOWN = re.compile(rb"""\br\s*=\s*["'][A-Za-z]*(?:[3-9]\d{5}|\d{7,})["']""")
_FAR_RIGHT = re.compile(rb"""\br\s*=\s*["'](?:[E-Ze-z][A-Za-z]|[A-Za-z]{3,})\d""")
_STRANGE = re.compile(rb"""\br\s*=\s*["'][^"'A-Za-z0-9]""")
"""A cell's place written in a way that the two above would not see."""
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["'](?!utf-8["'])""", re.IGNORECASE)
_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_ERROR = re.compile(rb"""<(?:\w+:)?c [^>]*?\bt\s*=\s*["']e["']""")
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3}\d{1,7})["']""")
_UNCALCULATED = re.compile(rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?: [^>]*)?/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>")  # fmt: skip
_HIDDEN = re.compile(rb"""<(?:\w+:)?row\s(?=[^<>]{0,500}?\bhidden\s*=\s*["'](?:1|true)["'])[^<>]{0,500}>""")
_NUMBER = re.compile(rb"""\br\s*=\s*["'](\d{1,7})["']""")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")


def is_workbook(raw: bytes) -> bool:
    """Return whether bytes begin like a workbook of either age."""
    return raw.startswith((OLE, b"PK"))


def read(raw: bytes) -> Source:
    """Return the visible sheets of a workbook; their rows are read when they are asked for.

    Raises
    ------
    SheetRefused
        Each reason has its own class and slug.
    """
    if raw.startswith(OLE):
        if ENCRYPTED in raw:
            raise SheetEncrypted(
                "the workbook has a password; take it away and save again", zh="工作簿有密码;请取消密码后另存"
            )
        raise SheetKind("an old .xls file; save it as .xlsx", zh="这是旧的 .xls 文件;请另存为 .xlsx")
    unseen = _look(raw)
    with _guarded():
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        told = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    shown = [one.name for one in told if one.visible == SheetVisibleEnum.Visible]
    hidden = tuple(one.name for one in told if one.visible != SheetVisibleEnum.Visible)
    first: dict[str, int] = {}
    sheets = (
        Sheet(name, _rows(book, name, first), partial(_midnights, raw, name, first), _unseen(raw, name, unseen))
        for name in shown
    )
    return Source("xlsx", "UTF-8", tuple(sheets), hidden)


def _midnights(raw: bytes, name: str, first: dict[str, int]) -> frozenset[tuple[int, int]]:
    with _guarded(name):
        return frozenset((row, column - first.get(name, 0)) for row, column in midnights(raw, name))


def _unseen(raw: bytes, name: str, unseen: dict[str, set[int]]) -> frozenset[int]:
    if not unseen:
        return frozenset()
    with _guarded(name), zipfile.ZipFile(io.BytesIO(raw)) as parcel:
        path = path_of(parcel, {one.lower(): one for one in parcel.namelist()}, name)
        return frozenset(unseen.get(path or "", ()))


def _rows(book: CalamineWorkbook, name: str, first: dict[str, int]) -> Iterator[Row]:
    with _guarded(name):
        sheet = book.get_sheet_by_name(name)
        # The library's rows begin at the first row, and at the first column that holds something.
        first[name] = sheet.start[1] if sheet.start else 0
        rows = iter(sheet.iter_rows())
    while True:
        with _guarded(name):
            row = next(rows, None)
        if row is None:
            return
        yield tuple(row)


@contextmanager
def _guarded(place: str = "") -> Iterator[None]:
    """Turn whatever the library raises on a broken file, a panic of its Rust included, into a refusal."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, MemoryError) or not (
            isinstance(error, Exception) or type(error).__name__ == "PanicException"
        ):
            raise
        raise _broken(place) from None


def _look(raw: bytes) -> dict[str, set[int]]:
    """Refuse what is no workbook of ours, by its parts and by each part's bytes; return each sheet's hidden rows."""
    unseen: dict[str, set[int]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as parcel:
            parts = parcel.infolist()
            _look_at_names(parts)
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels")):
                    _look_into(parcel, part, unseen)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        raise _broken() from None
    return unseen


def _look_at_names(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    lower = {name.lower() for name in names}
    if len(parts) > MAX_PARTS:
        raise SheetTooLarge(f"more than {MAX_PARTS} parts", zh=f"压缩包内超过 {MAX_PARTS} 个文件")
    if len(lower) != len(parts):
        raise SheetKind("a part is there twice", zh="压缩包内有重名文件")
    if "[content_types].xml" not in lower or "xl/workbook.xml" not in lower:
        raise SheetKind("a zip file, but no .xlsx workbook", zh="是压缩包,但不是 .xlsx 工作簿")
    if any(part.flag_bits & 1 for part in parts):
        raise SheetEncrypted("the file has a password; take it away and save again", zh="文件有密码;请取消密码后另存")
    if any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in lower):
        raise SheetKind("a workbook with macros; save it as .xlsx", zh="工作簿含宏;请另存为 .xlsx")
    if any(name.startswith("xl/externallinks/") for name in lower):
        raise SheetKind(
            "the workbook takes values from other files; copy the cells and paste them as values",
            zh="工作簿引用了其他文件;请复制单元格并“粘贴为数值”后另存",
        )
    if sum(part.file_size for part in parts) > MAX_UNZIPPED:
        raise SheetTooLarge(f"unfolds to more than {MAX_UNZIPPED} bytes", zh=f"解压后超过 {MAX_UNZIPPED} 字节")
    for part in parts:
        if part.file_size > RATIO_FROM and part.file_size > MAX_RATIO * max(part.compress_size, 1):
            raise SheetTooLarge(
                f"unfolds to more than {MAX_RATIO} times its size",
                zh=f"解压后超过原大小的 {MAX_RATIO} 倍",
                place=part.filename,
            )


def _look_into(parcel: zipfile.ZipFile, part: zipfile.ZipInfo, unseen: dict[str, set[int]]) -> None:
    # zipfile gives no more bytes than the directory says, and that has been looked at.
    is_sheet = _SHEET.fullmatch(part.filename) is not None
    rest = b""
    with parcel.open(part) as stream:
        while chunk := stream.read(CHUNK):
            data = rest + chunk
            if _DOCTYPE.search(data) or (not rest and (data[:2] in UTF16 or _ENCODING.match(data))):
                raise SheetKind(
                    "an XML part declares entities", zh="内部 XML 含实体声明或不是 UTF-8", place=part.filename
                )
            if is_sheet:
                _look_at_cells(data, part.filename)
                for row in _HIDDEN.findall(data):
                    if number := _NUMBER.search(row):
                        unseen.setdefault(part.filename, set()).add(int(number[1]))
            rest = data[-OVERLAP:]


def _look_at_cells(data: bytes, place: str) -> None:
    # The library lays a sheet out whole, up to its last row and column: one cell far away would fill the memory.
    if _FAR_DOWN.search(data) or _STRANGE.search(data):
        raise SheetTooLarge(
            f"cells beyond row {LAST_ROW}", zh=f"有单元格在第 {LAST_ROW} 行之后;请删除后另存", place=place
        )
    if _FAR_RIGHT.search(data):
        raise SheetTooLarge(
            f"cells beyond column {LAST_COLUMN}", zh=f"有单元格在 {LAST_COLUMN} 列之后;请删除后另存", place=place
        )
    if found := _ERROR.search(data):
        at = _PLACE.search(found[0])
        cell = at[1].decode() if at else place
        raise SheetFormulas(
            f"the formula in {cell} has an error for its result", zh=f"{cell} 的公式结果是错误值", place=cell
        )
    if _UNCALCULATED.search(data):
        raise SheetFormulas(
            "formulas without values: open the file in Excel or WPS and save it, or paste them as values",
            zh="有公式没有计算结果:请用 Excel 或 WPS 打开并保存,或“粘贴为数值”",
            place=place,
        )


def _broken(place: str = "") -> SheetRefused:
    return SheetRefused(
        "the workbook is damaged or not one; open it in Excel or WPS and save it as .xlsx",
        zh="工作簿已损坏或不是工作簿;请用 Excel 或 WPS 打开后另存为 .xlsx",
        place=place,
    )
