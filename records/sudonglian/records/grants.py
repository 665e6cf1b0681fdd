"""Grants: who was given an account, roles, a new link or a key, by whom, as entries of the private tree.

docs/spec/access-log.md rule 14; docs/decisions/0826. Written in the transaction of the grant; `fsck` holds rows to them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from sudonglian.chain.canonical import Json
from sudonglian.records import private

ACCOUNT: Final = "account"
KEY: Final = "key"


def of_account(connection: Connection, row: Any, do: str, by: str, now: datetime) -> None:
    """Append what was done with an account, and what it may do from then on."""
    who = f"account:{row.id}"
    told: dict[str, Json] = {"account": who, "roles": list[Json](sorted(row.roles)), "submitter": row.submitter}
    _append(connection, ACCOUNT, do, by or who, now, told)


def of_key(connection: Connection, row: Any, do: str, by: str, now: datetime) -> None:
    """Append that a key was made or revoked, with what it may do."""
    told: dict[str, Json] = {
        "key": f"key:{row.id}",
        "account": None if row.account is None else f"account:{row.account}",
        "scopes": list[Json](sorted(row.scopes)),
        "submitter": row.submitter,
    }
    _append(connection, KEY, do, by or f"key:{row.id}", now, told)


def fold(entries: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Return the newest entry about each account and key, by its principal, with its `state` and whether its making is among them."""
    found: dict[str, dict[str, Any]] = {}
    for said in entries:
        if not isinstance(said, dict) or said.get("k") not in (ACCOUNT, KEY):
            continue
        name = str(said[said["k"]])
        before = found.get(name, {"state": "live", "is_made": False})
        ends = {"disabled": "disabled", "revoked": "revoked", "enabled": "live"}
        state = ends.get(str(said["do"]), before["state"])
        found[name] = {**said, "state": state, "is_made": before["is_made"] or said["do"] == "made"}
    return found


def _append(connection: Connection, k: str, do: str, by: str, now: datetime, told: Mapping[str, Json]) -> None:
    at = now.isoformat(timespec="microseconds")
    private.append(connection, {"k": k, "do": do, "at": at, "by": by, **told})
