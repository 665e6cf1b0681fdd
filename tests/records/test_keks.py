import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
from threading import Event, Thread
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from sudonglian.records import kek_rotation, reader, vault
from sudonglian.records.deployment import OtherKey, open_deployment
from sudonglian.records.errors import KeysRefused, StoreCorrupt
from sudonglian.records.fsck import fsck
from sudonglian.records.identities import Identity, identity
from sudonglian.records.intake import CaptureResult
from sudonglian.records.keks import FileRing, KekRefused, KekUnknown, MakesKeys, Ring, id_of, parse
from sudonglian.records.keys import KEK_FILE, Keys
from sudonglian.records.sealing import opened, sealed
from sudonglian.records.store import Store
from sudonglian.records.tables import KEKS, PERSONS

Capture = Callable[..., CaptureResult]
Make = Callable[..., dict[str, Any]]
NOW: Final = datetime(2026, 1, 6, tzinfo=UTC)
ONE, TWO = "11" * 32, "22" * 32


@given(st.text())
def test_whatever_stands_in_a_key_file_is_read_or_refused(written: str) -> None:
    with contextlib.suppress(KeysRefused):
        assert parse(written, "here")


@pytest.mark.parametrize("written", [f"{ONE}\n{TWO}\n", f"{ONE},{TWO}", f" {ONE} ,\n{TWO}"])
def test_keys_of_a_file_or_a_variable(written: str) -> None:
    assert [one.hex() for one in parse(written, "")] == [ONE, TWO]


@pytest.mark.parametrize(
    "written",
    ["", ONE[:-1], ONE + "0", ONE.replace("1", "A"), f"{ONE}\n{ONE}", "\n".join(f"{n:064x}" for n in range(65))],
)
def test_what_is_no_list_of_keys(written: str) -> None:
    with pytest.raises(KeysRefused):
        parse(written, "")


def test_an_id_is_the_keys_own_and_not_the_key() -> None:
    ids = {id_of(bytes([n]) * 32) for n in range(100)}
    assert len(ids) == 100
    assert not any(ONE.startswith(one) for one in ids)
    ring = Ring([bytes.fromhex(ONE), bytes.fromhex(TWO)], "here")
    assert ring.ids() == (id_of(bytes.fromhex(ONE)), id_of(bytes.fromhex(TWO)))
    assert ONE not in repr(ring)
    assert not isinstance(ring, MakesKeys)


def test_a_changed_file_is_seen_by_whoever_has_it_open(tmp_path: Path) -> None:
    path = tmp_path / KEK_FILE
    mine, other = FileRing.create(path), FileRing.create(path)
    (first,) = mine.ids()
    second = other.make()
    assert mine.ids() == (first, second)
    wrapped = other.wrap(second, b"k" * 32, b"7")
    assert mine.unwrap(second, wrapped, b"7", "") == b"k" * 32
    with path.open("rb") as old:
        other.destroy(first)
        assert set(old.read()) == {0}
    assert mine.ids() == (second,)
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in tmp_path.iterdir()] == [KEK_FILE]
    with pytest.raises(KekUnknown) as refusal:
        mine.unwrap(first, wrapped, b"7", "")
    assert refusal.value.place == str(path)
    other.destroy(first)
    with pytest.raises(KekRefused, match="the last"):
        other.destroy(second)


def test_a_changed_file_stays_whose_it_was(tmp_path: Path) -> None:
    ring = FileRing.create(tmp_path / KEK_FILE)
    os.chmod(ring.path, 0o640)
    if os.geteuid() == 0:
        os.chown(ring.path, 4711, 4711)
    before = ring.path.stat()
    ring.make()
    after = ring.path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_a_wrapped_key_opens_with_its_own_key_alone() -> None:
    ring = Ring([bytes.fromhex(ONE), bytes.fromhex(TWO)], "here")
    first, second = ring.ids()
    wrapped = ring.wrap(first, b"k" * 32, b"7")
    for key_id, bound in [(second, b"7"), (first, b"8")]:
        with pytest.raises(StoreCorrupt):
            ring.unwrap(key_id, wrapped, bound, "persons/7")


class Kms:
    """A holder that never gives its keys away and names them itself."""

    place = "kms.example"

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.calls = 0
        self.create("key/1")

    def create(self, key_id: str) -> None:
        self.keys[key_id] = token_bytes(32)

    def ids(self) -> Sequence[str]:
        return tuple(self.keys)

    def wrap(self, key_id: str, key: bytes, bound_to: bytes) -> bytes:
        self.calls += 1
        return sealed(self.keys[key_id], key, bound_to)

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes, place: str) -> bytes:
        self.calls += 1
        if key_id not in self.keys:
            raise KekUnknown("no such key", place=self.place)
        return opened(self.keys[key_id], wrapped, bound_to, place)


def people(store: Store, keys: Keys, numbers: Sequence[int]) -> dict[Identity, int]:
    with store.write() as connection:
        who = [Identity("phone", str(number)) for number in numbers]
        return {one: person.number for one, person in vault.admit(connection, keys, who).items()}


