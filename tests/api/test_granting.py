"""Who grants is named wherever a door grants: the sources of all doors are read."""

import ast
from pathlib import Path

API = Path(__file__).resolve().parents[2] / "api" / "sudonglian" / "api"

GRANTS = {
    *(f"accounts.{name}" for name in ("invite", "reset", "disable", "enable", "set_roles")),
    *(f"api_keys.{name}" for name in ("create", "revoke")),
}


def test_no_door_grants_without_saying_who() -> None:
    seen, silent = set(), []
    for file in API.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in GRANTS:
                seen.add(name)
                if "by" not in {one.arg for one in node.keywords}:
                    silent.append(f"{file.name}:{node.lineno} {name}")
    assert silent == []
    assert seen == GRANTS
