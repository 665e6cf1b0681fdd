"""Making an export: without identities from what the case lists, with them only out of a reveal released for it.

docs/spec/access-log.md rule 3; docs/decisions/0801 and 0840. What is made is in the answer alone, and kept nowhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sudonglian.records import cases
from sudonglian.records.case_state import Case, Reveal
from sudonglian.records.cases import Act
from sudonglian.records.keys import Keys
from sudonglian.records.reveals import RevealRefused, RevealUnknown
from sudonglian.records.store import Store
from sudonglian.trace.casework import disclosing
from sudonglian.trace.casework.counts import K
from sudonglian.trace.casework.exports import book, network, report_pdf, sormas
from sudonglian.trace.casework.exports.book import Identities, Told
from sudonglian.trace.casework.exports.contents import Contents, gather
from sudonglian.trace.casework.exports.masking import WITH, WITHOUT
from sudonglian.trace.casework.exports.proving import proven
from sudonglian.trace.casework.exports.stamp import ExportRefused, Lang, Made


class Form(NamedTuple):
    """A kind of export: how its file's name ends, what it is, and how it is made; whether it can name people."""

    suffix: str
    media: str
    encode: Callable[[Contents, Made, Told, Identities | None], bytes]
    has_identities: bool = False


FORMS: Final = {
    book.FORM: Form(
        "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", book.encode, has_identities=True
    ),
    report_pdf.FORM: Form("pdf", "application/pdf", report_pdf.encode),
    network.FORM: Form("graphml", "application/graphml+xml", network.encode),
    sormas.FORM: Form("csv", "text/csv; charset=utf-8", sormas.encode, has_identities=True),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """A file for the caller; nothing repeats what is in it."""

    case: Case = field(repr=False)
    form: str
    body: bytes = field(repr=False)
    documents: tuple[str, ...]
    members: int
    reveal: Reveal | None = None

    @property
    def name(self) -> str:
        """Return what to call the file: nothing that somebody wrote stands in it."""
        told = "-identities" if self.reveal is not None else ""
        return f"case-{self.case.number}-{self.form}{told}.{FORMS[self.form].suffix}"

    @property
    def media(self) -> str:
        """Return what the file is."""
        return FORMS[self.form].media


Tell = Callable[[Contents, Lang], Told]
"""Gives the sentences of a case's walks in a language."""


def form_of(name: str, *, identities: bool = False) -> Form:
    """Return a kind of export.

    Raises
    ------
    ExportRefused
        There is none of this name, or it never names people.
    """
    form = FORMS.get(name)
    if form is None:
        raise ExportRefused(f"{name[:40]!r} is none of: {', '.join(FORMS)}", place="format")
    if identities and not form.has_identities:
        raise ExportRefused(f"{name} never has identities", place="format")
    return form


def export(
    store: Store, keys: Keys, case: str, act: Act, form: str, lang: Lang, tell: Tell, *, k: int = K, url: str = ""
) -> Exported:
    """Make an export without identities; a report hides counts below `k`, and its codes lead to a server's address.

    Raises
    ------
    ExportRefused, CaseUnknown
        There is no such form, or no such case.
    """
    encode = form_of(form).encode
    with store.read() as connection:
        contents = gather(connection, keys, cases.find(connection, case), WITHOUT)
        runs = contents.runs if form == report_pdf.FORM else ()
        proofs = tuple(proven(connection, keys, run) for run in runs)
    body = encode(contents, Made(act.by, act.now, lang, None, k, url, proofs), tell(contents, lang), None)
    return _exported(contents, form, body)


def export_identities(
    store: Store, keys: Keys, case: str, act: Act, form: str, lang: Lang, tell: Tell, reveal: int
) -> Exported:
    """Make an export that says who everybody is; the entries about it are on disk before an identity is read.

    Raises
    ------
    ExportRefused, RevealRefused, CaseUnknown, CaseClosed
        There is no such form, or the reveal may not be released, or is not of exactly this line list.
    """
    encode = form_of(form, identities=True).encode
    with store.read() as connection:
        found = cases.find(connection, case)
        _check(found, reveal)
        contents = gather(connection, keys, found, WITH)
    # A reveal is released once: whatever could refuse the file refuses it before.
    encode(contents, Made(act.by, act.now, lang), tell(contents, lang), None)
    shown = disclosing.release(store, keys, reveal, act)
    with store.read() as connection:
        contents = gather(connection, keys, shown.case, WITH)
    made = Made(act.by, act.now, lang, shown.reveal)
    body = encode(contents, made, tell(contents, lang), shown.identities)
    return _exported(contents, form, body, shown.reveal)


def _check(case: Case, number: int) -> None:
    reveal = case.reveals.get(number)
    if reveal is None:
        raise RevealUnknown(f"case {case.number} has no reveal {number}", place="reveal")
    if reveal.persons != tuple(sorted(case.members)):
        raise RevealRefused("this reveal is not of the whole line list as it is now: ask anew", place="reveal")


def _exported(contents: Contents, form: str, body: bytes, reveal: Reveal | None = None) -> Exported:
    documents = tuple(run.document_hash for run in contents.runs)
    return Exported(contents.case, form, body, documents, len(contents.rows), reveal)
