import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sudonglian.records import keks
from sudonglian.records.errors import KeysRefused
from sudonglian.records.keys import FILES, KEK_FILE, LOG_FILE, Keys


def test_what_is_made_is_what_is_read_and_nobody_else_may(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "keys"
    made = Keys.open(folder, create=True, origin="sudonglian.test/log")
    again = Keys.open(folder)
    assert (again.log.vkey, again.content, again.lookup, again.keks.ids()) == (
        made.log.vkey,
        made.content,
        made.lookup,
        made.keks.ids(),
    )
    kek = bytes.fromhex((folder / KEK_FILE).read_text().strip())
    assert len({made.content, made.lookup, kek, made.log.seed}) == 4
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(FILES, 0o600)
    assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def test_keys_are_never_made_twice(tmp_path: Path) -> None:
    first = Keys.open(tmp_path / "keys", create=True)
    before = {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    assert Keys.open(tmp_path / "keys", create=True).origin == first.origin
    assert {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()} == before


def test_two_logs_that_nobody_named_have_two_names(tmp_path: Path) -> None:
    assert Keys.open(tmp_path / "a", create=True).origin != Keys.open(tmp_path / "b", create=True).origin


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    assert Keys.open(tmp_path / "keys", create=True).origin


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_and_never_replaced(tmp_path: Path, name: str, create: bool) -> None:
    Keys.open(tmp_path / "keys", create=True)
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(KeysRefused) as refusal:
        Keys.open(tmp_path / "keys", create=create)
    assert Path(refusal.value.place).name == name
    assert not (tmp_path / "keys" / name).exists()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"00", b"\xff" * 64, b"G" * 64, b"[" * 100_000, b"{}", b'"x"', b"0" * 66])
def test_a_malformed_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    Keys.open(tmp_path / "keys", create=True)
    (tmp_path / "keys" / name).write_bytes(content)
    with pytest.raises(KeysRefused) as refusal:
        Keys.open(tmp_path / "keys")
    assert Path(refusal.value.place).name == name


def test_every_flipped_digit_of_the_log_key_changes_or_refuses_it(tmp_path: Path) -> None:
    key = Keys.open(tmp_path / "keys", create=True).log.vkey
    path = tmp_path / "keys" / LOG_FILE
    written = path.read_text()
    for place, character in enumerate(written.rstrip("\n")):
        path.write_text(written[:place] + ("0" if character != "0" else "1") + written[place + 1 :])
        assert _log_key_or_refusing_file(tmp_path / "keys") not in {key, ""}


@pytest.mark.parametrize("origin", ["", "a b", "-x", "x" * 201, "名"])
def test_an_origin_that_cannot_be_one_leaves_nothing(tmp_path: Path, origin: str) -> None:
    if not origin:  # no name given is not a refused name
        assert Keys.open(tmp_path / "keys", create=True, origin=None).origin
        return
    with pytest.raises(KeysRefused):
        Keys.open(tmp_path / "keys", create=True, origin=origin)
    assert list(tmp_path.iterdir()) == []


def test_another_log_is_refused(tmp_path: Path) -> None:
    Keys.open(tmp_path / "keys", create=True, origin="one")
    with pytest.raises(KeysRefused, match="log one, not of two"):
        Keys.open(tmp_path / "keys", create=True, origin="two")


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(KeysRefused) as refusal:
        Keys.open(tmp_path / "keys", create=True)
    assert refusal.value.place.endswith("keys")


def test_secrets_are_not_in_the_text_of_keys(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path / "keys", create=True)
    told = repr(keys) + str(keys)
    kek = bytes.fromhex((tmp_path / "keys" / KEK_FILE).read_text().strip())
    assert keys.keks.ids()[0] in told
    for secret in (keys.content, keys.lookup, kek, keys.log.seed):
        assert secret.hex() not in told
        assert repr(secret)[2:-1] not in told


def test_many_processes_that_create_agree(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\nfrom sudonglian.records.keys import Keys\nsys.stdin.readline()\n"
        "print(Keys.open(pathlib.Path(sys.argv[1]), create=True).keks.ids()[0])"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "keys")]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ.copy())
        for _ in range(4)
    ]
    told = {child.communicate("go\n")[0].strip() for child in children}
    assert told == {keks.id_of(bytes.fromhex((tmp_path / "keys" / KEK_FILE).read_text().strip()))}
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def _log_key_or_refusing_file(folder: Path) -> str:
    try:
        return Keys.open(folder).log.vkey
    except KeysRefused as refusal:
        return Path(refusal.place).name
