"""Sensor data that contradict themselves: an attribute in the metadata and another value of it in a report.

EPCIS 2.0 §7.3.7 and TCR-53 step 29; docs/decisions/0742 (why the same value twice is a warning alone).
"""

from collections.abc import Iterator
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.findings import Finding, error, pointer, warning

ONCE: Final = ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules")
"""Attributes that stand in the metadata for all reports, or in each report."""

RULE: Final = "EPCIS 2.0 §7.3.7"


def check_sensors(event: dict[str, Json]) -> Iterator[Finding]:
    """Yield the findings on attributes that stand in both places.

    >>> element = {"sensorMetadata": {"deviceID": "urn:a:1"}, "sensorReport": [{"deviceID": "urn:a:2"}]}
    >>> [(one.level, one.pointer) for one in check_sensors({"sensorElementList": [element]})]
    [('error', '/sensorElementList/0/sensorReport/0/deviceID')]
    """
    elements = event.get("sensorElementList")
    for number, element in enumerate(elements if isinstance(elements, list) else ()):
        metadata = element.get("sensorMetadata") if isinstance(element, dict) else None
        reports = element.get("sensorReport") if isinstance(element, dict) else None
        if not isinstance(metadata, dict) or not isinstance(reports, list):
            continue
        for index, report in enumerate(reports):
            if not isinstance(report, dict):
                continue
            for name in (*ONCE, "time"):
                if name in metadata and name in report:
                    differs = name != "time" and metadata[name] != report[name]
                    yield _twice(pointer("sensorElementList", number, "sensorReport", index, name), differs=differs)


def _twice(place: str, *, differs: bool) -> Finding:
    if differs:
        zh, en = (
            "与 sensorMetadata 中的值矛盾,应只在一处给出",
            "contradicts sensorMetadata; it stands in one of the two",
        )
        return error("sensor-attribute-contradicts", place, RULE, zh, en)
    zh, en = "sensorMetadata 中已给出,应只在一处给出", "stands in sensorMetadata too; it stands in one of the two"
    return warning("sensor-attribute-twice", place, RULE, zh, en)
