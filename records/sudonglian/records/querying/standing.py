"""The parameters of fixed name.

EPCIS 2.0 §8.2.7.1 (SimpleEventQuery); TCR-53 of its conformance requirements (names of sensor attributes).
"""

from collections.abc import Iterator
from typing import Final

from sudonglian.records.querying import asking, conditions, fields, values
from sudonglian.records.querying.conditions import ERROR
from sudonglian.records.querying.parameter import Given, Parameter
from sudonglian.records.querying.values import Op

OPS: Final[tuple[Op, ...]] = ("EQ", "GT", "GE", "LT", "LE")

WORDS: Final = {"EQ": "is", "GT": "is above", "GE": "is at least", "LT": "is below", "LE": "is at most"}

TIMES: Final = ("time", "startTime", "endTime")

IN_BOTH: Final = ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules")
"""Attributes that stand in a sensor's metadata or in its reports (EPCIS 2.0 §7.3.7)."""

OF_REPORTS: Final = ("microorganism", "chemicalSubstance", "coordinateReferenceSystem", "uriValue")
OF_VOCABULARY: Final = ("type", "exception", "component")


def _events() -> Iterator[Parameter]:
    yield Parameter("eventType", "names", "The event is of one of these types.", "ObjectEvent|AggregationEvent",
                    asking.named("type", conditions.vocabulary))  # fmt: skip
    for name, what, member in (("eventTime", "happened", ""), ("recordTime", "was recorded", "recorded_")):
        time = "2026-01-05T00:00:00Z"
        yield Parameter(
            f"GE_{name}",
            "time",
            f"The event {what} then or later.",
            time,
            asking.sets(**{f"{member}since": asking.time_of}),
        )
        yield Parameter(
            f"LT_{name}", "time", f"The event {what} before.", time, asking.sets(**{f"{member}before": asking.time_of})
        )
    for name, example in (("action", "ADD|OBSERVE"), ("bizStep", "shipping|receiving"), ("disposition", "in_transit")):
        yield Parameter(f"EQ_{name}", "names", f"The event's {name} is one of these.", example,
                        asking.acting() if name == "action" else asking.named(name, conditions.vocabulary))  # fmt: skip
    for name in ("set", "unset"):
        yield Parameter(f"EQ_persistentDisposition_{name}", "names", f"The event {name}s one of these dispositions.", "damaged",
                        asking.lasting(name))  # fmt: skip
    for name in ("readPoint", "bizLocation"):
        gln = "https://id.gs1.org/414/9520001001048"
        yield Parameter(f"EQ_{name}", "names", f"The event's {name} is one of these.", gln, asking.placed(name))
        yield Parameter(f"WD_{name}", "names", f"The event's {name} is one of these or lies within one: its GLN with an extension, or by the firm's master data.",
                        gln, asking.within(name))  # fmt: skip
    yield Parameter("EQ_transformationID", "names", "The transformation has one of these numbers.", "urn:uuid:6f0b…",
                    asking.sets(transformation_ids=lambda asked: frozenset(asking.names_of(asked))))  # fmt: skip
    for kind, where in (
        ("epc", "epcList or childEPCs"), ("parentID", "parentID"), ("inputEPC", "inputEPCList"), ("outputEPC", "outputEPCList"),
        ("anyEPC", "any of these"), ("epcClass", "quantityList or childQuantityList"), ("inputEPCClass", "inputQuantityList"),
        ("outputEPCClass", "outputQuantityList"), ("anyEPCClass", "any list of quantities"),
    ):  # fmt: skip
        example = (
            "urn:epc:class:lgtin:4012345.012345.998877" if "Class" in kind else "urn:epc:idpat:sgtin:0614141.107346.*"
        )
        yield Parameter(f"MATCH_{kind}", "names", f"One of these identifiers, or of the form of one of these patterns, is in {where}.",
                        example, asking.matches(kind))  # fmt: skip
    for op in OPS:
        yield Parameter(f"{op}_quantity", "numbers" if op == "EQ" else "number",
                        f"An amount of a class {WORDS[op]} this, whatever its unit.", "200",
                        asking.amounts(op))  # fmt: skip


