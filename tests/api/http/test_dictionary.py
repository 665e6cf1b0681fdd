"""Somebody tries telephone numbers on all that strangers, partners, auditors and epidemiologists are given.

proofs.md §2: "a plain hash of an 11-digit phone number is a phone number". docs/security.md. The search is shown to
find what may be found: with the salt, which the firm has, the right number and no other matches.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from tests.scanning import files, spellings

from sudonglian.chain import canonical, disclosure
from sudonglian.chain.keccak import keccak256
from sudonglian.records import api_keys, reader
from sudonglian.records.epcis import event_hash
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import PERSONS, RECORDS

ROOT: Final = Path(__file__).resolve().parents[3]
PHONE: Final = "13987654321"
DICTIONARY: Final = [PHONE, *(str(13987654300 + number) for number in range(0, 20, 3))]
LEAST: Final = 8
"""Bytes of a digest that must stand together to count: whoever shortens a digest keeps at least these."""

LABELS: Final = sorted(
    {
        found
        for room in ("chain", "records", "trace")
        for path in (ROOT / room).rglob("*.py")
        for found in re.findall(r'b"(sudonglian/[a-z0-9/-]+)', path.read_text("utf-8"))
    }
)
"""Every domain that the program separates its digests by: an attacker reads the source."""


def told_by(number: str) -> Iterator[Any]:
    """Yield how the person stands in an event."""
    for dress in (number, f"+86{number}", f"+86 {number}"):
        for extra in ({}, {"name": "欧阳试验员"}):
            person = {"kind": "phone", "value": dress, **extra}
            yield from (dress, person, {"personRef": person, "role": "loader"})


def messages(number: str, event: dict[str, Any]) -> Iterator[bytes]:
    """Yield what might have been hashed."""
    for dress in (number, f"+86{number}", f"0086{number}", f"86{number}", f"+86 {number}", f"tel:+86{number}"):
        for kind in ("", "phone\0", "phone:", "phone", "phone/", "urn:sudonglian:person:phone:"):
            yield f"{kind}{dress}".encode()
    yield int(number).to_bytes(8, "big")
    yield number.encode("utf-16-le")
    for value in told_by(number):
        yield canonical.encode(value)
        # A disclosure of a participant or of all, with no salt or one that anybody would try first.
        shapes: list[list[Any]] = [[value], ["sdl:participants", [value]]]
        for salt in ("", disclosure.base64url(bytes(16))):
            shapes += [[salt, value], [salt, "sdl:participants", value], [salt, "sdl:participants", [value]]]
        for shape in shapes:
            yield disclosure.base64url(canonical.encode(shape)).encode()
        if isinstance(value, dict) and "role" in value:
            yield canonical.encode({**event, "sdl:participants": [value]})


def digests(number: str, event: dict[str, Any], known: list[bytes]) -> Iterator[bytes]:
    """Yield every guess about a number: plain, under each domain, and keyed with what anybody may know."""
    for message in messages(number, event):
        for name in ("sha256", "sha1", "md5", "sha512", "sha3_256", "blake2b"):
            yield hashlib.new(name, message).digest()
        yield hashlib.sha256(hashlib.sha256(message).digest()).digest()
        yield keccak256(message)
        yield hashlib.sha256(b"\0" + message).digest()
        for label in LABELS:
            yield hashlib.sha256(label.encode() + b"\0" + message).digest()
        for key in known:
            yield hmac.digest(key, message, "sha256")
            yield hashlib.sha256(key + message).digest()
    for value in told_by(number):
        if isinstance(value, dict) and "role" in value:
            # The standard's own digest covers whoever handled the goods: it must not be given to strangers.
            hashed = event_hash.event_hash_id({**event, "sdl:participants": [value]})
            yield bytes.fromhex(re.findall("[0-9a-f]{64}", hashed)[0])


def starts(pieces: list[tuple[str, bytes]]) -> set[bytes]:
    """Return the first bytes of everything that reads as a digest: in hexadecimal, base64, base64url, and raw."""
    found = set()
    for _, data in pieces:
        for run in re.findall(rb"[0-9a-fA-F]{16,}", data):
            found |= {bytes.fromhex(run[at : at + 2 * LEAST].decode()) for at in range(len(run) - 2 * LEAST + 1)}
        for run in re.findall(rb"[0-9A-Za-z+/_-]{11,}", data):
            plain = run.replace(b"-", b"+").replace(b"_", b"/")
            for at in range(len(plain) - 10):
                found.add(base64.b64decode(plain[at : at + 11] + b"=")[:LEAST])
    return found


def raw_starts(data: bytes) -> set[bytes]:
    return {data[at : at + LEAST] for at in range(len(data) - LEAST + 1)}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, make: Any, start_once: Callable[..., Any]) -> Iterator[Any]:
    """A server that has the number, an anchored log, and an answered trace."""
    data = tmp_path_factory.mktemp("dictionary")
    tokens, env = make.deploy(data)
    server = start_once(data, SUDONGLIAN_SEAL_AFTER="0", **env)
    server.tokens = tokens
    store, keys = Store(f"sqlite:///{data / 'sudonglian.db'}"), Keys.open(data / "keys")
    with store.write() as connection:
        every = ["trace", "audit", "access-log"]
        tokens["outsiders"] = api_keys.create(connection, "outsiders", every, datetime.now(UTC))[1]
    value = next(one for one in told_by(PHONE) if isinstance(one, dict) and "role" in one)
    event = make.event(1, sourceList=[{"type": "possessing_party", "source": make.firms["01-exporter.json"]}], destinationList=[{"type": "possessing_party", "destination": make.firms["02-port.json"]}])  # fmt: skip
    captured = server.ask("POST", "/epcis/v2/capture", make.document({**event, "sdl:participants": [value]}), token="firm")  # fmt: skip
    assert captured.status == 202, captured.body
    job = server.ask("GET", captured.headers["location"], token="firm").json
    assert job["success"], job
    question = {"seed": event["epcList"][0], "at": "2026-01-05T12:00:00+08:00", "purpose": "dictionary"}
    asked = server.ask("POST", "/traces", question, token="outsiders")
    server.wait_for(asked.headers["location"], lambda told: told["state"] == "success", token="outsiders")
    server.wait_for("/status", lambda told: told["pending"] == 0 and told["anchors"])
    yield server, data, store, keys, event, asked.headers["location"]
    store.close()


def gathered(house: Any) -> list[tuple[str, bytes]]:
    """Return all that anybody but the firm itself gets: each route that reads, asked by each of them."""
    server, _data, store, _, event, location = house
    with store.read() as connection:
        (record,) = connection.execute(select(RECORDS.c.record_hash)).scalars()
    item = event["epcList"][0]
    size = str(server.ask("GET", "/log/checkpoint").json["size"])
    values = {
        "record_hash": record.hex(),
        "lot": item.replace("/", "%2F").replace(":", "%3A"),
        "trace_id": location.rpartition("/")[2],
        "size": size,
        "value": item.replace("/", "%2F").replace(":", "%3A"),
        "event_id": event["eventID"],
        "link": item.partition(".org/")[2],
        "index": "0",
    }
    asked = {
        "/log/entries": f"?from=0&limit={size}",
        "/log/proof/inclusion": f"?index=0&size={size}",
        "/log/proof/range": f"?from=0&to={size}&size={size}",
        "/log/proof/consistency": f"?from=1&to={size}",
    }
    paths = [path for path, methods in json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"].items() if "get" in methods]  # fmt: skip
    pieces, given = [], set()
    for path in [*paths, "/", "/overview", "/openapi.json"]:
        whole = re.sub(r"\{(\w+)[^}]*\}", lambda one: values.get(one[1], "1"), path) + asked.get(path, "")
        for token in (None, "other", "auditor", "tracer", "operator", "outsiders"):
            for kind in ("application/json", "text/html"):
                answer = server.ask("GET", whole, token=token, headers={"Accept": kind})
                if answer.status in (302, 303, 307, 308):
                    there = urlsplit(answer.headers["location"])
                    pieces.append((f"{whole} leads to", there.geturl().encode()))
                    beyond = f"{there.path}?{there.query}"
                    answer = server.ask("GET", beyond, token=token, headers={"Accept": kind})
                pieces.append((f"{whole} for {token}", answer.body + repr(answer.headers).encode()))
                if answer.status == 200:
                    given.add((path, token))
    for wanted in [
        ("/log/entries", None),
        ("/log/checkpoint", None),
        ("/log/proof/inclusion", None),
        ("/lots/{lot}/proof", None),
        ("/{link}", None),
        ("/records/{record_hash}", "other"),
        ("/records/{record_hash}", "auditor"),
        ("/records/{record_hash}/bundle", "auditor"),
        ("/lots/{lot}/bundle", "auditor"),
        ("/traces/{trace_id}", "outsiders"),
        ("/traces/{trace_id}/list.csv", "outsiders"),
        ("/traces/{trace_id}/graph.graphml", "outsiders"),
    ]:
        assert wanted in given, f"{wanted} was not given: the attack would be on less than there is"
    return pieces


def test_no_number_is_found_in_what_others_are_given(house: Any) -> None:
    _, data, store, keys, event, _ = house
    pieces = gathered(house)
    chain = [(place, raw) for place, raw in files(data) if "chain" in Path(place).name and "keys" not in place]
    assert chain, "the embedded chain stands for the public one"
    seen = starts(pieces)
    on_chain = raw_starts(b"\xff".join(raw for _, raw in chain))
    with store.read() as connection:
        record = connection.execute(select(RECORDS.c.record_hash)).scalar_one()
        person = connection.execute(select(PERSONS.c.person_no)).scalar_one()
        (text,) = reader.disclosures(connection, keys, record, ["sdl:participants"], people=True)
    known = [
        b"",
        b"sudonglian",
        keys.origin.encode(),
        event["eventID"].encode(),
        record,
        str(person).encode(),
        event["epcList"][0].encode(),
    ]
    for number in DICTIONARY:
        matched = [one.hex() for one in digests(number, event, known) if one[:LEAST] in seen or one[:LEAST] in on_chain]
        assert not matched, number
    haystack = b"\0".join(data for _, data in [*pieces, *chain])
    assert not [one for one in spellings(PHONE) if one in haystack]

    # With the salt, which only the firm and the vault have, the same search finds the number, and only that one.
    salt, value = json.loads(disclosure.unbase64url(text))

    def salted(number: str) -> bytes:
        changed = json.loads(json.dumps(value, ensure_ascii=False).replace(PHONE, number))
        return hashlib.sha256(disclosure.base64url(canonical.encode([salt, changed])).encode()).digest()

    assert [number for number in DICTIONARY if salted(number)[:LEAST] in seen] == [PHONE]
    # And a careless program would be caught, however it writes the digest.
    planted = hashlib.sha256(f"+86{PHONE}".encode()).digest()
    for form in (planted.hex(), base64.b64encode(planted).decode(), disclosure.base64url(planted), planted.hex()[:16]):
        assert planted[:LEAST] in starts([("", f'{{"a":"{form}"}}'.encode())])
    assert planted in set(digests(PHONE, event, known))
    assert planted[:LEAST] in raw_starts(b"page" + planted)
