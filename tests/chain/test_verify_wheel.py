"""The wheel without extras verifies: nothing but the base dependencies and what they require is in reach."""

import json
import re
import subprocess
import sys
from importlib import import_module
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


def test_what_is_to_be_read_is_listed() -> None:
    """docs/verifier.md names every module that the verifier imports and no other, and says how long they are."""
    script = "import sys, sudonglian.chain.verify as _; print('\\n'.join(n for n in sys.modules if n.startswith('sudonglian.')))"
    names = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout.split()
    sources = {name: Path(found) for name in names if (found := import_module(name).__file__)}
    room = ROOT / "chain" / "sudonglian" / "chain"
    imported = {str(file.relative_to(room).with_suffix("")) for file in sources.values()} - {"__init__"}
    text = (ROOT / "docs" / "verifier.md").read_text(encoding="utf-8")
    table = text.partition("| module |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert set(re.findall(r"`([^`]+)`", " ".join(cells))) == imported
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in sources.values())
    said = int(re.findall(r"some ([0-9,]+) lines", text)[0].replace(",", ""))
    assert abs(lines - said) < said * 0.05, f"{lines} lines: say so in docs/verifier.md"
