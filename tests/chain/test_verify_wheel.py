"""The wheel without extras verifies: nothing but the base dependencies and what they require is in reach."""

import json
import subprocess
import sys
from importlib.metadata import distribution, requires
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
BASE = ("coincurve", "cryptography", "pycryptodome")


def closure(names: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    rest = list(names)
    while rest:
        name = rest.pop()
        if name not in found:
            found.add(name)
            needed = [Requirement(text) for text in requires(name) or ()]
            rest += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def test_the_wheel_verifies_alone(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    alone = tmp_path / "alone"
    with ZipFile(wheel) as archive:
        archive.extractall(alone)
    for name in closure(BASE):
        for file in distribution(name).files or ():
            top = file.parts[0]
            if top != ".." and not (alone / top).exists():
                (alone / top).symlink_to(str(distribution(name).locate_file(top)))
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from sudonglian.chain.verify import main; sys.exit(main())"
    )
    folder = ROOT / "tests" / "vectors" / "bundle"
    for case in json.loads((folder / "cases.json").read_text()):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", script, str(alone), folder / case["bundle"], "--json", "--trust", folder / case["trust"]],
            capture_output=True,
            check=False,
        )  # fmt: skip
        assert done.stderr == b""
        assert json.loads(done.stdout)["verdict"] == case["verdict"]
