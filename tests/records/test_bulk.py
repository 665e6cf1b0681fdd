"""Many rows at once: what is read back is what was put, in every column of every kind, on both databases."""

from typing import Any

import pytest
from sqlalchemy import select

from sudonglian.records import bulk
from sudonglian.records.store import BATCH, Store, StoreError
from sudonglian.records.tables import HANDOFFS, IDENTIFIERS, LOT_NODES, METADATA, PARTICIPANTS, PENDING, RECORDS


def record(number: int, **members: Any) -> dict[str, Any]:
    return {
        "id": number,
        "record_hash": number.to_bytes(32, "big"),
        "body": bytes(range(256)) * 3,
        "submitter": 'urn:x:带鱼\t"\\N\n',
        "is_error_declaration": bool(number % 2),
        "event_mac": bytes(32),
        "content_mac": None,
        "event_time_us": -(2**53) + number,
        "captured_us": 2**53 - number,
        "transformation_id": None,
        **members,
    }


def test_every_kind_of_column(store: Store) -> None:
    records = [record(number) for number in range(1, 8)]
    identifiers = [
        {"record_id": 1, "position": 0, "role": "epc", "uri": "", "normal": "\x01", "quantity": None, "uom": None},
        {"record_id": 1, "position": 2**31 - 1, "role": "", "uri": "\\", "normal": "𠮷", "quantity": "1.5", "uom": "x"},
    ]
    person: dict[str, Any] = {"person_no": 2**53 - 1, "role": "driver", "contact": None, "ppe": None, "end_us": -1}
    people = [{"record_id": 2, "position": 2**15 - 1, "start_us": None, **person}]
    with store.write() as connection:
        for table, rows in ((RECORDS, records), (IDENTIFIERS, identifiers), (PARTICIPANTS, people)):
            bulk.put(connection, table, rows)
    with store.read() as connection:
        for table, rows in ((RECORDS, records), (IDENTIFIERS, identifiers), (PARTICIPANTS, people)):
            names = [table.c[name] for name in rows[0]]
            order = table.primary_key.columns
            assert [dict(row._mapping) for row in connection.execute(select(*names).order_by(*order))] == rows


def test_every_table_can_be_put_into() -> None:
    for table in METADATA.sorted_tables:
        columns = tuple(column.name for column in table.columns)
        assert len(bulk._types(table, columns)) == len(columns)


def test_what_is_left_out_gets_its_default_in_the_order_of_the_rows(store: Store) -> None:
    rows = [{"data": bytes([number]), "record_id": None, "queued_us": 5} for number in range(200)]
    with store.write() as connection:
        bulk.put(connection, PENDING, rows)
        bulk.put(connection, PENDING, [])
        found = connection.execute(select(PENDING.c.data).order_by(PENDING.c.id)).scalars().all()
    assert [bytes(one) for one in found] == [row["data"] for row in rows]


def test_one_column_alone(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE pending (queued_us BIGINT)")
        bulk.put(connection, PENDING, [{"queued_us": 7}, {"queued_us": 8}])
        assert connection.exec_driver_sql("SELECT sum(queued_us) FROM pending").scalar_one() == 15


def test_numbers_are_nobodys(store: Store) -> None:
    with store.write() as connection:
        first = list(bulk.numbers(connection, RECORDS, 3))
        bulk.put(connection, RECORDS, [record(number) for number in first])
    with store.write() as connection:
        second = list(bulk.numbers(connection, RECORDS, 2))
        bulk.put(connection, RECORDS, [record(number) for number in second])
    assert len({*first, *second}) == 5
    assert sorted([*first, *second]) == [*first, *second]


def test_what_the_database_refuses_is_told_and_nothing_stays(store: Store) -> None:
    with pytest.raises(StoreError), store.write() as connection:
        bulk.put(connection, RECORDS, [record(1), record(2, record_hash=(1).to_bytes(32, "big"))])
    missing = {"record_id": 99, "consignor": "urn:x:1", "consignee": "urn:x:2", "taken_back": False}
    with pytest.raises(StoreError), store.write() as connection:
        bulk.put(connection, HANDOFFS, [missing])
    with store.read() as connection:
        assert connection.execute(select(RECORDS.c.id)).all() == []


def test_more_hashes_than_one_statement_names(store: Store) -> None:
    keys = [number.to_bytes(32, "big") for number in range(3 * BATCH + 1)]
    rows = [
        {"depth": 256, "prefix": key, "seal_index": seal, "payload": bytes([seal]) + key}
        for key in keys[::2]
        for seal in (3, 1, 2)
    ]
    query = (
        "SELECT given.value, (SELECT payload FROM lot_nodes WHERE depth = {one} AND prefix = given.value "
        "ORDER BY seal_index DESC LIMIT 1) FROM {given}"
    )
    with store.write() as connection:
        bulk.put(connection, LOT_NODES, rows)
        found = {row[0]: row[1] for row in bulk.among(connection, query, keys, 256)}
        assert list(bulk.among(connection, query, [], 256)) == []
    assert found == {key: b"\x03" + key if place % 2 == 0 else None for place, key in enumerate(keys)}
