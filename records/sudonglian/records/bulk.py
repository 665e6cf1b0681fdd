"""Many rows at once, in the way in which each database takes them fastest.

docs/capture-speed.md (what it saves); docs/decisions/0620. Everything else that is written goes through `insert`.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, SmallInteger, Table, Text, func, select
from sqlalchemy.types import TypeEngine

from sudonglian.records.store import StoreError, in_batches

COPIED: Final[tuple[tuple[type[TypeEngine[Any]], str], ...]] = (
    (SmallInteger, "int2"),
    (BigInteger, "int8"),
    (Integer, "int4"),
    (Boolean, "bool"),
    (LargeBinary, "bytea"),
    (Text, "text"),
)
"""What PostgreSQL calls the types of our columns; the first that fits, for a small integer is an integer too."""


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all of the same columns; columns that are left out get their default."""
    if not rows:
        return
    columns = tuple(rows[0])
    # A getter of one column gives its value and no tuple of it.
    values = map(itemgetter(*columns), rows) if len(columns) > 1 else ((row[columns[0]],) for row in rows)
    if connection.dialect.name == "postgresql":
        _copy(connection, table, columns, values)
    else:
        connection.exec_driver_sql(_statement(table, columns), list(values))


def numbers(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Return numbers that no row of the table has or will be given, for rows about to be inserted.

    On SQLite they are free until this transaction ends, for nobody else writes.
    """
    if connection.dialect.name == "postgresql":
        sequence = func.nextval(func.pg_get_serial_sequence(table.name, "id"))
        return [*connection.execute(select(sequence).select_from(func.generate_series(1, count))).scalars()]
    last = connection.execute(select(func.max(table.c.id))).scalar_one() or 0
    return range(last + 1, last + 1 + count)


def among(connection: Connection, query: str, values: Sequence[bytes], *before: Any) -> Iterator[Any]:
    """Yield the rows of a query over hashes, however many there are: its `{given}` is a table `given` of one `value`.

    `{one}` stands for each of the values `before` it. On SQLite the query is made for `BATCH` hashes at a time, so that
    its order holds within those alone.
    """
    if connection.dialect.name == "postgresql":
        if values:
            sql = query.format(one="%s", given="unnest(%s::bytea[]) AS given (value)")
            yield from connection.exec_driver_sql(sql, (*before, list(values))).all()
        return
    for batch in in_batches(values):
        places = ",".join(["(?)"] * len(batch))
        sql = query.format(one="?", given=f"(SELECT column1 AS value FROM (VALUES {places})) AS given")
        yield from connection.exec_driver_sql(sql, (*before, *batch)).all()


@cache
def _statement(table: Table, columns: tuple[str, ...]) -> str:
    places = ", ".join("?" * len(columns))
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"


@cache
def _types(table: Table, columns: tuple[str, ...]) -> list[str]:
    kinds = [table.c[name].type for name in columns]
    return [next(name for kind, name in COPIED if isinstance(one, kind)) for one in kinds]


def _copy(connection: Connection, table: Table, columns: tuple[str, ...], values: Iterator[Any]) -> None:
    raw = connection.connection.driver_connection
    assert raw is not None
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    driver: Any = connection.dialect.dbapi
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(_types(table, columns))
            for row in values:
                copy.write_row(row)
    except driver.Error as error:
        raise StoreError(str(error).strip()) from error
