"""The lint of tenants: no query on firms' rows without saying whose, and no reading of records without asking who may.

service.md (tenant filters cannot be forgotten). It reads the sources alone. What is free of the rule says why, in the
table of modules below or beside the query, in a comment `# tenants: …`.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TABLES: Final = frozenset(
    {
        "RECORDS",
        "DISCLOSURES",
        "PARTICIPANTS",
        "IDENTIFIERS",
        "MASTER_DATA",
        "HANDOFFS",
        "SIGNATURES",
        "PENDING",
        "TRACES",
        "KEPT_PIECES",
        "JOBS",
    }
)
"""Tables whose rows are some firm's or some asker's."""

TABLES_MODULE: Final = "sudonglian.records.tables"

WHOSE: Final = frozenset({"submitter", "owner"})
"""Columns that say whose a row is."""

NAMED: Final = {
    "records/sight.py": "it is the filter",
    "records/reader.py": "what it gives is asked for by the doors, which the second rule guards",
    "records/naming.py": "as reader; a firm's own answers give it `may_read`",
    "records/confirmation.py": "as reader",
    "records/master_data.py": "words about identifiers, not records (0207); a firm's own queries name it",
    "records/intake.py": "writes what one submitter sends",
    "records/sequencer.py": "puts every record into the one log",
    "records/signatures.py": "a signature is its record's",
    "records/key_proofs.py": "the worker's: proofs of every key",
    "records/vault.py": "erases a person from whatever record names it",
    "records/event_rows.py": "a trace reads all records",
    "records/kept_pieces.py": "a trace reads all records",
    "records/traces.py": "the private book of all traces",
    "records/retention.py": "finds whoever's time is over, in whatever record",
    "records/census.py": "numbers alone",
    "records/anchor_status.py": "numbers alone",
    "records/fsck_log.py": "recomputes everything",
    "records/fsck_records.py": "recomputes everything",
    "records/fsck_doors.py": "recomputes everything",
}

READERS: Final = frozenset({"reader", "confirmation", "public", "told"})
"""Modules that give what they are asked for, whoever asks."""

ASKS: Final = frozenset(
    {"record_for", "sight_of", "may_see_sensors", "check_disclosure", "submitter_of", "may_read", "Sight"}
)
"""What asks whether the caller may read."""

SEE_ALL: Final = frozenset({"Tracer", "Auditor"})
"""Callers who may read what any record says."""

MARK: Final = re.compile(r"#\s*tenants:\s*\S.{9,}")
"""A reason has at least ten letters."""

DOORS: Final = ("api/http/", "api/pages/")


@dataclass(frozen=True)
class Fault:
    """A place without a filter."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


def check(source: str, file: str) -> Iterator[Fault]:
    """Yield what is wrong in a source; `file` is its path behind `sudonglian/`."""
    lines, tree = source.splitlines(), ast.parse(source)
    tables = {name for name, whence in _imported(tree) if whence == TABLES_MODULE and name in TABLES}
    readers = {name for name, whence in _imported(tree) if name in READERS and whence.startswith("sudonglian.")}
    for part in _parts(tree):
        begins = min([part.lineno, *(one.lineno for one in getattr(part, "decorator_list", ()))])
        text = "\n".join(lines[max(0, begins - 2) : part.end_lineno])
        if MARK.search(text):
            continue
        if file not in NAMED and (named := _queried(part, tables)) and not _is_filtered(part):
            yield Fault(file, part.lineno, f"{', '.join(sorted(named))} without {' or '.join(sorted(WHOSE))}")
        if file.startswith(DOORS) and (read := _read(part, readers)) and not _asks(part):
            yield Fault(file, part.lineno, f"{', '.join(sorted(read))} without asking who may read")


def everything(root: Path) -> Iterator[Fault]:
    """Yield what is wrong in the sources of all rooms."""
    for room in ("records", "trace", "api"):
        for path in sorted((root / room / "sudonglian" / room).rglob("*.py")):
            file = path.relative_to(root / room / "sudonglian").as_posix()
            if "/migrations/" not in file and file != "records/tables.py":
                yield from check(path.read_text(encoding="utf-8"), file)


def _parts(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the functions and methods of a module, and its other statements."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (one for one in node.body)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names that a module imports from where."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((one.asname or one.name, node.module or "") for one in node.names)


def _queried(part: ast.stmt, tables: set[str]) -> set[str]:
    """Return the tables that a part reads or changes; adding rows is no query."""
    added: set[ast.AST] = set()
    for node in ast.walk(part):
        if isinstance(node, ast.Call) and _name(node.func) in ("insert", "insert_new"):
            added |= {inner for one in node.args for inner in ast.walk(one)}
    return {
        name
        for node in ast.walk(part)
        if node not in added
        and isinstance(getattr(node, "ctx", None), ast.Load)
        and (
            (isinstance(node, ast.Name) and (name := node.id) in tables)
            or (isinstance(node, ast.Attribute) and _name(node.value) == "tables" and (name := node.attr) in TABLES)
        )
    }


def _is_filtered(part: ast.stmt) -> bool:
    """Whether a part compares a column that says whose a row is."""
    for node in ast.walk(part):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            equal = all(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops)
            if equal and any(isinstance(one, ast.Attribute) and one.attr in WHOSE and _is_column(one) for one in sides):
                return True
    return False


def _is_column(node: ast.Attribute) -> bool:
    """Whether it is `TABLE.c.name`, or `table.name` of a short name for `TABLE.c`."""
    inner = node.value
    if isinstance(inner, ast.Attribute):
        return inner.attr == "c"
    return isinstance(inner, ast.Name) and inner.id == "table"


def _read(part: ast.stmt, readers: set[str]) -> set[str]:
    found = set()
    for node in ast.walk(part):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            whose = _name(node.func.value)
            if whose in readers and isinstance(node.func.value, ast.Name):
                found.add(f"{whose}.{node.func.attr}")
        if isinstance(node, ast.Call) and _name(node.func) == "Naming":
            found.add("Naming")
    return found


def _asks(part: ast.stmt) -> bool:
    for node in ast.walk(part):
        if isinstance(node, ast.Name | ast.Attribute) and _name(node) in ASKS:
            return True
        if isinstance(node, ast.keyword) and node.arg in ("submitter", "may_read"):
            return True
        if isinstance(node, ast.arg) and node.arg == "caller" and _name(node.annotation) in SEE_ALL:
            return True
    return False


def _name(node: ast.AST | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