def _identity() -> Iterator[Parameter]:
    yield Parameter("EQ_eventID", "texts", "The event has one of these eventIDs.", "urn:uuid:6f0b…",
                    asking.sets(event_ids=lambda asked: frozenset(values.texts(asked.value, asked.name))))  # fmt: skip
    yield Parameter(
        "EXISTS_errorDeclaration", "nothing", "The event declares another one to be in error.", "true", asking.declared
    )
    for name in ("errorDeclarationTime", "errorDeclaration_Time"):
        holders = fields.member("errorDeclaration")
        for op, word in (("GE", "then or later"), ("LT", "before")):
            yield Parameter(f"{op}_{name}", "time", f"The error was declared {word}.", "2026-01-05T00:00:00Z",
                            asking.attribute(holders, "declarationTime", asking.at_of(op), ERROR))  # type: ignore[arg-type]  # fmt: skip
    yield Parameter("EQ_errorReason", "names", "The error was declared for one of these reasons.", "incorrect_data",
                    asking.attribute(fields.member("errorDeclaration"), "reason",
                               lambda asked: conditions.vocabulary(asking.names_of(asked)), ERROR))  # fmt: skip
    yield Parameter("EQ_correctiveEventID", "texts", "One of these events corrects the error.", "urn:uuid:6f0b…",
                    asking.attribute(fields.member("errorDeclaration"), "correctiveEventIDs",
                               lambda asked: conditions.identifier(values.texts(asked.value, asked.name)), ERROR))  # fmt: skip


def _sensors() -> Iterator[Parameter]:
    for name in ("sensorElementList", "sensorElement"):
        yield Parameter(f"EXISTS_{name}", "nothing", "The event has sensor data.", "true", asking.sensed)
    yield Parameter("EXISTS_ILMD", "nothing", "The event has data of the instance or lot.", "true", asking.has_ilmd)
    for name in TIMES:
        for op in OPS:
            yield Parameter(f"{op}_{name}", "time", f"The {name} of a sensor's metadata or report {WORDS[op]} this.",
                            "2026-01-05T00:30:00Z", asking.attribute(fields.metadata_and_reports, name, asking.at_of(op)))  # fmt: skip
    for name in (*IN_BOTH, "deviceMetaData"):
        member = "deviceMetadata" if name == "deviceMetaData" else name
        yield Parameter(f"EQ_{name}", "names", f"The {member} of a sensor's metadata or report is one of these.",
                        "urn:epc:id:giai:4000001.111", asking.attribute(fields.metadata_and_reports, member, asking.identifier_of))  # fmt: skip
    for name in OF_REPORTS:
        yield Parameter(f"EQ_{name}", "names", f"The {name} of a sensor report is one of these.", "https://example.org/1",
                        asking.attribute(fields.reports, name, asking.identifier_of))  # fmt: skip
    for name in OF_VOCABULARY:
        yield Parameter(f"EQ_{name}", "names", f"The {name} of a sensor report is one of these.",
                        {"type": "Temperature", "exception": "ALARM_CONDITION", "component": "x"}[name],
                        asking.attribute(fields.reports, name, lambda asked: conditions.vocabulary(asking.names_of(asked))))  # fmt: skip
    yield Parameter("EQ_stringValue", "texts", "The stringValue of a sensor report is one of these.", "open",
                    asking.attribute(fields.reports, "stringValue",
                               lambda asked: conditions.text(values.texts(asked.value, asked.name))))  # fmt: skip
    yield Parameter("EQ_hexBinaryValue", "texts", "The hexBinaryValue of a sensor report is one of these.", "f0a1",
                    asking.attribute(fields.reports, "hexBinaryValue",
                               lambda asked: conditions.hexadecimal(values.texts(asked.value, asked.name))))  # fmt: skip
    yield Parameter("EQ_booleanValue", "boolean", "The booleanValue of a sensor report is this.", "true",
                    asking.attribute(fields.reports, "booleanValue", asking.truth_of))  # fmt: skip
    for op in OPS:
        given: Given = "numbers" if op == "EQ" else "number"
        yield Parameter(f"{op}_percRank", given, f"The percRank of a sensor report {WORDS[op]} this.", "50",
                        asking.attribute(fields.reports, "percRank", asking.number_is(op)))  # fmt: skip


def _answers() -> Iterator[Parameter]:
    yield Parameter(
        "orderBy",
        "word",
        "In which order events come; without it, as they were taken.",
        "eventTime",
        asking.word,
        words=asking.ORDERS,
    )
    yield Parameter(
        "orderDirection",
        "word",
        "With orderBy: ascending, or (without it) descending.",
        "ASC",
        asking.word,
        words=asking.DIRECTIONS,
    )
    yield Parameter("eventCountLimit", "count", "So many events at most, on all pages together.", "10",
                    asking.sets(limit=lambda asked: values.count(asked.value, asked.name)))  # fmt: skip
    yield Parameter("maxEventCount", "count", "Refuse (413) if more events than this fit.", "1000",
                    asking.sets(most=lambda asked: values.count(asked.value, asked.name)))  # fmt: skip


STANDING: Final = {one.name: one for one in (*_events(), *_identity(), *_sensors(), *_answers())}
"""Every parameter of fixed name."""
