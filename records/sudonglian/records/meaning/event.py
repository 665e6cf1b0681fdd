"""The meaning of one event: dates, amounts, conditions and corrections that cannot be right together.

records.md (layer 2); docs/profiles.md lists the codes. All are warnings: the event is understood as it was written.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis import units
from sudonglian.records.epcis.findings import Finding, pointer, warning
from sudonglian.records.epcis.times import instant
from sudonglian.records.identifiers import credit_code
from sudonglian.records.identifiers.credit_code import CreditCodeRefused
from sudonglian.records.meaning.amounts import COUNTS, PACKAGE, amount
from sudonglian.records.meaning.kinds import QUANTITY_LISTS, check_kinds, check_nesting
from sudonglian.records.meaning.sensors import check_sensor_values
from sudonglian.records.profiles.formats import countries, day_of

MADE: Final = ("productionDate", "harvestEndDate", "harvestStartDate", "firstFreezeDate")
ENDS: Final = ("itemExpirationDate", "expirationDate", "bestBeforeDate", "sellByDate")
PLACES_OF_DATES: Final = ("cbvmda", "sdl")
COUNTRY: Final = ("countryOfOrigin", "countryOfExport")
TOLD: Final = {f"{prefix}:{name}": name for prefix in PLACES_OF_DATES for name in (*MADE, *ENDS, *COUNTRY)}
"""Members about goods, as an event or its ilmd names them."""

GOODS: Final = "sdl:goods"
"""What is said of each item of an event in an element of its own, under the same names without a prefix."""

ENDING_STEPS: Final = ("destroying", "inspecting", "returning", "void_shipping", "removing")
"""Steps that goods past their date may go through."""

PARTICIPANT_SLACK: Final = timedelta(hours=24)
"""An event is a moment of a stay, and a shift has no more hours than a day."""

AMOUNT_KINDS: Final = frozenset({"mass", "volume", "length", "area", "ratio", "amount of substance"})
CREDIT_CODE: Final = "urn:sudonglian:uscc:"
"""How a firm that has no GLN is named: its 统一社会信用代码 after this."""


def check_meaning(event: dict[str, Json]) -> Iterator[Finding]:
    """Yield what cannot be right in one event.

    >>> [one.code for one in check_meaning({"persistentDisposition": {"set": ["damaged"], "unset": ["damaged"]}})]
    ['disposition-contradicts']
    """
    at = instant(event.get("eventTime"))
    for told in _tellings(event):
        yield from _dates(event, told)
        yield from _countries(told)
    yield from _offset(event)
    yield from check_kinds(event)
    yield from check_nesting(event)
    yield from _quantities(event)
    yield from _mass_balance(event)
    yield from _condition(event)
    yield from _correction(event, at)
    yield from _parties(event)
    if at is not None:
        yield from _participants(event, at)
    yield from check_sensor_values(event, at)


Telling: TypeAlias = list[tuple[str, str, Json]]
"""Names, pointers and values of what is said of the same goods."""


def _tellings(event: dict[str, Json]) -> Iterator[Telling]:
    """Yield what the event and its ilmd say of all its goods, then what it says of each item."""
    names = (*MADE, *ENDS, *COUNTRY)
    ilmd = event.get("ilmd")
    yield [
        (name, pointer(*path, key), holder[key])
        for holder, path in ((ilmd, ("ilmd",)), (event, ()))
        if isinstance(holder, dict) and not TOLD.keys().isdisjoint(holder)
        for key, name in TOLD.items()
        if key in holder
    ]
    listed = event.get(GOODS)
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(one, dict):
            yield [(name, pointer(GOODS, index, name), one[name]) for name in names if name in one]


def _dates(event: dict[str, Json], told: Telling) -> Iterator[Finding]:
    found: dict[str, list[tuple[str, date]]] = {"made": [], "ends": []}
    for kind, names in (("made", MADE), ("ends", ENDS)):
        for place, value in ((place, value) for name, place, value in told if name in names):
            if (day := day_of(value)) is not None:
                found[kind].append((place, day))
            else:
                yield warning("date", place, "ISO 8601-1:2019", "不是日期(年-月-日)", "not a date (year-month-day)")
    first = max((day for _, day in found["made"]), default=None)
    for place, day in found["ends"]:
        if first is not None and day < first:
            zh, en = "早于生产日期", "lies before the day on which it was made"
            yield warning("dates-order", place, "GB 7718-2011 §4.1.7; CBV 2.0 §9.2", zh, en)
    today = day_of(event.get("eventTime"))
    if today is None:
        return
    for place, day in found["made"]:
        if day > today + timedelta(days=1):
            zh, en = "晚于事件日期", "lies after the day of the event"
            yield warning("production-after-event", place, "CBV 2.0 §9.2", zh, en)
    disposition = event.get("disposition")
    if event.get("bizStep") in ENDING_STEPS or disposition in ("expired", "disposed", "destroyed", "recalled"):
        return
    for place, day in found["ends"]:
        if day < today - timedelta(days=1) and (first is None or day >= first):
            zh, en = "事件发生时已过期", "was over when the event happened"
            yield warning("expired", place, "CBV 2.0 §9.2", zh, en)


def _countries(told: Telling) -> Iterator[Finding]:
    for place, value in ((place, value) for name, place, value in told if name in COUNTRY):
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, str) or one not in countries():
                zh, en = "应为 ISO 3166-1 的两位国家代码", "must be a country in two letters of ISO 3166-1"
                yield warning("country", place, "CBV 2.0 §9.2; ISO 3166-1:2020", zh, en)
                break


def _offset(event: dict[str, Json]) -> Iterator[Finding]:
    # A time in UTC beside the local offset is how many systems write, and says the same.
    time, offset = event.get("eventTime"), event.get("eventTimeZoneOffset")
    if not isinstance(time, str) or not isinstance(offset, str) or instant(time) is None:
        return
    own = time[-6:]
    if time.endswith("Z") or own[1:] == "00:00" or own == offset:
        return
    zh, en = "与 eventTime 的时区不一致", "is not the offset that eventTime is written with"
    yield warning("offset-differs", "/eventTimeZoneOffset", "EPCIS 2.0 §7.4.1", zh, en)


def _quantities(event: dict[str, Json]) -> Iterator[Finding]:
    for member in QUANTITY_LISTS:
        listed = event.get(member)
        for index, element in enumerate(listed if isinstance(listed, list) else ()):
            if not isinstance(element, dict):
                continue
            code = element.get("uom")
            rule = "UN/ECE Recommendation 20; EPCIS 2.0 §7.3.3.1"
            if isinstance(code, str):
                unit = units.known().get(code)
                if unit is None and code not in COUNTS and not PACKAGE.fullmatch(code):
                    zh, en = "不在本系统的计量单位表中", "is not in the table of units of measure"
                    yield warning("uom-unknown", pointer(member, index, "uom"), rule, zh, en)
                elif unit is not None and unit.kind not in AMOUNT_KINDS:
                    zh, en = "不是数量的计量单位", "is no unit of an amount of goods"
                    yield warning("uom-not-amount", pointer(member, index, "uom"), rule, zh, en)
            counted = code is None or (isinstance(code, str) and code in COUNTS)
            if counted and (value := amount(element.get("quantity"))) is not None and value.denominator != 1:
                zh, en = "件数应为整数", "a count must be a whole number"
                yield warning("quantity-count", pointer(member, index, "quantity"), rule, zh, en)


def _mass_balance(event: dict[str, Json]) -> Iterator[Finding]:
    if event.get("type") != "TransformationEvent" or event.get("transformationID"):
        return  # with an identifier, inputs and outputs may stand in several events
    if event.get("inputEPCList") or event.get("outputEPCList"):
        return
    sums = [_mass(event.get(member)) for member in ("inputQuantityList", "outputQuantityList")]
    if sums[0] is not None and sums[1] is not None and sums[1] > sums[0]:
        zh, en = "产出的质量大于投入的质量", "more mass comes out than went in"
        yield warning("mass-balance", "/outputQuantityList", "EPCIS 2.0 §7.4.5", zh, en)


def _mass(listed: Json) -> Fraction | None:
    if not isinstance(listed, list) or not listed:
        return None
    total = Fraction(0)
    for element in listed:
        value = amount(element.get("quantity")) if isinstance(element, dict) else None
        code = element.get("uom") if isinstance(element, dict) else None
        unit = units.known().get(code) if isinstance(code, str) else None
        if value is None or unit is None or unit.kind != "mass":
            return None
        total += value * unit.factor
    return total


def _condition(event: dict[str, Json]) -> Iterator[Finding]:
    condition = event.get("persistentDisposition")
    if not isinstance(condition, dict):
        return
    put, taken = condition.get("set"), condition.get("unset")
    if not isinstance(put, list) or not isinstance(taken, list):
        return
    for index, one in enumerate(taken):
        if one in put:
            zh, en = "同时被设置和取消", "is set and unset at once"
            place = pointer("persistentDisposition", "unset", index)
            yield warning("disposition-contradicts", place, "EPCIS 2.0 §7.3.6", zh, en)


def _correction(event: dict[str, Json], at: datetime | None) -> Iterator[Finding]:
    declared = event.get("errorDeclaration")
    if not isinstance(declared, dict):
        return
    rule = "EPCIS 2.0 §7.4.1.4"
    when = instant(declared.get("declarationTime"))
    if at is not None and when is not None and when < at:
        zh, en = "早于事件本身", "lies before the event itself"
        yield warning("error-declared-early", pointer("errorDeclaration", "declarationTime"), rule, zh, en)
    named = declared.get("correctiveEventIDs")
    for index, one in enumerate(named if isinstance(named, list) else ()):
        if isinstance(one, str) and one == event.get("eventID"):
            zh, en = "事件不能更正自身", "an event cannot correct itself"
            place = pointer("errorDeclaration", "correctiveEventIDs", index)
            yield warning("error-corrects-itself", place, rule, zh, en)


def _parties(event: dict[str, Json]) -> Iterator[Finding]:
    for member, inner in (("sourceList", "source"), ("destinationList", "destination")):
        listed = event.get(member)
        for index, element in enumerate(listed if isinstance(listed, list) else ()):
            uri = element.get(inner) if isinstance(element, dict) else None
            if isinstance(uri, str) and uri.startswith(CREDIT_CODE):
                try:
                    credit_code.parse(uri.removeprefix(CREDIT_CODE))
                except CreditCodeRefused as refusal:
                    zh = "统一社会信用代码的字符或校验码不对"
                    place = pointer(member, index, inner)
                    yield warning("credit-code", place, "GB 32100-2015 §4, annex A", zh, refusal.reason)


def _participants(event: dict[str, Json], at: datetime) -> Iterator[Finding]:
    listed = event.get("sdl:participants")
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(one, dict):
            continue
        start, end = instant(one.get("start")), instant(one.get("end"))
        early = end is not None and end < at - PARTICIPANT_SLACK
        late = start is not None and start > at + PARTICIPANT_SLACK
        if early or late:
            zh, en = "与事件时间相差超过一天", "lies more than a day from the event"
            place = pointer("sdl:participants", index, "end" if early else "start")
            yield warning("participant-elsewhen", place, "docs/spec/plain-event.md rule 13", zh, en)
