"""What scripts/browser-modules installs: whole, from the lock file, with licences, and importable where it lies."""

import importlib.machinery
import importlib.util
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "browser-modules"


@pytest.fixture(scope="module")
def script() -> Any:
    loader = importlib.machinery.SourceFileLoader("browser_modules", str(SCRIPT))
    spec = importlib.util.spec_from_loader("browser_modules", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("module", "name", "path"),
    [
        ("@noble/curves/a.js", "@noble/hashes/b.js", "../hashes/b.js"),
        ("@noble/curves/deep/a.js", "@noble/hashes/b.js", "../../hashes/b.js"),
        ("@noble/curves/deep/a.js", "../b.js", "../b.js"),
        ("@noble/curves/a.js", "./deep/b.js", "./deep/b.js"),
    ],
)
def test_names_of_packages_become_paths(script: Any, module: str, name: str, path: str) -> None:
    text = f" * import {{ x }} from '@noble/elsewhere/c.js';\nimport {{ x }} from '{name}';\nexport {{ y }} from '{name}';\n"
    made, imports = script.rewritten(module, text)
    assert made.splitlines()[1:] == [f"import {{ x }} from '{path}';", f"export {{ y }} from '{path}';"]
    assert imports == [script.target(module, name)] * 2


def test_what_cannot_be_served_is_refused(script: Any) -> None:
    with pytest.raises(script.Unknown):
        script.rewritten("@noble/curves/a.js", "import { createHash } from 'node:crypto';\n")


def test_the_lock_names_exact_versions_and_no_address() -> None:
    package = json.loads((ROOT / "api" / "browser" / "package.json").read_text())
    lock = json.loads((ROOT / "api" / "browser" / "package-lock.json").read_text())["packages"]
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert {name: lock[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    for path, one in lock.items():
        assert "resolved" not in one
        assert not path or one["integrity"].startswith("sha512-")


@pytest.mark.signing
def test_what_is_installed_is_whole(script: Any) -> None:
    assert script.is_there()
    served: Path = script.SERVED
    modules = {path.relative_to(served).as_posix(): path for path in served.rglob("*.js")}
    assert set(script.ENTRIES) <= set(modules)
    for name, path in modules.items():
        text = path.read_text(encoding="utf-8")
        for match in script.IMPORT.finditer(text):
            assert match["name"].startswith("."), name
            assert script.target(name, match["name"]) in modules, (name, match["name"])
        # What a regular expression may have missed would not load.
        assert not re.search(r"^(import|export) .*from ['\"](?!\.)", text, re.MULTILINE), name
        package = "/".join(PurePosixPath(name).parts[:2])
        assert "MIT License" in (served / package / script.LICENCE).read_text()
