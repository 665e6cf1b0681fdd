"""Qingdao, September and October 2020: two shifts unload a ship; weeks later a CT room passes it on.

docs/incidents.md tells what was published and what this file assumes.
"""

from typing import Any, Final

from scripts.handoffs import Event, Firm, document, event
from scripts.incidents.cast import Cast, at, called, fact

NAME: Final = "qingdao-2020"

SHIFT_A, SHIFT_B = 23, 48
"""Published: stevedores of the shift with the two infections, and of the other that unloaded the same ship."""

SHIP_OWNER, PORT, STORAGE, HOSPITAL = Firm(2301), Firm(2302), Firm(2303), Firm(2304)
SHIP = SHIP_OWNER.vehicle("SHIP1")
QUAY = PORT.place(1, "quay")
STORE = STORAGE.place(1, "frozen-fish")
CT_ROOM, WARD = HOSPITAL.place(1, "ct-room"), HOSPITAL.place(1, "tb-ward")
FISH = SHIP_OWNER.lot(1, "COD")
SAMPLED = at(9, 25, 8)

NAMES: Final = {
    SHIP: {"zh": "冷藏货轮", "en": "the reefer ship"},
    QUAY: {"zh": "青岛港 码头", "en": "quay, Qingdao"},
    STORE: {"zh": "李沧区 冻鱼储存地", "en": "frozen fish store, Licang"},
    CT_ROOM: {"zh": "医院 CT 室", "en": "CT room of the hospital"},
    WARD: {"zh": "医院 结核病区", "en": "tuberculosis ward"},
    FISH: {"zh": "进口冻鳕鱼", "en": "imported frozen cod"},
}


def documents() -> dict[str, Any]:
    """Return the firms' documents by file name."""
    cast = Cast(23)
    return {
        "01-ship.json": document(SHIP_OWNER.party(), at(9, 2), [_loaded()], called(NAMES, SHIP)),
        "02-port.json": document(PORT.party(), at(9, 20, 9), _port(cast), called(NAMES, QUAY)),
        "03-storage.json": document(STORAGE.party(), at(9, 25, 9), _storage(cast), called(NAMES, STORE)),
        "04-hospital.json": document(HOSPITAL.party(), at(10, 11, 9), _hospital(cast), called(NAMES, CT_ROOM, WARD)),
    }


def _loaded() -> Event:
    return event(f"{NAME}/loaded", at(9, 1, 8), "commissioning", amounts={FISH: 20_000}, action="ADD", at=SHIP, to=SHIP)


def _port(cast: Cast) -> list[Event]:
    """Let one shift unload by day and that of the two infected by night; what they land goes to the store."""
    events = []
    shifts = (("B", SHIFT_B, at(9, 19, 8), ()), ("A", SHIFT_A, at(9, 19, 20), ("装卸工董", "装卸工陈")))
    for shift, size, start, known in shifts:
        others = [f"{'乙甲'[shift == 'A']}班装卸工{number}" for number in range(1, size - len(known) + 1)]
        people = [cast.take(name, "stevedore", "outer-packaging", start, 10 * 60) for name in (*known, *others)]
        events.append(
            event(
                f"{NAME}/unloaded-{shift}", start, "unloading", amounts={FISH: 10_000}, at=QUAY, to=QUAY,
                people=people, between=(SHIP_OWNER.party(), PORT.party()),
            )
        )  # fmt: skip
        events.append(
            event(
                f"{NAME}/landed-{shift}", start.replace(hour=start.hour + 3), "shipping", amounts={FISH: 10_000},
                at=QUAY, between=(PORT.party(), STORAGE.party()),
            )
        )  # fmt: skip
    events.append(
        event(
            f"{NAME}/left-ship", at(9, 19, 7, 30), "shipping", amounts={FISH: 20_000}, at=SHIP,
            between=(SHIP_OWNER.party(), PORT.party()),
        )
    )  # fmt: skip
    return events


def _storage(cast: Cast) -> list[Event]:
    between = (PORT.party(), STORAGE.party())
    keepers = [cast.take(f"仓储工{number}", "porter", "outer-packaging", at(9, 19, 12), 60) for number in (1, 2)]
    return [
        event(
            f"{NAME}/stored-B", at(9, 19, 12), "receiving", amounts={FISH: 10_000}, at=STORE, to=STORE,
            people=keepers, between=between,
        ),
        event(
            f"{NAME}/stored-A", at(9, 19, 23, 59), "receiving", amounts={FISH: 10_000}, at=STORE, to=STORE,
            between=between,
        ),
        event(
            f"{NAME}/sampled", SAMPLED, "sampling", amounts={FISH: 20_000}, at=STORE, to=STORE,
            labTest={"result": "positive", "material": "outer packaging", "time": SAMPLED.isoformat()},
        ),
    ]  # fmt: skip


