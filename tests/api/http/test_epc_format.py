"""GS1-EPC-Format: what a caller may ask for, and an answer in it or a refusal."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from sudonglian.api.http import epc_format
from sudonglian.api.http.door import Door
from sudonglian.api.http.parameters import NotAcceptable
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

URN = "urn:epc:id:sgtin:0614141.107346.2018"
LINK = "https://id.gs1.org/01/10614141073464/21/2018"


def request(tmp_path: Path, wanted: str | None, prefixes: frozenset[str] = frozenset()) -> Request:
    door = Door(Store("sqlite://"), Keys.open(tmp_path / "keys", create=True), 0, 0, prefixes)
    headers = [] if wanted is None else [(b"gs1-epc-format", wanted.encode())]
    app = SimpleNamespace(state=SimpleNamespace(door=door))
    return Request({"type": "http", "headers": headers, "app": app})


def document(*uris: str) -> dict[str, Any]:
    events = [{"type": "ObjectEvent", "epcList": [uri]} for uri in uris]
    return {"epcisBody": {"queryResults": {"resultsBody": {"eventList": events}}}}


@pytest.mark.parametrize("wanted", [None, "No_Preference", "never_translates", " Never_Translates "])
def test_as_written(tmp_path: Path, wanted: str | None) -> None:
    given = document(URN, LINK)
    assert epc_format.formatted(request(tmp_path, wanted), given) is given


def test_all_in_one_format(tmp_path: Path) -> None:
    asked = request(tmp_path, "Always_GS1_Digital_Link")
    assert epc_format.formatted(asked, document(URN, LINK)) == document(LINK, LINK)
    asked = request(tmp_path, "always_epc_urn")
    assert epc_format.formatted(asked, document(URN, LINK)) == document(URN, URN)
    asked = request(tmp_path, "Always_EPC_URN", frozenset({"0614141"}))
    assert epc_format.formatted(asked, document(LINK)) == document(URN)


@pytest.mark.parametrize(
    ("wanted", "uri"), [("Always_EPC_URN", LINK), ("Sometimes", URN), ("", URN), ("Always_EPC_URN, No_Preference", URN)]
)
def test_what_cannot_be_had(tmp_path: Path, wanted: str, uri: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        epc_format.formatted(request(tmp_path, wanted), document(uri))
    assert caught.value.place == "GS1-EPC-Format"
