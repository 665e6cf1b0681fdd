"""The reference of the profiles and of the findings of meaning, as Markdown: docs/profiles.md.

House rule: a test fails when a rule is undocumented. Written again by `python -m sudonglian.api.profile_reference`.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Final

from sudonglian.api.console import tell
from sudonglian.records.meaning.codes import codes
from sudonglian.records.profiles.table import Profile, profiles

HEADING: Final = """# Profiles · 规则集

Written by `python -m sudonglian.api.profile_reference > docs/profiles.md`; a test compares.

A document is judged in three layers. The **schema** (EPCIS 2.0) refuses. Findings of **meaning**, below, are warnings: the event is taken as it was written. A **profile** is what one law or standard wants of a document as well; whatever it lacks refuses, and so do the findings of meaning that the profile raises. Every finding has a code, a JSON pointer, the rule that it follows and a sentence in Chinese and English.

```text
sudonglian validate FILE… --profile cn-import --json     exit 0: valid; 1: not valid; 64: no such profile
sudonglian profiles                                      what there is
POST /validate?profile=cn-import                         the same over HTTP (scope capture); GET /profiles
sudonglian capture FILE… --profile cn-import             what it lacks is refused; also: import
sudonglian keys api create … --profile cn-import         what is captured with this key is judged by it (docs/http.md)
```

The rules are data: `records/sudonglian/records/profiles/profiles.json`. A fact of *goods* may stand in any event of the document that names the same goods, what they were packed in, or what was packed in them; every item and lot of an event needs it. A fact of an *event* stands in the event. A fact that is there and malformed has the code of its rule with `-format`. A document with no event that a profile is about is refused (`profile-no-event`), but for one of master data or of corrections alone. Profiles look at documents whose events all pass the schema; events that were declared to be in error are left out.

Members that profiles ask for beside those of GS1: `sdl:overseasPlantNo` (境外生产企业注册编号), `sdl:productName`, `sdl:tlcSource`, `sdl:tlcSourceReference`, `sdl:traceabilityLotCode`; papers by the type URIs `urn:sudonglian:bt:customs-declaration`, `…:quarantine-certificate`, `…:disinfection-certificate`, `…:exit-permit`. Facts of goods stand in `ilmd` where EPCIS has it (action ADD), and otherwise at the top level of the event. A firm without a GLN is `urn:sudonglian:uscc:` and its 统一社会信用代码. A list `sdl:goods` (docs/sheets.md) tells of the goods that each `item` names: `name`, `countryOfOrigin`, `productionDate`, `expirationDate`, `overseasPlantNo`, `tlcSource`; filled sheets can meet every profile.

Of each source and rule it is told whether it was compared: with its text (`text`, as public pages print it, not the official print), with a page that tells of it (`quoted`), or not at all (`no`). What stands here is no legal advice."""


SECTIONS: Final = """Sections of EPCIS 2.0 in findings were compared with the table of contents of ISO/IEC 19987:2024, the same standard, as a bookseller prints it, as far as §7.3.5: §6.4, §6.5, §7.1, §7.2, §7.3.1 to §7.3.5 with §7.3.3.1 (quantities). That §7.3.6 is the dimension "why" (steps, dispositions, transactions, sources, destinations) follows from its place between "where" (§7.3.5) and sensors, which are §7.3.7 in GS1's public drafts. §7.4 and its parts, §8 to §12, and all sections of CBV 2.0 were not compared; what is asked for there was, with GS1's schema and published events."""


def render() -> str:
    """Return the whole reference."""
    parts = [HEADING, *(_profile(one) for one in profiles().values()), "\n".join(_meaning())]
    return "\n\n".join(parts) + "\n"


def _profile(one: Profile) -> str:
    about = (
        f"{one.title['en']} · {one.title['zh']} (version {one.version}). For {one.applies['en']} · {one.applies['zh']}."
    )
    lines = [
        f"## {one.name}",
        "",
        f"{about} Example: [profiles/{one.name}.json](profiles/{one.name}.json).",
        "",
        *(f"- {_source(source)}" for source in one.sources),
        "",
        "| code | English | 中文 | rule | compared |",
        "|---|---|---|---|---|",
        *(
            f"| `{each.code}` | {each.message['en']} | {each.message['zh']} | {each.rule} | {each.checked} |"
            for each in one.asked
        ),
        "",
        "Raises: " + ", ".join(f"`{code}`" for code in sorted(one.raises)) + ".",
    ]
    return "\n".join(lines)


def _source(source: Mapping[str, str]) -> str:
    remark = f": {source['remark']}" if "remark" in source else ""
    return f"{source['title']} ({source['checked']}{remark})"


def _meaning() -> Iterator[str]:
    yield "## Findings of meaning · 含义"
    yield ""
    yield "| code | English | 中文 |"
    yield "|---|---|---|"
    for code, words in codes().items():
        yield f"| `{code}` | {words['en']} | {words['zh']} |"
    yield ""
    yield SECTIONS


if __name__ == "__main__":
    tell(sys.stdout, render(), end="")