def _hospital(cast: Cast) -> list[Event]:
    """Visits to a room: the room itself is what the event names."""
    evening, morning = at(10, 4, 20), at(10, 5, 9)

    def visit(name: str, room: str, start: Any, minutes: int, *people: str) -> Event:
        present = [cast.take(one, "patient", "same-room", start, minutes) for one in people]
        return event(f"{NAME}/{name}", start, "inspecting", items=[room], at=room, to=room, people=present)

    return [
        visit("ct-evening", CT_ROOM, evening, 30, "装卸工董", "装卸工陈"),
        visit("ct-morning", CT_ROOM, morning, 30, "住院患者李", "陪护牛"),
        visit("ward", WARD, at(10, 5, 10), 600, "住院患者李", "陪护牛"),
    ]


def story() -> dict[str, Any]:
    """Return what `sample list` tells: what was published, by whom, and what is assumed here."""
    port, paper = "青岛市卫健委 2020-09-25(新华社、环球时报)", "贾静等 中华流行病学杂志 2021;42(8):1360-1364"
    hospital = "青岛市新闻发布会 2020-10-16(中新网);新华社 2020-10-18"
    return {
        "name": NAME,
        "title": {
            "zh": "青岛 2020 年 9 月至 10 月:港口装卸与 CT 室(公开通报重建)",
            "en": "Qingdao, September and October 2020: the port and the CT room (rebuilt from public reports)",
        },
        "seed": FISH,
        "at": SAMPLED.isoformat(),
        "lookback": "14d",
        "lot": FISH,
        "story": {
            "zh": "两个班组共 71 名装卸工卸同一艘船的冻鱼,其中一班 2 人感染;货物未流入市场即封存,外包装分离出活病毒。两人住院期间做 CT,消毒不规范,次日上午同一 CT 室的患者和陪护感染。",
            "en": "71 stevedores of two shifts unloaded frozen fish from one ship; two of one shift were infected. The goods were sealed before any was sold; live virus was isolated from the packaging. While in hospital the two were taken to a CT room that was not disinfected properly; a patient and his companion, there the next morning, were infected.",
        },
        "published": [
            fact("装卸工董、陈 9 月 19 日夜班卸进口冷冻海鲜,24 日阳性", "two stevedores unloaded frozen seafood in the night shift of 19 September and tested positive on the 24th", port),
            fact("货物未进入市场,全部封存;样本 1440 份,阳性 51 份", "none of the goods reached the market; 51 of 1,440 samples positive", port),
            fact("密切接触者 147 人、次密接 228 人、一般接触者及社区 4341 人,均为阴性", "147 close contacts, 228 of theirs, 4,341 others, all negative", port),
            fact("同船两班 71 人:感染所在班 23 人,另一班 48 人;冻品阳性率 106/919", "two shifts, 71 people: 23 in the shift with both infections, 48 in the other; 106 of 919 packages positive", paper),
            fact("外包装分离到活病毒", "live virus isolated from the packaging of cod", "中国疾控中心 2020-10-17;doi 10.46234/ccdcw2021.164"),
            fact("两人做 CT 后消毒不规范,次日上午同一 CT 室的患者和陪护感染,共 13 例", "after their CT the room was not disinfected properly; a patient and companion of the next morning were infected; 13 cases in all", hospital),
        ],
        "assumed": [
            {
                "zh": "另一班的时间、卸货的件数、仓储工 2 人、采样时刻、CT 的日期和时刻均为设定;病区里还有谁,通报未点名,不设。",
                "en": "The time of the other shift, the amounts, two people at the store, the time of the sample, and the day of the CT are invented; who else was in the ward was not reported, so nobody is named.",
            },
            {
                "zh": "密接 147 人等来自家庭、宿舍和社区,交接记录里没有。",
                "en": "The 147 close contacts and the others are of families, a dormitory and the neighbourhood, of which no handoff tells.",
            },
        ],
        "names": NAMES,
        "spared": [],
        "documents": sorted(documents()),
    }  # fmt: skip
