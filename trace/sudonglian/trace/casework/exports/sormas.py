"""The line list as contacts for SORMAS: the columns of its contact import, with a row of entities above them.

SORMAS-Project, ContactImporter and ImportFacadeEjb as they stand since vaccinations are imported with contacts (issue
7101, after 1.64); docs/decisions/0842. Lines that begin with ## are skipped by its importer.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

from sudonglian.records.reveals import Identity
from sudonglian.trace.casework.exports.book import Identities, Told
from sudonglian.trace.casework.exports.contents import Contents, Row
from sudonglian.trace.casework.exports.stamp import Made, stamp, watermark
from sudonglian.trace.engine.pictures.times import ZONE

FORM: Final = "sormas"

COMMENT: Final = "##"

ENTITY: Final = "Contact"
"""Above every column: nothing of samples or vaccinations is told."""

COLUMNS: Final = (
    *("caseIdExternalSystem", "caseOrEventInformation", "disease", "diseaseDetails", "reportDateTime"),
    *("region", "district", "multiDayContact", "firstContactDate", "lastContactDate"),
    *("contactIdentificationSource", "contactIdentificationSourceDetails"),
    *("contactProximity", "contactProximityDetails", "contactClassification", "description", "externalID"),
    *("highPriority", "additionalDetails"),
    *("person.firstName", "person.lastName", "person.sex", "person.phone"),
    *("person.passportNumber", "person.nationalHealthId"),
)

DISEASES: Final = {
    "sars-cov-2": ("CORONAVIRUS", ""),
    "norovirus": ("OTHER", "norovirus"),
    "listeria": ("OTHER", "Listeria"),
}
"""Of a policy's pathogen; SORMAS asks for one, and is told UNDEFINED where the policy assumes none."""

UNDEFINED: Final = ("UNDEFINED", "")

HIGH: Final = frozenset({"close", "high"})

RUNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet on the way would compute instead of showing; a blank before it is trimmed by the importer."""

DAY: Final = 10


def encode(contents: Contents, made: Made, tell: Told, identities: Identities | None = None) -> bytes:
    """Return the contacts as CSV."""
    out = io.StringIO(newline="")
    for comment in _comments(contents, made):
        # One line each, whatever somebody wrote into a reason.
        out.write(f"{COMMENT} {' '.join(comment.split())}\r\n")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([ENTITY] * len(COLUMNS))
    writer.writerow(COLUMNS)
    for row in lines(contents, identities):
        writer.writerow(row)
    return out.getvalue().encode("utf-8", "replace")


def lines(contents: Contents, identities: Identities | None = None) -> Iterator[list[str]]:
    """Yield the contacts, as `COLUMNS` names their cells."""
    policies = {run.trace: str(run.document["versions"].get("policy", "")) for run in contents.runs}
    for row in contents.persons:
        known = None if identities is None else identities.get(row.person or 0, ())
        told = _contact(contents, row, policies.get(int(row.cells["run"]), "")) | _person(row, known)
        yield [_safe(told.get(name, "")) for name in COLUMNS]


def _contact(contents: Contents, row: Row, policy: str) -> dict[str, str]:
    cells = row.cells
    pathogen = next((one for one in DISEASES if policy.startswith(one)), "")
    disease, details = DISEASES.get(pathogen, UNDEFINED)
    first, last = _date(cells["earliest"]), _date(cells["latest"] or cells["earliest"])
    why = f"tier {cells['tier']}, rule {cells['rule']}, {cells['evidence']}, generation {cells['generation']}"
    return {
        "caseIdExternalSystem": contents.case.name,
        "caseOrEventInformation": f"Sudonglian case {contents.case.number}: {contents.case.purpose}",
        "disease": disease,
        "diseaseDetails": details,
        # The day on which the list was made, by the zone of the others.
        "reportDateTime": _day(contents.case.events[-1].at_us, ZONE),
        "multiDayContact": "true" if first != last else "false",
        "firstContactDate": first if first != last else "",
        "lastContactDate": last,
        "contactIdentificationSource": "OTHER",
        "contactIdentificationSourceDetails": "supply chain records",
        "contactProximityDetails": f"at {cells['place']}" if cells["place"] else "",
        "contactClassification": "CONFIRMED" if cells["evidence"] == "certain" else "UNCONFIRMED",
        "description": why,
        "externalID": str(cells["member"]),
        "highPriority": "true" if cells["tier"] in HIGH else "false",
        "additionalDetails": str(cells["tasks"]),
    }


def _person(row: Row, identities: Sequence[Identity] | None) -> dict[str, str]:
    """Return what is told of the person: SORMAS wants a first and a last name, so a pseudonym is both."""
    masked = {"person.firstName": "pseudonym", "person.lastName": str(row.cells["member"]), "person.sex": "UNKNOWN"}
    if not identities:
        return masked
    name = next((one.name for one in identities if one.name), "")
    values = {
        kind: next((one.value for one in identities if one.kind == kind), "") for kind in ("phone", "passport", "cn-id")
    }
    # A Chinese name is not split by rule: who imports it does that, or has the whole in both.
    first, last = (" ".join(name.split()[:-1]), name.split()[-1]) if len(name.split()) > 1 else (name, name)
    return {
        "person.firstName": first or masked["person.firstName"],
        "person.lastName": last or masked["person.lastName"],
        "person.sex": sex_of(values["cn-id"]),
        "person.phone": values["phone"],
        "person.passportNumber": values["passport"],
        "person.nationalHealthId": values["cn-id"],
    }


def sex_of(number: str) -> str:
    """Return the sex that a Chinese identity number says: its last but one digit is odd for a man.

    >>> sex_of("11010519491231002X"), sex_of("440524188001010014"), sex_of("")
    ('FEMALE', 'MALE', 'UNKNOWN')
    """
    if len(number) != 18 or not number[16].isdigit():
        return "UNKNOWN"
    return "MALE" if int(number[16]) % 2 else "FEMALE"


def _comments(contents: Contents, made: Made) -> Iterator[str]:
    if made.reveal is not None:
        yield watermark(contents, made.reveal, made.lang)
    for name, value in stamp(contents, made, FORM):
        yield f"{name}: {value}"


def _date(text: str) -> str:
    """Return a day as SORMAS reads one for who uses it in English.

    >>> _date("2024-11-09 14:00:00"), _date("")
    ('11/9/2024', '')
    """
    if len(text) < DAY:
        return ""
    year, month, day = text[:DAY].split("-")
    return f"{int(month)}/{int(day)}/{year}"


def _day(at_us: int, zone: tzinfo) -> str:
    return _date(str(datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(zone))[:DAY])


def _safe(text: str) -> str:
    return f" {text}" if text.startswith(RUNS) else text
