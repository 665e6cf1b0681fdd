"""A database that is away: the worker inside a server waits for it, also when it is only just being opened."""

import time

import pytest
from tests.api.kill.clients import PATIENCE_S
from tests.api.kill.servers import Besieged
from tests.api.kill.test_kill_points import captured

from sudonglian.api import settings
from sudonglian.api.console import Console
from sudonglian.api.wiring import House, tell_of_carelessness
from sudonglian.api.worker_process import WorkerProcess
from sudonglian.records import log

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
