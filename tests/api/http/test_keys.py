"""`sudonglian keys api`: a token is shown once, opens its doors, ends, and is revoked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sudonglian.records import api_keys
from sudonglian.records.api_keys import KeyRefused
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

NOW = datetime(2026, 1, 6, tzinfo=UTC)


def test_making_listing_and_revoking(run: Any, tmp_path: Path) -> None:
    made = run(
        "keys", "api", "create", "--name", "甲", "--scope", "trace", "--scope", "operate", "--expires", "90d", "--json"
    )
    assert made.code == 0
    token, prefix = made.json["token"], made.json["prefix"]
    assert token.startswith(f"{prefix}_")
    assert (made.json["scopes"], made.json["state"]) == (["operate", "trace"], "live")
    listed = run("keys", "api", "list", "--json")
    assert [one["prefix"] for one in listed.json["keys"]] == [prefix]
    assert token not in listed.out
    assert run("keys", "api", "revoke", prefix, "--json").json["state"] == "revoked"
    assert run("keys", "api", "revoke", prefix).code == 0
    assert run("keys", "api", "revoke", "sdl_none").code == 1
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or token.removeprefix(prefix).encode() not in file.read_bytes()


def test_a_profile_is_given_changed_and_taken_away(run: Any) -> None:
    asked = ("keys", "api", "create", "--name", "甲", "--scope", "capture", "--submitter", "urn:x:one")
    made = run(*asked, "--profile", "cn-import", "--json").json
    plain = run(*asked, "--json").json
    assert (made["profile"], plain["profile"]) == ("cn-import", None)
    assert (
        run("keys", "api", "profile", plain["prefix"], "gb31605-handover", "--json").json["profile"]
        == "gb31605-handover"
    )
    assert run("keys", "api", "profile", made["prefix"], "none", "--json").json["profile"] is None
    listed = run("keys", "api", "list", "--json").json["keys"]
    assert {one["prefix"]: one["profile"] for one in listed} == {
        made["prefix"]: None,
        plain["prefix"]: "gb31605-handover",
    }
    assert "gb31605-handover" in run("keys", "api", "list").out
    assert run(*asked, "--profile", "no-such").code == 64
    assert run("keys", "api", "profile", made["prefix"], "no-such").code == 64
    assert run("keys", "api", "profile", "sdl_none", "none").code == 1
    assert run("keys", "api", "create", "--name", "x", "--scope", "trace", "--profile", "cn-import").code == 64


def test_several_firms_get_a_key_each(run: Any) -> None:
    firms = ["urn:x:one", "urn:x:two", "urn:x:one"]
    asked = [part for one in firms for part in ("--submitter", one)]
    made = run("keys", "api", "create", "--name", "firms", "--scope", "capture", *asked, "--json")
    assert [one["submitter"] for one in made.json["keys"]] == ["urn:x:one", "urn:x:two"]
    assert len({one["token"] for one in made.json["keys"]}) == 2
    listed = run("keys", "api", "list", "--json").json["keys"]
    assert [one["submitter"] for one in listed] == ["urn:x:one", "urn:x:two"]
    told = run("keys", "api", "create", "--name", "firms", "--scope", "capture", *asked)
    assert [line.partition("  ")[2] for line in told.out.splitlines()[:2]] == ["urn:x:one", "urn:x:two"]
    one_wrong = run("keys", "api", "create", "--name", "x", "--scope", "capture", *asked, "--submitter", "no uri")
    assert one_wrong.code == 64
    assert len(run("keys", "api", "list", "--json").json["keys"]) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        ("--scope", "capture"),
        ("--scope", "trace", "--submitter", "urn:x:firm"),
        ("--scope", "public"),
        ("--scope", "capture", "--submitter", "no uri"),
        ("--scope", "trace", "--expires", "soon"),
        (),
    ],
)
def test_keys_that_are_not_made(run: Any, wrong: tuple[str, ...]) -> None:
    assert run("keys", "api", "create", "--name", "x", *wrong).code == 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'sudonglian.db'}")
    open_deployment(store, Keys.open(tmp_path / "keys", create=True), NOW)
    yield store
    store.close()


def test_a_key_lives_from_its_making_to_its_end(store: Store) -> None:
    ends = NOW + timedelta(days=1)
    with store.write() as connection:
        key, token = api_keys.create(connection, "x", ["b", "a", "b"], NOW, expires=ends)
        assert key.scopes == {"a", "b"}
        assert api_keys.find(connection, token, ends - timedelta(microseconds=1)) == key
        assert api_keys.find(connection, token, ends) is None
        assert api_keys.find(connection, token[:-1], NOW) is None
        assert api_keys.find(connection, key.prefix, NOW) is None
        assert api_keys.find(connection, token + "é", NOW) is None
        api_keys.revoke(connection, key.prefix, NOW)
        assert api_keys.find(connection, token, NOW) is None
        first = api_keys.revoke(connection, key.prefix, ends).revoked_us
        assert first == api_keys.revoke(connection, key.prefix, NOW).revoked_us
        with pytest.raises(KeyRefused):
            api_keys.create(connection, "x", ["a"], NOW, expires=NOW)
