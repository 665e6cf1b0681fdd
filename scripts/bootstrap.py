#!/usr/bin/env python3
"""Make the virtual environment .venv from the hash-locked requirements; the second time this takes no time.

    python3 scripts/bootstrap.py [--dev]

Standard library only. requirements.lock is what the service and the demo need, requirements-dev.lock (--dev) adds the
tests' tools. Packages come from the index that pip is configured for, and each must have the hash that the lock names.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {False: ROOT / "requirements.lock", True: ROOT / "requirements-dev.lock"}
LEAST_PYTHON = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
ATTEMPTS = 3
"""A package index sometimes fails once; what was downloaded stays in pip's cache, so another try is cheap."""


def stamp(dev: bool) -> Path:
    """Return the file that says which lock the environment was made from."""
    return VENV / (".sudonglian-dev" if dev else ".sudonglian")


def wanted(dev: bool) -> str:
    """Return what the stamp must say: the digest of everything that the environment depends on."""
    parts = [LOCKS[dev].read_bytes(), (ROOT / "pyproject.toml").read_bytes(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def is_ready(dev: bool) -> bool:
    """Say whether the environment is there and complete."""
    try:
        return os.access(PYTHON, os.X_OK) and stamp(dev).read_text() == wanted(dev)
    except OSError:
        return False


def interpreter() -> str:
    """Return a Python that is new enough: this one, or the newest on the path."""
    if sys.version_info >= LEAST_PYTHON:
        return sys.executable
    for name in NEWER:
        found = shutil.which(name)
        if found:
            return found
    raise SystemExit("bootstrap: needs Python {}.{} or newer".format(*LEAST_PYTHON))


def run(command: list[str], attempts: int = 1) -> None:
    """Run a command whose words go to standard error, so that callers keep standard output for themselves."""
    settings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    settings["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    for attempt in range(1, attempts + 1):
        code = subprocess.run(command, check=False, stdout=sys.stderr, env=settings, cwd=ROOT).returncode
        if code == 0:
            return
        say(f"failed (exit {code}), attempt {attempt} of {attempts}: {' '.join(map(str, command))}")
    raise SystemExit(1)


def say(words: str) -> None:
    """Tell the person who waits."""
    print(f"bootstrap: {words}", file=sys.stderr, flush=True)


def make_environment(venv: Path | None = None) -> None:
    """Make an empty environment, unless a whole one of this place is there."""
    venv = venv or VENV
    python = venv / "bin" / "python"
    try:
        # The scripts inside name their folder: an environment that was moved or copied is made again.
        made_by = re.search(r"^command = (.*)$", (venv / "pyvenv.cfg").read_text(), re.MULTILINE)
        moved = made_by is None or not made_by[1].endswith(f" {venv}")
        works = subprocess.run([python, "-m", "pip", "--version"], check=False, capture_output=True).returncode == 0
    except OSError:
        moved, works = True, False
    if works and not moved:
        return
    say(f"making {venv}")
    try:
        run([interpreter(), "-m", "venv", "--clear", str(venv)])
    except SystemExit:
        say("this Python cannot make virtual environments; on Debian: apt-get install python3-venv")
        raise


def install(dev: bool) -> None:
    """Install the locked packages and this project."""
    make_environment()
    for done in (stamp(False), stamp(True)):
        if done.exists():
            done.unlink()
    say(f"installing {LOCKS[dev].name} (each package by its hash; the first time takes a minute or two)")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input"]
    run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(LOCKS[dev])], ATTEMPTS)
    # The build backend is among the locked packages: nothing is fetched without a hash.
    run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    stamp(dev).write_text(wanted(dev))
    if dev:  # its lock holds all of the other one
        stamp(False).write_text(wanted(False))
    say("ready")


def ensure(dev: bool = False) -> Path:
    """Return the environment's Python, after making the environment if it is missing or out of date."""
    if is_ready(dev):
        return PYTHON
    # Two commands started at once must not install into one folder.
    beside = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(beside, fcntl.LOCK_EX)
        if not is_ready(dev):
            install(dev)
    finally:
        os.close(beside)
    return PYTHON


if __name__ == "__main__":
    if set(sys.argv[1:]) - {"--dev"}:
        print(__doc__)
        raise SystemExit(0 if {"-h", "--help"} & set(sys.argv[1:]) else 64)
    print(ensure(dev="--dev" in sys.argv[1:]))