def readable(store: Store, keys: Keys) -> int:
    with store.read() as connection:
        numbers = connection.execute(select(PERSONS.c.person_no)).scalars().all()
        return len(vault.persons(connection, keys, numbers))


def rotate(store: Store, keys: Keys) -> str:
    with store.write() as connection:
        new = kek_rotation.begin(connection, keys, NOW)
    kek_rotation.rewrap(store, keys)
    return new


def destroy(store: Store, keys: Keys, key_id: str) -> None:
    with store.write() as connection:
        kek_rotation.destroy(connection, keys, key_id, NOW)


def test_a_rotation_wraps_everybody_anew_and_the_old_key_opens_nobody(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    made = capture(event(**{"sdl:participants": [handler(), handler("19900000002")]})).records[0]
    (old,) = keys.keks.ids()
    with store.read() as connection:
        before = {
            row.person_no: vault.unwrap(keys, old, row.person_no, row.wrapped_key)
            for row in connection.execute(select(PERSONS))
        }
    kept = Path(keys.keks.place).read_text()
    with pytest.raises(KekRefused, match="writes"):
        destroy(store, keys, old)
    new = rotate(store, keys)
    with store.read() as connection:
        rows = connection.execute(select(PERSONS)).all()
        assert {row.kek for row in rows} == {new}
        assert {row.person_no: vault.unwrap(keys, new, row.person_no, row.wrapped_key) for row in rows} == before
        assert reader.plain(connection, keys, made.record_hash, people=True)["sdl:participants"]
    destroy(store, keys, old)
    ring = Ring(parse(kept, ""), "")
    for row in rows:
        with pytest.raises(StoreCorrupt):
            ring.unwrap(old, row.wrapped_key, vault.WRAP_LABEL + row.person_no.to_bytes(8, "big"), "")
    assert keys.keks.ids() == (new,)
    assert fsck(store, keys, None)["faults"] == []
    destroy(store, keys, old)
    with store.read() as connection:
        told = [
            (one.id, one.writes, one.persons, one.is_here, one.destroyed_us is not None)
            for one in kek_rotation.listed(connection, keys)
        ]
    assert sorted(told) == sorted([(old, False, 0, False, True), (new, True, 2, True, False)])
    assert capture(event(eventID="urn:x:2", **{"sdl:participants": [handler()]})).accepted == 1


def test_a_key_that_wraps_somebody_or_was_never_here_is_not_destroyed(store: Store, keys: Keys) -> None:
    people(store, keys, range(3))
    (old,) = keys.keks.ids()
    with store.write() as connection:
        kek_rotation.begin(connection, keys, NOW)
    with pytest.raises(KekRefused, match="3 persons"):
        destroy(store, keys, old)
    with pytest.raises(KekUnknown):
        destroy(store, keys, "nobody's")
    assert len(keys.keks.ids()) == 2


def test_captures_go_on_while_the_key_is_changed(store: Store, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kek_rotation, "BATCH", 7)
    first = people(store, keys, range(200))
    assert keys.folder is not None
    stop, found, errors = Event(), dict[Identity, int](), list[Exception]()

    def admit(own: Keys, start: int) -> None:
        # Another process' keys: they learn of the new key from the file alone.
        number = start
        while not stop.is_set() or number < start + 40:
            try:
                found.update(people(store, own, [number % 200, number, number + 1]))
            except Exception as error:  # noqa: BLE001  told at the end, in the test's own thread
                errors.append(error)
                return
            number += 2

    threads = [Thread(target=admit, args=(Keys.open(keys.folder), start)) for start in (1_000, 100_000)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        (*_, old) = keys.keks.ids()
        new = rotate(store, keys)
        assert new != old
        destroy(store, keys, old)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    with store.read() as connection:
        assert connection.execute(select(PERSONS.c.kek).distinct()).scalars().all() == [new]
        many = connection.execute(select(func.count()).select_from(PERSONS)).scalar_one()
    assert readable(store, Keys.open(keys.folder)) == many >= 280
    assert all(found.get(one, number) == number for one, number in first.items())


def test_a_rotation_waits_for_whoever_is_wrapping_with_the_old_key(store: Store, keys: Keys) -> None:
    (old,) = keys.keks.ids()
    done = Event()

    def change() -> None:
        rotate(store, keys)
        done.set()

    thread = Thread(target=change)
    with store.write() as connection:
        vault.admit(connection, keys, [Identity("phone", "1")])
        thread.start()
        assert not done.wait(0.5)
    thread.join()
    with store.read() as connection:
        assert connection.execute(select(PERSONS.c.kek)).scalars().all() != [old]
    assert readable(store, keys) == 1


CHILD: Final = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from sudonglian.records import kek_rotation
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
url, folder, where = sys.argv[1:]
store, keys = Store(url), Keys.open(Path(folder))
kek_rotation.BATCH = 10
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
if where == "made":
    kek_rotation.insert = die
with store.write() as connection:
    kek_rotation.begin(connection, keys, datetime.now(UTC))
if where == "begun":
    die()
if where == "in a batch":
    kek_rotation.bindparam = die
kek_rotation.rewrap(store, keys, lambda done, _total: die() if done >= 30 and where == "between" else None)
"""


@pytest.mark.parametrize("where", ["made", "begun", "in a batch", "between"])
def test_killed_at_any_moment_the_next_rotation_goes_on(store: Store, keys: Keys, where: str) -> None:
    people(store, keys, range(55))
    (old,) = keys.keks.ids()
    url = store.url.render_as_string(hide_password=False)
    child = subprocess.run(
        [sys.executable, "-c", CHILD, url, str(keys.folder), where],
        capture_output=True,
        text=True,
        env=os.environ.copy(),
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert readable(store, keys) == 55
    assert len(keys.keks.ids()) == 2
    new = rotate(store, keys)
    assert keys.keks.ids() == (old, new)
    destroy(store, keys, old)
    assert readable(store, keys) == 55
    assert fsck(store, keys, None)["checked"]["keks"] == 2


def test_a_kms_wraps_by_its_own_key_ids(blank_store: Store, keys: Keys) -> None:
    kms = Kms()
    own = Keys(keys.log, keys.content, keys.lookup, kms)
    open_deployment(blank_store, own, NOW)
    people(blank_store, own, range(5))
    with pytest.raises(KekRefused, match="add one"):
        rotate(blank_store, own)
    kms.create("key/2")
    assert rotate(blank_store, own) == "key/2"
    with pytest.raises(KekRefused, match="still there"):
        destroy(blank_store, own, "key/1")
    del kms.keys["key/1"]
    destroy(blank_store, own, "key/1")
    assert readable(blank_store, own) == 5
    # Admitted persons are read back; each is unwrapped and wrapped by the rotation, then read.
    assert kms.calls == (5 + 5) + (5 + 5) + 5


def test_keys_of_the_environment_are_changed_where_they_are_kept(
    blank_store: Store, keys: Keys, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    own = Keys.open(folder, create=True, keks=Ring([bytes.fromhex(ONE)], "SUDONGLIAN_KEK"))
    assert not (folder / KEK_FILE).exists()
    open_deployment(blank_store, own, NOW)
    people(blank_store, own, range(2))
    with pytest.raises(KekRefused) as refusal:
        rotate(blank_store, own)
    assert refusal.value.place == "SUDONGLIAN_KEK"
    both = Keys.open(folder, keks=Ring([bytes.fromhex(ONE), bytes.fromhex(TWO)], "SUDONGLIAN_KEK"))
    open_deployment(blank_store, both, NOW)
    assert rotate(blank_store, both) == id_of(bytes.fromhex(TWO))
    with pytest.raises(OtherKey, match=id_of(bytes.fromhex(TWO))):
        open_deployment(blank_store, own)
    after = Keys.open(folder, keks=Ring([bytes.fromhex(TWO)], "SUDONGLIAN_KEK"))
    open_deployment(blank_store, after)
    destroy(blank_store, after, id_of(bytes.fromhex(ONE)))
    assert readable(blank_store, after) == 2


def test_a_key_file_elsewhere_is_made_and_read_there(tmp_path: Path) -> None:
    path = tmp_path / "mounted" / "keks"
    made = Keys.open(tmp_path / "keys", create=True, keks=path)
    assert not (tmp_path / "keys" / KEK_FILE).exists()
    assert Keys.open(tmp_path / "keys", keks=path).keks.ids() == made.keks.ids()
    with pytest.raises(KeysRefused) as refusal:
        Keys.open(tmp_path / "keys")
    assert Path(refusal.value.place).name == KEK_FILE


def test_fsck_names_keys_that_are_gone_and_keys_that_should_be(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    capture(event(**{"sdl:participants": [handler()]}))
    (old,) = keys.keks.ids()
    rotate(store, keys)
    with store.write() as connection:
        connection.execute(update(KEKS).where(KEKS.c.id == old).values(destroyed_us=1))
    assert [(one["code"], one["place"]) for one in fsck(store, keys, None)["faults"]] == [("kek-left", f"keks/{old}")]
    with store.write() as connection:
        connection.execute(text("UPDATE persons SET kek = 'nobody'"))
    assert {one["code"] for one in fsck(store, keys, None)["faults"]} >= {"kek-left", "kek-unknown"}


def test_erasures_since_a_key_began_are_counted(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    def told() -> list[int]:
        with store.read() as connection:
            return [one.erased_since for one in kek_rotation.listed(connection, keys)]

    capture(event(**{"sdl:participants": [handler(), handler("19900000002")]}))
    with store.write() as connection:
        number = vault.find(connection, keys, identity("phone", "19900000001", ""))
        assert number is not None
        vault.erase(connection, keys, number, "asked", datetime(2026, 1, 6, 12, tzinfo=UTC))
    assert told() == [1]
    with store.write() as connection:
        kek_rotation.begin(connection, keys, datetime(2026, 1, 7, tzinfo=UTC))
    assert told() == [1, 0]
