"""People by commands: erasure, retention, receipts that an auditor verifies, and the keys that wrap people's keys."""

import io
import json
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from sudonglian.api import worker
from sudonglian.api.commands import sample
from sudonglian.api.console import Console
from sudonglian.api.settings import read
from sudonglian.api.wiring import open_house
from sudonglian.chain import canonical, receipt, trust
from sudonglian.chain.verify import verify
from sudonglian.records import derive, retention

Run = Callable[..., Any]
STORY: Final = sample.stories()["frozen-fish"]
PHONE: Final = "19900000505"


@pytest.fixture
def loaded(run: Run) -> Run:
    assert run("sample", "load").code == 0
    assert run("anchor").code == 0
    return run


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_an_identity_is_read_from_a_pipe_and_the_receipt_is_proven_to_an_auditor(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "+86 199-0000-0505\n")
    erased = loaded("people", "erase", "phone", "--reason", "asked for", "--json").json
    assert (erased["erased"], len(erased["records"]), erased["overwritten"]) == (True, 1, True)
    assert erased["erased_but_in_copies"] == 1
    number, path = str(erased["receipt"]), str(tmp_path / "receipt.json")
    [listed] = loaded("people", "receipts", "--json").json["receipts"]
    assert (listed["receipt"], listed["reason"], listed["records"]) == (
        erased["receipt"],
        "asked for",
        erased["records"],
    )
    assert loaded("people", "receipt", number, "-o", path, "--json").json["error"]["code"] == "not-sealed"
    assert loaded("people", "receipt", "99", "-o", path, "--json").json["error"]["code"] == "not-in-log"
    loaded("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "seals what waits")
    assert loaded("people", "receipt", number, "-o", path, "--json").json["anchor"] == "pending"
    held = str(tmp_path / "trust.json")
    loaded("trust", "add", "-o", held)
    assert loaded("verify", path, "--trust", held).code == 2
    assert loaded("anchor").code == 0
    assert loaded("people", "receipt", number, "-o", path, "--json").json["anchor"] == "final"
    loaded("trust", "add", "-o", held)
    verdict = loaded("verify", path, "--trust", held, "--json")
    assert (verdict.code, verdict.json["verdict"]) == (0, "VALID")
    assert {one["name"]: one["result"] for one in verdict.json["steps"]}["tombstone"] == "PASS"
    _check_that_nothing_can_be_changed(Path(path).read_bytes(), trust.parse(Path(held).read_bytes()))


def _check_that_nothing_can_be_changed(raw: bytes, held: trust.Trust) -> None:
    """Of every member a changed value, and of the file many flipped bits, are not valid."""
    assert verify(raw, held).verdict == "VALID"
    dice = random.Random(11)
    for place in dice.sample(range(len(raw)), 300):
        flipped = raw[:place] + bytes([raw[place] ^ (1 << dice.randrange(8))]) + raw[place + 1 :]
        assert verify(flipped, held).verdict != "VALID", place
    whole = json.loads(raw)
    said = whole["entry"]["said"]
    for name, other in [("reason", "another"), ("person", 1), ("records", []), ("at", "2026-01-01T00:00:00+00:00")]:
        changed = {**whole, "entry": {**whole["entry"], "said": {**said, name: other}}}
        assert verify(canonical.encode(changed), held).verdict == "INVALID"
    assert verify(canonical.encode({**whole, "v": receipt.PREFIX + "2"}), held).verdict == "INDETERMINATE"
    assert verify(canonical.encode({**whole, "anchors": []}), held).verdict == "INDETERMINATE"
    assert verify(canonical.encode({**whole, "more": 1}), held).verdict == "INVALID"
    assert verify(canonical.encode({**whole, "entry": []}), held).verdict == "INVALID"
    assert "receipt" in {one.name for one in verify(raw, held).steps}


@pytest.mark.parametrize("text", ["", "\n", "  \n", "1" * 2_000])
def test_what_is_no_identity_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    typed(monkeypatch, text)
    assert run("people", "erase", "phone", "--reason", "x", "--json").code == 64


def test_a_reason_that_repeats_the_identity_is_refused(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, PHONE)
    refused = loaded("people", "erase", "phone", "--reason", "number 199-0000-0505 asked", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "erasure-reason")
    assert PHONE not in refused.out
    assert loaded("people", "receipts", "--json").json["receipts"] == []


def test_retention_is_rehearsed_and_done(loaded: Run) -> None:
    told = loaded("people", "retain", "--dry-run", "--json").json
    assert (told["dry_run"], told["erased"], told["held"]) == (True, 0, 0)
    assert told["due"] > 20
    assert {one["purpose"] for one in told["rules"]} == {"participation", "case"}
    assert loaded("fsck", "--offline", "--json").json["notices"][0]["code"] == "retention"
    done = loaded("people", "retain", "--json").json
    assert done["erased"] == told["due"] == len(done["receipts"])
    assert loaded("people", "retain", "--json").json["due"] == 0
    checked = loaded("fsck", "--offline", "--json").json
    assert (checked["ok"], checked["checked"].get("persons")) == (True, None)
    trace = loaded("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "p", "--json").json
    assert sum(one["kind"] == "person" for one in trace["members"]) == 26  # nameless, and still counted


def test_the_worker_erases_once_a_day_and_not_on_the_first(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 15)
    now = datetime.now(UTC)
    with open_house(Console(read(), "en", True)) as house:
        assert worker.retain_if_due(house, now) == []
        day = now + timedelta(days=1, seconds=1)
        steps = [worker.retain_if_due(house, day) for _ in range(4)]
        assert [one[0].values["erased"] if one else 0 for one in steps][:1] == [15]
        assert steps[-1] == []
        with house.store.read() as connection:
            assert retention.last_run_us(connection) == derive.micros(day)
        assert worker.retain_if_due(house, day + timedelta(hours=23)) == []
        monkeypatch.setenv("SUDONGLIAN_RETENTION", "off")
        house.settings = read()
        assert worker.retain_if_due(house, day + timedelta(days=9)) == []


def test_a_key_is_changed_and_the_old_one_destroyed_by_commands(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    [first] = loaded("keys", "kek", "list", "--json").json["keks"]
    assert (first["state"], first["here"], first["erased_since"]) == ("writes", True, 0)
    loaded("erase", "phone", PHONE, "--reason", "asked")
    told = loaded("keys", "kek", "list")
    assert "older backups" in told.out
    rotated = loaded("keys", "kek", "rotate", "--json").json
    old, new = rotated["keks"]
    assert (old["state"], old["persons"], new["state"], new["persons"]) == (
        "retired",
        0,
        "writes",
        first["persons"] - 1,
    )
    assert rotated["erased_but_in_copies"] == 1
    monkeypatch.setattr("typer.confirm", lambda *_args, **_options: False)
    assert loaded("keys", "kek", "destroy", first["id"]).code == 64
    assert loaded("keys", "kek", "destroy", new["id"], "--yes", "--json").json["error"]["code"] == "kek"
    done = loaded("keys", "kek", "destroy", first["id"], "--yes", "--json").json
    assert [one["state"] for one in done["keks"]] == ["destroyed", "writes"]
    assert done["erased_but_in_copies"] == 0
    third = loaded("keys", "kek", "rotate", "--destroy-old", "--json").json
    assert [one["state"] for one in third["keks"]] == ["destroyed", "destroyed", "writes"]
    assert loaded("fsck", "--offline").code == 0
    assert loaded("sample", "load", "--json").json["unchanged"] > 0


def test_a_backup_from_before_a_destroyed_key_gives_back_the_log_and_nobody(loaded: Run, tmp_path: Path) -> None:
    kept, other = str(tmp_path / "backup"), tmp_path / "other"
    assert loaded("backup", kept).code == 0
    loaded("erase", "phone", PHONE, "--reason", "asked")
    loaded("keys", "kek", "rotate", "--destroy-old")
    shutil.copytree(tmp_path / "data" / "keys", other / "keys")
    refused = loaded("restore", kept, "--data-dir", str(other), "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "backup-keys")
    assert "--without-people" in refused.json["error"]["message"]
    assert not (other / "sudonglian.db").exists()
    assert loaded("restore", kept, "--data-dir", str(other), "--without-people").code == 0
    with sqlite3.connect(other / "sudonglian.db") as raw:
        assert raw.execute("SELECT count(*) FROM persons").fetchone() == (0,)
    raw.close()
    assert loaded("anchor", "--data-dir", str(other)).code == 0
    assert loaded("fsck", "--data-dir", str(other)).code == 0
    asked = ("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "p", "--data-dir", str(other), "--json")
    assert sum(one["kind"] == "person" for one in loaded(*asked).json["members"]) == 26
    assert loaded("sample", "load", "--data-dir", str(other), "--json").json["accepted"] == 0


def test_keys_of_the_environment_and_of_another_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = "11" * 32, "22" * 32
    monkeypatch.setenv("SUDONGLIAN_KEK", one)
    assert run("sample", "load").code == 0
    assert not (tmp_path / "data" / "keys" / "kek.key").exists()
    refused = run("keys", "kek", "rotate", "--json")
    assert (refused.code, refused.json["error"]["code"], refused.json["error"]["place"]) == (1, "kek", "SUDONGLIAN_KEK")
    monkeypatch.setenv("SUDONGLIAN_KEK", f"{one},{two}")
    assert run("keys", "kek", "rotate", "--json").json["keks"][0]["persons"] == 0
    monkeypatch.setenv("SUDONGLIAN_KEK", two)
    old = run("keys", "kek", "list", "--json").json["keks"][0]["id"]
    assert run("keys", "kek", "destroy", old, "--yes").code == 0
    assert run("backup", str(tmp_path / "backup"), "--with-keys").code == 0
    assert run("fsck", "--offline").code == 0
    monkeypatch.setenv("SUDONGLIAN_KEK", one)
    assert run("fsck", "--offline", "--json").json["faults"][0]["code"] == "other-key"
    monkeypatch.setenv("SUDONGLIAN_KEK", "no key")
    wrong = run("status", "--json")
    assert (wrong.code, wrong.json["error"]["place"]) == (64, "SUDONGLIAN_KEK")
    monkeypatch.delenv("SUDONGLIAN_KEK")
    (tmp_path / "mounted").write_text(f"{two}\n")
    monkeypatch.setenv("SUDONGLIAN_KEK_FILE", str(tmp_path / "mounted"))
    assert run("fsck", "--offline").code == 0
