"""A deployment: one database and the keys of one log, that belong together for life.

docs/spec/checkpoint.md rule 3. Opening one brings its schema up to date, under a lock, in one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import ClassVar, Final

from sqlalchemy import Connection, insert, inspect, select, text, update

from sudonglian.records import derive
from sudonglian.records import store as stores
from sudonglian.records.errors import DeploymentRefused, NewerSchema, OtherLog
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import KEKS, META, PERSONS

HEAD: Final = "0014"
"""The schema of this program; a test compares it with the migrations, which cost a quarter second to load."""

LOCK: Final = "sudonglian-migrate"

ORIGIN: Final = "origin"
VERIFIER_KEY: Final = "verifier_key"
CREATED_US: Final = "created_us"

KEY_CHECK: Final = "key_check:"
"""Before a key file's name in `meta`: `Keys.check_values`."""


class OtherKey(DeploymentRefused):
    """A key file is not the one that the database has been used with; `place` is the file."""

    slug: ClassVar[str] = "other-key"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was fixed when the deployment was made."""

    origin: str
    verifier_key: str
    created_us: int


def open_deployment(store: Store, keys: Keys, now: datetime | None = None) -> Deployment:
    """Bring the schema up to date, and see that the database is this log's; a new one becomes it.

    Raises
    ------
    OtherLog
        The database holds the log of another key.
    OtherKey
        A key file is not the one that this database has been used with.
    NewerSchema
        A later version of this program has used the database.
    DeploymentRefused
        The database holds something else.
    """
    with store.read() as connection:
        revision = _revision(connection)
        if revision == HEAD and (known := _known(connection)) is not None:
            _same(known, keys)
            if (not _unchecked(connection, keys) and _has_kek(connection, keys)) or store.is_read_only:
                return known
    with store.write() as connection:
        stores.lock(connection, LOCK)
        revision = _revision(connection)
        if revision != HEAD:
            _migrate(connection, revision)
        known = _known(connection)
        if known is None:
            known = Deployment(keys.origin, keys.log.vkey, derive.micros(now or datetime.now(UTC)))
            values = {ORIGIN: known.origin, VERIFIER_KEY: known.verifier_key, CREATED_US: str(known.created_us)}
            _put(connection, values)
        _same(known, keys)
        # A database of an earlier version gets them now: from here on a key file that is changed is named.
        _put(connection, _unchecked(connection, keys))
        if not _has_kek(connection, keys):
            _first_kek(connection, keys, now or datetime.now(UTC))
        return known


def _same(known: Deployment, keys: Keys) -> None:
    if (known.origin, known.verifier_key) != (keys.origin, keys.log.vkey):
        raise OtherLog(f"the database holds the log {known.verifier_key}, the keys are of {keys.log.vkey}")


def _unchecked(connection: Connection, keys: Keys) -> dict[str, str]:
    """Return the check values that the database does not hold yet; refuse a key that it contradicts."""
    due = {f"{KEY_CHECK}{name}": value for name, value in keys.check_values().items()}
    held = {row.key: row.value for row in connection.execute(select(META).where(META.c.key.in_(due)))}
    for key, value in held.items():
        if value != due[key]:
            name = key.removeprefix(KEY_CHECK)
            raise OtherKey("not the key that this database has been used with", place=keys.place(name))
    return {key: value for key, value in due.items() if key not in held}


def _has_kek(connection: Connection, keys: Keys) -> bool:
    """Return whether a key-encryption key writes; refuse keys without it."""
    writing = connection.execute(select(KEKS.c.id).where(KEKS.c.retired_us.is_(None))).scalar_one_or_none()
    if writing is not None and writing not in keys.keks.ids():
        raise OtherKey(f"has no key-encryption key {writing}, which this database is used with", place=keys.keks.place)
    return writing is not None


def _first_kek(connection: Connection, keys: Keys, now: datetime) -> None:
    # What an earlier version wrapped does not say by which key: there was one.
    newest = keys.keks.ids()[-1]
    connection.execute(insert(KEKS), {"id": newest, "since_us": derive.micros(now)})
    connection.execute(update(PERSONS).where(PERSONS.c.kek == "").values(kek=newest))


def _put(connection: Connection, values: Mapping[str, str]) -> None:
    if values:
        connection.execute(insert(META), [{"key": key, "value": value} for key, value in values.items()])


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _known(connection: Connection) -> Deployment | None:
    values = {row.key: row.value for row in connection.execute(select(META.c.key, META.c.value))}
    if not values.keys() & {ORIGIN, VERIFIER_KEY, CREATED_US}:
        return None
    try:
        return Deployment(values[ORIGIN], values[VERIFIER_KEY], int(values[CREATED_US]))
    except (KeyError, ValueError) as error:
        raise DeploymentRefused("the database does not say whose log it holds", place="meta") from error


def _migrate(connection: Connection, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(resources.files("sudonglian.records") / "migrations"))
    config.attributes["connection"] = connection
    known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerSchema(f"the database has schema {revision}, this program knows up to {HEAD}")
    if revision is None and (others := sorted(inspect(connection).get_table_names())):
        raise DeploymentRefused(f"the database holds other tables: {', '.join(others[:5])}")
    command.upgrade(config, "head")
