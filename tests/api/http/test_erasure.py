"""Somebody comes in by every door there is, and is erased: nothing of value or salt is left in any file.

Issue 7 point 2; docs/privacy.md. The search is shown to find what may be found before it is believed.
"""

import base64
import gzip
import json
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url
from tests.records.filled_sheets import rows, sheet
from tests.scanning import cells, files, found, spellings

from sudonglian.api.http.routes.sheets import CSV, XLSX
from sudonglian.chain import disclosure
from sudonglian.records import keks, reader, vault
from sudonglian.records.errors import KeysRefused, StoreCorrupt
from sudonglian.records.keks import Ring, parse
from sudonglian.records.keys import KEK_FILE, Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import PERSONS, RECORDS

CARD: Final = "110105199003071235"
"""Of a wrong check character, so that a warning is about it too."""
PHONE: Final = "13987654321"
NAME: Final = "欧阳试验员"
AUTHORITY: Final = "urn:sudonglian:submitter:cdc"
SEEN: Final = "SEAL-CONTROL-77"
"""Nobody's data: what the search must find."""

XML: Final = """<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" xmlns:sdl="urn:sudonglian:ns:1:" schemaVersion="2.0"
 creationDate="2026-01-05T01:00:00Z"><EPCISBody><EventList><ObjectEvent>
<eventTime>2026-01-05T08:30:00+08:00</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>
<epcList><epc>https://id.gs1.org/00/395200010000007775</epc></epcList><action>OBSERVE</action><bizStep>shipping</bizStep>
<sdl:participants><sdl:personRef><sdl:kind>cn-id</sdl:kind><sdl:value>{value}</sdl:value><sdl:name>{name}</sdl:name>
</sdl:personRef><sdl:role>driver</sdl:role></sdl:participants></ObjectEvent></EventList></EPCISBody></e:EPCISDocument>"""

CONTEXT: Final = ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}]

Secrets = list[str | bytes]


