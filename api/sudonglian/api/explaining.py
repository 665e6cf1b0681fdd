"""Why one member of a trace's answer is listed: its walk in sentences, each with the records that it rests on.

docs/spec/trace-document.md §6; the sentences are those of the pages (docs/decisions/0720: told from the answer itself).
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sudonglian.api.console import Console
from sudonglian.api.parsing import PERSON, seed_of
from sudonglian.api.signing import confirmation_line, confirmations_of
from sudonglian.records import reader
from sudonglian.records.errors import UnknownRecord
from sudonglian.records.master_data import names_of
from sudonglian.records.store import Store


def why(console: Console, store: Store, document: Mapping[str, Any], wanted: str, *, backward: bool) -> Iterator[str]:
    """Yield the lines that tell why a member is listed, or that it is not.

    Parameters
    ----------
    console
        Whose language is spoken.
    store
        Says what the places of the walk are called.
    document
        The answer, as `sudonglian trace --json` prints it.
    wanted
        An item, lot or place in any form, a portion as the list has it, or a person's number.
    backward
        Which way the trace ran.
    """
    # The pages' half second of imports is for whoever asks this.
    from sudonglian.api.pages import steps
    from sudonglian.api.pages.answer import read_answer

    with store.read() as connection:

        def read(record: str) -> Mapping[str, Any] | None:
            try:
                return reader.record(connection, bytes.fromhex(record)).event()
            except UnknownRecord:
                return None

        answer = read_answer(document, console.lang, read, backward=backward, describe=partial(names_of, connection))
        confirmed = confirmations_of(connection, document)
    names = {wanted.strip(), seed_of(wanted, "--why").removeprefix(PERSON)}
    rows = [row for row in answer.rows if row.id in names]
    if not rows and names & {document["seed"], *(one["id"] for one in document["seeds"])}:
        yield console.text("{id} is where this trace begins", id=wanted)
    elif not rows:
        yield console.text("{id} is not listed by this trace", id=wanted)
    for row in rows:
        yield console.text("{id} is listed as {name}: {tier}", id=row.id, name=row.name, tier=row.tier_name)
        for number, meeting in enumerate(steps.meetings(row.walk, answer.names), 1):
            yield f"  {number}. {meeting.sentence}"
            records = dict.fromkeys(record for fact in meeting.facts for record in fact.records)
            for record in records:
                yield f"     {console.text('record {digest}', digest=record)}"
                if record in confirmed:
                    yield f"       {confirmation_line(console, confirmed[record])}"
