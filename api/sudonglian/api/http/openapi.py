"""The API's description, as docs/openapi.json holds it: `python -m sudonglian.api.http.openapi > docs/openapi.json`.

OpenAPI 3.1; a test compares, so that no route changes unseen.
"""

import json
import sys
import tempfile
from pathlib import Path

from sudonglian.api.http.app import create_app
from sudonglian.api.http.door import Door
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store


def render() -> str:
    """Return the description as it is written."""
    with tempfile.TemporaryDirectory() as folder:
        # Nothing is opened: a description needs the routes alone.
        door = Door(Store("sqlite://"), Keys.open(Path(folder) / "keys", create=True), 0, 0)
        return json.dumps(create_app(door, background=False).openapi(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
