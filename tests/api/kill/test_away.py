"""A database that is away: the worker inside a server waits for it, and who starts while it starts up waits too."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.api.kill.clients import PATIENCE_S
from tests.api.kill.servers import Besieged
from tests.api.kill.test_kill_points import captured

from sudonglian.api import settings
from sudonglian.api.console import Console
from sudonglian.api.wiring import House, open_house, tell_of_carelessness
from sudonglian.api.worker_process import WorkerProcess
from sudonglian.records import log
from sudonglian.records.store import StoreError

on_postgres = pytest.mark.parametrize("place", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)


@on_postgres
def test_a_worker_that_finds_no_database_waits_for_it(place: Besieged, capfd: pytest.CaptureFixture[str]) -> None:
    captured(place, 0)
    place.store.engine.dispose()
    console, ended = Console(settings.read(place.env), "en", False), list[str]()
    place.cluster.quit()
    working = WorkerProcess(console, ended.append)
    try:
        said = ""
        until = time.monotonic() + PATIENCE_S
        while "store: " not in said and not ended and time.monotonic() < until:
            time.sleep(0.05)
            said += capfd.readouterr().err
        assert "store: " in said
        place.cluster.start()
        size = 0
        while not size and not ended and time.monotonic() < until:
            time.sleep(0.05)
            with place.store.read() as connection:
                size = log.size(connection)
    finally:
        place.cluster.start()
        working.stop()
    assert (size, ended) == (3, [])


@contextmanager
def recovering(cluster: Any) -> Iterator[Callable[[], None]]:
    """Let a PostgreSQL recover until it is told to end that; it refuses connections meanwhile as after a crash."""
    data, who = Path(cluster.command[cluster.command.index("-D") + 1]), cluster.options
    cluster.stop()
    signal = data / "standby.signal"
    signal.touch()
    if "user" in who:
        os.chown(signal, who["user"], who["group"])
    cluster.server = subprocess.Popen([*cluster.command, "-c", "hot_standby=off"], **who)

    def promote() -> None:
        program = str(Path(cluster.command[0]).with_name("pg_ctl"))
        subprocess.run([program, "promote", "-W", "-D", str(data)], check=True, **who)

    try:
        yield promote
    finally:
        signal.unlink(missing_ok=True)
        cluster.stop()
        cluster.start()


@on_postgres
def test_a_server_waits_for_a_database_that_is_starting_up(place: Besieged, capfd: pytest.CaptureFixture[str]) -> None:
    captured(place, 0)
    assert not place.store.is_starting()
    place.store.engine.dispose()
    console = Console(settings.read(place.env), "en", False)
    with recovering(place.cluster) as promote:
        until = time.monotonic() + PATIENCE_S
        while not place.store.is_starting() and time.monotonic() < until:
            time.sleep(0.05)
        with pytest.raises(StoreError), open_house(console, patience_s=0.6):
            pass
        assert capfd.readouterr().err == "waiting for the database, which is starting up (1 s left)\n"
        with pytest.raises(StoreError), open_house(console):
            pass
        assert capfd.readouterr().err == ""
        place.start()
        while "waiting for the database" not in place.said() and time.monotonic() < until:
            time.sleep(0.05)
        promote()
        assert place.asking.wait_for("/readyz", lambda one: one["ready"])["store"]
        place.stop()
        assert "store: " not in place.said()
        place.store.engine.dispose()


@on_postgres
def test_a_database_that_is_not_there_is_not_starting_up(place: Besieged) -> None:
    place.store.engine.dispose()
    place.cluster.quit()
    try:
        assert not place.store.is_starting()
    finally:
        place.cluster.start()


@on_postgres
def test_a_server_says_that_its_database_is_careless(place: Besieged, capfd: pytest.CaptureFixture[str]) -> None:
    settings_ = settings.read(place.env)
    house = House(settings_, place.store, place.keys)
    said = []
    for value in ("off", "on"):
        place.cluster._administer(f"ALTER SYSTEM SET full_page_writes = {value}")
        place.cluster._administer("SELECT pg_reload_conf()")
        until = time.monotonic() + PATIENCE_S
        while bool(place.store.careless()) != (value == "off") and time.monotonic() < until:
            place.store.engine.dispose()
            time.sleep(0.05)
        capfd.readouterr()
        tell_of_carelessness(Console(settings_, "en", False), house)
        said.append(capfd.readouterr().err)
    assert "full_page_writes=off" in said[0]
    assert said[1] == ""
