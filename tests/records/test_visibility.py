"""The visibility table: frozen, and closed to what it does not know."""

import hashlib
from importlib import resources

import pytest

from sudonglian.records.epcis.schema import EVENT_TYPES, members_of
from sudonglian.records.visibility import TABLE_VERSION, Visibility, visibility_of

CLEAR = [
    "@context",
    "type",
    "action",
    "eventTime",
    "eventTimeZoneOffset",
    "bizStep",
    "disposition",
    "persistentDisposition",
    "epcList",
    "quantityList",
    "parentID",
    "childEPCs",
    "childQuantityList",
    "inputEPCList",
    "inputQuantityList",
    "outputEPCList",
    "outputQuantityList",
    "transformationID",
    "ilmd",
    "readPoint",
    "bizLocation",
    "sourceList",
    "destinationList",
    "certificationInfo",
    "sdl:traceCode",
]


@pytest.mark.parametrize("member", CLEAR)
def test_in_the_clear(member: str) -> None:
    assert visibility_of(member) is Visibility.CLEAR


@pytest.mark.parametrize(
    "member",
    [
        "eventID",
        "bizTransactionList",
        "sensorElementList",
        "errorDeclaration",
        "sdl:containerNo",
        "sdl:sealNo",
        "sdl:labTest",
        "sdl:disinfection",
        "example:driver",
        "driver",
        "",
        "Type",
        "epclist",
        "sdl:participants ",
    ],
)
def test_withheld_for_partners(member: str) -> None:
    assert visibility_of(member) is Visibility.PARTNER


def test_people_and_plates() -> None:
    assert visibility_of("sdl:participants") is Visibility.VAULT
    assert visibility_of("sdl:vehiclePlate") is Visibility.RESTRICTED


def test_every_member_of_the_standard_is_decided_on_purpose() -> None:
    standard = set().union(*(members_of(kind) for kind in EVENT_TYPES)) - {"recordTime"}
    withheld = {member for member in standard if visibility_of(member) is not Visibility.CLEAR}
    assert withheld == {"eventID", "bizTransactionList", "sensorElementList", "errorDeclaration"}
    assert set(CLEAR) - standard == {"@context", "sdl:traceCode"}


def test_the_table_is_frozen() -> None:
    raw = resources.files("sudonglian.records").joinpath(f"visibility-{TABLE_VERSION}.json").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == "e987713340fa8c7911e6a0eeec7250ef8e470a6696da6e8f7307f665574a5959"
