"""Whether a file says what the case and its traces say: it is made again as of the event that it names, and compared.

docs/cases.md (Take it with you); docs/decisions/0840. Words of walks, and who made it when, are not compared.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import python_calamine
from sqlalchemy import Connection

from sudonglian.records import cases
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.trace.casework import again
from sudonglian.trace.casework.exports import book, sormas
from sudonglian.trace.casework.exports.contents import FORMAT, Contents, as_of, gather
from sudonglian.trace.casework.exports.masking import WITH, WITHOUT
from sudonglian.trace.casework.exports.stamp import ExportRefused, Lang, Made, stamp

MAX_UNPACKED: Final = 1 << 30
"""Bytes of a workbook's parts together; what unpacks to more is no list."""

WORDS: Final = frozenset({"reason", "walk", "identity"})
"""Cells that firms' names of places, or a reveal, put words into."""

MAKING: Final = frozenset({"made", "made_by", "reveal", "list", "why", "asked_by", "approved_by", "released"})

PERSONAL: Final = "person."


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that says something else than the case: of which row and column, what, and what it should say."""

    row: int
    column: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it. `traces` are those made again from the log, and whether they are the same bytes."""

    case: int
    form: str
    rows: int
    differences: tuple[Difference, ...]
    traces: Mapping[int, bool]

    @property
    def is_same(self) -> bool:
        """Tell whether nothing differs."""
        return not self.differences and all(self.traces.values())


@dataclass(frozen=True, slots=True)
class _Read:
    form: str
    said: Mapping[str, str]
    rows: list[list[str]]


def check(store: Store, keys: Keys, data: bytes) -> Checked:
    """Compare a line list or a list for SORMAS with the case, and its traces with the log.

    Raises
    ------
    ExportRefused
        It is no such file.
    CaseUnknown
        There is no such case here.
    """
    read = _workbook(data) if data[:2] == b"PK" else _contacts(data)
    with store.read() as connection:
        contents = _contents(connection, keys, read.said)
    lang: Lang = "zh" if read.said.get("language") == "zh" else "en"
    expected = _expected(contents, read, lang)
    told = dict(stamp(contents, Made("", datetime.now(UTC), lang), read.form))
    differences = [
        Difference(0, name, read.said.get(name, ""), told.get(name, ""))
        for name in sorted({*read.said, *told} - MAKING)
        if not name.startswith("note-") and _one_line(read.said.get(name, "")) != _one_line(told.get(name, ""))
    ]
    columns, found = expected[0], read.rows
    skipped = _skipped(read.form, columns, has_identities="reveal" in read.said)
    for number in range(max(len(found), len(expected) - 1)):
        is_there, is_due = number < len(found), number + 1 < len(expected)
        got = found[number] if is_there else [""] * len(columns)
        due = expected[number + 1] if is_due else [""] * len(columns)
        differences += [
            Difference(number + 1, name, one, other)
            for name, one, other in zip(columns, got, due, strict=True)
            if name not in skipped and one != other
        ]
    made = {run.trace: again.again(store, run.trace).is_same for run in contents.runs}
    return Checked(contents.case.number, read.form, len(found), tuple(differences), made)


def _contents(connection: Connection, keys: Keys, said: Mapping[str, str]) -> Contents:
    case = cases.find(connection, _number(said, "case"))
    events = _number(said, "events")
    if not 0 < events <= len(case.events):
        raise ExportRefused(f"case {case.number} has no state after {events} events", place="events")
    # A list with identities was made after its release, by the pseudonyms of such lists.
    return gather(connection, keys, as_of(case, events), WITH if "reveal" in said else WITHOUT)


def _expected(contents: Contents, read: _Read, lang: Lang) -> list[list[str]]:
    identities: Mapping[int, Any] | None = {} if "reveal" in read.said else None
    if read.form == sormas.FORM:
        lines = ([one.strip() for one in line] for line in sormas.lines(contents, identities))
        return [list(sormas.COLUMNS), *lines]
    lines = ([str(one) for one in line] for line in book.lines(contents, lang, lambda run, row: ("", ""), identities))
    return [list(book.columns(identities=identities is not None)), *lines]


def _skipped(form: str, columns: Iterable[str], *, has_identities: bool) -> set[str]:
    if form == sormas.FORM:
        return {name for name in columns if has_identities and name.startswith(PERSONAL)}
    return set(WORDS)


def _workbook(data: bytes) -> _Read:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
                raise ExportRefused("it unpacks to more than a list is", place="file")
        found = python_calamine.load_workbook(io.BytesIO(data))
        sheets = [found.get_sheet_by_index(number).to_python() for number in range(len(found.sheet_names))]
    except (zipfile.BadZipFile, python_calamine.CalamineError, OSError, ValueError) as error:
        raise ExportRefused("no workbook that can be read", place="file") from error
    if len(sheets) < 2:
        raise ExportRefused("no line list of a case", place="file")
    members, about = ([[_text(one) for one in row] for row in sheet] for sheet in sheets[:2])
    said = {row[0]: row[1] for row in about if len(row) > 1}
    _is_ours(said, book.FORM)
    # Above the headings of a list with identities stands whose copy it is.
    top = 2 if "reveal" in said else 1
    said = {row[0]: row[1] for row in about[top:] if len(row) > 1}
    columns = book.columns(identities="reveal" in said)
    return _Read(book.FORM, said, [_filled(row, len(columns)) for row in members[top:]])


def _contacts(data: bytes) -> _Read:
    lines = data.decode("utf-8", "replace").splitlines(keepends=True)
    marks = [line for line in lines if line.startswith(sormas.COMMENT)]
    pairs = (re.fullmatch(r"## ([^:]+): ?(.*?)\s*", line) for line in marks)
    said = {pair[1]: pair[2] for pair in pairs if pair is not None}
    _is_ours(said, sormas.FORM)
    said = {name: value for name, value in said.items() if not name.startswith(("Personal data", "个人信息"))}
    try:
        rows = list(csv.reader(line for line in lines if not line.startswith(sormas.COMMENT)))
    except csv.Error as error:
        raise ExportRefused("no CSV that can be read", place="file") from error
    if [*map(tuple, rows[1:2])] != [sormas.COLUMNS]:
        raise ExportRefused("its columns are not those of contacts for SORMAS", place="file")
    return _Read(sormas.FORM, said, [_filled([one.strip() for one in row], len(sormas.COLUMNS)) for row in rows[2:]])


def _is_ours(said: Mapping[str, str], form: str) -> None:
    if said.get("format") != FORMAT or said.get("form") != form:
        raise ExportRefused(f"it does not say that it is a {form} of {FORMAT}", place="file")


def _number(said: Mapping[str, str], name: str) -> int:
    text = said.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise ExportRefused("no number", place=name)
    return int(text)


def _filled(row: Sequence[str], length: int) -> list[str]:
    if len(row) > length and any(row[length:]):
        raise ExportRefused("a row has more cells than there are columns", place="file")
    return [*row[:length], *[""] * (length - len(row))]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _one_line(text: str) -> str:
    """Return a text as a comment has it, which is one line, and as a cell has it, which is not endless."""
    return " ".join(text.split())[: book.MAX_CELL]
