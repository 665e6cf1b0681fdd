from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, delete, insert, select, text, update

from sudonglian.chain.errors import SudonglianError
from sudonglian.records import deployment, jobs
from sudonglian.records.deployment import open_deployment
from sudonglian.records.errors import DeploymentRefused, NewerSchema, OtherLog
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store, StoreError
from sudonglian.records.tables import ANCHORS, CHAINS, HANDOFFS, ID, JOBS, META, METADATA

CASE_TABLES = ("cases", "case_events", "case_seeds", "case_runs", "case_members", "reveals", "tasks")
HOOK_TABLES = ("webhook_messages", "webhooks")
THEN = datetime(2026, 1, 5, tzinfo=UTC)


def test_the_migrated_schema_is_the_one_the_program_uses(store: Store) -> None:
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_difference_would_be_found(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("DROP INDEX ix_entries_about"))
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) != []


def test_head_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(resources.files("sudonglian.records") / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [deployment.HEAD]


def test_handoffs_are_found_among_the_records_of_an_earlier_schema(
    store: Store, keys: Keys, capture: Callable[..., Any], seal: Callable[[], Any], event: Callable[..., dict[str, Any]]
) -> None:
    parties = {
        "sourceList": [{"type": "possessing_party", "source": "https://id.gs1.org/417/9520001001017"}],
        "destinationList": [{"type": "possessing_party", "destination": "https://id.gs1.org/417/9520001001024"}],
    }
    capture(*(event(eventID=f"urn:x:{n}", **(parties if n % 3 else {})) for n in range(1_100)))
    capture(event(eventID="urn:x:r", bizStep="receiving", **parties))
    declared = {"declarationTime": "2026-01-05T08:30:00+08:00", "reason": "incorrect_data"}
    capture(event(eventID="urn:x:1", errorDeclaration=declared, **parties))
    seal()
    capture(event(eventID="urn:x:2", errorDeclaration=declared, **parties))
    with store.write() as connection:
        before = connection.execute(select(HANDOFFS).order_by(HANDOFFS.c.record_id)).all()
        rest = ("key_proofs", "signatures", "registrations", "handoffs", "kept_pieces", "keks")
        for name in (*rest, *CASE_TABLES, *HOOK_TABLES):
            connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("DROP INDEX ix_master_data_submitter"))
        _without_accounts(connection)
        connection.execute(text("ALTER TABLE api_keys DROP COLUMN profile"))
        connection.execute(text("DROP INDEX ix_persons_kek"))
        connection.execute(text("ALTER TABLE persons DROP COLUMN kek"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0006'"))
    open_deployment(store, keys)
    with store.read() as connection:
        assert connection.execute(select(HANDOFFS).order_by(HANDOFFS.c.record_id)).all() == before
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    assert (len(before), sum(bool(row.taken_back) for row in before)) == (733, 2)


def _without_accounts(connection: Connection) -> None:
    """Put keys and jobs back to what they were before people signed in."""
    earlier = Operations(MigrationContext.configure(connection))
    connection.execute(text("DROP INDEX ix_jobs_submitter"))
    with earlier.batch_alter_table("api_keys") as keys:
        keys.drop_constraint("fk_api_keys_account", type_="foreignkey")
        keys.drop_column("account")
    with earlier.batch_alter_table("jobs") as jobs:
        jobs.drop_constraint("uq_jobs_idempotency", type_="unique")
        jobs.drop_column("owner")
        jobs.drop_column("submitter")
        jobs.add_column(Column("api_key", ID, nullable=False))
        jobs.create_foreign_key("fk_jobs_api_key", "api_keys", ["api_key"], ["id"])
        jobs.create_unique_constraint("uq_jobs_idempotency", ["api_key", "kind", "idempotency_key"])
    connection.execute(text("DROP TABLE sessions"))
    connection.execute(text("DROP TABLE accounts"))


def test_jobs_pass_to_whoever_asked_them(blank_store: Store, keys: Keys) -> None:
    config = Config()
    config.set_main_option("script_location", str(resources.files("sudonglian.records") / "migrations"))
    with blank_store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")
        connection.execute(
            text(
                "INSERT INTO api_keys (id, prefix, token_hash, name, scopes, submitter, created_us)"
                " VALUES (7, 'sdl_1', :hash, 'x', 'capture', 'urn:x:firm', 1)"
            ),
            {"hash": b"h" * 32},
        )
        for number, kind in enumerate(("capture", "event", "trace")):
            connection.execute(
                text(
                    "INSERT INTO jobs (name, kind, state, api_key, idempotency_key, asked, created_us)"
                    " VALUES (:name, :kind, 'success', 7, 'k', :asked, 1)"
                ),
                {"name": str(number), "kind": kind, "asked": b"{}"},
            )
    open_deployment(blank_store, keys)
    with blank_store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert [
            tuple(row)
            for row in connection.execute(select(JOBS.c.kind, JOBS.c.owner, JOBS.c.submitter).order_by(JOBS.c.id))
        ] == [
            ("capture", "key:7", "urn:x:firm"),
            ("event", "key:7", "urn:x:firm"),
            ("trace", "key:7", None),
        ]
        again = jobs.find_of_firm(connection, "urn:x:firm", "capture", "0")
        assert again.owner == "key:7"


def test_opening_fixes_the_log_once(blank_store: Store, keys: Keys) -> None:
    made = open_deployment(blank_store, keys, THEN)
    assert (made.origin, made.verifier_key, made.created_us) == (keys.origin, keys.log.vkey, 1_767_571_200_000_000)
    assert open_deployment(blank_store, keys) == made


def test_another_logs_keys_are_refused(store: Store, tmp_path: Path) -> None:
    others = Keys.open(tmp_path / "others", create=True, origin="sudonglian.test/log")
    with pytest.raises(OtherLog, match="the keys are of"):
        open_deployment(store, others)


def test_a_newer_schema_is_refused(store: Store, keys: Keys) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchema, match="9999"):
        open_deployment(store, keys)


def test_a_database_of_something_else_is_refused(blank_store: Store, keys: Keys) -> None:
    with blank_store.write() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(DeploymentRefused, match="invoices"):
        open_deployment(blank_store, keys)
    with blank_store.write() as connection:
        connection.execute(text("DROP TABLE invoices"))
    assert open_deployment(blank_store, keys).origin == keys.origin


def test_half_a_deployment_is_refused(store: Store, keys: Keys) -> None:
    with store.write() as connection:
        connection.execute(delete(META).where(META.c.key == deployment.VERIFIER_KEY))
    with pytest.raises(DeploymentRefused):
        open_deployment(store, keys)
    with store.write() as connection:
        connection.execute(insert(META), {"key": deployment.VERIFIER_KEY, "value": keys.log.vkey})
        connection.execute(update(META).where(META.c.key == deployment.CREATED_US).values(value="soon"))
    with pytest.raises(DeploymentRefused):
        open_deployment(store, keys)


def test_chains_and_their_anchors_pass_into_the_schema_with_lost_twins(blank_store: Store, keys: Keys) -> None:
    config = Config()
    config.set_main_option("script_location", str(resources.files("sudonglian.records") / "migrations"))
    chain = {"chain_id": 31337, "genesis": b"g", "contract": b"c", "code_hash": b"h", "deploy_tx": b"t"}
    chain |= {"id": 7, "deploy_block": 4, "lost_us": 5}
    anchor = {"id": 1, "chain": 7, "size": 9, "root": b"r", "state": "CHAIN_LOST", "updated_us": 1}
    with blank_store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(insert(CHAINS), chain)
        connection.execute(insert(ANCHORS), anchor)
    open_deployment(blank_store, keys)
    with blank_store.write() as connection:
        assert connection.execute(select(CHAINS)).mappings().one() == chain
        connection.execute(insert(CHAINS), chain | {"id": 8, "lost_us": None})
    with pytest.raises(StoreError), blank_store.write() as connection:
        connection.execute(insert(CHAINS), chain | {"id": 9, "lost_us": None})
    with pytest.raises(StoreError), blank_store.write() as connection:
        connection.execute(delete(CHAINS).where(CHAINS.c.id == 7))  # its anchor still points there


def test_many_open_a_new_database_at_once(blank_url: str, keys: Keys) -> None:
    opened: list[object] = []

    def work() -> None:
        own = Store(blank_url)
        try:
            opened.append(open_deployment(own, keys, THEN))
        except SudonglianError as error:
            opened.append(error)
        finally:
            own.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(map(str, opened)) == {str(deployment.Deployment(keys.origin, keys.log.vkey, 1_767_571_200_000_000))}


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"this is no database, but it is longer than a header of one hundred bytes" * 4)
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


def test_a_file_that_is_no_database(damaged: Store, keys: Keys) -> None:
    with pytest.raises(StoreError, match="not a database"):
        open_deployment(damaged, keys)
