"""The pages' few scripts: modules of our own, and those of others that `scripts/browser-modules` installs beside them.

docs/decisions/0850 (where scripts come from, and what a page without them does); service.md (strict CSP).
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

KIND: Final = "text/javascript; charset=utf-8"

VENDOR: Final = "vendor"
STAMP: Final = "lock.sha256"
"""Written last by `scripts/browser-modules`: with it, the modules of others are whole."""


@cache
def modules() -> dict[str, bytes]:
    """Return every module by its path; imports within name each other by it."""
    return dict(sorted(_under(_folder(), "")))


@cache
def version() -> str:
    """Return what is in every module's address and changes with any of them, for they import each other."""
    whole = sha256()
    for name, body in modules().items():
        whole.update(f"{len(name)}:{name}:{len(body)}:".encode() + body)
    return whole.hexdigest()[:12]


def address_of(name: str) -> str:
    """Return the address of a module."""
    return f"/static/modules/{version()}/{name}"


@cache
def can_sign() -> bool:
    """Whether the modules that a browser signs with are there."""
    return _folder().joinpath(VENDOR, STAMP).is_file()


def _folder() -> Traversable:
    return files("sudonglian.api.pages").joinpath("static", "modules")


def _under(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for one in folder.iterdir():
        name = f"{path}/{one.name}" if path else one.name
        if one.is_dir():
            if not one.name.endswith(".new"):
                found += _under(one, name)
        elif one.name.endswith(".js"):
            found.append((name, one.read_bytes()))
    return found
