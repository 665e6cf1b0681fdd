"""A deployment to be besieged, on both databases; and importlib mode puts no folder on the path by itself."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.api.http.conftest import _load
from tests.api.kill.servers import Besieged, besieged

cluster = _load(Path(__file__).resolve().parents[2] / "records" / "conftest.py").cluster


@pytest.fixture(scope="session")
def durable() -> Iterator[Any]:
    """A PostgreSQL as it comes, that can be killed."""
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Besieged]:
    """A deployment on one of the databases, whose server does not run yet."""
    if request.param == "sqlite":
        with besieged(tmp_path, None) as place:
            yield place
        return
    running = request.getfixturevalue("durable")
    with running.database() as url, besieged(tmp_path, url) as place:
        place.cluster = running
        yield place