@dataclass
class World:
    """A deployment of its own, whose every file lies under one folder, or in PostgreSQL's."""

    root: Path
    url: str
    env: dict[str, str]
    postgres: Path | None
    said: list[tuple[str, bytes]] = field(default_factory=list)
    """What programs printed."""

    @property
    def data(self) -> Path:
        return self.root / "data"

    def keys(self) -> Keys:
        return Keys.open(self.data / "keys")

    def command(self, *arguments: str, given: str = "", code: int = 0) -> str:
        program = Path(sys.executable).with_name("sudonglian")
        done = subprocess.run(
            [program, *arguments],
            input=given,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        self.said.append((f"output of {arguments[:2]}", f"{done.stdout}{done.stderr}".encode()))
        return done.stdout

    def pieces(self) -> Iterator[tuple[str, bytes]]:
        """Yield all there is to search: files, the database's cells, a backup's rows, what was printed."""
        yield from files(self.root)
        store = Store(self.url)
        yield from cells(store)
        store.close()
        if self.postgres is not None:
            with psycopg.connect(
                make_url(self.url).set(drivername="postgresql").render_as_string(), autocommit=True
            ) as raw:
                raw.execute("CHECKPOINT")
                oid = raw.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
            assert oid is not None
            # Other tests' databases are in the same server.
            yield from files(self.postgres / "base" / str(oid[0]), self.postgres / "pg_wal", self.postgres / "global")
            for dump in self.root.rglob("*.dump"):
                program = shutil.which("pg_restore") or str(max(Path("/usr/lib/postgresql").glob("*/bin/pg_restore")))
                yield str(dump), subprocess.run([program, "-f", "-", dump], capture_output=True, check=True).stdout
        yield from self.said


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    (tmp_path / "tmp").mkdir()
    env = {"TMPDIR": str(tmp_path / "tmp"), "SUDONGLIAN_DATA": str(tmp_path / "data"), "SUDONGLIAN_LANG": "en"}
    if request.param == "sqlite":
        yield World(tmp_path, f"sqlite:///{tmp_path / 'data' / 'sudonglian.db'}", env, None)
        return
    cluster = request.getfixturevalue("postgres")
    with cluster.database() as url:
        where = Path(cluster.command[cluster.command.index("-D") + 1])
        yield World(tmp_path, url, env | {"SUDONGLIAN_DATABASE_URL": url}, where)


def person(value: str, kind: str = "cn-id", **more: Any) -> dict[str, Any]:
    return {"personRef": {"kind": kind, "value": value, "name": NAME, **more}, "role": "loader"}


def plant(server: Any, world: World, make: Any) -> None:
    """Bring the two in by every door, rightly and wrongly."""

    def post(path: str, body: Any, kind: str = "application/json", **headers: str) -> Any:
        answer = server.ask("POST", path, body, token="firm", headers={"Content-Type": kind, **headers})
        assert answer.status < 500, (path, answer.body)
        return answer

    good = make.event(1, **{"sdl:participants": [person(CARD), person(f"+86 {PHONE}", "phone")], "sdl:sealNo": SEEN})
    once = {"Idempotency-Key": "once"}
    assert post("/epcis/v2/capture", make.document(good), **once).status == 202
    assert post("/epcis/v2/capture", make.document(good), **once).headers["idempotency-replayed"] == "true"
    assert post("/epcis/v2/capture", make.document(make.event(2)), **once).status == 409
    assert (
        post(
            "/epcis/v2/events",
            json.dumps({"@context": CONTEXT, **make.event(3, **{"sdl:participants": [person(CARD)]})}),
            **{"Idempotency-Key": "e"},
        ).status
        == 201
    )
    wrong: list[Any] = [
        [person(CARD, "shoe")],
        [CARD],
        CARD,
        [{**person(CARD), PHONE: NAME}],
        [person(CARD, **{PHONE: NAME})],
        [{"personRef": {"kind": "cn-id", "value": CARD, "name": 7}, "role": ""}],
    ]
    for number, participants in enumerate(wrong, 10):
        told = post("/epcis/v2/capture", make.document(make.event(number, **{"sdl:participants": participants})))
        assert server.ask("GET", told.headers["location"], token="firm").json["errors"]
    hidden = make.event(20, ilmd={"sdl:participants": [person(CARD)]})
    proceed = {"GS1-Capture-Error-Behaviour": "proceed"}
    post("/epcis/v2/capture", make.document(hidden, make.event(21, **{"sdl:participants": [person(CARD)]})), **proceed)
    post("/epcis/v2/capture", make.document(good)[:-9])
    post("/epcis/v2/capture", XML.format(value=CARD, name=NAME).encode(), "application/xml")
    post("/epcis/v2/capture", XML.format(value=CARD, name=NAME).encode()[:-9], "application/xml")
    post("/validate", make.document(good))
    filled = rows("gb31605-handover", "SHEET-1")
    filled[0] |= {"handler": NAME, "id": PHONE}
    for body, kind in [(sheet("xlsx", filled), XLSX), (sheet("csv", filled), CSV)]:
        post("/import?preview=true", body, kind)
        post("/import?preview=true&copy=xlsx", body, kind)
        assert post("/import", body, kind).status == 202
        spoilt = [{**filled[0], "handoff": "SHEET-2", "item": "09520001002015"}, {**filled[1], "handoff": "SHEET-2"}]
        assert post("/import", sheet("csv", spoilt), CSV).status == 422
    # What somebody types where it does not belong: in an address, in a question, in its purpose.
    for path in (
        f"/records/{CARD}",
        f"/{PHONE}",
        f"/epcis/v2/events?EQ_{PHONE}={CARD}",
        f"/epcis/v2/epcs/{CARD}/events",
    ):
        assert server.ask("GET", path, token="firm").status < 500
    question = {"seed": make.event(1)["epcList"][0], "at": "2026-01-05T12:00:00+08:00", "purpose": "planted"}
    for members in (
        {"seed": PHONE},
        {"seed": f"person:{PHONE}"},
        {"seed": CARD[:17] + "X"},
        {"purpose": f"contacts of {PHONE}"},
    ):
        assert server.ask("POST", "/traces", {**question, **members}, token="tracer").status in (400, 422, 202)
    asked = server.ask("POST", "/traces", question, token="tracer")
    server.wait_for(asked.headers["location"], lambda told: told["state"] == "success", token="tracer")
    # Somebody tells of them in an interview: by a sheet, over HTTP, rightly and wrongly.
    world.command("case", "open", "C-1", "--purpose", "p", "--basis", "b", "--responsible", "r")
    said = world.root / "said.csv"
    times = "2026-01-04 19:00,2026-01-06 09:00"
    good = f"phone:{PHONE}={NAME},,9520001001062+kitchen,{times}"
    # Of the second a digit is wrong, and of the third the kind.
    for row, code in (
        (good, 0),
        (f"phone:{PHONE}={NAME},cn-id:{CARD}={NAME},,{times}", 1),
        (f"phone:{NAME},{CARD},,{times}", 1),
    ):
        said.write_text(f"person,with,place,begin,told\n{row}\n", encoding="utf-8")
        world.command("case", "interview", "import", "C-1", str(said), code=code)
    said.unlink()  # the interviewer's own file
    told = {"told": "2026-01-06T09:00:00+08:00", "begin": ["2026-01-05T19:00:00+08:00"]}
    place = "https://id.gs1.org/414/9520001001062"
    for people, status in (([f"phone:{PHONE}={NAME}"], 201), ([f"phone:{PHONE}", CARD], 422), ([f"tel:{PHONE}"], 422)):
        asked = {"statements": [{"persons": people, "place": place, **told}]}
        assert server.ask("POST", "/cases/C-1/interviews", asked, token="investigator").status == status
    written = world.root / "sent.json"
    written.write_bytes(make.document(make.event(30, **{"sdl:participants": [person(CARD)]})))
    world.command("capture", str(written))
    world.command("validate", str(written))
    written.write_bytes(make.document(make.event(31, **{"sdl:participants": [person(CARD, "shoe")]})))
    world.command("capture", str(written), code=1)
    written.unlink()  # the sender's own file
    world.command("trace", f"person:{PHONE}", "--at", question["at"], "--purpose", "p", code=64)
    world.said.pop()  # a person's own terminal, which repeats nothing
    world.command("trace", question["seed"], "--at", question["at"], "--purpose", "planted")


def salts_of(world: World) -> tuple[Secrets, dict[int, bytes]]:
    """Return the salts and disclosures of everybody who was brought in, and their wrapped keys."""
    store, keys = Store(world.url), world.keys()
    secrets: Secrets = []
    with store.read() as connection:
        for digest in connection.execute(select(RECORDS.c.record_hash)).scalars():
            # One of each record: every one more is another minute's search of the same places.
            for one in reader.disclosures(connection, keys, digest, ["sdl:participants"], people=True)[:1]:
                salt = json.loads(disclosure.unbase64url(one))[0]
                secrets += [salt, disclosure.unbase64url(salt)]
        wrapped = {row.person_no: row.wrapped_key for row in connection.execute(select(PERSONS))}
    store.close()
    return secrets, wrapped


def test_nothing_is_left_of_somebody_who_came_in_by_every_door(
    world: World, make: Any, start_server: Callable[..., Any]
) -> None:
    tokens, _ = make.deploy(world.data, None if world.postgres is None else world.url)
    server = start_server(world.data, **{"SUDONGLIAN_SEAL_AFTER": "0", "SUDONGLIAN_SUBMITTER": AUTHORITY, **world.env})
    server.tokens = tokens
    plant(server, world, make)
    server.wait_for("/status", lambda told: told["pending"] == 0)
    world.command("backup", str(world.root / "backup"))
    salts, wrapped = salts_of(world)
    assert len(wrapped) == 2
    assert len(salts) >= 2 * 5
    secrets: Secrets = [CARD, PHONE, NAME, *salts]
    old_kek = (world.data / "keys" / KEK_FILE).read_text()
    # Before: the search finds what stands there by right, and what is sealed is nowhere in the clear even now.
    control = found(world.pieces(), [SEEN, *wrapped.values(), old_kek.strip()])
    assert {one for _, one in control} == {SEEN, *wrapped.values(), old_kek.strip()}
    assert any("backup" in place for place, _ in control)
    assert found(world.pieces(), secrets) == []

    reason = {"kind": "phone", "value": PHONE, "reason": f"{NAME} asked: {PHONE}"}
    assert server.ask("POST", "/people/erasures", reason, token="operator").status == 422
    assert server.ask("POST", "/people/erasures", {**reason, "reason": "asked"}, token="operator").status == 201
    erased = json.loads(world.command("people", "erase", "cn-id", "--reason", "asked", "--json", given=f"{CARD}\n"))
    assert erased["overwritten"]
    assert erased["erased_but_in_copies"] == 2
    if world.postgres is None:
        # The rows are overwritten at once; the backup has them until the key is gone.
        live = [(place, data) for place, data in files(world.data)]
        assert found(live, [*wrapped.values()]) == []
    world.command("keys", "kek", "rotate", "--destroy-old")
    # The server goes on with the new key without having been told.
    again = make.document(make.event(40, **{"sdl:participants": [person("13987654399", "phone")]}))
    assert server.ask("POST", "/epcis/v2/capture", again, token="firm").status == 202
    resent = server.ask(
        "POST", "/epcis/v2/capture", make.document(make.event(3, **{"sdl:participants": [person(CARD)]})), token="firm"
    )
    job = server.ask("GET", resent.headers["location"], token="firm").json
    assert [one["code"] for one in job["errors"]] == ["erased"]
    server.wait_for("/status", lambda told: told["pending"] == 0)
    world.command("retrace", "1")
    world.command("fsck")
    server.process.terminate()
    printed, _ = server.process.communicate(timeout=60)
    world.said += [("server", printed.encode()), ("server's errors", "".join(server.lines).encode())]

    assert found(world.pieces(), [*secrets, old_kek.strip()]) == []
    usable = world.keys().keks
    for number, key in wrapped.items():
        place = vault.WRAP_LABEL + number.to_bytes(8, "big")
        assert Ring(parse(old_kek, ""), "").unwrap(keks.id_of(bytes.fromhex(old_kek.strip())), key, place, "")
        for one in usable.ids():
            with pytest.raises((StoreCorrupt, KeysRefused)):
                usable.unwrap(one, key, place, "")


@pytest.mark.parametrize("secret", [CARD, NAME, bytes(range(7, 23))])
def test_the_search_finds_every_spelling_wherever_it_stands(tmp_path: Path, secret: str | bytes) -> None:
    for number, form in enumerate(spellings(secret)):
        assert found([("here", b"before" + form + b"after")], [secret]), number
    raw = secret.encode() if isinstance(secret, str) else secret
    for shift in range(6):
        assert found([("here", base64.b64encode(b"x" * shift + raw + b"yz" * shift))], [secret]), shift
    (tmp_path / "piece").write_bytes(zlib.compress(b"before" * 9 + raw))
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("sheet.xml", b"before" * 9 + raw)
    assert len(found(files(tmp_path), [secret])) == 2
    (tmp_path / "other").write_bytes(gzip.compress(b"nothing"))
    assert found(files(tmp_path), ["something else"]) == []
