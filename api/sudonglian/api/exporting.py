"""The sentences of a case's exports: those of the pages, with persons by pseudonym.

docs/decisions/0720 (told from the answer itself) and 0840.
"""

from typing import Any

from sudonglian.trace.casework.exports.book import Told
from sudonglian.trace.casework.exports.contents import Contents, Row, RunDocument
from sudonglian.trace.casework.exports.making import Exported
from sudonglian.trace.casework.exports.stamp import Lang


def tell(contents: Contents, lang: Lang) -> Told:
    """Return what tells why somebody is listed, and by which walk."""
    # The pages' half second of imports is for whoever asks this.
    from sudonglian.api.pages import steps
    from sudonglian.api.pages.naming import Names

    names = Names(lang, contents.names)

    def told(run: RunDocument, row: Row) -> tuple[str, str]:
        sentences = [one.sentence for one in steps.meetings(row.steps, names)]
        walk = "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1))
        return (sentences[-1] if sentences else ""), walk

    return told


def exported_json(made: Exported, file: str | None) -> dict[str, Any]:
    """Return what a command says of a file that it wrote."""
    return {
        "case": made.case.number,
        "format": made.form,
        "file": file,
        "bytes": len(made.body),
        "members": made.members,
        "documents": list(made.documents),
        "events": len(made.case.events),
        "reveal": None if made.reveal is None else made.reveal.number,
    }
