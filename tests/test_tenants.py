"""Tenant filters cannot be forgotten: the sources pass the lint, and what forgets one does not."""

from pathlib import Path

import pytest
from sqlalchemy import Table
from tests import tenants

IMPORTS = """from sudonglian.records import reader, tables
from sudonglian.records.tables import DISCLOSURES, HANDOFFS, MASTER_DATA, RECORDS
"""

ROOT = Path(__file__).resolve().parents[1]


def test_no_query_forgets_whose_rows_it_reads() -> None:
    assert list(map(str, tenants.everything(ROOT))) == []


def test_every_named_module_is_there() -> None:
    for file in tenants.NAMED:
        assert (ROOT / file.partition("/")[0] / "sudonglian" / file).is_file(), file


def test_every_tenant_table_is_there() -> None:
    from sudonglian.records import tables

    for name in tenants.TABLES:
        assert hasattr(tables, name), name
    columns = {name for table in tables.METADATA.tables.values() for name in [column.name for column in table.columns]}
    assert columns >= tenants.WHOSE
    owned = {
        name
        for name, table in vars(tables).items()
        if isinstance(table, Table) and ("record_id" in table.c or "submitter" in table.c or "owner" in table.c)
    }
    assert owned - tenants.TABLES <= {"ACCOUNTS", "API_KEYS"}, "these two are the operator's"


@pytest.mark.parametrize(
    ("file", "source", "faults"),
    [
        ("records/x.py", "def f(c):\n    return c.execute(select(RECORDS))", 1),
        ("records/x.py", "def f(c):\n    return c.execute(select(tables.JOBS.c.id))", 1),
        ("records/x.py", "def f(c, s):\n    return c.execute(select(RECORDS).where(RECORDS.c.submitter == s))", 0),
        ("records/x.py", "def f(c, s):\n    return c.execute(select(RECORDS).where(RECORDS.c.submitter > s))", 1),
        ("records/x.py", "def f(c, s):\n    return [r for r in c.execute(select(RECORDS)) if r.submitter == s]", 1),
        ("records/x.py", "def f(c):\n    # tenants: the worker counts all of them\n    c.execute(select(RECORDS))", 0),
        ("records/x.py", "def f(c):\n    # tenants: x\n    c.execute(select(RECORDS))", 1),
        ("records/x.py", "ALL = select(RECORDS)", 1),
        (
            "records/x.py",
            "class A:\n    def f(self):\n        return select(HANDOFFS)\n    def g(self):\n        pass",
            1,
        ),
        ("records/x.py", "def f(c):\n    c.execute(insert(RECORDS), {})", 0),
        ("records/x.py", "def f(c):\n    c.execute(delete(MASTER_DATA))", 1),
        ("records/sight.py", "def f(c):\n    return select(RECORDS)", 0),
        ("trace/answers/x.py", "def f(c):\n    return select(DISCLOSURES)", 1),
        ("trace/answers/x.py", "def f(c, h):\n    return reader.record(c, h)", 0),
        ("api/http/routes/x.py", "def f(c, h):\n    return reader.record(c, h)", 1),
        ("api/http/routes/x.py", "def f(caller: Tracer, c, h):\n    return reader.record(c, h)", 0),
        ("api/http/routes/x.py", "def f(caller: Owner, c, h):\n    return reader.record(c, h)", 1),
        ("api/pages/x.py", "def f(caller: RecordReader, c, h):\n    return record_for(c, caller, h), reader.x(c)", 0),
        ("api/pages/x.py", "def f(caller: Anyone, c):\n    return Naming(c)", 1),
        ("api/pages/x.py", "def f(caller: Anyone, c, s):\n    return Naming(c, may_read=s)", 0),
        ("api/commands/x.py", "def f(c, h):\n    return reader.record(c, h)", 0),
    ],
)
def test_what_is_found(file: str, source: str, faults: int) -> None:
    assert len(list(tenants.check(IMPORTS + source, file))) == faults
