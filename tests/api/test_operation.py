"""Backup, restore and the check of everything, by their commands."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sudonglian.api.commands import sample

STORY = sample.stories()["frozen-fish"]
Run = Callable[..., Any]


@pytest.fixture
def anchored(run: Run) -> Run:
    assert run("sample", "load").code == 0
    assert run("anchor").code == 0
    return run


def test_a_backup_with_keys_is_restored_elsewhere_and_goes_on(anchored: Run, tmp_path: Path) -> None:
    kept, other = str(tmp_path / "backup"), str(tmp_path / "other")
    made = anchored("backup", kept, "--with-keys", "--json")
    assert (made.code, made.json["log"]["size"]) == (0, 65)
    restored = anchored("restore", kept, "--data-dir", other, "--json")
    assert (restored.code, restored.json["fsck"]["faults"]) == (0, [])
    before, after = (anchored("status", "--json", "--data-dir", one).json for one in (str(tmp_path / "data"), other))
    assert after["log"] == before["log"]
    assert after["chain"]["genesis"] == before["chain"]["genesis"]
    asked = ("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "p", "--data-dir", other)
    assert anchored(*asked).code == 0
    assert anchored("anchor", "--data-dir", other).code == 0
    assert anchored("fsck", "--data-dir", other).code == 0


def test_a_backup_without_keys_needs_them_put_back(anchored: Run, tmp_path: Path) -> None:
    kept, other = str(tmp_path / "backup"), tmp_path / "other"
    made = anchored("backup", kept)
    assert "keys are not in it" in made.out
    assert not any(one.name.endswith(".key") for one in Path(kept).rglob("*"))
    refused = anchored("restore", kept, "--data-dir", str(other), "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "backup-keys")
    shutil.copytree(tmp_path / "data" / "keys", other / "keys")
    assert anchored("restore", kept, "--data-dir", str(other)).code == 0
    assert anchored("anchor", "--data-dir", str(other)).code == 0


def test_a_damaged_or_stale_backup_is_refused_by_name(anchored: Run, tmp_path: Path) -> None:
    kept = tmp_path / "backup"
    anchored("backup", str(kept), "--with-keys")
    assert anchored("backup", str(kept), "--json").json["error"]["code"] == "backup-target"
    anchored("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "p")
    anchored("anchor")
    stale = anchored("restore", str(kept), "--force", "--json")
    assert (stale.code, stale.json["error"]["code"]) == (1, "backup-stale")
    database = kept / "log.db"
    raw = bytearray(database.read_bytes())
    raw[len(raw) // 2] ^= 1
    database.write_bytes(raw)
    damaged = anchored("restore", str(kept), "--data-dir", str(tmp_path / "other"), "--json")
    assert (damaged.code, damaged.json["error"]["code"]) == (1, "backup-damaged")
    (kept / "manifest.json").unlink()
    missing = anchored("restore", str(kept), "--data-dir", str(tmp_path / "other"), "--json")
    assert (missing.code, missing.json["error"]["code"]) == (1, "backup-incomplete")


def test_fsck_is_content_and_then_finds_a_flipped_byte_in_the_chain(anchored: Run, tmp_path: Path) -> None:
    good = anchored("fsck", "--json")
    assert (good.code, good.json["ok"], good.json["faults"]) == (0, True, [])
    assert good.json["checked"]["records"] == 63
    chain = tmp_path / "data" / "chain.db"
    for leftover in tmp_path.glob("data/chain.db-*"):
        leftover.unlink()
    raw = bytearray(chain.read_bytes())
    raw[4096 * 3 : 4096 * 4] = bytes(4096)
    chain.write_bytes(raw)
    bad = anchored("fsck", "--json")
    assert (bad.code, bad.json["ok"]) == (1, False)
    assert bad.json["checked"]["records"] == 63
    assert all(set(one) == {"code", "place", "detail"} for one in bad.json["faults"])
    assert anchored("fsck", "--offline").code == 0


def test_fsck_is_content_with_an_answer_from_any_earlier_size_and_finds_a_changed_one(
    anchored: Run, tmp_path: Path
) -> None:
    asked = ["trace", "https://id.gs1.org/00/395200010000000028", "--at", "2024-11-10T14:00:00+08:00", "--purpose", "p"]
    assert anchored(*asked, "--log-size", "40").code == 0
    assert anchored("fsck", "--json").json["faults"] == []
    with sqlite3.connect(tmp_path / "data" / "sudonglian.db") as database:
        database.execute("update traces set log_size = 41")
    database.close()
    assert [one["code"] for one in anchored("fsck", "--json").json["faults"]] == ["trace"]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("keys/log.json", "keys"),
        ("keys/kek.key", "keys"),
        ("keys/anchor.key", "wallet"),
        ("sudonglian.db", "store"),
        ("chain.db", "chain-file-damaged"),
    ],
)
def test_fsck_answers_in_its_own_form_when_a_file_cannot_even_be_opened(
    anchored: Run, tmp_path: Path, file: str, code: str
) -> None:
    damaged = tmp_path / "data" / file
    raw = damaged.read_bytes()
    damaged.write_bytes(b"!" + raw[1:])
    done = anchored("fsck", "--json")
    assert (done.code, done.json["ok"]) == (1, False)
    assert code in {one["code"] for one in done.json["faults"]}
    assert all(set(one) == {"code", "place", "detail"} for one in done.json["faults"])
    told = anchored("fsck")
    assert (told.code, "something is wrong" in told.out, "Traceback" in told.err) == (1, True, False)


@pytest.mark.parametrize("command", [["fsck"], ["backup", "x"], ["erase", "phone", "1", "--reason", "x"]])
def test_what_checks_a_deployment_does_not_make_one(run: Run, tmp_path: Path, command: list[str]) -> None:
    done = run(*command, "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "no-deployment")
    assert not (tmp_path / "data").exists()
