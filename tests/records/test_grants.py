"""Whatever is granted is an entry of the private tree, with who granted it; and rows are held to the entries."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from tests.records.conftest import NOW

from sudonglian.records import accounts, api_keys, private
from sudonglian.records.fsck import fsck
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import ACCOUNTS, API_KEYS, PRIVATE_ENTRIES, PRIVATE_NODES

OPERATOR = "account:1"
PASSWORD = "correct horse battery staple"


def entries(store: Store) -> list[dict[str, Any]]:
    with store.read() as connection:
        return [value for _, value in private.values(connection)]


@pytest.fixture
def granted(store: Store) -> str:
    """An operator, an account through its whole life, a key of it; return the key's prefix."""
    with store.write() as connection:
        accounts.first(connection, "root", "", PASSWORD, "operator", NOW)
        _, code = accounts.invite(connection, "ana", ["epidemiologist"], NOW, by=OPERATOR)
    with store.write() as connection:
        accounts.accept(connection, code, PASSWORD, NOW)
        accounts.set_roles(connection, "ana", ["approver", "auditor"], None, NOW, by=OPERATOR)
        accounts.reset(connection, "ana", NOW, by="cli:root")
        accounts.disable(connection, "ana", NOW, by=OPERATOR)
        accounts.enable(connection, "ana", NOW, by=OPERATOR)
        key, _ = api_keys.create(connection, "Ana", ["reveal-approve"], NOW, account=2, by=OPERATOR)
        api_keys.revoke(connection, key.prefix, NOW + timedelta(hours=1), by=OPERATOR)
        key, _ = api_keys.create(connection, "door", ["capture"], NOW, submitter="urn:x:firm", by="cli:root")
    return key.prefix


def test_every_grant_is_an_entry_with_who_gave_it(store: Store, keys: Keys, granted: str) -> None:
    told = [
        (one["k"], one["do"], one[one["k"]], one["by"], one.get("roles") or one.get("scopes")) for one in entries(store)
    ]
    assert told == [
        ("account", "made", "account:1", "account:1", ["operator"]),
        ("account", "made", "account:2", OPERATOR, ["epidemiologist"]),
        ("account", "begun", "account:2", "account:2", ["epidemiologist"]),
        ("account", "roles", "account:2", OPERATOR, ["approver", "auditor"]),
        ("account", "reset", "account:2", "cli:root", ["approver", "auditor"]),
        ("account", "disabled", "account:2", OPERATOR, ["approver", "auditor"]),
        ("account", "enabled", "account:2", OPERATOR, ["approver", "auditor"]),
        ("key", "made", "key:1", OPERATOR, ["reveal-approve"]),
        ("key", "revoked", "key:1", OPERATOR, ["reveal-approve"]),
        ("key", "made", "key:2", "cli:root", ["capture"]),
    ]
    assert entries(store)[0]["at"] == NOW.isoformat(timespec="microseconds")
    assert entries(store)[7]["account"] == "account:2"
    assert "ana" not in str(entries(store)).lower()
    assert fsck(store, keys)["faults"] == []


def test_what_is_refused_or_undone_leaves_no_entry(store: Store, granted: str) -> None:
    before = len(entries(store))
    with pytest.raises(accounts.AccountRefused), store.write() as connection:
        accounts.invite(connection, "ana", ["approver"], NOW, by=OPERATOR)
    assert len(entries(store)) == before


@pytest.mark.parametrize(
    "change",
    [
        update(ACCOUNTS).where(ACCOUNTS.c.id == 2).values(roles="approver epidemiologist"),
        update(ACCOUNTS).where(ACCOUNTS.c.id == 2).values(submitter="urn:x:firm"),
        update(API_KEYS).where(API_KEYS.c.id == 2).values(scopes="audit capture"),
        update(API_KEYS).where(API_KEYS.c.id == 2).values(submitter="urn:x:other"),
        update(API_KEYS).where(API_KEYS.c.id == 1).values(revoked_us=None),
        delete(API_KEYS).where(API_KEYS.c.id == 2),
    ],
)
def test_fsck_finds_what_nobody_granted(store: Store, keys: Keys, granted: str, change: Any) -> None:
    with store.write() as connection:
        connection.execute(change)
    assert "grant" in {one["code"] for one in fsck(store, keys)["faults"]}


def test_fsck_finds_an_account_that_nobody_made_and_knows_those_of_before(store: Store, keys: Keys) -> None:
    def copied(connection: Any, name: str) -> None:
        row = dict(connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.id)).first()._mapping)
        del row["id"]
        connection.execute(insert(ACCOUNTS), row | {"name": name, "invite_hash": None, "invite_until_us": None})

    with store.write() as connection:
        accounts.invite(connection, "old", ["operator"], NOW)
        # As an earlier version left it.
        connection.execute(delete(PRIVATE_ENTRIES))
        connection.execute(delete(PRIVATE_NODES))
    assert fsck(store, keys)["faults"] == []
    with store.write() as connection:
        accounts.disable(connection, "old", NOW, by=OPERATOR)
        accounts.enable(connection, "old", NOW, by=OPERATOR)
        accounts.invite(connection, "new", ["auditor"], NOW, by=OPERATOR)
    assert fsck(store, keys)["faults"] == []
    with store.write() as connection:
        copied(connection, "smuggled")
    assert [one["place"] for one in fsck(store, keys)["faults"]] == ["accounts/3"]
